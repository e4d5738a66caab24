package bench

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/serve"
)

func FuzzPreamble(f *testing.F) {
	f.Add(preamble{role: roleData, stream: 7, token: token{1, 2, 3}}.bytes())
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n      "))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parsePreamble(b)
		if err == nil && !bytes.Equal(p.bytes(), b) {
			t.Errorf("% x is read as %+v", b, p)
		}
	})
}

func FuzzDatagram(f *testing.F) {
	d := datagram{token: token{9}, kind: kindData, measured: true, flow: 3, seq: 1 << 40, sent: time.Hour}
	b := make([]byte, datagramHeader)
	d.put(b)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		d, ok := parseDatagram(b)
		if !ok {
			return
		}
		again := make([]byte, datagramHeader)
		if d.put(again); !bytes.Equal(again, b[:datagramHeader]) {
			t.Errorf("% x is read as %+v", b, d)
		}
	})
}

// nowhere is a packet connection that takes everything.
type nowhere struct{ serve.PacketConn }

func (nowhere) WritePacket(p []byte, _ netip.Addr, _ netip.AddrPort) (int, error) { return len(p), nil }

// FuzzServer says anything on a control connection, and sends anything as a datagram to the
// session that came of it: no panic, no session left, nothing that does not end.
func FuzzServer(f *testing.F) {
	message := func(v any) []byte {
		var b bytes.Buffer
		if err := writeMessage(&b, v); err != nil {
			f.Fatal(err)
		}
		return b.Bytes()
	}
	hello := preamble{role: roleControl}.bytes()
	for _, test := range []Test{Bulk, Requests, Connections, Datagrams} {
		p := Defaults(test)
		b := append(hello[:len(hello):len(hello)], message(request{Order: orderBegin, Params: &p})...)
		for _, o := range []order{orderMeasure, orderSample, orderStop, "dance", orderStart} {
			b = append(b, message(request{Order: o})...)
		}
		f.Add(b, []byte{byte(kindData), 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1})
	}
	f.Add(binary.BigEndian.AppendUint32(hello, 1<<31), []byte{})
	f.Fuzz(func(t *testing.T, said, after []byte) {
		if len(said) > 1<<16 || len(after) > 1<<16 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			s := &Server{packets: nowhere{}, sessions: map[token]*session{}, open: make(chan struct{}, maxOpen)}
			near, far := net.Pipe()
			s.Notify = func(_ net.Addr, p Params) {
				if err := p.Check(); err != nil {
					t.Errorf("a test was begun with %+v: %v", p, err)
				}
				for tok := range s.sessions {
					s.datagram(append(tok[:], after...), netip.AddrPort{}, netip.Addr{}, make([]byte, 1<<16))
				}
			}
			go io.Copy(io.Discard, near)
			go func() { near.Write(said); near.Close() }()
			s.connection(far)
			far.Close()
			if len(s.sessions) != 0 || len(s.open) != 0 {
				t.Errorf("%d sessions and %d connections are left", len(s.sessions), len(s.open))
			}
		})
	})
}

// taken is a network on whose every port somebody else has the UDP socket, for a while.
type taken struct {
	serve.Network
	left   int
	opened []net.Listener
}

func (n *taken) Listen(network, address string) (net.Listener, error) {
	ln, err := net.Listen(network, address)
	if err == nil {
		n.opened = append(n.opened, ln)
	}
	return ln, err
}

func (n *taken) ListenPacket(network, address string) (net.PacketConn, error) {
	if n.left--; n.left >= 0 {
		return nil, &net.OpError{Op: "listen", Net: network, Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	}
	return net.ListenPacket(network, address)
}

// A port that is chosen is one that is free for both protocols, and one that is asked for is no other.
func TestAPortThatIsChosenIsFreeForBoth(t *testing.T) {
	n := &taken{left: 3}
	s, err := Listen(n, netip.MustParseAddr("127.0.0.1"), 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, ln := range n.opened {
		if err := ln.Close(); (err == nil) != (i == 3) {
			t.Errorf("port %d of %d is closed: %v", i, len(n.opened), err)
		}
	}
	port := s.Port()
	s.packets.Close()
	n = &taken{left: 1}
	if s, err := Listen(n, netip.MustParseAddr("127.0.0.1"), port); !errors.Is(err, syscall.EADDRINUSE) || s != nil {
		t.Errorf("%v, %v at a port that is taken", s, err)
	}
	n = &taken{left: 1000}
	if s, err := Listen(n, netip.MustParseAddr("127.0.0.1"), 0); !errors.Is(err, syscall.EADDRINUSE) || s != nil || len(n.opened) != portTries {
		t.Errorf("%v, %v where every port is taken, after %d", s, err, len(n.opened))
	}
}

func TestAMessageIsBounded(t *testing.T) {
	var v request
	head := binary.BigEndian.AppendUint32(nil, maxMessage+1)
	if err := readMessage(io.MultiReader(bytes.NewReader(head), neverEnding{}), &v); err == nil {
		t.Error("read a message that is too long")
	}
	if err := writeMessage(io.Discard, request{Order: order(make([]byte, maxMessage))}); err == nil {
		t.Error("wrote a message that is too long")
	}
}

type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) { return len(p), nil }

// slowStop is a control connection on which the answer to the order to stop is the last that comes.
type slowStop struct {
	net.Conn
	test    *test
	stopped bool
}

func (c *slowStop) Write(p []byte) (int, error) {
	c.stopped = bytes.Contains(p, []byte(orderStop))
	return c.Conn.Write(p)
}

func (c *slowStop) Read(p []byte) (int, error) {
	if c.stopped { // the server has ended every stream, and their readers have seen it
		c.test.running.Wait()
	}
	return c.Conn.Read(p)
}

// arrive waits until so many more octets have come.
func arrive(t *test, octets uint64) {
	want := t.received.Load() + octets
	for late := time.Now().Add(30 * time.Second); t.received.Load() < want && time.Now().Before(late); {
		time.Sleep(time.Millisecond)
	}
}

// patient is a control connection on which the first sample of the measured time comes only when there was something
// to measure, however little time the machine has for it.
type patient struct {
	net.Conn
	test    *test
	sampled bool
}

func (c *patient) Write(p []byte) (int, error) {
	if !c.sampled && bytes.Contains(p, []byte(orderSample)) {
		c.sampled = true
		arrive(c.test, 2*uint64(max(c.test.params.Reply, 1))) // what came first may be of before
	}
	return c.Conn.Write(p)
}

// runTest runs a test against a server on the loopback; wrap has its control connection first.
func runTest(t *testing.T, p Params, wrap func(*test, net.Conn) net.Conn) *Report {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{listener: ln, packets: nowhere{}, sessions: map[token]*session{}, open: make(chan struct{}, maxOpen)}
	var served sync.WaitGroup
	served.Go(func() {
		for c, err := ln.Accept(); err == nil; c, err = ln.Accept() {
			served.Go(func() { s.connection(c); c.Close() })
		}
	})
	defer served.Wait()
	defer ln.Close()
	c := &Client{Dialer: &net.Dialer{}, Address: ln.Addr().String()}
	p.Warmup, p.Duration, p.Interval = 0, 400*time.Millisecond, 100*time.Millisecond
	ctl, err := c.control(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	defer ctl.conn.Close()
	test := newTest(c, p, ctl.token)
	defer test.close()
	ctl.conn = wrap(test, &patient{Conn: ctl.conn, test: test})
	r, err := c.run(t.Context(), ctl, test)
	if failed := test.failure(); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return r
}

// A server that was told to stop ends its streams, and the client may see that before the answer.
func TestStreamsThatEndAtTheEndAreNoFailure(t *testing.T) {
	p := Defaults(Bulk)
	p.Direction, p.Streams = From, 2
	r := runTest(t, p, func(t *test, c net.Conn) net.Conn { return &slowStop{Conn: c, test: t} })
	if r.From == nil || r.From.Octets == 0 {
		t.Errorf("%+v", r)
	}
}

// busyStop gives the answer to the order to stop only when several more requests have been answered.
type busyStop struct {
	slowStop
	before, after uint64 // how many were recorded once the order had gone out, and at the end
}

func (c *busyStop) Read(p []byte) (int, error) {
	if c.stopped && c.after == 0 {
		reply := uint64(c.test.params.Reply)
		arrive(c.test, 2*reply) // whoever was recording has done so
		c.before = c.test.latency.Summary().Count
		arrive(c.test, 5*reply)
		c.after = c.test.latency.Summary().Count
	}
	return c.slowStop.Conn.Read(p)
}

// What is answered while the server is told to stop is after the measured time.
func TestNothingIsRecordedAfterTheStop(t *testing.T) {
	var c *busyStop
	r := runTest(t, Defaults(Requests), func(t *test, conn net.Conn) net.Conn {
		c = &busyStop{slowStop: slowStop{Conn: conn, test: t}}
		return c
	})
	if c.before != c.after || r.Rate.Count != c.after || c.after == 0 {
		t.Errorf("%d were recorded when the order to stop was out, %d when it was answered, %d are reported", c.before, c.after, r.Rate.Count)
	}
}

// A client that says nothing is let go.
func TestASilentClientIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, said := range [][]byte{nil, []byte("we"), preamble{}.bytes()} {
			s := &Server{sessions: map[token]*session{}, open: make(chan struct{}, 1)}
			near, far := net.Pipe()
			go near.Write(said)
			began := time.Now()
			s.connection(far)
			if took := time.Since(began); took > maxSilence {
				t.Errorf("after %q it took %v", said, took)
			}
			near.Close()
		}
	})
}

func TestSequenceNumbersTellLateFromTwice(t *testing.T) {
	var f flow
	for _, step := range []struct {
		seq  uint64
		want FlowCounts
	}{
		{0, FlowCounts{Received: 1}},
		{2, FlowCounts{Received: 2}},
		{2, FlowCounts{Received: 2, Duplicates: 1}},
		{1, FlowCounts{Received: 3, Duplicates: 1, Reordered: 1}},
		{1, FlowCounts{Received: 3, Duplicates: 2, Reordered: 1}},
		{memory + 5, FlowCounts{Received: 4, Duplicates: 2, Reordered: 1}},
		{memory + 1, FlowCounts{Received: 5, Duplicates: 2, Reordered: 2}}, // the place of 1, which is forgotten
		{1 << 60, FlowCounts{Received: 6, Duplicates: 2, Reordered: 2}},
		{1<<60 - 1, FlowCounts{Received: 7, Duplicates: 2, Reordered: 3}},
		{1<<60 - 1, FlowCounts{Received: 7, Duplicates: 3, Reordered: 3}},
	} {
		f.receive(&datagram{seq: step.seq}, 0, 0)
		if got := f.read(); got != step.want {
			t.Fatalf("after %d: %+v, want %+v", step.seq, got, step.want)
		}
	}
}

// RFC 3550 §6.4.1: a sixteenth of the change of the transit time each time.
func TestJitterIsThatOfRFC3550(t *testing.T) {
	var f flow
	for i, transit := range []time.Duration{1000, 1000, 1160, 1000} {
		f.receive(&datagram{seq: uint64(i), sent: time.Duration(i)}, 0, time.Duration(i)+transit)
	}
	if want := 19 * time.Nanosecond; f.read().Jitter != want { // 0, then 10, then 10 + (160-10)/16
		t.Errorf("jitter %v, want %v", f.read().Jitter, want)
	}
}

func TestAPacerSendsNoMoreThanItsRate(t *testing.T) {
	p := newPacer(8e6, 2, 500, 0) // two flows of 1000 datagrams a second each
	var sent, given uint64
	for now := time.Duration(0); now <= time.Second; {
		n, lost, wait := p.due(now)
		sent, given = sent+uint64(n), given+lost
		now += wait + 10*time.Microsecond
		if sent > 300 && sent < 310 {
			now += 100 * time.Millisecond // the machine was busy
		}
	}
	if sent+given < 990 || sent+given > 1002 || given < 70 || given > 100*10 {
		t.Errorf("sent %d and gave up %d of 1000", sent, given)
	}
	if n, _, wait := (&pacer{}).due(0); n == 0 || wait != 0 {
		t.Error("without a rate it waits")
	}
}
