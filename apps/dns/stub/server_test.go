package stub

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
)

// zoneText is what the test's server knows.
const zoneText = `
www.example. 60 IN A 192.0.2.80
www.example. 60 IN AAAA 2001:db8::80
four.example. 60 IN A 192.0.2.4
six.example. 60 IN AAAA 2001:db8::6
many.example. 60 IN A 192.0.2.1
many.example. 60 IN A 192.0.2.2
many.example. 60 IN A 192.0.2.3
alias.example. 60 IN CNAME www.example.
dangling.example. 60 IN CNAME nobody.example.
text.example. 60 IN TXT "one" "two"
text.example. 60 IN TXT "three"
mx.example. 60 IN MX 20 b.example.
mx.example. 60 IN MX 10 a.example.
badmx.example. 60 IN MX 10 a.example.
badmx.example. 60 IN MX 20 "bad name.example."
ipmx.example. 60 IN MX 10 192.0.2.1.
ns.example. 60 IN NS ns1.example.
ns.example. 60 IN NS ns2.example.
_http._tcp.srv.example. 60 IN SRV 20 0 8080 b.example.
_http._tcp.srv.example. 60 IN SRV 10 0 80 a.example.
80.2.0.192.in-addr.arpa. 60 IN PTR www.example.
80.2.0.192.in-addr.arpa. 60 IN PTR web.example.
81.2.0.192.in-addr.arpa. 60 IN PTR bad\032name.example.
0.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. 60 IN PTR www.example.
short.search.example. 60 IN A 192.0.2.9
six.search.example. 60 IN AAAA 2001:db8::9
two.dots.search.example. 60 IN A 192.0.2.10
`

// server answers from zoneText, and in the ways that its names say: fail.… with SERVFAIL, refused.… with REFUSED,
// lame.… with nothing, silent.… not at all, large.… with TC over UDP.
type server struct {
	addr netip.AddrPort
	rrs  map[string][]msg.RR

	mu    sync.Mutex
	asked []string
}

func newServer(t testing.TB) *server {
	t.Helper()
	s := &server{rrs: map[string][]msg.RR{}}
	for line := range strings.Lines(zoneText) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		rr, err := msg.ParseRR(strings.ReplaceAll(strings.TrimSpace(line), `"bad name.example."`, `bad\032name.example.`))
		if err != nil {
			t.Fatal(err)
		}
		key := rr.Name.Fold().String()
		s.rrs[key] = append(s.rrs[key], rr)
	}
	pc, ln := listen(t)
	s.addr = netip.MustParseAddrPort(pc.LocalAddr().String())
	var wg sync.WaitGroup
	t.Cleanup(func() { pc.Close(); ln.Close(); wg.Wait() })
	wg.Go(func() { s.packets(pc) })
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go s.stream(c)
		}
	})
	return s
}

// listen takes a port that is free for UDP and for TCP. The kernel chooses one of either protocol without a look at the other, in which
// connections of a minute ago may hold the same number.
func listen(t testing.TB) (net.PacketConn, net.Listener) {
	t.Helper()
	for {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		pc, err := net.ListenPacket("udp", ln.Addr().String())
		if err == nil {
			return pc, ln
		}
		ln.Close()
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatal(err)
		}
	}
}

func (s *server) packets(pc net.PacketConn) {
	buf := make([]byte, 4096)
	for {
		n, from, err := pc.ReadFrom(buf)
		if err != nil {
			return
		}
		if p := s.answer(buf[:n], true); p != nil {
			pc.WriteTo(p, from)
		}
	}
}

func (s *server) stream(c net.Conn) {
	defer c.Close()
	for {
		var l [2]byte
		if _, err := io.ReadFull(c, l[:]); err != nil {
			return
		}
		p := make([]byte, binary.BigEndian.Uint16(l[:]))
		if _, err := io.ReadFull(c, p); err != nil {
			return
		}
		r := s.answer(p, false)
		c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(r))), r...))
	}
}

func (s *server) answer(p []byte, udp bool) []byte {
	var m msg.Message
	if m.Unpack(p) != nil || len(m.Question) != 1 {
		return nil
	}
	q := m.Question[0]
	name := q.Name.Fold().String()
	s.mu.Lock()
	s.asked = append(s.asked, strings.TrimSuffix(name, ".")+" "+q.Type.String())
	s.mu.Unlock()
	r := m.Reply()
	r.RecursionAvailable = true
	switch q.Name.Fold().First() {
	case "silent":
		return nil
	case "fail":
		r.Rcode = msg.RcodeServerFailure
	case "refused":
		r.Rcode = msg.RcodeRefused
	case "lame":
		r.RecursionAvailable, r.EDNS = false, nil
	case "large":
		r.Truncated = udp
		if !udp {
			r.Answer = append(r.Answer, msg.NewRR(q.Name, msg.TypeTXT, 60, msg.TXT{strings.Repeat("x", 4000)}.Data()))
		}
	default:
		s.fill(r, name, q.Type)
	}
	out, err := r.Append(nil, 0xffff)
	if err != nil {
		panic(err)
	}
	return out
}

func (s *server) fill(r *msg.Message, name string, typ msg.Type) {
	rrs := s.rrs[name]
	if len(rrs) == 0 {
		r.Rcode = msg.RcodeNameError
		return
	}
	for _, rr := range rrs {
		switch {
		case rr.Type == typ:
			r.Answer = append(r.Answer, rr)
		case rr.Type == msg.TypeCNAME:
			r.Answer = append(r.Answer, rr)
			s.fill(r, rr.Target().Fold().String(), typ)
		}
	}
}

// questions returns what was asked since the last call, sorted.
func (s *server) questions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.asked
	s.asked = nil
	slices.Sort(list)
	return list
}
