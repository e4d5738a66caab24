package shard

import "github.com/weirnet/weir/stack/tcp"

// How much a UserHandler is asked for at a time. It writes in the receive loop, and whatever it writes is sent
// by that, too: a whole send buffer would have left the processor's cache before its turn comes, and the
// peer's ACKs would wait for all of it.
const (
	// hot is how much may wait to be sent for the first time while a handler is asked for more: the next
	// super-segments are there when the peer lets them go, and still in the cache.
	hot = 128 << 10

	// ample is how much of what was written may be unacknowledged at least while it is asked for more.
	ample = 768 << 10

	// fastest is what more of it there may be for each nanosecond of the shortest round trip: 80 Gbit/s.
	fastest = 10
)

// Room returns how many octets a UserHandler may write now.
func (c *TCP) Room() int {
	if c.conn.TakesBlocks() {
		unacked, unsent := c.conn.Queued()
		if unsent >= hot || unacked+unsent >= c.ample() {
			return 0
		}
	}
	return c.conn.Writable()
}

// ample is how much fills the path, however fast it may be, and the ACKs' way.
func (c *TCP) ample() int { return max(ample, int(min(fastest*c.conn.LeastRTT(), maxBuffer))) }

// refill asks a UserHandler that has more to write for it, where all that may be sent was sent.
func (c *TCP) refill() {
	if c.UserFlags&UserShort == 0 || !c.InPlace() || !c.conn.State().Synchronized() {
		return
	}
	if c.conn.TakesBlocks() && c.conn.MayWrite() && c.conn.WriteSpace() && c.Room() > 0 {
		c.tell(tcp.EventWritable)
	}
}
