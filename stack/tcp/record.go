package tcp

import "github.com/weirnet/weir/stack/clock"

// WriteRecord is Write by a user that ends a record (MSG_EOR): in the Linux profile, when all of p was
// taken, no segment holds what was written before and after. Elsewhere it is Write.
func (c *Conn) WriteRecord(now clock.Time, p []byte) int {
	n := c.Write(now, p)
	if n == len(p) && n > 0 && c.likeLinux() && len(c.like.records) < maxPushMarks {
		c.like.records = append(c.like.records, c.dataEnd())
		c.like.pushes.chunk = c.dataEnd()
	}
	return n
}

// record returns how many of the n octets from off octets beyond SND.UNA on come before the end of a
// record, and whether that is not the end of the queue.
func (c *Conn) record(off, n int) (int, bool) {
	if c.like == nil {
		return n, false
	}
	r := c.like.records
	for len(r) > 0 && r[0].LessEq(c.snd.una) {
		r = r[:copy(r, r[1:])]
	}
	c.like.records = r
	at := c.snd.una.Add(off)
	for _, end := range r {
		if k := end.Sub(at); k > 0 {
			return min(n, k), k < n
		}
	}
	return n, false
}
