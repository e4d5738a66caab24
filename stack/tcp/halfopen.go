package tcp

import (
	"math"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/wire"
)

// HalfOpen is all that must be remembered of a connection in SYN-RECEIVED that Accept has
// opened: what both SYNs have said, and how often ours was sent. It has no rules of its own. Before
// anything happens to it, a segment or a timeout, Resume makes a Conn of it again, which then
// does what RFC 9293 §3.10.7.4 and the profile say; Conn.HalfOpen makes a record
// of that where the handshake goes on. The Conn in between may be anybody's scratch.
//
// The record is good once Output has returned false.
type HalfOpen struct {
	deadline clock.Time // Conn.Deadline
	openedAt clock.Time // when the SYN came, and the SYN,ACK left
	rtxAt    clock.Time
	told     clock.Time // Conn.invalidAt
	like     halfLike

	iss, irs       seq.Value
	tsRecent       uint32
	tsOffset       uint32
	offered        uint32 // how far the window reaches beyond the peer's SYN
	wnd, peerMSS   uint16 // the peer's
	mss            uint16 // ours
	soft           errno
	in, out, again uint8 // segments, as far as such a count goes
	tries          uint8
	deferMax       uint8
	ecn            ecnState
	quick          uint8
	shifts         uint8 // the peer's, and ours in the upper half
	flags          halfFlags
}

// halfLike is what the profiles of kernels remember besides.
type halfLike struct {
	sentAt, challenged clock.Time
	ssthresh           uint16
	challenges         uint8
	plain              bool
}

type halfFlags uint16

const (
	halfSent halfFlags = 1 << iota
	halfTimed
	halfLost
	halfForce
	halfDeferring
	halfDeferred
	halfSACK
	halfScale
	halfStamps
	halfPingpong
	halfAckHeard
	halfATO // likeKernel.ato is atoMin, as after old text; else it is 0 still
)

// when returns f where on is set.
func when(on bool, f halfFlags) halfFlags {
	if on {
		return f
	}
	return 0
}

func (h *HalfOpen) has(f halfFlags) bool { return h.flags&f != 0 }

// IsHalfOpen reports whether HalfOpen may take the connection's place: it was opened by
// Accept, and the handshake is not done.
func (c *Conn) IsHalfOpen() bool { return c.state == StateSynReceived && c.passive }

// HalfOpen returns the record that may take the place of a connection for which IsHalfOpen holds.
func (c *Conn) HalfOpen() HalfOpen {
	s, r := &c.snd, &c.rcv
	h := HalfOpen{
		deadline: c.Deadline(), openedAt: c.progressAt, rtxAt: c.rtxAt, told: c.invalidAt,
		iss: s.iss, irs: r.irs, tsRecent: c.ts.recent, tsOffset: c.ts.offset,
		offered: uint32(r.edge - r.irs), wnd: uint16(s.wnd), peerMSS: s.peerMSS, mss: r.mss, soft: c.soft,
		in: few(c.stat.segmentsIn), out: few(c.stat.segmentsOut), again: few(c.again),
		tries: c.tries, deferMax: c.deferMax, ecn: c.ecn, quick: c.quick, shifts: s.shift | r.shift<<4,
		flags: when(s.nxt != s.iss, halfSent) | when(s.synTimed, halfTimed) | when(c.synLost, halfLost) |
			when(c.loss.force, halfForce) | when(c.deferring, halfDeferring) | when(c.deferred, halfDeferred) |
			when(c.sackOK, halfSACK) | when(c.scaleOK, halfScale) | when(c.ts.on, halfStamps) |
			when(c.pingpong, halfPingpong) | when(c.stat.ackHeardAt != 0, halfAckHeard),
	}
	if k := c.like; k != nil {
		h.flags |= when(k.ato != 0, halfATO)
		h.like = halfLike{k.sentAt, k.challenged, uint16(min(k.ssthresh, 0xffff)), k.challenges, k.plain}
	}
	return h
}

func few(n uint32) uint8 { return uint8(min(n, math.MaxUint8)) }

// Resume makes c the connection that h stands for. cfg is what Accept was given, as it is now: what
// the SYN,ACK has said is h's, and the rest, such as the sizes of buffers, is that of now.
func (h *HalfOpen) Resume(c *Conn, cfg *Config) {
	with := *cfg
	with.ISS, with.TSOffset, with.TSRecent = h.iss, h.tsOffset, h.tsRecent
	c.init(h.openedAt, &with)
	c.ts.offset = h.tsOffset
	c.ts.again = c.ts.val(h.openedAt)
	c.state, c.passive, c.settled = StateSynReceived, true, true
	c.deferring, c.deferred, c.deferMax = h.has(halfDeferring), h.has(halfDeferred), h.deferMax
	c.rtxAt = h.rtxAt
	if h.told != clock.Never || h.soft != 0 {
		r := c.own()
		r.invalidAt, r.soft = h.told, h.soft
	}
	c.tries, c.again, c.ecn, c.quick = h.tries, uint32(h.again), h.ecn, h.quick
	c.synLost, c.loss.force, c.pingpong = h.has(halfLost), h.has(halfForce), h.has(halfPingpong)
	c.sackOK, c.scaleOK = h.has(halfSACK), h.has(halfScale)
	c.ts.on, c.ts.recent = h.has(halfStamps), h.tsRecent
	if c.ts.on {
		c.ts.recentAt = h.openedAt
	}
	c.stat.segmentsIn, c.stat.segmentsOut = uint32(h.in), uint32(h.out)
	if h.has(halfAckHeard) {
		c.stat.ackHeardAt = h.openedAt
	}
	for range h.tries {
		c.rtt.Backoff()
	}
	h.resumeSend(c)
	h.resumeReceive(c, cfg)
	h.resumeLike(c)
	c.updateMSS()
}

func (h *HalfOpen) resumeSend(c *Conn) {
	s := &c.snd
	s.wl1, s.wl2, s.wnd, s.maxWnd = h.irs, h.iss, uint32(h.wnd), uint32(h.wnd)
	s.peerMSS, s.shift, s.synTimed = h.peerMSS, h.shifts&15, h.has(halfTimed)
	if h.has(halfSent) {
		s.nxt = s.iss.Add(1)
	}
}

func (h *HalfOpen) resumeReceive(c *Conn, cfg *Config) {
	r := &c.rcv
	r.irs, r.nxt = h.irs, h.irs.Add(1)
	r.lastAck, r.edge = r.nxt, h.irs.Add(int(h.offered))
	r.mss, r.shift = h.mss, h.shifts>>4
	if c.set.AnnouncePathMTU {
		r.mss = min(r.mss, clampMSS(cfg.PathMSS, minMSS))
	}
}

func (h *HalfOpen) resumeLike(c *Conn) {
	k := c.like
	if k == nil {
		return
	}
	k.sentAt, k.challenged, k.ssthresh = h.like.sentAt, h.like.challenged, int(h.like.ssthresh)
	k.challenges, k.plain, k.adv = h.like.challenges, h.like.plain, c.rcv.nxt
	if h.has(halfATO) {
		k.ato = atoMin
	}
	if c.likeFreeBSD() {
		k.adv = c.rcv.edge
		c.roundBuffersFreeBSD()
	}
}

// Deadline returns when Expire of the connection has something to do.
func (h *HalfOpen) Deadline() clock.Time { return h.deadline }

// EndsHandshake reports whether a segment would take the connection to ESTABLISHED: its ACK is that of
// our SYN, and it is in the window. TCP_DEFER_ACCEPT may have it pass over such a one all the same.
func (h *HalfOpen) EndsHandshake(s *Segment) bool {
	next := h.irs.Add(1)
	return s.Flags&(wire.FlagACK|wire.FlagRST) == wire.FlagACK && h.InFlight(s.Ack.Add(-1)) &&
		next.LessEq(s.End()) && s.Seq.LessEq(h.irs.Add(int(h.offered)))
}

// InFlight is Conn.InFlight.
func (h *HalfOpen) InFlight(v seq.Value) bool { return h.has(halfSent) && v == h.iss }

// Retransmits returns how often the SYN,ACK was sent again.
func (h *HalfOpen) Retransmits() int { return int(h.again) }
