package forward_test

import (
	"crypto/tls"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/forward"
	"github.com/weirnet/weir/apps/dns/internal/dnstest"
	"github.com/weirnet/weir/apps/dns/internal/fakenet"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
)

// An upstream over TLS is asked at port 853, must prove its name, and is asked over one connection.
func TestUpstreamOverTLS(t *testing.T) {
	for name, want := range map[string]msg.Rcode{"dns.example": msg.RcodeSuccess, "other.example": msg.RcodeServerFailure} {
		synctest.Test(t, func(t *testing.T) {
			cert, pool := dnstest.Certificate(t, "dns.example")
			w := &world{T: t, a: &fakenet.Server{Handle: recursive(".", records), Delay: time.Millisecond, NoUDP: true}}
			w.a.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
			w.net.Add("192.0.2.1:853", w.a)
			c := &client.Client{Network: &w.net, TLS: &tls.Config{RootCAs: pool}}
			up := forward.Server{Addr: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), 0), Transport: client.TLS, Name: name}
			var err error
			if w.r, err = forward.New(recursor.Config{Client: c}, forward.Zone{Name: msg.Root, Servers: []forward.Server{up}}); err != nil {
				t.Fatal(err)
			}
			for _, q := range []string{"www.other", "nothing.other"} {
				m, _ := w.ask(q, msg.TypeA)
				if want != msg.RcodeSuccess && m.Rcode != want || want == msg.RcodeSuccess && m.Rcode == msg.RcodeServerFailure {
					t.Errorf("%s of %s: %v", q, name, m)
				}
			}
			if n := w.net.Dialled(); want == msg.RcodeSuccess && n != 1 {
				t.Errorf("%d connections", n)
			}
			w.r.Close()
			c.Close()
		})
	}
}
