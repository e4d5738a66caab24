package serve

import (
	"net/netip"
	"testing"
)

func TestSourcesThatWouldLoopOrFloodAreRefused(t *testing.T) {
	const local = 7007
	tests := []struct {
		from string
		want Refusal
	}{
		{"192.0.2.1:40000", Answerable},
		{"[2001:db8::1]:40000", Answerable},
		{"192.0.2.1:1023", Answerable}, // a privileged client is still a client
		{"192.0.2.1:68", Answerable},
		{"127.0.0.1:5000", Answerable},
		{"192.0.2.1:7", RefusedService},
		{"192.0.2.1:13", RefusedService},
		{"192.0.2.1:17", RefusedService},
		{"192.0.2.1:19", RefusedService},
		{"192.0.2.1:37", RefusedService},
		{"192.0.2.1:53", RefusedService},
		{"192.0.2.1:123", RefusedService},
		{"[2001:db8::1]:19", RefusedService},
		{"[::ffff:192.0.2.1]:19", RefusedService},
		{"192.0.2.1:0", RefusedService},      // RFC 768: no answer expected
		{"192.0.2.1:7007", RefusedService},   // ourselves elsewhere
		{"224.0.0.1:40000", RefusedSource},   // RFC 1122 §3.2.1.3
		{"[ff02::1]:40000", RefusedSource},   // RFC 4291 §2.7
		{"0.0.0.0:40000", RefusedSource},     // RFC 1122 §3.2.1.3
		{"[::]:40000", RefusedSource},        // RFC 4291 §2.5.2
		{"255.255.255.255:9", RefusedSource}, // the address counts before the port
		{"[::ffff:224.0.0.1]:40000", RefusedSource},
	}
	for _, tt := range tests {
		if got := Refuse(netip.MustParseAddrPort(tt.from), local); got != tt.want {
			t.Errorf("Refuse(%s) = %d, want %d", tt.from, got, tt.want)
		}
	}
	if got := Refuse(netip.AddrPort{}, local); got != RefusedSource {
		t.Errorf("Refuse(no address) = %d, want %d", got, RefusedSource)
	}
}

func TestNoServicePortAtOrAbove1024IsRefused(t *testing.T) {
	for port := 1024; port < 1<<16; port++ {
		if answersAnything(uint16(port)) {
			t.Errorf("port %d is refused: a client may have it by chance (RFC 6056 §3.2)", port)
		}
	}
}
