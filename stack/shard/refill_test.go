package shard

import (
	"testing"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/wire"
)

// pourer is a UserHandler that writes a piece after the other while there is room.
type pourer struct {
	piece      []byte
	left       int // octets
	mostUnsent int
	most       int // in the send queue at a time
	blocks     bool
	conn       *TCP
}

func (e *pourer) Name() string { return "pourer" }

func (e *pourer) OnEvent(c *TCP, _ tcp.Events) {
	e.conn = c
	c.UserFlags &^= UserShort
	for e.left > 0 {
		n := 0
		if room := c.Room(); room > 0 && e.blocks {
			n = c.FillBlock(room, func(p []byte) int { return copy(p, e.piece[:min(len(e.piece), e.left)]) })
		} else if room > 0 {
			n = c.conn.Write(c.host.Now(), e.piece[:min(len(e.piece), e.left)])
		}
		e.left -= n
		unacked, unsent := c.conn.Queued()
		e.mostUnsent, e.most = max(e.mostUnsent, unsent), max(e.most, unacked+unsent)
		if n == 0 {
			c.UserFlags |= UserShort
			return
		}
	}
}

// begin has it write n octets.
func (e *pourer) begin(n int) { e.conn.Post(func(*TCP) { e.left = n }) }

// drains acknowledges whatever the host sends until it sends nothing more, and returns how many octets of text that were.
func (p *peer) drains() (octets int) {
	p.Helper()
	for {
		list := p.sent(p.ifc)
		if len(list) == 0 {
			return octets
		}
		for _, k := range list {
			h := k.tcp()
			octets += len(h.Payload())
			p.take(h)
		}
		p.send(ack, "")
	}
}

// TestHandlerIsAskedForMoreWhenWhatItWroteWasSent has a handler write much more than the send buffer holds: it is
// asked until it has written all, and for no more at a time than is sent next.
func TestHandlerIsAskedForMoreWhenWhatItWroteWasSent(t *testing.T) {
	const size = 8 << 20
	for _, blocks := range []bool{false, true} {
		for _, piece := range []int{100, 5000, 32 << 10, 64 << 10, 1 << 20} {
			w := newWorld(t, Config{})
			w.join("e2", 1500, offloads, "203.0.113.1/24")
			e := &pourer{piece: text(piece), blocks: blocks}
			w.listenInPlace("203.0.113.1:7", e)
			p := w.peer(2, "203.0.113.9:999", "203.0.113.1:7").connect()
			e.begin(size)
			if got := p.drains(); got != size || e.left != 0 {
				t.Errorf("pieces of %d octets: %d octets came of %d, %d are not written", piece, got, size, e.left)
			}
			if e.mostUnsent >= hot+piece {
				t.Errorf("pieces of %d octets: %d waited to be sent", piece, e.mostUnsent)
			}
			if n := w.pool.Outstanding(); n > 0 {
				t.Errorf("%d blocks are held when all is acknowledged", n)
			}
		}
	}
}

// TestHandlerOfAFullSendBufferIsAskedAgain is for buffers below what bounds a handler otherwise.
func TestHandlerOfAFullSendBufferIsAskedAgain(t *testing.T) {
	for _, buffer := range []int{2000, 40_000, 300_000} {
		w := newWorld(t, Config{SendBuffer: buffer})
		e := &pourer{piece: text(30_000)}
		w.listenInPlace("192.0.2.1:7", e)
		p := w.peer(0, "192.0.2.9:999", "192.0.2.1:7").connect()
		e.begin(2 << 20)
		if got := p.drains(); got != 2<<20 {
			t.Errorf("a buffer of %d: %d octets came of %d", buffer, got, 2<<20)
		}
	}
}

// TestHandlerOfAFullDeviceIsAskedAgain lets the device take a few frames at a time.
func TestHandlerOfAFullDeviceIsAskedAgain(t *testing.T) {
	w := newWorld(t, Config{})
	e := &pourer{piece: text(30_000)}
	w.listenInPlace("192.0.2.1:7", e)
	p := w.peer(0, "192.0.2.9:999", "192.0.2.1:7").connect()
	w.cables[0].room = 3
	e.begin(1 << 20)
	got := 0
	for range 10_000 {
		got += p.drains()
		if !w.cables[0].starved {
			break
		}
		w.cables[0].makeRoom(3)
		w.settle()
	}
	if got != 1<<20 {
		t.Errorf("%d octets came of %d", got, 1<<20)
	}
}

// TestHandlerThatIsAlwaysAskedAgainHasItsTurnAfterTheOthers has a peer whose ACK is there as soon as the device has
// a segment: whoever posts a function gets away all the same.
func TestHandlerThatIsAlwaysAskedAgainHasItsTurnAfterTheOthers(t *testing.T) {
	const size = 64 << 20
	w := newWorld(t, Config{})
	cable := w.join("e2", 1500, offloads, "203.0.113.1/24")
	e := &pourer{piece: text(32 << 10)}
	w.listenInPlace("203.0.113.1:7", e)
	p := w.peer(2, "203.0.113.9:999", "203.0.113.1:7").connect()
	in := &link.Frame{Buf: make([]byte, link.FrameSize)}
	cable.seen = func(frame []byte) {
		if k := parse(w, frame).tcp(); len(k.Payload()) > 0 {
			p.take(k)
			b := tcpPacket(p.at, p.host, wire.TCPFields{Seq: p.seq, Ack: p.ack, Flags: ack, Window: 65535}, nil)
			in.Off, in.End = link.Headroom, link.Headroom+copy(in.Buf[link.Headroom:], b)
			in.Offload = link.Offload{}
			w.Deliver(w.ifcs[2], in)
		}
	}
	e.begin(size)
	if e.left == 0 {
		t.Fatal("Post returned when all was written")
	}
	for n := 0; e.left > 0; n++ {
		if n > 1000 || w.Deadline() > w.clock.Now() {
			t.Fatalf("%d octets are never written", e.left)
		}
		w.Expire()
	}
}

// TestBlocksOfAHandlerAllocateNothing fills blocks, sends them and takes the acknowledgments.
func TestBlocksOfAHandlerAllocateNothing(t *testing.T) {
	needsPools(t)
	w := newWorld(t, Config{})
	cable := w.join("e2", 1500, offloads, "203.0.113.1/24")
	e := &pourer{piece: text(64 << 10), blocks: true}
	w.listenInPlace("203.0.113.1:7", e)
	p := w.peer(2, "203.0.113.9:999", "203.0.113.1:7").connect()
	sent := 0
	cable.seen = func(frame []byte) { sent += len(frame) - link.VnetLen - 40 }
	in := tcpPacket(p.at, p.host, wire.TCPFields{Seq: p.seq, Ack: p.ack, Flags: ack, Window: 65535}, nil)
	f := &link.Frame{Buf: make([]byte, link.FrameSize)}
	h, done := tcpView(in), 0
	e.begin(1 << 20)
	step := func() {
		if e.left < 64<<10 {
			e.left += 1 << 20
		}
		h.SetAck(h.Ack() + uint32(sent-done))
		done = sent
		h.UpdateChecksum(p.at.Addr(), p.host.Addr())
		f.Off, f.End = link.Headroom, link.Headroom+copy(f.Buf[link.Headroom:], in)
		f.Offload = link.Offload{}
		w.Deliver(w.ifcs[2], f)
	}
	for range 100 {
		step()
	}
	if n := testing.AllocsPerRun(1000, step); n > 0 {
		t.Errorf("%v allocations for an ACK and what it lets go", n)
	}
	if done < 1000*1448 {
		t.Errorf("only %d octets were sent", done)
	}
}
