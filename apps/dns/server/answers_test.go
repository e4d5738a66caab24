package server_test

import (
	"net"
	"testing"
	"testing/synctest"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
)

func TestDirectAndSlowAnswersOverUDP(t *testing.T) {
	l := newLab(t, server.Config{})
	for _, addr := range []string{serverAddr, "192.0.2.3:53", "[2001:db8::2]:53"} {
		c := l.dial("udp", addr) // connected: an answer from another address would not arrive
		if m := ask(t, c, query("DiRect.example.", msg.TypeA)); len(m.Answer) != 1 || m.ID != 4711 || m.Question[0].Name != msg.MustName("DiRect.example.") {
			t.Errorf("direct: %v", m)
		}
		if m := ask(t, c, query("other.example.", msg.TypeAAAA)); m.Rcode != msg.RcodeNameError || m.EDNS != nil {
			t.Errorf("slow: %v", m)
		}
		if m := ask(t, c, withEDNS(query("other.example.", msg.TypeMX), 4096)); m.Rcode != msg.RcodeNameError || m.EDNS == nil || m.EDNS.Size != 1232 {
			t.Errorf("with EDNS: %v", m)
		}
	}
	l.stop()
	s := l.srv.Snapshot()
	if s.Direct != 3 || s.Total() != 9 || s.Answers["NXDOMAIN"] != 6 || s.Answers["NOERROR"] != 3 || s.Opcodes["QUERY"] != 9 ||
		s.Queries[server.QueryKey{Type: "A", Transport: server.UDP, IPv6: true}] != 1 || s.Latency.Count() < 6 {
		t.Errorf("counted: %+v", s)
	}
}

func TestAnswersAreTruncatedToWhatTheClientTakes(t *testing.T) {
	l := newLab(t, server.Config{})
	c := l.dial("udp", serverAddr)
	for _, x := range []struct {
		m     *msg.Message
		limit int
	}{
		{query("big.example.", msg.TypeTXT), 512},
		{withEDNS(query("big.example.", msg.TypeTXT), 100), 512},
		{withEDNS(query("big.example.", msg.TypeTXT), 1000), 1000},
		{withEDNS(query("big.example.", msg.TypeTXT), 65535), 1232},
	} {
		c.Write(pack(t, x.m))
		buf := make([]byte, 65535)
		n, err := c.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if m := unpack(t, buf[:n]); !m.Truncated || n > x.limit {
			t.Errorf("%d octets, TC %v; want at most %d", n, m.Truncated, x.limit)
		}
	}
	tcp := l.dial("tcp", serverAddr)
	tcp.Write(framed(pack(t, query("big.example.", msg.TypeTXT))))
	if m := unpack(t, readFramed(t, tcp)); m.Truncated || len(m.Answer) != 20 {
		t.Errorf("over TCP: %d records, TC %v", len(m.Answer), m.Truncated)
	}
}

func TestHeadersThatAreNotForAHandler(t *testing.T) {
	l := newLab(t, server.Config{})
	c := l.dial("udp", serverAddr)
	plain := pack(t, query("direct.example.", msg.TypeA))
	change := func(f func(p []byte) []byte) []byte { return f(append([]byte(nil), plain...)) }
	version := query("direct.example.", msg.TypeA)
	version.EDNS = &msg.EDNS{Size: 4096, Version: 1}
	for _, x := range []struct {
		name      string
		p         []byte
		rcode     msg.Rcode
		questions int
	}{
		{"an unknown opcode", change(func(p []byte) []byte { p[2] = 2 << 3; return p }), msg.RcodeNotImplemented, 1},
		{"UPDATE", change(func(p []byte) []byte { p[2] = 5 << 3; return p }), msg.RcodeNotImplemented, 1},
		{"two questions", change(func(p []byte) []byte { p[5] = 2; return append(p, p[12:]...) }), msg.RcodeFormatError, 0},
		{"no question", change(func(p []byte) []byte { p[5] = 0; return p[:12] }), msg.RcodeFormatError, 0},
		{"half a question", plain[:15], msg.RcodeFormatError, 0},
		{"octets behind", append(plain[:len(plain):len(plain)], 1, 2, 3), msg.RcodeFormatError, 1},
		{"EDNS version 1", pack(t, version), msg.RcodeBadVers, 1},
		{"a cookie of 3 octets", pack(t, withEDNS(query("direct.example.", msg.TypeA), 1232, msg.Option{Code: msg.OptionCookie, Data: []byte("abc")})), msg.RcodeFormatError, 1},
		{"a handler that panics", pack(t, query("panic.example.", msg.TypeA)), msg.RcodeServerFailure, 1},
	} {
		m := exchange(t, c, x.p)
		if m.Rcode != x.rcode || len(m.Question) != x.questions || m.ID != 4711 || !m.Response {
			t.Errorf("%s: %v", x.name, m)
		}
		if x.rcode == msg.RcodeBadVers && (m.EDNS == nil || m.EDNS.Version != 0) {
			t.Errorf("%s: EDNS is %v", x.name, m.EDNS)
		}
	}
	// These are not answered, and counted.
	c.Write(plain[:7])
	c.Write(change(func(p []byte) []byte { p[2] |= 0x80; return p }))
	c.Write(pack(t, query("none.example.", msg.TypeA)))
	l.eventually("three are dropped", func(s server.Snapshot) bool {
		return s.Dropped["short"] == 1 && s.Dropped["response"] == 1 && s.Dropped["unanswered"] == 1
	})
	if s := l.srv.Snapshot(); s.Opcodes["STATUS"] != 1 || s.Opcodes["UPDATE"] != 1 || s.Answers["BADVERS"] != 1 {
		t.Errorf("counted: %+v", s)
	}
}

func TestSourcesWhereNoClientIs(t *testing.T) {
	l := newLab(t, server.Config{})
	p := pack(t, query("direct.example.", msg.TypeA))
	for _, port := range []string{"19", "123", "7"} {
		pc, err := l.client.ListenPacket("udp", "192.0.2.1:"+port)
		if err != nil {
			t.Fatal(err)
		}
		defer pc.Close()
		pc.WriteTo(p, &net.UDPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 53})
	}
	l.eventually("dropped", func(s server.Snapshot) bool { return s.Dropped["source"] == 3 && s.Answered() == 0 })
	pc, err := l.client.ListenPacket("udp", "192.0.2.1:53") // a resolver of old
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	pc.WriteTo(p, &net.UDPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 53})
	if _, _, err := pc.ReadFrom(make([]byte, 512)); err != nil {
		t.Error(err)
	}
}

// RFC 7873: the first answer has a cookie, the second query proves the address.
func TestCookies(t *testing.T) {
	for _, name := range []string{"direct.example.", "slower.example."} {
		l := newLab(t, server.Config{})
		c := l.dial("udp", serverAddr)
		client := []byte("8 octets")
		m := ask(t, c, withEDNS(query(name, msg.TypeA), 1232, msg.Option{Code: msg.OptionCookie, Data: client}))
		cookie, ok := m.EDNS.Option(msg.OptionCookie)
		if !ok || len(cookie) != 24 || string(cookie[:8]) != string(client) {
			t.Fatalf("%s: the answer's cookie is %x", name, cookie)
		}
		m = ask(t, c, withEDNS(query(name, msg.TypeA), 1232, msg.Option{Code: msg.OptionCookie, Data: cookie}))
		if again, _ := m.EDNS.Option(msg.OptionCookie); string(again) != string(cookie) {
			t.Errorf("%s: a good cookie %x is answered by %x", name, cookie, again)
		}
		if s := l.srv.Snapshot(); s.Proven != 1 {
			t.Errorf("%s: %d queries are proven", name, s.Proven)
		}
		only := &msg.Message{Header: msg.Header{ID: 4711}}
		m = ask(t, c, withEDNS(only, 1232, msg.Option{Code: msg.OptionCookie, Data: client}))
		if again, _ := m.EDNS.Option(msg.OptionCookie); m.Rcode != 0 || len(again) != 24 || len(m.Question) != 0 {
			t.Errorf("without a question: %v", m)
		}
	}
}

func TestRequiredCookies(t *testing.T) {
	l := newLab(t, server.Config{Cookies: server.Cookies{Require: true}})
	c := l.dial("udp", serverAddr)
	for _, name := range []string{"direct.example.", "other.example."} {
		if m := ask(t, c, query(name, msg.TypeA)); !m.Truncated || len(m.Answer) != 0 {
			t.Errorf("without a cookie: %v", m)
		}
		m := ask(t, c, withEDNS(query(name, msg.TypeA), 1232, msg.Option{Code: msg.OptionCookie, Data: []byte("8 octets")}))
		cookie, _ := m.EDNS.Option(msg.OptionCookie)
		if m.Rcode != msg.RcodeBadCookie || len(m.Answer) != 0 || len(cookie) != 24 {
			t.Fatalf("with half a cookie: %v", m)
		}
		m = ask(t, c, withEDNS(query(name, msg.TypeA), 1232, msg.Option{Code: msg.OptionCookie, Data: cookie}))
		if m.Rcode == msg.RcodeBadCookie || m.Truncated {
			t.Errorf("with the cookie: %v", m)
		}
		tcp := l.dial("tcp", serverAddr)
		tcp.Write(framed(pack(t, query(name, msg.TypeA))))
		if m := unpack(t, readFramed(t, tcp)); m.Truncated || m.Rcode == msg.RcodeBadCookie {
			t.Errorf("over TCP: %v", m)
		}
	}
}

// In a bubble no time goes by between the queries, in which another answer would be due.
func TestRateLimitHoldsAnswersBackAndCookiesPass(t *testing.T) {
	synctest.Test(t, rateLimitHoldsAnswersBackAndCookiesPass)
}

func rateLimitHoldsAnswersBackAndCookiesPass(t *testing.T) {
	l := newLab(t, server.Config{RateLimit: server.RateLimit{PerSecond: 5, Slip: 1}})
	c := l.dial("udp", serverAddr)
	for _, name := range []string{"direct.example.", "other.example."} {
		whole := 0
		var last *msg.Message
		for range 50 {
			if last = ask(t, c, withEDNS(query(name, msg.TypeA), 1232)); !last.Truncated {
				whole++
			}
		}
		if whole != 5 || len(last.Answer)+len(last.Authority) != 0 || last.EDNS == nil {
			t.Errorf("%s: %d of 50 are whole, the last is %v", name, whole, last)
		}
		m := ask(t, c, withEDNS(query(name, msg.TypeA), 1232, msg.Option{Code: msg.OptionCookie, Data: []byte("8 octets")}))
		cookie, _ := m.EDNS.Option(msg.OptionCookie)
		if m.Rcode != msg.RcodeBadCookie {
			t.Errorf("half a cookie above the limit: %v", m)
		}
		for range 50 {
			m := ask(t, c, withEDNS(query(name, msg.TypeA), 1232, msg.Option{Code: msg.OptionCookie, Data: cookie}))
			if m.Truncated || m.Rcode == msg.RcodeBadCookie {
				t.Fatalf("with a cookie: %v", m)
			}
		}
	}
}

func TestAmplificationIsBounded(t *testing.T) {
	l := newLab(t, server.Config{MaxAmplification: 3})
	c := l.dial("udp", serverAddr)
	p := pack(t, withEDNS(query("mid.example.", msg.TypeTXT), 4096))
	c.Write(p)
	buf := make([]byte, 4096)
	n, err := c.Read(buf)
	if err != nil || n > 3*len(p) || !unpack(t, buf[:n]).Truncated {
		t.Errorf("%d octets for %d, %v", n, len(p), err)
	}
	m := ask(t, c, withEDNS(query("mid.example.", msg.TypeTXT), 4096, msg.Option{Code: msg.OptionCookie, Data: []byte("8 octets")}))
	cookie, _ := m.EDNS.Option(msg.OptionCookie)
	c.Write(pack(t, withEDNS(query("mid.example.", msg.TypeTXT), 4096, msg.Option{Code: msg.OptionCookie, Data: cookie})))
	if n, err = c.Read(buf); err != nil || n < 800 {
		t.Errorf("with a cookie %d octets, %v", n, err)
	}
}

// However small the bound is, who sends half a cookie gets the whole one: without it no answer would ever be longer.
func TestSmallestAmplificationLeavesRoomForACookie(t *testing.T) {
	l := newLab(t, server.Config{MaxAmplification: 0.1})
	c := l.dial("udp", serverAddr)
	for _, name := range []string{"mid.example.", "www.example."} {
		m := ask(t, c, withEDNS(query(name, msg.TypeTXT), 4096, msg.Option{Code: msg.OptionCookie, Data: []byte("8 octets")}))
		if cookie, _ := m.EDNS.Option(msg.OptionCookie); len(cookie) != 24 {
			t.Errorf("%s: the cookie is %x", name, cookie)
		}
	}
}

// The pool is full of queries that wait: another is dropped, or refused where that is set.
func TestFullPool(t *testing.T) {
	for _, tell := range []bool{false, true} {
		l := newLab(t, server.Config{Workers: 2, BusyServfail: tell})
		c := l.dial("udp", serverAddr)
		for range 2 {
			c.Write(pack(t, query("slow.example.", msg.TypeA)))
		}
		l.eventually("both are at work", func(s server.Snapshot) bool { return s.Busy == 2 })
		third := pack(t, query("other.example.", msg.TypeA))
		if tell {
			if m := exchange(t, c, third); m.Rcode != msg.RcodeServerFailure {
				t.Errorf("the third: %v", m)
			}
		} else {
			c.Write(third)
		}
		l.eventually("the third is dropped", func(s server.Snapshot) bool { return s.Dropped["busy"] == 1 })
		if m := ask(t, c, query("direct.example.", msg.TypeA)); len(m.Answer) != 1 {
			t.Errorf("a direct answer: %v", m)
		}
		close(l.book.slow)
		for range 2 {
			n, err := c.Read(make([]byte, 512))
			if n == 0 || err != nil {
				t.Error(n, err)
			}
		}
		l.eventually("nobody is at work", func(s server.Snapshot) bool { return s.Busy == 0 })
	}
}
