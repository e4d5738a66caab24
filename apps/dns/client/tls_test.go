package client_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/internal/fakenet"
)

// certificate makes one for dns.example, and the pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"dns.example"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// Over TLS a server that is named must prove its name, and questions share a connection.
func TestTLS(t *testing.T) {
	in(t, fakenet.Zone("example", records), func(w *world) {
		cert, pool := certificate(w.T)
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
