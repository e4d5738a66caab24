package tcp

import "time"

// rcvMSS is the size of the peer's segments, as far as it shows.
func (c *Conn) rcvMSS() int {
	if c.rcv.segment > 0 {
		return int(c.rcv.segment)
	}
	return min(int(c.rcv.mss), defaultMSS)
}

// rcvSSThresh is what the window offered may grow to for now.
func (c *Conn) rcvSSThresh() int {
	if c.likeLinux() {
		return c.like.ssthresh
	}
	return c.rcv.limit()
}

// ato is how long an ACK waits for company now.
func (c *Conn) ato() time.Duration {
	if c.likeLinux() {
		return c.like.ato
	}
	return c.set.DelAckTimeout
}
