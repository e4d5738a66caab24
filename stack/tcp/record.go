package tcp

import "github.com/weirnet/weir/stack/clock"

// WriteRecord is Write by a user that ends a record (MSG_EOR): where packets are kept and all of p was
// taken, no segment holds what was written before and after. Elsewhere it is Write.
func (c *Conn) WriteRecord(now clock.Time, p []byte) int {
	n := c.Write(now, p)
	if n == len(p) && n > 0 && c.keepsPackets() {
		if x, _ := c.like.packets.last(c.snd.nxt); x != nil {
			x.record = true
		}
	}
	return n
}
