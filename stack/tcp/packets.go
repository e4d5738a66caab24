package tcp

import (
	"github.com/weirnet/weir/stack/seq"
)

// Packets, where Settings.KeepPackets has them. What the user writes is cut to packets as it is
// written: what a write adds goes into the last packet as long as that was not sent and is shorter
// than packetGoal. A packet leaves in as many pieces as the window and the pace ask for, each of
// which is a packet from then on, and is sent again as it was sent.

// written is a packet of text that was not sent yet, from the end of the packet before it, or from SND.NXT.
type written struct {
	end    seq.Value
	push   bool // it ends what was written at once, or half the window was written since another
	record bool // what follows does not go with it (MSG_EOR)
	alone  bool // it was on its way before there was anything to follow
}

// packets is the queue of them, and what is known of PSH.
type packets struct {
	list   []written
	pushed seq.Value // the last octet pushed
}

// maxPackets bounds the queue; beyond that the last packet takes what is written.
const maxPackets = 1024

// keepsPackets reports whether packets are kept.
func (c *Conn) keepsPackets() bool { return c.like != nil && c.set.KeepPackets }

// packetGoal is how long a packet may become that is written to: no more than half of what the
// peer's window has ever been, in whole segments.
func (c *Conn) packetGoal() int {
	goal, wnd := 65535-320, int(c.snd.maxWnd)
	if wnd > defaultMSS {
		wnd /= 2
	}
	if wnd > 0 {
		goal = min(goal, wnd)
	}
	size := max(c.segmentSize(), 1)
	return max(goal-goal%size, size)
}

// packing is a write under way: how far what is written would have left by now, as the sender
// is asked to send whenever a packet is full.
type packing struct {
	sent  seq.Value
	room  int // octets that may still leave
	size  int
	burst int
}

// pack cuts n octets that are being written to packets, as many as there is room for, and returns how
// many that is; more says that more is about to be written. The send queue does not have them yet.
func (c *Conn) pack(n int, more bool) int {
	p, at, half := &c.like.packets, c.dataEnd(), int(c.snd.maxWnd/2)
	start, end, goal := at, at.Add(n), c.packetGoal()
	if p.pushed.Less(c.snd.una) {
		p.pushed = c.snd.una
	}
	p.drop(c.snd.nxt)
	w := c.packing()
	for first := true; at.Less(end); first = false {
		x, length := p.last(w.sent)
		if x == nil || length >= goal && len(p.list) < maxPackets || x.record {
			if !c.mayBegin(at, w.sent) {
				more = false // the user waits: it is the end of a write
				break
			}
			x, length = p.add(at), 0
		}
		k := end.Sub(at)
		if len(p.list) < maxPackets {
			k = min(k, goal-length)
		}
		at = at.Add(k)
		x.end, x.push, x.alone = at, x.push && !first, false
		if at == end {
			break
		}
		if at.Sub(p.pushed) > half {
			x.push, p.pushed = true, at
			w.send(p, true)
		} else if w.sent.GreaterEq(at.Add(-length - k)) {
			w.send(p, false)
		}
	}
	if x, _ := p.last(w.sent); x != nil && (!more || at.Sub(p.pushed) > half) {
		x.push, p.pushed = true, at
	}
	return at.Sub(start)
}

// packing begins a write.
func (c *Conn) packing() packing {
	w := packing{sent: seq.Max(c.snd.nxt, c.snd.dataStart()), size: max(c.segmentSize(), 1)}
	if c.state.Synchronized() && !c.probing && !c.loss.hold {
		w.room = max(min(c.windowRoom(w.size), c.snd.room()), 0)
		w.burst = c.atOnce(w.size)
	}
	return w
}

// send lets go of what may leave, all of it or the first piece.
func (w *packing) send(p *packets, all bool) {
	x := &p.list[len(p.list)-1]
	n := x.end.Sub(w.sent)
	most := w.room
	if !all {
		most = min(most, w.burst)
	}
	if n > most {
		n = most - most%w.size
	}
	if n > 0 {
		w.sent, w.room = w.sent.Add(n), w.room-roundUp(n, w.size)
		x.alone = w.sent == x.end
	}
}

// last returns the last packet, as far as it was not sent, and its length; nil where it was.
func (p *packets) last(sent seq.Value) (*written, int) {
	n := len(p.list)
	if n == 0 || p.list[n-1].end.LessEq(sent) {
		return nil, 0
	}
	if n > 1 {
		sent = seq.Max(sent, p.list[n-2].end)
	}
	return &p.list[n-1], p.list[n-1].end.Sub(sent)
}

// add begins a packet.
func (p *packets) add(end seq.Value) *written {
	p.list = append(p.list, written{end: end})
	return &p.list[len(p.list)-1]
}

// drop forgets the packets up to nxt, which have been sent.
func (p *packets) drop(nxt seq.Value) {
	n := 0
	for n < len(p.list) && p.list[n].end.LessEq(nxt) {
		n++
	}
	if n == len(p.list) && cap(p.list) > 16 {
		p.list = nil
	} else if n > 0 {
		p.list = p.list[:copy(p.list, p.list[n:])]
	}
}

// next returns how much of the n octets from nxt on is one packet, of most octets, and whether more
// follows. A short packet is filled up from those behind it.
func (p *packets) next(nxt seq.Value, n, most int) (int, bool) {
	p.drop(nxt)
	for i := range p.list {
		x := &p.list[i]
		length := x.end.Sub(nxt)
		if length >= most || x.record || x.alone || i == len(p.list)-1 {
			if i > 0 && length > most {
				length = most
			}
			return min(length, n), length < n
		}
	}
	return n, false
}

// marks returns what becomes of text from SND.NXT to end: PSH and the end of a record stay with the
// end of the packet that had them.
func (p *packets) marks(end seq.Value) (state sentState) {
	for i := range p.list {
		x := &p.list[i]
		if end.Less(x.end) {
			break
		}
		if x.push {
			state |= stPush
		}
		if end == x.end {
			if x.record {
				state |= stRecord
			}
			break
		}
	}
	return state
}
