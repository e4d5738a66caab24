package tcp

import (
	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/tcp/stream"
)

// Blocks in place of copies. A user that copies between its own memory and blocks can do so without
// the driver's lock, and what it gives away in a block is sent from there.

// BlockHeadroom is what a block of the send queue has before its text for the driver's headers, in octets.
const BlockHeadroom = 192

// Lent is a run of octets that was read without a copy.
type Lent = stream.Lent

// Lend is Read without a copy: it moves up to most octets into as many entries of lent as they
// need, and returns how many of either that were. Each entry is the caller's to release, at any time.
func (c *Conn) Lend(now clock.Time, lent []Lent, most int) (runs, n int) {
	if c.parked() {
		return 0, 0
	}
	c.passMark()
	runs, n = c.recvQueue.Lend(lent, c.beforeMark(most))
	c.haveRead(now, n)
	return runs, n
}

// TakesBlocks reports whether WriteBlock and Tail are of use: not where a profile cuts to packets
// what is written.
func (c *Conn) TakesBlocks() bool {
	c.ready()
	return !c.keepsPackets()
}

// WriteBlock is Write of the first n octets of b.B, with the block they lie in: of all of them or, where
// there is no room for that, nothing more may be written or packets are kept, of nothing, and it returns
// false. The block is the connection's then: what lies before B, where the driver writes headers, and the
// rest of B, where what is written next goes.
func (c *Conn) WriteBlock(_ clock.Time, b *mem.Block, n int) bool {
	c.wake()
	if n <= 0 || c.keepsPackets() || !c.MayWrite() || c.Writable() < n {
		c.shortWrite = true
		return false
	}
	c.shortWrite, c.settled, c.more, c.flush = false, false, false, false
	c.sendQueue.Take(b, n)
	return true
}

// WantRoom is a Write for which there was no room: EventWritable tells when there is some.
func (c *Conn) WantRoom() {
	c.wake()
	c.shortWrite = true
}

// Tail returns what is free of the block that was written to last, for WriteTail, and makes the caller an
// owner of the block; nil where there is none.
func (c *Conn) Tail() (*mem.Block, []byte) {
	if c.parked() || c.keepsPackets() || !c.MayWrite() {
		return nil, nil
	}
	return c.sendQueue.Tail()
}

// WriteTail is Write of n octets that the caller has put to the beginning of what Tail gave. It
// returns false, and has taken nothing, where there is no such room any more.
func (c *Conn) WriteTail(_ clock.Time, free []byte, n int) bool {
	if n <= 0 || c.parked() || !c.MayWrite() || c.Writable() < n || !c.sendQueue.Extend(free, n) {
		return false
	}
	c.shortWrite, c.settled, c.more, c.flush = false, false, false, false
	return true
}

// Burst returns how much text leaves in one Segment as a rule: as many whole segments as the link cuts at
// once. Blocks of so many octets are sent as they are.
func (c *Conn) Burst() int {
	size := c.segmentSize()
	n := max(c.snd.maxSegment(), size)
	return n - n%size
}
