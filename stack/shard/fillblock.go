package shard

import (
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/tcp"
)

// FillBlock has fill write up to room octets, which Room has allowed, into the send queue's own memory: into what is free
// of its last block, or into a block of its own. It returns how many fill says that it has written. The
// connection must be locked, and pushed afterwards.
func (c *TCP) FillBlock(room int, fill func(p []byte) int) int {
	now := c.host.Now()
	if b, free := c.conn.Tail(); b != nil {
		n := fillUpTo(free, room, fill)
		c.conn.WriteTail(now, free, n)
		b.Release()
		return n
	}
	const ahead = tcp.BlockHeadroom
	size := min(room, c.conn.Burst(), mem.FrameBlock-ahead)
	b := c.host.pool.Get(ahead + size)
	b.B = b.B[ahead : ahead+size]
	n := fillUpTo(b.B, room, fill)
	if c.conn.TakesBlocks() && n > 0 && c.conn.WriteBlock(now, b, n) {
		return n
	}
	n = c.conn.Write(now, b.B[:n])
	b.Release()
	return n
}

// fillUpTo calls fill with up to room octets of p.
func fillUpTo(p []byte, room int, fill func(p []byte) int) int {
	p = p[:min(len(p), room)]
	return max(0, min(fill(p), len(p)))
}
