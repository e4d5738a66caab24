package server

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// oracle answers every other name at once, the rest from a goroutine; with as many records as the name is long.
type oracle struct{}

func (oracle) AnswerDirect(dst []byte, q *msg.Query, from netip.AddrPort, t Transport) ([]byte, bool) {
	if q.Labels%2 == 0 {
		return nil, false
	}
	return fixed{}.AnswerDirect(dst, q, from, t)
}

func (oracle) ServeDNS(_ context.Context, w Writer, r *Request) {
	m := r.Msg.Reply()
	name := r.Msg.Question[0].Name
	for n := range len(name) {
		m.Answer = append(m.Answer, msg.NewRR(name, msg.TypeTXT, 60, "\x40"+strings.Repeat(string(rune('a'+n%26)), 64)))
	}
	w.Write(m)
}

// fixed answers everything at once, with one record.
type fixed struct{ HandlerFunc }

func (fixed) AnswerDirect(dst []byte, q *msg.Query, _ netip.AddrPort, _ Transport) ([]byte, bool) {
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

// wire catches what is sent.
type wire struct{ sent [][]byte }

func (w *wire) send(p []byte, _ netip.Addr, _ netip.AddrPort) error {
	w.sent = append(w.sent, append([]byte(nil), p...))
	return nil
}

const amplification = 10

func newTried(t testing.TB) *Server {
	s := New(oracle{}, Config{RateLimit: RateLimit{PerSecond: -1}, MaxAmplification: amplification, Logger: slog.New(failing{t})})
	t.Cleanup(s.Close)
	return s
}

// failing is a log in which nothing must be written: a handler has panicked.
type failing struct{ t testing.TB }

func (f failing) Enabled(context.Context, slog.Level) bool { return true }
func (f failing) Handle(_ context.Context, r slog.Record) error {
	f.t.Errorf("%s", r.Message)
	r.Attrs(func(a slog.Attr) bool { f.t.Log(a); return true })
	return nil
}
func (f failing) WithAttrs([]slog.Attr) slog.Handler { return f }
func (f failing) WithGroup(string) slog.Handler      { return f }

var (
	triedFrom = netip.MustParseAddrPort("198.51.100.7:4000")
	triedTo   = netip.MustParseAddrPort("192.0.2.2:53")
)

// try gives a server a datagram and says what is wrong with what comes back.
func try(s *Server, d *desk, p []byte) error {
	w := new(wire)
	a := asked{from: triedFrom}
	answer, later := s.datagram(d, p, triedTo, &a)
	if answer != nil {
		w.send(answer, netip.Addr{}, triedFrom)
	}
	if later {
		j := s.newJob(p, a, triedTo)
		j.udp = w
		s.serve(j)
	}
	switch {
	case len(w.sent) == 0:
		return nil
	case len(w.sent) > 1:
		return fmt.Errorf("%d answers", len(w.sent))
	}
	out := w.sent[0]
	switch {
	case p[2]&0x80 != 0:
		return fmt.Errorf("a response is answered: %x", out)
	case len(out) < headerLen || out[0] != p[0] || out[1] != p[1] || out[2]&0x80 == 0 || opcodeOf(out) != opcodeOf(p):
		return fmt.Errorf("the answer has another header: %x", out)
	case len(out) > DefaultMaxUDP:
		return fmt.Errorf("the answer has %d octets", len(out))
	case len(out) > minUDP && questionsOnly(p):
		return fmt.Errorf("the answer to a query without EDNS has %d octets", len(out))
	case len(out) > amplification*len(p)+cookieOption:
		return fmt.Errorf("the answer to %d octets has %d", len(p), len(out))
	}
	if err := new(msg.Message).Unpack(out); err != nil {
		return fmt.Errorf("the answer cannot be read: %v: %x", err, out)
	}
	return nil
}

func questionsOnly(p []byte) bool { return binary.BigEndian.Uint16(p[10:]) == 0 }

// seeds are messages to begin from.
func seeds(t testing.TB) (list [][]byte) {
	add := func(m *msg.Message) {
		p, err := m.Append(nil, maxMessage)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	for n, name := range []string{".", "example.", "www.example.", "a.long.name.with.very.many.labels.under.example.", "x\\000y.example."} {
		m := msg.NewQuery(msg.MustName(name), msg.Type(n*7+1), n%2 == 0)
		m.ID = uint16(n * 1000)
		add(m)
		m.EDNS = &msg.EDNS{Size: 4096, DO: true}
		add(m)
		m.EDNS.Options = []msg.Option{{Code: msg.OptionCookie, Data: []byte("12345678")}, {Code: msg.OptionNSID}, {Code: msg.OptionPadding, Data: make([]byte, 40)}}
		add(m)
	}
	notify := msg.NewQuery(msg.MustName("example."), msg.TypeSOA, false)
	notify.Opcode = msg.OpcodeNotify
	notify.Answer = []msg.RR{msg.A(msg.MustName("example."), 0, netip.MustParseAddr("192.0.2.1"))}
	add(notify)
	notify.Response = true
	add(notify)
	return list
}

func FuzzDatagram(f *testing.F) {
	for _, p := range seeds(f) {
		f.Add(p)
	}
	s := newTried(f)
	d := s.desk()
	f.Fuzz(func(t *testing.T, p []byte) {
		if err := try(s, d, p); err != nil {
			t.Errorf("%v\nto %x", err, p)
		}
	})
}

// mutate changes a few things of p.
func mutate(r *rand.Rand, p []byte, all [][]byte) []byte {
	for range 1 + r.IntN(4) {
		if len(p) == 0 {
			return p
		}
		at := r.IntN(len(p))
		switch r.IntN(9) {
		case 0:
			p[at] ^= 1 << r.IntN(8)
		case 1:
			p[at] = byte(r.Uint32())
		case 2:
			p = p[:at]
		case 3:
			p = append(p, byte(r.Uint32()), byte(r.Uint32()))
		case 4: // a count, a length, or a type that means something
			p[at] = []byte{0, 1, 2, 41, 63, 64, 191, 192, 250, 252, 255}[r.IntN(11)]
		case 5:
			p[min(len(p)-1, 2+r.IntN(10))] ^= 1 << r.IntN(8)
		case 6:
			other := all[r.IntN(len(all))]
			p = append(p[:at], other[r.IntN(len(other)):]...)
		case 7:
			p = append(p[:at], p[min(len(p), at+1+r.IntN(3)):]...)
		case 8:
			p = append(p, p[at:]...)
		}
	}
	return p
}

// Mutated queries: no panic, no answer to a response, none larger than it may be, nothing left behind.
func TestMutatedQueries(t *testing.T) {
	total := 100_000
	if os.Getenv("WEIR_LONG") != "" {
		total = 10_000_000
	}
	s := newTried(t)
	all := seeds(t)
	before := heap()
	seed := uint64(time.Now().UnixNano())
	var wg sync.WaitGroup
	const parts = 4
	for part := range uint64(parts) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, part))
			d := s.desk()
			var buf []byte
			for n := range total / parts {
				buf = mutate(r, append(buf[:0], all[r.IntN(len(all))]...), all)
				if err := try(s, d, buf); err != nil {
					t.Errorf("seed %d, part %d, query %d: %v\nto %x", seed, part, n, err, buf)
					return
				}
			}
		})
	}
	wg.Wait()
	if grown := int64(heap()) - int64(before); grown > 16<<20 {
		t.Errorf("%d octets are held after %d queries", grown, total)
	}
	snap := s.Snapshot()
	if n := snap.Answered() + snap.Dropped["short"] + snap.Dropped["response"] + snap.Dropped["unanswered"] + snap.Dropped["large"]; n != uint64(total/parts*parts) || snap.Direct == 0 {
		t.Errorf("%d of %d are accounted for: %+v", n, total, snap)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// tape is a connection whose peer has said everything and ended its half.
type tape struct {
	net.Conn
	in     *bytes.Reader
	piece  int // octets that a read gives at most
	mu     sync.Mutex
	out    []byte
	closed bool
}

func (c *tape) Read(p []byte) (int, error)         { return c.in.Read(p[:min(len(p), c.piece)]) }
func (c *tape) RemoteAddr() net.Addr               { return net.TCPAddrFromAddrPort(triedFrom) }
func (c *tape) LocalAddr() net.Addr                { return net.TCPAddrFromAddrPort(triedTo) }
func (c *tape) SetReadDeadline(t time.Time) error  { return nil }
func (c *tape) SetWriteDeadline(t time.Time) error { return nil }

func (c *tape) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	c.out = append(c.out, p...)
	return len(p), nil
}

func (c *tape) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}

// frames returns the messages of a stream, and what is left behind them.
func frames(p []byte) (list [][]byte, rest []byte) {
	for len(p) >= 2 {
		n := 2 + int(binary.BigEndian.Uint16(p))
		if len(p) < n {
			break
		}
		list, p = append(list, p[2:n]), p[n:]
	}
	return list, p
}

// Whatever comes by TCP, what goes back is whole answers, no more than were asked for, and every query of the pool's is
// over when the connection is.
func FuzzStream(f *testing.F) {
	var whole []byte
	for _, p := range seeds(f) {
		f.Add(appendMessage(nil, p), 7)
		whole = appendMessage(whole, p)
	}
	f.Add(whole, 1)
	f.Add(append([]byte{0, 0, 0, 0, 0, 1, 7}, whole...), 4096)
	s := newTried(f)
	f.Fuzz(func(t *testing.T, in []byte, piece int) {
		if len(in) > 1<<18 { // answers are many times as much
			return
		}
		c := &tape{in: bytes.NewReader(in), piece: max(1, piece&0xffff)}
		st := s.newStream(c, TCP)
		st.run()
		asked, _ := frames(in)
		answers, rest := frames(c.out)
		if len(rest) > 0 || len(answers) > len(asked) || !c.closed || st.flying != 0 {
			t.Fatalf("%d answers to %d messages, %d octets more, closed %v, %d at work", len(answers), len(asked), len(rest), c.closed, st.flying)
		}
		for _, p := range answers {
			if err := new(msg.Message).Unpack(p); err != nil || p[2]&0x80 == 0 {
				t.Fatalf("%v: %x", err, p)
			}
		}
	})
}
