package tcp

// SetLinkSegment says how much text Output may put in one Segment from now on, as
// Config.MaxSegment does at first: the way to the peer leads by another link.
func (c *Conn) SetLinkSegment(n int) {
	c.snd.most = size32(max(n, 0))
	c.settled = false
}
