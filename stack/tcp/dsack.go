package tcp

import (
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/wire"
)

// takeSACK enters the segment's SACK blocks (RFC 2018 §4, RFC 2883). Blocks that are not within
// what is outstanding are ignored; the first may report a duplicate.
func (c *Conn) takeSACK(a *arrival, n *news) {
	o := &a.seg.Options
	if !c.sackOK || o.NumSACK == 0 {
		return
	}
	blocks := o.SACK[:o.NumSACK]
	duplicate := c.takeDSACK(a, n)
	f := c.loss.out
	for _, i := range ascending(blocks) {
		if i >= len(blocks) {
			break
		}
		r := seq.Range{Start: seq.Value(blocks[i].Left), End: seq.Value(blocks[i].Right)}
		if f == nil || r.Len() <= 0 || r.End.Greater(c.snd.nxt) || r.Start.LessEq(c.snd.una) {
			if i == 0 && duplicate {
				c.duplicateAcked(r, n)
			} else if r.End.Greater(c.snd.una) {
				c.ctr.SACKBlocksIgnored.Add(1)
			}
			continue
		}
		c.sackRange(r, n, i == 0 && duplicate)
	}
	if f == nil {
		return
	}
	if n.low.Less(f.top) && (c.loss.state != caLoss || c.loss.rec.undoable) {
		c.noteReordering(n.low, f.top)
		n.low = c.snd.nxt
	}
}

// ascending returns in which order to take blocks in, in its first elements: by sequence number, as
// one that lies before another of the same ACK says nothing of the order that they arrived in.
func ascending(blocks []wire.SACKBlock) (order [4]int) {
	for i := range order {
		j := i
		for ; j > 0 && i < len(blocks) && seq.Value(blocks[i].Left).Less(seq.Value(blocks[order[j-1]].Left)); j-- {
			order[j] = order[j-1]
		}
		order[j] = i
	}
	return order
}

// sackRange enters one block.
func (c *Conn) sackRange(b seq.Range, n *news, duplicate bool) {
	f := c.loss.out
	i := f.index(seq.Max(b.Start, c.snd.una))
	from := i
	for ; i < len(f.recs) && f.recs[i].Start.Less(b.End); i++ {
		if duplicate {
			c.duplicateArrived(i, n)
		}
		if f.recs[i].state&stSacked != 0 {
			continue
		}
		at, k := f.sackable(i, b)
		if k == 0 {
			continue
		}
		i = at
		c.sackRecord(i, n)
	}
	f.tidy(from, min(i, len(f.recs)-1))
}

// sackRecord notes that a record has arrived.
func (c *Conn) sackRecord(i int, n *news) {
	f := c.loss.out
	r := f.recs[i]
	n.sacked = true
	n.delivered.add(&r, 1)
	c.noteDelivered(n, &r)
	c.rackAdvance(n, &r, false)
	state := r.state | stSacked
	switch {
	case r.state&stResent != 0:
		if r.state&stLost != 0 {
			state &^= stLost | stResent
		}
	default:
		state &^= stLost
		if r.state&stEver == 0 {
			if r.Start.Less(f.top) && r.Start.Less(n.low) {
				n.low = r.Start
			}
			n.original = n.original || c.beforeRecovery(&r)
			if n.firstSack == 0 {
				n.firstSack = r.at
			}
			n.lastSack = r.at
		}
	}
	f.set(i, state)
	f.top = seq.Max(f.top, r.End)
}

// duplicateArrived is a DSACK of a record that is outstanding, or acknowledged by the same ACK: where it
// was sent again, both copies have arrived.
func (c *Conn) duplicateArrived(i int, n *news) {
	f, rec := c.loss.out, c.loss.rec
	r := &f.recs[i]
	if r.state&stEver != 0 {
		if rec != nil && rec.undoable && rec.undoLeft > 0 && r.End.Greater(rec.undoMark) {
			rec.undoLeft = max(rec.undoLeft-r.segments(), 0)
		}
		if r.state&stSacked != 0 && r.Start.Less(n.low) {
			n.low = r.Start
		}
	}
	if r.state&(stSacked|stResent) == stSacked|stResent {
		f.set(i, r.state&^stResent)
	}
}

// duplicateAcked is a DSACK of what the same ACK acknowledges. What was acknowledged before, and so is
// in no record, has been counted by takeDSACK.
func (c *Conn) duplicateAcked(b seq.Range, n *news) {
	f := c.loss.out
	if f == nil || !b.End.Greater(n.prior) {
		return
	}
	for i := f.index(seq.Max(b.Start, n.prior)); i < len(f.recs) && f.recs[i].Start.Less(b.End); i++ {
		if f.recs[i].End.LessEq(b.End) {
			c.duplicateArrived(i, n)
		}
	}
}

// takeDSACK looks whether the first block reports a duplicate (RFC 2883 §4): it lies below the
// ACK, or within the second block. A report of more than was ever sent again is not
// believed: the network has duplicated, or the peer makes it up.
func (c *Conn) takeDSACK(a *arrival, n *news) bool {
	o := &a.seg.Options
	b := seq.Range{Start: seq.Value(o.SACK[0].Left), End: seq.Value(o.SACK[0].Right)}
	if !b.Start.Less(a.seg.Ack) {
		if o.NumSACK < 2 || b.End.Greater(seq.Value(o.SACK[1].Right)) || b.Start.Less(seq.Value(o.SACK[1].Left)) {
			return false
		}
	}
	if b.Len() <= 0 || b.Len() > int(c.snd.maxWnd) || !c.set.DSACK || b.End.Greater(c.snd.nxt) {
		return false
	}
	r := c.remember()
	segments := (b.Len() + int(c.snd.mss) - 1) / int(c.snd.mss)
	if segments == 1 && r.probing && r.probeEnd == b.End {
		n.dsackTLP = true
	}
	r.dsacks += uint32(segments)
	c.ctr.DuplicatesReported.Add(uint64(segments))
	if r.dsacks > c.again {
		return false
	}
	if r.reorderings > 0 && !n.dsackTLP {
		r.dsackSeen = true
	}
	n.dsack = true
	n.delivered.segments += segments
	n.delivered.octets += b.Len()
	if r.undoable && r.undoLeft > 0 && b.End.LessEq(n.prior) && b.End.Greater(r.undoMark) {
		r.undoLeft = max(r.undoLeft-segments, 0)
	}
	return true
}

// fack is the end of what is known to have arrived.
func (c *Conn) fack() seq.Value {
	if f := c.loss.out; f != nil && f.sacked.octets > 0 {
		return seq.Max(f.top, c.snd.una)
	}
	return c.snd.una
}

// noteDuplicate remembers what came twice, to be reported first in the next ACK: "the first
// block of the SACK option field" (RFC 2883 §4). What touches it is reported with it.
func (c *Conn) noteDuplicate(d seq.Range) {
	if d.Len() <= 0 {
		return
	}
	if c.twice.Len() > 0 && d.Start.LessEq(c.twice.End) && c.twice.Start.LessEq(d.End) {
		d = seq.Range{Start: seq.Min(d.Start, c.twice.Start), End: seq.Max(d.End, c.twice.End)}
	}
	c.twice = d
}

// noteHeld has the next ACK report what of text in order is held out of order already: the first
// such part, as there is one block for it.
func (c *Conn) noteHeld(a *arrival) {
	end := a.seq.Add(len(a.text))
	first := seq.Range{Start: end, End: end}
	for i := range c.ooo.Ranges() {
		if x := c.ooo.Range(i); x.Start.Less(first.Start) {
			first = seq.Range{Start: x.Start, End: seq.Min(x.End, end)}
		}
	}
	c.noteTwice(first.Start, first.End)
}
