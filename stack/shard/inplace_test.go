package shard

import (
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/wire"
)

// inPlaceEcho is an echo server as a UserHandler that looks at what was received where it lies.
type inPlaceEcho struct {
	w      *world
	take   func(have int) int // how much of what there is; nil: all
	shown  []byte             // the latest text, not copied
	timers int
	conn   *TCP
}

func (e *inPlaceEcho) Name() string { return "echo" }

func (e *inPlaceEcho) OnEvent(c *TCP, ev tcp.Events) {
	e.conn = c
	if ev&EventTimer != 0 {
		e.timers++
	}
	p := c.conn.Next()
	if len(p) == 0 {
		return
	}
	e.shown = p
	if e.take != nil {
		p = p[:e.take(len(p))]
	}
	now := c.host.Now()
	c.conn.Skip(now, c.conn.Write(now, p))
}

func (w *world) listenInPlace(at string, h Handler) *Listener {
	w.Helper()
	l, err := w.ListenWith(ap(at), false, ListenOptions{Handler: h})
	must(w, err)
	return l
}

// answers takes the one segment that was sent, with the text that it is to have.
func (p *peer) answers(text string) {
	p.Helper()
	if h := p.got(ack); string(h.Payload()) != text {
		p.Fatalf("%q came, want %q", h.Payload(), text)
	}
}

// TestEchoInPlaceAllocatesNothing takes a segment from the device to a UserHandler and its answer back
// to the device, and the acknowledgment of that.
func TestEchoInPlaceAllocatesNothing(t *testing.T) {
	needsPools(t)
	for _, size := range []int{1, 1000} {
		w := newWorld(t, Config{})
		e := &inPlaceEcho{w: w}
		w.listenInPlace("192.0.2.1:7", e)
		p := w.peer(0, "192.0.2.9:999", "192.0.2.1:7").connect()
		w.cables[0].keep = false
		in := tcpPacket(p.at, p.host, wire.TCPFields{Seq: p.seq, Ack: p.ack, Flags: ack, Window: 65535}, text(size))
		f := &link.Frame{Buf: make([]byte, link.FrameSize)}
		h := tcpView(in)
		echo := func() {
			h.UpdateChecksum(p.at.Addr(), p.host.Addr())
			w.arrive(f, in)
			h.SetSeq(h.Seq() + uint32(size))
			h.SetAck(h.Ack() + uint32(size))
		}
		for range 100 {
			echo()
		}
		if n := testing.AllocsPerRun(1000, echo); n > 0 {
			t.Errorf("%v allocations for an echo of %d octets", n, size)
		}
		if got := w.counter("tcp.octets.out"); got != 1101*uint64(size) {
			t.Errorf("%d octets were echoed, want %d", got, 1101*size)
		}
	}
}

func TestUserHandlerSeesTextWhereItArrived(t *testing.T) {
	w := newWorld(t, Config{})
	e := &inPlaceEcho{w: w}
	w.listenInPlace("192.0.2.1:7", e)
	p := w.peer(0, "192.0.2.9:999", "192.0.2.1:7").connect()
	p.send(ack, "hello")
	p.answers("hello")
	if clear(w.in.Buf); e.shown[0] != 0 { // what was shown lies there still
		t.Error("the text was copied before it was shown")
	}
	if n := w.pool.Outstanding(); n > 1 { // what was written and is not acknowledged
		t.Errorf("%d blocks are held", n)
	}
}

func TestWhatAUserHandlerLeavesOutlivesTheFrame(t *testing.T) {
	w := newWorld(t, Config{})
	e := &inPlaceEcho{w: w, take: func(have int) int { return max(0, have-3) }}
	w.listenInPlace("192.0.2.1:7", e)
	p := w.peer(0, "192.0.2.9:999", "192.0.2.1:7").connect()
	p.send(ack, "hello")
	p.answers("he")
	clear(w.in.Buf)
	p.send(ack, " you")
	p.answers("llo ")
	if n := e.conn.conn.Readable(); n != 3 {
		t.Errorf("%d octets are left, want 3", n)
	}
}

func TestSetTimerFiresOnceAtItsTime(t *testing.T) {
	w := newWorld(t, Config{})
	e := &inPlaceEcho{w: w}
	w.listenInPlace("192.0.2.1:7", e)
	w.peer(0, "192.0.2.9:999", "192.0.2.1:7").connect()
	set := func(d time.Duration) {
		e.conn.Post(func(c *TCP) { c.SetTimer(w.clock.Now().Add(d)) })
	}
	set(time.Minute)
	set(2 * time.Minute) // later: nothing moves in the wheel
	w.pass(2*time.Minute - 1)
	if e.timers != 0 {
		t.Fatalf("it fired %d times before its time", e.timers)
	}
	w.pass(1)
	w.pass(time.Hour)
	if e.timers != 1 {
		t.Fatalf("it fired %d times, want once", e.timers)
	}
	set(time.Minute)
	e.conn.Post(func(c *TCP) { c.SetTimer(clock.Never) })
	w.pass(time.Hour)
	if e.timers != 1 {
		t.Errorf("it fired although it was taken back")
	}
}

// TestWhatFindsTheLockTakenIsDoneByWhoHasIt feeds segments, and posts, while somebody has the lock.
func TestWhatFindsTheLockTakenIsDoneByWhoHasIt(t *testing.T) {
	w := newWorld(t, Config{})
	e := &inPlaceEcho{w: w}
	w.listenInPlace("192.0.2.1:7", e)
	p := w.peer(0, "192.0.2.9:999", "192.0.2.1:7").connect()
	c := e.conn
	c.Lock()
	p.send(ack, "one ")
	p.send(ack, "two ")
	posted := false
	c.Post(func(*TCP) { posted = true })
	for range 2 * maxLeftSegments {
		p.send(ack, "x")
	}
	w.none()
	c.Unlock()
	if !posted {
		t.Error("what was posted was not run when the lock was let go")
	}
	w.counted("tcp.drop.handler_busy", 2*maxLeftSegments-maxLeftSegments+2)
	got := ""
	for _, s := range w.sent(0) {
		got += string(s.tcp().Payload())
	}
	if len(got) != len("one two ")+maxLeftSegments-2 || got[:9] != "one two x" {
		t.Errorf("%q was echoed", got)
	}
}

// TestTimerThatFindsTheLockTakenIsSetAgain has the timer of a UserHandler's connection fire while somebody
// else has the lock: what is lost is sent again, then and the next time.
func TestTimerThatFindsTheLockTakenIsSetAgain(t *testing.T) {
	w := newWorld(t, Config{})
	e := &inPlaceEcho{w: w}
	w.listenInPlace("192.0.2.1:7", e)
	p := w.peer(0, "192.0.2.9:999", "192.0.2.1:7").connect()
	p.send(ack, "hello")
	p.answers("hello")
	e.conn.Lock()
	w.pass(5 * time.Second)
	w.none()
	e.conn.unlock(nil)
	w.settle()
	p.answers("hello")
	w.pass(20 * time.Second)
	if len(w.sent(0)) == 0 {
		t.Error("nothing is sent again any more")
	}
}
