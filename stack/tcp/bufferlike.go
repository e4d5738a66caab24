package tcp

import (
	"math/bits"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
)

// How kernels bound their queues, and how buffers grow that no user has fixed.
//
// Linux counts memory: the text of packets and what else a packet takes. A write fills the packet
// that was begun whatever that comes to, and begins another one only while there is room, so that it
// may take more than the send buffer is said to hold, or less.

const (
	packetCost  = 896 // what Linux counts for a packet besides its text
	headerCost  = 640 // of that, what comes before the text where both lie in one piece
	bufferCost  = 256 // and what does not lie in that piece
	bsdSendStep = 8192
)

// memory is what Linux counts for what is in the send queue.
func (c *Conn) memory() int { return c.memoryAt(c.dataEnd(), c.snd.nxt) }

// memoryAt is that when so much was written, and sent.
func (c *Conn) memoryAt(end, sent seq.Value) int {
	start, goal := c.snd.dataStart(), c.packetGoal()
	away := max(sent.Sub(start), 0)
	return end.Sub(start) + packetCost*((away+goal-1)/goal+len(c.like.packets.list))
}

// mayBegin reports whether a write may begin a packet at the end of what was written.
func (c *Conn) mayBegin(end, sent seq.Value) bool {
	if low := c.NotSentLowat(); low > 0 && end.Sub(sent) >= low {
		return false
	}
	return c.memoryAt(end, sent) < c.snd.limit()
}

// roomForPackets is how much text a write takes at least: what is missing of the last packet, or a whole
// one.
func (c *Conn) roomForPackets() int {
	p, goal := &c.like.packets, c.packetGoal()
	p.drop(c.snd.nxt)
	if x, n := p.last(seq.Max(c.snd.nxt, c.snd.dataStart())); x != nil && !x.record && n < goal {
		return goal - n
	}
	if !c.mayBegin(c.dataEnd(), seq.Max(c.snd.nxt, c.snd.dataStart())) {
		return 0
	}
	return goal
}

// holdsBack reports whether half the low-water mark, or more, was not sent yet.
func (c *Conn) holdsBack() bool {
	_, unsent := c.Queued()
	low := c.NotSentLowat()
	return low > 0 && 2*unsent >= low
}

// WriteSpace reports whether there is so much room in the send buffer that a user who polls is told: a
// third of it, and half the low-water mark where packets are kept. There, a user who was told that there is not hears
// of it by EventWritable.
func (c *Conn) WriteSpace() bool {
	if !c.MayWrite() {
		return true
	}
	if c.keepsPackets() {
		c.wake()
		c.shortWrite = !c.memoryFree() || c.holdsBack()
		return !c.shortWrite
	}
	room, n := c.Writable(), c.sendQueue.Len()
	return room > 0 && room >= n/2
}

func (c *Conn) memoryFree() bool { return 3*c.memory() <= 2*c.snd.limit() }

// tellOfMemory decides whether a user is told that there is room, before what the ACK lets go was sent:
// nobody is who has not found it full.
func (c *Conn) tellOfMemory() bool {
	if !c.shortWrite || !c.MayWrite() {
		return false
	}
	if c.like.sendGrows && c.snd.nxt.Sub(c.snd.una) < c.cwnd() {
		c.expandSendBuffer()
	}
	if !c.memoryFree() {
		return false
	}
	if c.NotSentLowat() > 0 { // the user looks again when it was sent
		return true
	}
	c.shortWrite = false
	return true
}

// expandSendBuffer has room for two congestion windows of packets of one segment each.
func (c *Conn) expandSendBuffer() {
	size := int(max(c.snd.peerMSS, c.snd.mss)) + headerCost
	each := 1<<bits.Len(uint(size-1)) + bufferCost
	n := 2 * each * max(10, c.cwnd()/max(int(c.snd.mss), 1))
	c.snd.buffer = size32(max(c.snd.limit(), min(n, c.set.SendSizes[2])))
}

// growSendBSD lets the send buffer grow while the window would take more than there is room for.
func (c *Conn) growSendBSD() {
	if c.like.sendGrows && c.sendQueue.Len() >= c.snd.limit()/8*7 && int(c.snd.wnd) >= c.snd.limit()/5*4 {
		c.snd.buffer = size32(max(c.snd.limit(), min(c.snd.limit()+bsdSendStep, c.set.SendSizes[2])))
	}
}

// spaceForWindow is how large a receive buffer must be whose share is a window of n octets.
func (c *Conn) spaceForWindow(n int) int {
	if share := c.set.WindowShare; share > 0 {
		whole := 1 << min(share, 16)
		return n / (whole - 1) * whole
	}
	return n << min(-c.set.WindowShare, 16)
}

// rightSize lets the receive buffer grow by what the user reads in a round trip: Linux makes
// room for twice as much and for what a sender gains meanwhile, FreeBSD for half a buffer more.
func (c *Conn) rightSize(now clock.Time, n int) {
	k, r := c.like, &c.rcv
	k.read += n
	srtt := c.rtt.SRTT()
	if srtt == 0 || now.Sub(k.readSince) < srtt {
		return
	}
	read, before := k.read, int(r.space)
	k.read, k.readSince = 0, now
	if read <= before {
		return
	}
	r.space = uint32(read)
	switch {
	case !k.recvGrows:
	case c.likeFreeBSD():
		if read > r.limit()/8*3 {
			r.buffer = size32(max(r.limit(), min(r.limit()+r.limit()/2, c.set.ReceiveSizes[2])))
		}
	default:
		win := 2*read + 16*int(r.mss)
		win += 2 * win / max(before, 1) * (read - before)
		if n := min(c.spaceForWindow(min(win, 1<<30)), c.set.ReceiveSizes[2]); n > r.limit() {
			r.buffer = size32(n)
			k.clamp = max(k.clamp, min(c.fullSpace(), 0xffff<<r.shift))
		}
	}
}
