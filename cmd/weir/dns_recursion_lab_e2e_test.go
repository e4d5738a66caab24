package main_test

import (
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/tree"
)

// scripted is a name server on an address of the lab's kernel that does what a test tells it to.
type scripted struct {
	asked atomic.Int64 // questions, over both transports
	// reply makes the answers to a question; none is silence.
	reply func(q *msg.Message) []*msg.Message
	// stream is reply over TCP, where that is another.
	stream func(q *msg.Message) []*msg.Message
	after  time.Duration // it answers so much later, over UDP
	// silent is set when it answers nothing any more.
	silent atomic.Bool

	mu    sync.Mutex
	names map[string]int // how often each name was asked for, in small letters
}

// scripted starts one at an address, over UDP, and with tcp over TCP as well.
func (l *lab) scripted(addr string, tcp bool, reply func(q *msg.Message) []*msg.Message) *scripted {
	l.t.Helper()
	return l.script(&scripted{reply: reply}, addr, tcp)
}

// script is scripted for one that is made by the caller.
func (l *lab) script(s *scripted, addr string, tcp bool) *scripted {
	l.t.Helper()
	s.names = map[string]int{}
	l.addresses(netip.MustParseAddr(addr))
	var pc net.PacketConn
	l.do(func() (err error) {
		pc, err = net.ListenPacket("udp", addr+":53")
		return err
	})
	l.open.keep(pc)
	go s.datagrams(pc)
	if tcp {
		ln := l.listen(addr + ":53")
		go func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				go s.connection(c)
			}
		}()
	}
	return s
}

func (s *scripted) answers(p []byte, reply func(*msg.Message) []*msg.Message) (out [][]byte) {
	q := new(msg.Message)
	if q.Unpack(p) != nil || len(q.Question) != 1 {
		return nil
	}
	s.asked.Add(1)
	s.mu.Lock()
	s.names[q.Question[0].Name.Fold().String()]++
	s.mu.Unlock()
	if s.silent.Load() {
		return nil
	}
	for _, m := range reply(q) {
		if b, err := m.Append(nil, 4096); err == nil {
			out = append(out, b)
		}
	}
	return out
}

// under is how many questions there were for names below one.
func (s *scripted) under(zone string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, k := range s.names {
		if msg.MustName(name).Under(msg.MustName(zone)) {
			n += k
		}
	}
	return n
}

func (s *scripted) datagrams(pc net.PacketConn) {
	p := make([]byte, 4096)
	for {
		n, from, err := pc.ReadFrom(p)
		if err != nil {
			return
		}
		for _, b := range s.answers(p[:n], s.reply) {
			if s.after > 0 {
				time.AfterFunc(s.after, func() { pc.WriteTo(b, from) })
				continue
			}
			pc.WriteTo(b, from)
		}
	}
}

func (s *scripted) connection(c net.Conn) {
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		p := make([]byte, int(size[0])<<8|int(size[1]))
		if _, err := io.ReadFull(c, p); err != nil {
			return
		}
		reply := s.reply
		if s.stream != nil {
			reply = s.stream
		}
		for _, b := range s.answers(p, reply) {
			c.Write(append([]byte{byte(len(b) >> 8), byte(len(b))}, b...))
		}
	}
}

// Parts of scripted answers.

func record(line string) msg.RR {
	rr, err := msg.ParseRR(line)
	if err != nil {
		panic(err)
	}
	return rr
}

// records are lines of a master file.
func records(lines ...string) (list []msg.RR) {
	for _, line := range lines {
		list = append(list, record(line))
	}
	return list
}

// authoritative is the answer to a question with records, or with a zone's SOA where there is none.
func authoritative(q *msg.Message, zone string, lines ...string) *msg.Message {
	m := q.Reply()
	m.Authoritative = true
	if m.Answer = records(lines...); len(lines) == 0 {
		m.Authority = records(zone + " 60 IN SOA ns.victim.example. hostmaster.victim.example. 1 3600 600 604800 60")
	}
	return m
}

// address answers for A with one address, and for other types with nothing.
func address(q *msg.Message, zone, addr string) *msg.Message {
	if q.Question[0].Type != msg.TypeA {
		return authoritative(q, zone)
	}
	return authoritative(q, zone, q.Question[0].Name.String()+" 300 IN A "+addr)
}

func one(m *msg.Message) []*msg.Message { return []*msg.Message{m} }

// delegation is where a scripted root sends who asks for a zone.
type delegation struct{ zone, server, addr string } // without an address there is no glue

// scriptedRoot serves a root that delegates zones below example., and returns it with a file of hints.
func (l *lab) scriptedRoot(t testing.TB, list []delegation) (*scripted, string) {
	t.Helper()
	root := l.scripted("203.0.113.4", true, func(q *msg.Message) []*msg.Message {
		name := q.Question[0].Name
		for _, d := range list {
			if !name.Under(msg.MustName(d.zone)) {
				continue
			}
			m := q.Reply()
			m.Authority = records(d.zone + " 3600 IN NS " + d.server)
			if d.addr != "" {
				m.Additional = records(d.server + " 3600 IN A " + d.addr)
			}
			return one(m)
		}
		switch {
		case name == msg.Root && q.Question[0].Type == msg.TypeNS:
			return one(authoritative(q, ".", ". 3600 IN NS a.roots.test."))
		case name.Equal(msg.MustName("example.")):
			return one(authoritative(q, "."))
		}
		m := authoritative(q, ".")
		m.Rcode = msg.RcodeNameError
		return one(m)
	})
	hints := filepath.Join(t.TempDir(), "root.hints")
	must(t, os.WriteFile(hints, []byte(tree.Text(records(". 3600 IN NS a.roots.test.", "a.roots.test. 3600 IN A 203.0.113.4"))), 0o644))
	return root, hints
}

// cacheCommand runs weir dns cache about a running weir.
func (u *up) cacheCommand(t testing.TB, args ...string) string {
	t.Helper()
	args = append(append([]string{"dns", "cache"}, args...), "--control", u.control)
	r := u.in(t).finish("", command(weirBinary(t), args...), patience)
	if r.status != 0 {
		t.Fatalf("weir %s: %v", strings.Join(args, " "), r)
	}
	return r.stdout
}
