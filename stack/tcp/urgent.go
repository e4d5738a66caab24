package tcp

import "github.com/weirnet/weir/stack/seq"

// Urgent data, as BSD's sockets have it. The urgent pointer marks one octet of the stream, the
// last before the pointer (RFC 6093 §2 and §3.4, which takes RFC 9293's pointer as
// every implementation does). A read stops short of the mark, and the next
// begins at it. In line, the octet is read like any other; out of line it is passed over, and
// only ReadUrgent gives it. RFC 6093 §5 and §6 advise new programs to do without, and to have
// it in line where they cannot.

// UrgentStatus says what ReadUrgent has found.
type UrgentStatus uint8

const (
	// UrgentNone: nothing was announced, or it was read already, or it lies in line.
	UrgentNone UrgentStatus = iota
	// UrgentPending: the octet was announced and has not arrived.
	UrgentPending
	// UrgentReady: there it is.
	UrgentReady
)

// SetUrgentInline is SO_OOBINLINE: whether the octet that the urgent pointer marks is left in
// the stream.
func (c *Conn) SetUrgentInline(on bool) {
	c.ready()
	if c.user == nil && c.set != nil && on == c.set.UrgentInline {
		return
	}
	u := c.userOpts()
	u.urgentInline, u.urgentSet = on, true
}

// UrgentInline reports whether urgent data is delivered in line.
func (c *Conn) UrgentInline() bool {
	c.ready()
	if c.user != nil && c.user.urgentSet {
		return c.user.urgentInline
	}
	return c.set != nil && c.set.UrgentInline
}

// mark is the sequence number of the octet that the urgent pointer marks.
func (r *recvSpace) mark() seq.Value { return r.up.Add(-1) }

// ReadUrgent is recv with MSG_OOB: the octet that the urgent pointer marks, once.
func (c *Conn) ReadUrgent() (b byte, st UrgentStatus) {
	if b, st = c.PeekUrgent(); st == UrgentReady {
		c.rcv.urgentRead = true
	}
	return b, st
}

// PeekUrgent is ReadUrgent that leaves the octet to be read again.
func (c *Conn) PeekUrgent() (b byte, st UrgentStatus) {
	r := &c.rcv
	c.ready()
	if !r.urgent || r.urgentRead || c.UrgentInline() {
		return 0, UrgentNone
	}
	if c.state == StateClosed && c.recvQueue.Len() == 0 {
		return 0, UrgentNone
	}
	var p [1]byte
	if c.recvQueue.CopyAt(p[:], r.mark().Sub(c.readPoint())) == 0 {
		return 0, UrgentPending
	}
	return p[0], UrgentReady
}

// UrgentQueued reports whether the octet that the urgent pointer marks has arrived and was not read yet,
// in line or not.
func (c *Conn) UrgentQueued() bool {
	r := &c.rcv
	c.ready()
	off := r.mark().Sub(c.readPoint())
	return r.urgent && !r.urgentRead && off >= 0 && off < c.recvQueue.Len()
}

// Queue returns how many octets have arrived in order and were not read, urgent or not.
func (c *Conn) Queue() int {
	c.ready()
	return c.recvQueue.Len()
}

// AtMark is sockatmark (SIOCATMARK): whether the next octet to read is the one that the urgent
// pointer marks.
func (c *Conn) AtMark() bool {
	c.ready()
	return c.rcv.urgent && c.rcv.mark() == c.readPoint()
}

// passMark passes the marked octet over where it comes next and does not lie in line.
func (c *Conn) passMark() {
	if c.rcv.urgent && c.AtMark() && !c.UrgentInline() && c.recvQueue.Len() > 0 {
		c.recvQueue.Discard(1)
		c.readOver(1)
	}
}

// beforeMark returns how many of the next n octets come before the mark; where the mark comes
// next, or there is none ahead, that is all of them.
func (c *Conn) beforeMark(n int) int {
	if !c.rcv.urgent {
		return n
	}
	if off := c.rcv.mark().Sub(c.readPoint()); off > 0 {
		return min(n, off)
	}
	return n
}
