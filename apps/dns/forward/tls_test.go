package forward_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/forward"
	"github.com/weirnet/weir/apps/dns/internal/fakenet"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
)

// An upstream over TLS is asked at port 853, must prove its name, and is asked over one connection.
func TestUpstreamOverTLS(t *testing.T) {
	for name, want := range map[string]msg.Rcode{"dns.example": msg.RcodeSuccess, "other.example": msg.RcodeServerFailure} {
		synctest.Test(t, func(t *testing.T) {
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			now := time.Now()
			cert := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"dns.example"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
			der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			pool := x509.NewCertPool()
			pool.AddCert(parsed)
			w := &world{T: t, a: &fakenet.Server{Handle: recursive(".", records), Delay: time.Millisecond, NoUDP: true}}
			w.a.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
			w.net.Add("192.0.2.1:853", w.a)
			c := &client.Client{Network: &w.net, TLS: &tls.Config{RootCAs: pool}}
			up := forward.Server{Addr: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), 0), Transport: client.TLS, Name: name}
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
