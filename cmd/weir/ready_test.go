package main

import (
	"net/netip"
	"strings"
	"testing"
)

func TestLinesToTryFitWhatIsServed(t *testing.T) {
	v4, v6 := netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("2001:db8:77::2")
	tests := []struct {
		addrs    []netip.Addr
		services string
		netns    string
		want     string
	}{
		{[]netip.Addr{v4, v6}, "echo discard daytime chargen", "",
			"ping 192.0.2.2|ping 2001:db8:77::2|nc 192.0.2.2 7|nc -u 192.0.2.2 7|nc 192.0.2.2 13|nc 192.0.2.2 19 </dev/null | head"},
		{[]netip.Addr{v6}, "daytime", "blue",
			"ip netns exec blue ping 2001:db8:77::2|ip netns exec blue nc 2001:db8:77::2 13"},
		{[]netip.Addr{v4}, "", "/proc/1/ns/net", "nsenter --net=/proc/1/ns/net ping 192.0.2.2"},
	}
	for _, tt := range tests {
		got := strings.Join(tries(tt.addrs, strings.Fields(tt.services), tt.netns), "|")
		if got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}
