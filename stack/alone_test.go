package stack_test

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/event"
	"github.com/weirnet/weir/stack/link/pipe"
)

// In a bubble a connection that nobody holds up takes no time at all: whatever would wait for a
// timer, a retransmission, a probe, shows.

// undisturbed holds that a connection whose far end echoes answers requests, and passes a good
// deal of octets on, at once.
func undisturbed(t *testing.T, c net.Conn, what string) {
	t.Helper()
	begin := time.Now()
	c.SetDeadline(begin.Add(time.Hour))
	word, buf := []byte("how are you?"), make([]byte, 12)
	for range 200 {
		if _, err := c.Write(word); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if _, err := io.ReadFull(c, buf); err != nil || !bytes.Equal(buf, word) {
			t.Fatalf("%s: %q, %v", what, buf, err)
		}
	}
	if took := time.Since(begin); took != 0 {
		t.Errorf("%s: 200 requests took %v of fake time, want none", what, took)
	}
	begin = time.Now()
	const n = 1 << 20
	go c.Write(make([]byte, n))
	if k, err := io.CopyN(io.Discard, c, n); err != nil {
		t.Errorf("%s: %d of %d octets came back: %v", what, k, n, err)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("%s: %d octets took %v of fake time", what, n, took)
	}
}

// fillUp writes until nothing goes any more, and returns how to know what became of the rest.
func fillUp(c net.Conn, n int) (written chan error) {
	written = make(chan error, 1)
	go func() {
		_, err := c.Write(pattern(n))
		written <- err
	}()
	synctest.Wait() // the writer waits, and everybody else
	return written
}

// pattern is n octets of which none can stand in for its neighbours.
func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return p
}

// drained holds that what was held up arrives whole.
func drained(t *testing.T, c net.Conn, n int, written chan error) {
	t.Helper()
	c.SetDeadline(time.Now().Add(time.Hour))
	got := make([]byte, n)
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, pattern(n)) {
		t.Errorf("what was held up did not arrive as it was sent: %v", err)
	}
	if err := <-written; err != nil {
		t.Errorf("the write that was held up: %v", err)
	}
}

func TestSlowReaderSlowsOnlyItself(t *testing.T) {
	inBubble(t, func(x *bubble) {
		slow, held := x.connect()
		const n = 12 << 20 // more than both buffers
		written := fillUp(slow, n)
		select {
		case err := <-written:
			t.Fatalf("all was written though nobody reads: %v", err)
		default:
		}
		before, far := x.connect()
		go io.Copy(far, far)
		undisturbed(t, before, "beside a reader that does not read")
		time.Sleep(10 * time.Minute) // of probes
		undisturbed(t, before, "after ten minutes of it")
		after, far2 := x.connect()
		go io.Copy(far2, far2)
		undisturbed(t, after, "a connection made meanwhile")
		drained(t, held, n, written)
	})
}

func TestHandlerThatTakesNothingSlowsOnlyItself(t *testing.T) {
	inBubble(t, func(x *bubble) {
		var mu sync.Mutex
		took := 0
		lazy := &event.Funcs{Data: func(*event.Conn, []byte) int { mu.Lock(); took++; mu.Unlock(); return 0 }}
		_, err := x.b.ListenEvents("tcp4", ":9", lazy, event.Options{})
		must(t, err)
		_, err = x.b.ListenEvents("tcp4", ":7", &event.Funcs{Data: (*event.Conn).Write}, event.Options{})
		must(t, err)
		slow, err := x.a.Dial("tcp", "192.0.2.2:9")
		must(t, err)
		written := fillUp(slow, 12<<20)
		c, err := x.a.Dial("tcp", "192.0.2.2:7")
		must(t, err)
		x.conns = append(x.conns, c)
		undisturbed(t, c, "beside a handler that takes nothing")
		mu.Lock()
		if took == 0 {
			t.Error("the handler was not called")
		}
		mu.Unlock()
		slow.Close()
		if err := <-written; err == nil {
			t.Error("all was written to a handler that takes nothing")
		}
	})
}

// gate is an end of a cable whose reader can be stopped: the cable then fills up.
type gate struct {
	*pipe.End
	mu   sync.Mutex
	open chan struct{} // closed where it is open
}

func newGate(e *pipe.End) *gate {
	g := &gate{End: e, open: make(chan struct{})}
	close(g.open)
	return g
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = make(chan struct{})
}

func (g *gate) unlock() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.open:
	default:
		close(g.open)
	}
}

func (g *gate) ReadFrames(queue int, bufs [][]byte, sizes []int) (int, error) {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	<-open
	return g.End.ReadFrames(queue, bufs, sizes)
}

func (g *gate) Close() error {
	g.unlock()
	return g.End.Close()
}

// A stack with two links: one that is full, because its far end takes nothing any more, and
// another. What goes by the other does not notice, nor do its timers.
func TestFullLinkSlowsOnlyItself(t *testing.T) {
	for _, handlers := range []bool{false, true} {
		t.Run(map[bool]string{false: "net.Conn", true: "handlers"}[handlers], func(t *testing.T) {
			inBubble(t, func(x *bubble) { fullLink(t, x, handlers) })
		})
	}
}

func fullLink(t *testing.T, x *bubble, handlers bool) {
	da, dc := pipe.New(pipe.Options{QueueFrames: 4})
	g := newGate(dc)
	_, err := x.a.AddInterface(da, stack.InterfaceConfig{Name: "full", Addresses: prefixes("198.51.100.1/24"), NoDefaultRoute: true})
	must(t, err)
	c := newStack(t, g, prefixes("198.51.100.2/24"), stack.Config{})
	defer func() { c.Close(); noneHeld(t, c) }()

	const n = 1 << 20
	var held net.Conn
	var written chan error
	if handlers {
		held, written = filledByHandler(t, x.a, c, g, n)
	} else {
		var slow net.Conn
		slow, held = connect(t, x.a, c, "198.51.100.2")
		defer slow.Close()
		g.shut()
		written = fillUp(slow, n)
	}
	defer held.Close()
	if da.Stats().Full == 0 {
		t.Errorf("the link is not full: %+v", da.Stats())
	}
	other, far := x.connect()
	go io.Copy(far, far)
	undisturbed(t, other, "beside a full link")
	time.Sleep(5 * time.Second) // of retransmissions that find no room
	undisturbed(t, other, "after five seconds of it")
	if pc, err := x.a.ListenPacket("udp4", "198.51.100.1:0"); err == nil { // datagrams too
		pc.SetWriteDeadline(time.Now().Add(time.Second))
		for range 100 {
			pc.WriteTo(make([]byte, 1000), net.UDPAddrFromAddrPort(netip.MustParseAddrPort("198.51.100.2:9")))
		}
		pc.Close()
	}
	undisturbed(t, other, "with datagrams for the full link")
	retransmitted(t, x, other)
	g.unlock()
	drained(t, held, n, written)
}

// retransmitted holds that the stack's timers go on: what is lost on the other link is sent again.
func retransmitted(t *testing.T, x *bubble, c net.Conn) {
	t.Helper()
	begin := time.Now()
	c.SetDeadline(begin.Add(time.Hour))
	x.cable.Down()
	_, err := c.Write([]byte("again"))
	must(t, err)
	synctest.Wait()
	x.cable.Up()
	buf := make([]byte, 5)
	if _, err := io.ReadFull(c, buf); err != nil || string(buf) != "again" {
		t.Errorf("what was lost beside a full link: %q, %v", buf, err)
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}

// filledByHandler has a handler of a's send to c, whose gate shuts before.
func filledByHandler(t *testing.T, a, c *stack.Stack, g *gate, n int) (held net.Conn, written chan error) {
	t.Helper()
	written = make(chan error, 1)
	left := pattern(n)
	send := func(conn *event.Conn) {
		left = left[conn.Write(left):]
		if len(left) == 0 && written != nil {
			select {
			case written <- nil:
			default:
			}
		}
	}
	h := &event.Funcs{
		Data:     func(conn *event.Conn, p []byte) int { send(conn); return len(p) },
		Writable: send,
	}
	_, err := a.ListenEvents("tcp4", ":9", h, event.Options{})
	must(t, err)
	held, err = c.Dial("tcp", "198.51.100.1:9")
	must(t, err)
	_, err = held.Write([]byte("go"))
	must(t, err)
	g.shut()
	synctest.Wait()
	return held, written
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
