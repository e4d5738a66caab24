package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/stack/link/pipe"
)

// RFC 7766 §6.2.1.1: what is answered first is sent first.
func TestPipelinedQueriesAreAnsweredOutOfOrder(t *testing.T) {
	l := newLab(t, server.Config{})
	c := l.dial("tcp", serverAddr)
	var all []byte
	names := []string{"slow.example.", "other.example.", "direct.example.", "direct.example."}
	for n, name := range names {
		m := query(name, msg.TypeA)
		m.ID = uint16(n)
		all = append(all, framed(pack(t, m))...)
	}
	c.Write(all)
	seen := map[uint16]bool{}
	for range 3 {
		seen[unpack(t, readFramed(t, c)).ID] = true
	}
	if seen[0] || len(seen) != 3 {
		t.Errorf("first came %v", seen)
	}
	close(l.book.slow)
	if m := unpack(t, readFramed(t, c)); m.ID != 0 || len(m.Answer) != 1 {
		t.Errorf("last came %v", m)
	}
}

// A transfer is many messages over a stream, and one over UDP, whatever the handler wants. It counts as one answer.
func TestManyMessagesForOneQuery(t *testing.T) {
	l := newLab(t, server.Config{})
	c := l.dial("tcp", serverAddr)
	c.Write(framed(pack(t, query("parts.example.", msg.TypeAXFR))))
	for range 3 {
		if m := unpack(t, readFramed(t, c)); m.ID != 4711 {
			t.Error(m)
		}
	}
	u := l.dial("udp", serverAddr)
	ask(t, u, query("parts.example.", msg.TypeAXFR))
	if m := ask(t, u, query("direct.example.", msg.TypeA)); len(m.Answer) != 1 {
		t.Errorf("a second answer over UDP: %v", m)
	}
	l.stop()
	if s := l.srv.Snapshot(); s.Answered() != 3 {
		t.Errorf("counted: %+v", s)
	}
}

// A client that has ended its half gets what it has asked for, and then the end.
func TestHalfClosedConnectionIsAnswered(t *testing.T) {
	l := newLab(t, server.Config{})
	c := l.dial("tcp", serverAddr)
	c.Write(framed(pack(t, query("slow.example.", msg.TypeA))))
	c.(interface{ CloseWrite() error }).CloseWrite()
	l.eventually("it is at work", func(s server.Snapshot) bool { return s.Busy == 1 })
	close(l.book.slow)
	if m := unpack(t, readFramed(t, c)); len(m.Answer) != 1 {
		t.Error(m)
	}
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("then %v, want the end", err)
	}
	l.eventually("it is gone", func(s server.Snapshot) bool { return s.Connections == 0 })
}

// No more queries of a connection are at work than may be; those behind them wait.
func TestPipelineIsBounded(t *testing.T) { synctest.Test(t, pipelineIsBounded) }

func pipelineIsBounded(t *testing.T) {
	l := newLab(t, server.Config{Streams: server.Streams{Pipeline: 3}})
	c := l.dial("tcp", serverAddr)
	for range 20 {
		c.Write(framed(pack(t, query("slow.example.", msg.TypeA))))
	}
	time.Sleep(time.Second)
	synctest.Wait()
	if s := l.srv.Snapshot(); s.Busy != 3 || s.Total() > 4 {
		t.Errorf("%d at work, %d read", s.Busy, s.Total())
	}
	close(l.book.slow)
	for range 20 {
		readFramed(t, c)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	l := newLab(t, server.Config{Streams: server.Streams{MaxConns: 3, MaxPerPrefix: 2}})
	slow := framed(pack(t, query("slow.example.", msg.TypeA)))
	first, second := l.dial("tcp", serverAddr), l.dial("tcp", serverAddr)
	first.Write(slow)
	l.eventually("the first is at work", func(s server.Snapshot) bool { return s.Busy == 1 && s.Connections == 2 })
	third := l.dial("tcp", serverAddr)
	if _, err := third.Read(make([]byte, 1)); err == nil {
		t.Error("a third from the same network is served")
	}
	sixth := []net.Conn{l.dial("tcp", "[2001:db8::2]:53"), l.dial("tcp", "[2001:db8::2]:53")}
	// The second was idle the longest.
	if _, err := second.Read(make([]byte, 1)); err == nil {
		t.Error("the second goes on")
	}
	sixth[1].Write(framed(pack(t, query("direct.example.", msg.TypeA))))
	readFramed(t, sixth[1])
	l.eventually("counted", func(s server.Snapshot) bool {
		return s.Connections == 3 && s.Dropped["connection_prefix"] == 1 && s.Dropped["connection_idle"] == 1
	})
	for _, c := range sixth { // now nobody is idle
		c.Write(slow)
	}
	l.eventually("all are at work", func(s server.Snapshot) bool { return s.Busy == 3 })
	seventh := l.dial("tcp", "192.0.2.3:53")
	if _, err := seventh.Read(make([]byte, 1)); err == nil {
		t.Error("a fourth is served while nobody is idle")
	}
	close(l.book.slow)
	readFramed(t, first)
}

func TestIdleConnectionsEnd(t *testing.T) { synctest.Test(t, idleConnectionsEnd) }

func idleConnectionsEnd(t *testing.T) {
	l := newLab(t, server.Config{})
	begun := time.Now()
	silent, half, busy := l.dial("tcp", serverAddr), l.dial("tcp", serverAddr), l.dial("tcp", serverAddr)
	half.Write([]byte{0, 40, 1, 2, 3})
	busy.Write(framed(pack(t, query("slow.example.", msg.TypeA))))
	for _, c := range []net.Conn{silent, half} {
		if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("an idle connection: %v", err)
		}
		if took := time.Since(begun); took < server.DefaultIdle || took > server.DefaultIdle+time.Second {
			t.Errorf("it ends after %v", took)
		}
	}
	l.eventually("counted", func(s server.Snapshot) bool { return s.Dropped["connection_idle"] == 2 && s.Connections == 1 })
	close(l.book.slow)
	readFramed(t, busy)
}

// RFC 7828: who asks is told how long a connection may be idle, who does not is not.
func TestKeepaliveIsToldToWhoAsks(t *testing.T) {
	l := newLab(t, server.Config{Streams: server.Streams{Idle: 20 * time.Second}})
	for _, name := range []string{"direct.example.", "other.example."} {
		c := l.dial("tcp", serverAddr)
		c.Write(framed(pack(t, withEDNS(query(name, msg.TypeA), 1232, msg.Option{Code: msg.OptionKeepalive}))))
		m := unpack(t, readFramed(t, c))
		if told, _ := m.EDNS.Option(msg.OptionKeepalive); len(told) != 2 || binary.BigEndian.Uint16(told) != 200 {
			t.Errorf("%s: %x, want 200 tenths of a second", name, told)
		}
		c.Write(framed(pack(t, withEDNS(query(name, msg.TypeA), 1232))))
		if m = unpack(t, readFramed(t, c)); len(m.EDNS.Options) != 0 {
			t.Errorf("%s: unasked %v", name, m.EDNS)
		}
	}
}

// A client that asks and does not read is closed; its answers do not pile up.
func TestSlowReaderIsClosed(t *testing.T) { synctest.Test(t, slowReaderIsClosed) }

func slowReaderIsClosed(t *testing.T) {
	l := newLab(t, server.Config{})
	c := l.dial("tcp", serverAddr)
	q := framed(pack(t, query("big.example.", msg.TypeTXT)))
	go func() {
		for {
			if _, err := c.Write(q); err != nil {
				return
			}
		}
	}()
	time.Sleep(3 * server.DefaultStall)
	l.eventually("it is closed", func(s server.Snapshot) bool { return s.Dropped["connection_slow"] == 1 && s.Connections == 0 })
}

// Clients that ask much and read nothing hold no more of the pool than a goroutine each: others are answered, and so
// are they when they read.
func TestSlowReadersDoNotHoldThePool(t *testing.T) { synctest.Test(t, slowReadersDoNotHoldThePool) }

func slowReadersDoNotHoldThePool(t *testing.T) {
	const each = 256
	l := newLab(t, server.Config{Workers: 2*each + 1, Streams: server.Streams{Pipeline: each}})
	slow := []net.Conn{l.dial("tcp", serverAddr), l.dial("tcp", serverAddr)}
	for _, c := range slow {
		for range each {
			c.Write(framed(pack(t, query("huge.example.", msg.TypeTXT))))
		}
	}
	time.Sleep(time.Second)
	synctest.Wait()
	if n := l.srv.Snapshot().Busy; n > len(slow) {
		t.Errorf("%d goroutines of the pool are held by %d clients", n, len(slow))
	}
	for _, c := range slow {
		for range each {
			if m := unpack(t, readFramed(t, c)); len(m.Answer) != 250 {
				t.Fatalf("%d records", len(m.Answer))
			}
		}
	}
}

// What clients leave lying is bounded for all of them together, and who goes gives back what it had.
func TestUntakenAnswersAreBounded(t *testing.T) { synctest.Test(t, untakenAnswersAreBounded) }

func untakenAnswersAreBounded(t *testing.T) {
	l := newLab(t, server.Config{Workers: 1000, Streams: server.Streams{MaxUntaken: 1 << 20, Pipeline: 1000}})
	for n := uint64(1); n <= 2; n++ {
		c := l.dial("tcp", serverAddr)
		for range 18 { // as much as may lie, with what the connection itself holds
			c.Write(framed(pack(t, query("huge.example.", msg.TypeTXT))))
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if s := l.srv.Snapshot(); s.Connections != 1 || s.Dropped["connection_slow"] != n-1 {
			t.Fatalf("%d: closed within the bound: %v", n, s.Dropped)
		}
		// These are all asked before the first is answered: no more is read of a client whose answers pile up.
		for range 400 {
			c.Write(framed(pack(t, query("held.example.", msg.TypeTXT))))
		}
		synctest.Wait()
		for range 400 {
			select {
			case l.book.slow <- struct{}{}:
			case <-time.After(server.DefaultStall / 1000): // its query went with the connection
			}
		}
		l.eventually("it is closed", func(s server.Snapshot) bool { return s.Connections == 0 && s.Dropped["connection_slow"] == n })
	}
}

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"ns.example"}}
	der, err := x509.CreateCertificate(rand.Reader, &c, &c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// RFC 7858, and RFC 7830 where the query is padded.
func TestDNSOverTLS(t *testing.T) {
	a, b := pipe.New(pipe.Options{MTU: 1500})
	nw := newStack(t, a, "192.0.2.2/24")
	l := &lab{t: t, book: &book{}, client: newStack(t, b, "192.0.2.1/24")}
	l.srv = server.New(l.book, server.Config{TLS: &tls.Config{Certificates: []tls.Certificate{certificate(t)}}})
	if _, err := l.srv.Listen(nw, "tls", ":853"); err != nil {
		t.Fatal(err)
	}
	l.serve(nw)
	c := tls.Client(l.dial("tcp", "192.0.2.2:853"), &tls.Config{InsecureSkipVerify: true})
	for _, name := range []string{"direct.example.", "other.example."} {
		c.Write(framed(pack(t, withEDNS(query(name, msg.TypeA), 1232, msg.Option{Code: msg.OptionPadding, Data: make([]byte, 9)}))))
		p := readFramed(t, c)
		if m := unpack(t, p); len(p) != 468 || !m.Response {
			t.Errorf("%s: %d octets, want them padded to 468: %v", name, len(p), m)
		}
	}
	if s := l.srv.Snapshot(); s.Queries[server.QueryKey{Type: "A", Transport: server.TLS}] != 2 {
		t.Errorf("counted: %+v", s)
	}
	plain := l.dial("tcp", "192.0.2.2:853")
	plain.Write(framed(pack(t, query("direct.example.", msg.TypeA))))
	l.eventually("what is no TLS ends", func(s server.Snapshot) bool { return s.Dropped["connection_format"] == 1 })
}

func TestListenSaysWhatIsWrong(t *testing.T) {
	s := server.New(&book{}, server.Config{})
	defer s.Close()
	nw := newStack(t, nil)
	for _, network := range []string{"tls", "sctp", ""} {
		if _, err := s.Listen(nw, network, ":53"); err == nil {
			t.Errorf("%q is listened for", network)
		}
	}
}
