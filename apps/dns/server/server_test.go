package server_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/link/pipe"
)

// book answers from a few names: direct ones at once, others by a goroutine.
//
//	direct.example.  A    in the receive path
//	slow.example.    A    when the test says so
//	big.example.     TXT  far too large for UDP
//	mid.example.     TXT  some 900 octets
//	huge.example.    TXT  some 53000
//	parts.example.        answered three times
//	none.example.         not answered at all
//	panic.example.
type book struct {
	slow chan struct{}
}

var directName = msg.MustName("direct.example.")

func (b *book) AnswerDirect(dst []byte, q *msg.Query, _ netip.AddrPort, _ server.Transport) ([]byte, bool) {
	if string(q.Name()) != string(directName) || q.Type != msg.TypeA {
		return nil, false
	}
	dst = append(dst, q.Wire[:q.NameEnd+4]...)
	dst[2], dst[3] = 0x84|dst[2]&1, 0
	copy(dst[4:12], []byte{0, 1, 0, 1, 0, 0, 0, 0})
	dst = append(dst, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 99)
	if q.EDNS {
		dst[11] = 1
		dst = append(dst, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0)
	}
	return dst, true
}

func (b *book) ServeDNS(ctx context.Context, w server.Writer, r *server.Request) {
	m := r.Msg.Reply()
	m.Authoritative = true
	name := r.Msg.Question[0].Name
	switch name.Fold().String() {
	case "slow.example.", "held.example.":
		select {
		case <-b.slow:
		case <-ctx.Done():
			return
		}
		m.Answer = []msg.RR{msg.A(name, 60, netip.MustParseAddr("192.0.2.98"))}
		if name.Fold().First() == "held" {
			m.Answer = texts(name, 250)
		}
	case "big.example.":
		m.Answer = texts(name, 20)
	case "mid.example.":
		m.Answer = texts(name, 4)
	case "huge.example.":
		m.Answer = texts(name, 250)
	case "none.example.":
		return
	case "parts.example.": // as a transfer
		p, _ := m.Append(nil, 512)
		for range 3 {
			if err := w.WriteWire(p); err != nil {
				return
			}
		}
		return
	case "panic.example.":
		panic("as asked")
	default:
		m.Rcode = msg.RcodeNameError
	}
	w.Write(m)
}

// texts returns so many records of 200 octets.
func texts(name msg.Name, count int) (set []msg.RR) {
	text := strings.Repeat("x", 199)
	for n := range count {
		set = append(set, msg.NewRR(name, msg.TypeTXT, 60, string([]byte{200})+text+string([]byte{byte('a' + n)})))
	}
	return set
}

// lab is a server on a stack, and a stack that asks it.
type lab struct {
	t      testing.TB
	srv    *server.Server
	client *stack.Stack
	book   *book
	stop   func()
}

const serverAddr = "192.0.2.2:53"

func newLab(t testing.TB, c server.Config) *lab {
	t.Helper()
	a, b := pipe.New(pipe.Options{MTU: 1500, Offload: true})
	l := &lab{t: t, book: &book{slow: make(chan struct{})}}
	if c.RateLimit.PerSecond == 0 {
		c.RateLimit.PerSecond = -1
	}
	l.srv = server.New(l.book, c)
	nw := newStack(t, a, "192.0.2.2/24", "192.0.2.3/24", "2001:db8::2/64")
	l.client = newStack(t, b, "192.0.2.1/24", "2001:db8::1/64")
	for _, network := range []string{"udp", "tcp"} {
		if _, err := l.srv.Listen(nw, network, ":53"); err != nil {
			t.Fatal(err)
		}
	}
	l.serve(nw)
	return l
}

// serve runs the server until the test ends, when it must hold nothing.
func (l *lab) serve(nw *stack.Stack) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := l.srv.Serve(ctx); err != nil {
			l.t.Errorf("Serve: %v", err)
		}
	})
	l.stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		if nw != nil {
			for _, held := range []string{"held.tcp_listeners", "held.udp_sockets"} {
				if n := nw.Stats().Get(held); n != 0 {
					l.t.Errorf("%s is %d after Serve", held, n)
				}
			}
		}
		if s := l.srv.Snapshot(); s.Connections != 0 || s.Busy != 0 {
			l.t.Errorf("%d connections and %d queries are left", s.Connections, s.Busy)
		}
	})
	l.t.Cleanup(l.stop)
}

func newStack(t testing.TB, d stack.Device, addrs ...string) *stack.Stack {
	t.Helper()
	st, err := stack.New(stack.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	var cfg stack.InterfaceConfig
	for _, a := range addrs {
		cfg.Addresses = append(cfg.Addresses, netip.MustParsePrefix(a))
	}
	if d == nil {
		return st
	}
	if _, err := st.AddInterface(d, cfg); err != nil {
		t.Fatal(err)
	}
	return st
}

func (l *lab) dial(network, address string) net.Conn {
	l.t.Helper()
	c, err := l.client.Dial(network, address)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(5 * time.Minute))
	return c
}

func query(name string, typ msg.Type) *msg.Message {
	m := msg.NewQuery(msg.MustName(name), typ, true)
	m.ID = 4711
	return m
}

func withEDNS(m *msg.Message, size uint16, options ...msg.Option) *msg.Message {
	m.EDNS = &msg.EDNS{Size: size, Options: options}
	return m
}

func pack(t testing.TB, m *msg.Message) []byte {
	t.Helper()
	p, err := m.Append(nil, 65535)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func unpack(t testing.TB, p []byte) *msg.Message {
	t.Helper()
	m := new(msg.Message)
	if err := m.Unpack(p); err != nil {
		t.Fatalf("%v: %x", err, p)
	}
	return m
}

// exchange sends octets over UDP and returns the answer.
func exchange(t testing.TB, c net.Conn, p []byte) *msg.Message {
	t.Helper()
	if _, err := c.Write(p); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 65535)
	n, err := c.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return unpack(t, buf[:n])
}

func ask(t testing.TB, c net.Conn, m *msg.Message) *msg.Message {
	t.Helper()
	return exchange(t, c, pack(t, m))
}

func framed(p []byte) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(p))), p...) }

func readFramed(t testing.TB, c net.Conn) []byte {
	t.Helper()
	var head [2]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, binary.BigEndian.Uint16(head[:]))
	if _, err := io.ReadFull(c, p); err != nil {
		t.Fatal(err)
	}
	return p
}

// eventually waits until what is counted is as it should be.
func (l *lab) eventually(what string, ok func(s server.Snapshot) bool) {
	l.t.Helper()
	for end := time.Now().Add(time.Minute); !ok(l.srv.Snapshot()); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			l.t.Fatalf("%s: not so: %+v", what, l.srv.Snapshot())
		}
	}
}
