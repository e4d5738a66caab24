package client_test

import (
	"crypto/tls"
	"testing"

	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/internal/dnstest"
	"github.com/weirnet/weir/apps/dns/internal/fakenet"
)

// Over TLS a server that is named must prove its name, and questions share a connection.
func TestTLS(t *testing.T) {
	in(t, fakenet.Zone("example", records), func(w *world) {
		cert, pool := dnstest.Certificate(w.T, "dns.example")
		w.s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
		w.c.TLS = &tls.Config{RootCAs: pool}
		for range 3 {
			m, res, err := w.ask(client.Options{Transport: client.TLS, ServerName: "dns.example"})
			w.right(m, err)
			if res.Transport != client.TLS || res.Sent != 1 {
				w.Errorf("%+v", res)
			}
		}
		if w.net.Dialled() != 1 {
			w.Errorf("%d connections", w.net.Dialled())
		}
		if _, _, err := w.ask(client.Options{Transport: client.TLS, ServerName: "other.example"}); err == nil {
			w.Error("a server with another name was believed")
		}
		m, _, err := w.ask(client.Options{Transport: client.TLS})
		w.right(m, err)
	})
}
