package tcp

// Without SACK, what has arrived out of order is known by number only: each duplicate ACK is for a
// segment that has left the network (RFC 5681 §3.2).

// renoAcked brings the count of what duplicate ACKs have told into line with progress. Without
// SACK nobody knows which of what was sent twice has arrived.
func (c *Conn) renoAcked(n *news) {
	f := c.loss.out
	acked, known := n.delivered, f.reno
	// The first fills the hole; the others are those that duplicates have told of.
	f.reno = max(known-max(acked.segments-1, 0), 0)
	n.delivered.segments = max(acked.segments-known, 1)
	n.delivered.octets = max(acked.octets-known*int(c.snd.mss), min(acked.octets, int(c.snd.mss)))
	c.limitReno()
	if n.resent {
		n.original = false
	}
}

// addReno counts duplicate ACKs: each stands for a segment that has left the network
// (RFC 5681 §3.2 step 4, and for the first two RFC 3042).
func (c *Conn) addReno(n *news) {
	f := c.loss.out
	if c.sackOK || f == nil || n.dup == 0 {
		return
	}
	was := f.reno
	f.reno += n.dup
	c.limitReno()
	if more := f.reno - was; more > 0 {
		n.delivered.segments += more
		n.delivered.octets += more * int(c.snd.mss)
	}
}

// limitReno: at least the first segment is missing, or there would be no duplicates.
func (c *Conn) limitReno() {
	f := c.loss.out
	most := max(f.out.segments-f.lost.segments, 0)
	if f.reno > most {
		if f.reno > max(f.out.segments-1, 0) {
			c.raiseReordering(f.reno)
		}
		f.reno = most
	}
}

func (c *Conn) resetReno() {
	if c.loss.out != nil {
		c.loss.out.reno = 0
	}
}
