package tcp

import "github.com/weirnet/weir/stack/seq"

// endsInTime is what Linux does about text that goes on beyond the window: one such segment is taken
// whole where nothing waits to be read, and otherwise all of it is dropped; nothing is trimmed. A
// FIN by itself is taken at a closed window. It reports false where the segment is to be dropped.
func (c *Conn) endsInTime(a *arrival) bool {
	r, end := &c.rcv, a.seg.End()
	if a.rst() || a.syn() || !c.state.takesText() || end.LessEq(r.edge) || a.seq.Less(r.nxt) && end.LessEq(r.nxt) {
		return true
	}
	switch {
	case len(a.text) == 0 && a.fin && a.seq == r.nxt:
	case len(a.text) == 0 || a.seq.GreaterEq(r.edge):
		return true // left to the rule that all have
	case c.recvQueue.Len() > 0:
		return false
	}
	a.beyond = len(a.text) > 0
	r.edge = seq.Max(r.edge, end)
	return true
}
