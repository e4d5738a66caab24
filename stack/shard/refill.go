package shard

import "github.com/weirnet/weir/stack/tcp"

// How much a UserHandler is asked for at a time. It writes in the receive loop, and whatever it writes is sent by
// that, too: a whole send buffer would have left the processor's cache before its turn comes, the peer's
// ACKs would wait for all of it, and the blocks of many connections would be more than any cache holds.
const (
	// hot is how much may wait to be sent while a handler is asked for more: less than one super-segment, so
	// that each block that it fills leaves before it fills the next.
	hot = 32 << 10

	// pile is how much may wait to be sent while a handler's Write takes more: the answers to all that a round lends a
	// connection at a time should find room in one call.
	pile = 512 << 10

	// ample is how much of what was written may be unacknowledged at least while it is asked for more: the
	// ACKs of a kernel whose reader has the socket locked come several super-segments later.
	ample = 384 << 10

	// fastest is what more of it there may be for each nanosecond of the shortest round trip: 80 Gbit/s.
	fastest = 10
)

// Room returns how many octets a UserHandler may write now without filling more than is sent at once. The
// connection must be locked.
func (c *TCP) Room() int { return c.roomUnder(hot) }

// Space returns how many octets a UserHandler may write at all: more than Room, since who answers what was lent
// to it has nowhere else to put the answers. The connection must be locked.
func (c *TCP) Space() int { return c.roomUnder(pile) }

// roomUnder returns what the send buffer has, or nothing when limit octets wait to be sent or an ample number
// and limit are unacknowledged.
func (c *TCP) roomUnder(limit int) int {
	if c.conn.TakesBlocks() {
		unacked, unsent := c.conn.Queued()
		if unsent >= limit || unacked+unsent >= c.ample()+limit-hot {
			return 0
		}
	}
	return c.conn.Writable()
}

// ample is how much fills the path, however fast it may be, and the ACKs' way.
func (c *TCP) ample() int { return max(ample, int(min(fastest*c.conn.LeastRTT(), maxBuffer))) }

// refill asks a UserHandler that has more to write for it, when all was sent that may be: here rather than where
// an ACK has made room, so that what it writes is sent next, while it is in the cache.
func (c *TCP) refill() {
	if c.asksLater() && c.conn.State().Synchronized() && c.conn.WriteSpace() && c.Room() > 0 {
		c.events |= tcp.EventWritable
	}
}

// asksLater reports whether it is refill that tells the handler of room in the send buffer.
func (c *TCP) asksLater() bool {
	return c.UserFlags&UserShort != 0 && c.InPlace() && c.conn.TakesBlocks()
}
