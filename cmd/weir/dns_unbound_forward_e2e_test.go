package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// TestForwarderAsksUnbound has weir forward to unbound, by UDP, TCP and TLS, with validation of its own or without: the answers are those
// that unbound gives. One that must prove who it is over TLS, and cannot, is not asked.
func TestForwarderAsksUnbound(t *testing.T) {
	l := newLab(t)
	tr, dir := comparedTree(t), t.TempDir()
	must(t, tr.Write(dir))
	l.nsdTree(tr, dir)
	cert, key := selfMade(t, dir, "resolver.example")
	const unbound = "203.0.113.70"
	l.addresses(netip.MustParseAddr(unbound))
	begun := time.Now() // nobody has learnt anything before
	conf := append(strict(dir), "interface: "+unbound+"@853", "tls-port: 853", "tls-service-key: \""+key+"\"", "tls-service-pem: \""+cert+"\"")
	l.unbound(unbound+":53", filepath.Join(dir, "root.hints"), conf...)
	q := l.questioner()
	for i, c := range []struct {
		to       string
		validate bool
		trusted  bool // the certificate, by the system's
		rcode    msg.Rcode
	}{
		{unbound, true, false, msg.RcodeSuccess},
		{unbound, false, false, msg.RcodeSuccess},
		{"tcp://" + unbound, true, false, msg.RcodeSuccess},
		{"tls://" + unbound, true, false, msg.RcodeSuccess},
		{"tls://" + unbound + "#resolver.example", false, true, msg.RcodeSuccess},
		{"tls://" + unbound + "#other.example", false, true, msg.RcodeServerFailure},
		{"tls://" + unbound + "#resolver.example", false, false, msg.RcodeServerFailure}, // which nobody vouches for
	} {
		t.Run(c.to, func(t *testing.T) {
			const at = "198.51.100.2"
			args := []string{"--forward", ".=" + c.to, "--tun", fmt.Sprint("weir", i), "--addr", at + "/24"}
			if c.validate {
				args = append(args, "--anchor", filepath.Join(dir, "root.key"))
			}
			if c.trusted {
				t.Setenv("SSL_CERT_FILE", cert)
			}
			u := l.in(t).serveNames(args...)
			forwards(t, q, begun, at+":53", unbound+":53", c.rcode)
			u.cmd.Process.Kill()
			<-u.waited
		})
	}
}

// forwards holds a forwarder's answers against those of its upstream, which has learnt nothing before begun.
func forwards(t *testing.T, q *questioner, begun time.Time, at, upstream string, rcode msg.Rcode) {
	for _, s := range [][2]string{
		{"www.weir.example.", "A"}, {"blog.weir.example.", "AAAA"}, {"big.weir.example.", "TXT"}, {"nobody.weir.example.", "A"},
		{"empty.weir.example.", "A"}, {"x.wild.weir.example.", "TXT"}, {"host.old.weir.example.", "A"}, {"bench.lab.weir.example.", "A"},
		{"25.113.0.203.in-addr.arpa.", "PTR"}, {"www.expired.example.", "A"}, {"www.bogus.example.", "A"},
	} {
		w, err := q.ask(at, question(s[0], s[1]), true, false)
		must(t, err)
		if rcode != msg.RcodeSuccess {
			if w.Rcode != rcode || len(w.Answer) > 0 || len(w.EDE()) == 0 {
				t.Errorf("%s: want %v and why\n%v", s, rcode, w)
			}
			continue
		}
		u, err := q.ask(upstream, question(s[0], s[1]), true, false)
		must(t, err)
		if w.Rcode != u.Rcode || recordsOf(w.Answer) != recordsOf(u.Answer) || recordsOf(w.Authority) != recordsOf(u.Authority) || w.Authoritative || !w.RecursionAvailable {
			t.Errorf("%s: forwarded\n%v\nunbound\n%v", s, w, u)
		}
		if text, reason := lasts(w, u, time.Since(begun)); text != "" && reason == "" {
			t.Errorf("%s: %s", s, text)
		}
		if s[0] == "www.expired.example." && u.Rcode != msg.RcodeServerFailure && !slices.Contains(codesOf(w), msg.EDESignatureExpired) {
			t.Errorf("%s:\n%v", s, w)
		}
	}
}

// selfMade makes a certificate that nobody but itself vouches for.
func selfMade(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	must(t, err)
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	cert, key = filepath.Join(dir, "tls.pem"), filepath.Join(dir, "tls.key")
	must(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600))
	return cert, key
}
