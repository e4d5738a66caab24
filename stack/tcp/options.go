package tcp

import (
	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/wire"
)

const (
	// minMSS is the least segment size that is believed, options included: an
	// announcement of 0 or 1 would have us send a header for every octet. It leaves
	// room for text beside the longest options (RFC 6691 §2).
	minMSS = 48
	// defaultMSS is assumed over IPv4 when none is announced (RFC 9293 §3.7.1, MUST-15).
	defaultMSS = 536
	// maxShift is the largest window scale (RFC 7323 §2.3).
	maxShift = 14
	// timestampsLen is what the timestamps option takes in every header.
	timestampsLen = 12
)

// scaleFor returns the shift count with which a window of n octets can be announced.
func scaleFor(n int) uint8 {
	shift := uint8(0)
	for n>>shift > 0xffff && shift < maxShift {
		shift++
	}
	return shift
}

// adoptOptions takes over what the peer's SYN or SYN,ACK announces. An option is in
// use when both ends have sent it.
func (c *Conn) adoptOptions(now clock.Time, o *wire.TCPOptions) {
	if c.NoOptions() {
		o = &wire.TCPOptions{}
	}
	if o.MSS != 0 {
		c.snd.peerMSS = o.MSS
	}
	c.snd.peerMSS = max(c.snd.peerMSS, minMSS, uint16(min(c.set.MinMSS, 0xffff)))
	c.sackOK = c.set.SACK && o.SACKPermitted
	c.scaleOK = c.set.WindowScale && o.HasWindowScale
	if c.scaleOK {
		c.snd.shift = min(o.WindowScale, maxShift) // "MUST log the error but use 14"
	} else {
		c.snd.shift, c.rcv.shift = 0, 0
	}
	c.ts.on = c.set.Timestamps && o.HasTimestamps
	if c.ts.on {
		c.ts.set(now, o.TSVal)
	}
	if c.likeFreeBSD() {
		c.roundBuffersFreeBSD()
	}
	c.updateMSS()
}

// updateMSS works out Eff.snd.MSS: "min(SendMSS+20, MMS_S) - TCPhdrsize - IPoptionsize"
// (RFC 9293 §3.7.1, MUST-16), where the size of the options that every segment
// carries is taken off here and that of SACK blocks by Output.
func (c *Conn) updateMSS() {
	size := min(c.snd.peerMSS, c.snd.pathMSS)
	if n := c.MaxSegment(); n > 0 {
		size = min(size, uint16(n))
	}
	size = max(size, minMSS)
	if c.ts.on {
		size -= timestampsLen
	}
	c.snd.mss = size
	if c.cc != nil {
		c.cc.SetMSS(int(size))
	}
}

// synOptions fills the options of our SYN, or of our SYN,ACK, which answers only what the
// peer's SYN has offered.
func (c *Conn) synOptions(now clock.Time, o *wire.TCPOptions) {
	first := c.state == StateSynSent
	o.BSD = c.likeFreeBSD()
	if c.NoOptions() {
		return
	}
	o.MSS = c.rcv.mss
	if n := c.set.SynPlainAfter; n > 0 && first && int(c.tries) >= n {
		return
	}
	o.SACKPermitted = c.sackOK || first && c.set.SACK
	first = first || c.set.CrossedSynOffers && !c.passive
	if c.scaleOK || first && c.set.WindowScale {
		o.HasWindowScale, o.WindowScale = true, c.rcv.shift
		if !c.scaleOK && c.state != StateSynSent { // the peer has not agreed, and so ours is not in use
			o.WindowScale = c.scaleLike(false)
		}
	}
	if c.ts.on || first && c.set.Timestamps {
		o.HasTimestamps, o.TSVal = true, c.ts.val(now)
		o.TSEcr = c.ts.recent // 0 in a SYN that answers nothing, and takes no old connection's place
	}
}

// options fills the options of every other segment that carries an ACK.
func (c *Conn) options(now clock.Time, o *wire.TCPOptions) {
	o.BSD = c.likeFreeBSD()
	if c.ts.on {
		o.HasTimestamps, o.TSVal, o.TSEcr = true, c.ts.val(now), c.ts.recent
	}
	n := c.sackRoom()
	if n == 0 {
		return
	}
	if twice := c.twice; twice.Len() > 0 { // the first block (RFC 2883 §4)
		if c.ooo != nil {
			var rest [4]wire.SACKBlock
			o.NumSACK = c.ooo.Blocks(&rest, n-1)
			copy(o.SACK[1:], rest[:o.NumSACK])
		}
		o.SACK[0] = wire.SACKBlock{Left: uint32(twice.Start), Right: uint32(twice.End)}
		o.NumSACK++
		return
	}
	o.NumSACK = c.ooo.Blocks(&o.SACK, n)
}

// noteTwice has the next ACK report text that was there already. In a handshake there is none: what lies before
// the window came from before the peer's SYN, or from somebody else.
func (c *Conn) noteTwice(start, end seq.Value) {
	if c.sackOK && c.set.DSACK && !c.IsHalfOpen() && start.Less(end) {
		c.noteDuplicate(seq.Range{Start: start, End: end})
	}
}

// sackRoom returns how many SACK blocks the next segment is to carry at most.
func (c *Conn) sackRoom() int {
	if !c.sackOK {
		return 0
	}
	most, n := 4, 0
	if c.ts.on {
		most = 3
	}
	if c.twice.Len() > 0 {
		n = 1
	}
	if c.ooo != nil {
		n += c.ooo.Ranges()
	}
	return min(n, most)
}

// segmentSize returns how much text fits in one wire segment now.
func (c *Conn) segmentSize() int {
	size := int(c.snd.mss)
	if n := c.sackRoom(); n > 0 {
		size -= 4 + 8*n
	}
	return max(size, 1)
}
