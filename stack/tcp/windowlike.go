package tcp

import (
	"math/bits"

	"github.com/weirnet/weir/stack/seq"
)

// How kernels choose the window that they offer. Scripts compare it octet by octet.

// scaleLike returns the window scale that the profile's kernel would choose.
func (c *Conn) scaleLike(fixed bool) uint8 {
	s := c.set
	switch {
	case c.likeLinux():
		space := max(c.fullSpace(), s.ReceiveSizes[2], s.ReceiveCeiling)
		if fixed {
			space = c.fullSpace()
		}
		if clamp := c.WindowClamp(); clamp > 0 {
			space = min(space, clamp)
		}
		return uint8(min(max(bits.Len(uint(space))-16, 0), maxShift))
	case c.likeFreeBSD():
		shift := uint8(0)
		for shift < maxShift && 0xffff<<shift < s.ReceiveCeiling {
			shift++
		}
		return shift
	}
	if c.rcv.grows {
		return scaleFor(max(c.rcv.limit(), s.ReceiveSizes[2]))
	}
	return scaleFor(c.rcv.limit())
}

// fullSpace is what the receive buffer can hold of text: in Linux's profile a share, as the rest is
// kept for the headers and the slack of packets.
func (c *Conn) fullSpace() int {
	if !c.likeLinux() {
		return c.rcv.limit()
	}
	n, share := c.rcv.limit(), c.set.WindowShare
	if share > 0 {
		return n - n>>min(share, 31)
	}
	return n >> min(-share, 31)
}

// roundUp returns n rounded up to a multiple of unit.
func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }

// synWindowLinux is the first window: a multiple of the segment size, and the limit of growth
// until text shows that the peer needs more.
func (c *Conn) synWindowLinux() int {
	size := int(c.rcv.mss)
	if c.state != StateSynSent && c.ts.on {
		size -= timestampsLen
	}
	space := c.fullSpace()
	if clamp := c.WindowClamp(); clamp > 0 {
		space = min(space, clamp)
	}
	if space > size {
		space -= space % size
	}
	if c.set.SignedWindows {
		space = min(space, 0x7fff)
	}
	c.like.ssthresh = min(space, 0xffff)
	return c.like.ssthresh
}

// settleWindowLinux fixes, at the end of the handshake, what the window may grow to: a segment's
// room is kept.
func (c *Conn) settleWindowLinux() {
	k, size, most := c.like, int(c.rcv.mss), c.fullSpace()
	k.clamp = 0xffff << c.rcv.shift
	if clamp := c.WindowClamp(); clamp > 0 {
		k.clamp = min(k.clamp, clamp)
	}
	if k.clamp >= most {
		k.clamp = most
	}
	if k.clamp > 2*size && k.clamp+size > most {
		k.clamp = max(2*size, most-size)
	}
	k.ssthresh = min(k.ssthresh, k.clamp)
}

// growWindowLinux lets the window grow with text that comes, as long as there is room.
func (c *Conn) growWindowLinux(n int) {
	k := c.like
	if room := min(k.clamp, c.fullSpace()-c.recvQueue.Len()) - k.ssthresh; n >= 128 && room > 0 {
		k.ssthresh += min(room, 2*max(int(c.rcv.mss), n))
	}
}

// windowLinux is the window that Linux would like to offer now. Below half of the buffer it is what
// is left, and nothing once that is less than a segment or a sixteenth.
func (c *Conn) windowLinux() int {
	k, size := c.like, c.rcvMSS()
	all := c.fullSpace()
	full := min(all, max(k.clamp, 1))
	free := max(all-c.recvQueue.Len(), 0)
	size = min(size, full)
	if free < full/2 {
		free &^= 1<<c.rcv.shift - 1
		if free < all>>4 || free < size {
			return 0
		}
	}
	free = min(free, k.ssthresh)
	if c.rcv.shift > 0 {
		return roundUp(free, 1<<c.rcv.shift)
	}
	win := c.rcv.edge.Sub(c.rcv.lastAck)
	if win <= free-size || win > free {
		return free - free%max(size, 1)
	}
	// Where no more than one segment fits, in the buffer or by the limit of growth, the window opens
	// by half of that: it would stay what a peer has left of it for ever.
	if size >= free && free > win+min(full, free)/2 {
		return free
	}
	return win
}

func (c *Conn) offerLinux() uint16 {
	r := &c.rcv
	cur, win := int(r.window()), c.windowLinux()
	if win < cur {
		win = roundUp(cur, 1<<r.shift)
	}
	most := 0xffff
	if r.shift == 0 && c.set.SignedWindows {
		most = 0x7fff
	}
	field := min(win>>r.shift, most)
	r.edge = seq.Max(r.edge, r.nxt.Add(field<<r.shift))
	return uint16(field)
}

// offerFreeBSD is the room in the buffer, but nothing rather than a silly window, and not
// less than was announced.
func (c *Conn) offerFreeBSD() uint16 {
	r, k := &c.rcv, c.like
	win, unit := min(c.free(), 0xffff<<r.shift), 1<<r.shift
	if win < r.limit()/4 && win < c.maxSeg() || c.state == StateTimeWait && c.set.TimeWaitLastWindow {
		win = 0
	}
	win = max(win, k.adv.Sub(r.nxt))
	if c.set.TruncatedWindow {
		unit = 1
	}
	win = min(roundUp(win, unit), 0xffff<<r.shift)
	k.adv = seq.Max(k.adv, r.nxt.Add(win))
	r.edge = seq.Max(r.edge, k.adv)
	return uint16(win >> r.shift)
}

// maxSeg is the segment size agreed, options included.
func (c *Conn) maxSeg() int { return int(min(c.snd.peerMSS, c.rcv.mss)) }

// acceptFreeBSD widens what is accepted to what the buffer has room for, whatever was announced.
func (c *Conn) acceptFreeBSD() {
	r := &c.rcv
	if c.state.Synchronized() || c.state == StateSynReceived && !c.passive {
		r.edge = seq.Max(r.edge, r.nxt.Add(max(r.limit()-c.recvQueue.Len(), 0)))
	}
}

// roundBuffersFreeBSD makes both buffers whole numbers of segments, once the peer's segment
// size is known.
func (c *Conn) roundBuffersFreeBSD() {
	size := c.maxSeg()
	if c.rcv.limit() > size {
		c.rcv.buffer = size32(max(c.rcv.limit(), min(roundUp(c.rcv.limit(), size), c.set.ReceiveCeiling)))
	}
	if c.snd.limit() > size {
		c.snd.buffer = size32(max(c.snd.limit(), min(roundUp(c.snd.limit(), size), c.set.ReceiveCeiling)))
	}
}

// opensFreeBSD reports whether reading has opened the window so far that the peer is told: by two
// segments and a quarter of the buffer, or by half of it.
func (c *Conn) opensFreeBSD() bool {
	r, k := &c.rcv, c.like
	win := min(c.free(), 0xffff<<r.shift)
	if c.ackWaits() {
		return false
	}
	old := max(k.adv.Sub(r.nxt), 0)
	gain := win - old
	if gain <= 0 || old>>r.shift >= win>>r.shift {
		return false
	}
	size := c.maxSeg()
	return gain >= 2*size && (gain >= r.limit()/4 || win <= r.limit()/8 || r.limit() <= 8*size) || 2*gain >= r.limit()
}

// opensLinux is the same for Linux: where the window is no more than half of what it can be, and
// would at least double.
func (c *Conn) opensLinux() bool {
	cur := int(c.rcv.window())
	if 2*cur > c.like.clamp {
		return false
	}
	win := c.windowLinux()
	return win > 0 && win >= 2*cur
}
