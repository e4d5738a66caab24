package tcp

// roomToWait is how many segments the peer must have room for, for news of more to wait with the ACK.
const roomToWait = 8

// AckMayWait reports whether nothing is due but the ACK of a little text that has come in
// order, or of the peer's FIN, and nothing that was sent is waited for: then a driver that knows
// of a user about to answer may leave the ACK to that answer, "within 500 ms" (RFC 9293
// §3.8.6.3). ACKs that say more, and those of as much text as two segments hold, which a
// sender's window grows by, are not to wait; neither are those of kernels' profiles, which have rules of their own.
func (c *Conn) AckMayWait() bool {
	if c.parked() || c.like != nil || c.acksDue != 1 || c.state != StateEstablished && c.state != StateCloseWait {
		return false
	}
	size := int(c.rcv.mss)
	if c.updateDue && int(c.rcv.window()) < roomToWait*size {
		return false
	}
	n := c.rcv.nxt.Sub(c.rcv.lastAck)
	return n > 0 && n <= size/2 && c.snd.una == c.snd.nxt && !c.unsent() && c.reply.flags == 0 &&
		!c.keepDue && !c.probeDue && c.ooo == nil && c.twice.Len() == 0 && c.ecn&ecnEcho == 0
}
