package tcp

import (
	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/wire"
)

// TimeWait is all that must be remembered of a connection in TIME-WAIT: it answers the
// peer's FIN when that comes again, keeps old duplicates from a new
// connection, and knows when a SYN is new enough to begin one (RFC 9293 §3.6.1, RFC 6191).
type TimeWait struct {
	set      *Settings
	ctr      *Counters
	deadline clock.Time
	sndNxt   seq.Value
	rcvNxt   seq.Value
	tsRecent uint32
	tsOffset uint32
	heardAt  clock.Time // when TS.Recent was set
	window   uint16     // as on the wire
	size     uint32     // the same unscaled
	stamped  bool       // timestamps were in use
}

// TimeWaitVerdict says what a connection in TIME-WAIT does about a segment.
type TimeWaitVerdict uint8

const (
	// TimeWaitIgnore: nothing. The deadline may have moved.
	TimeWaitIgnore TimeWaitVerdict = iota
	// TimeWaitReply: send the reply.
	TimeWaitReply
	// TimeWaitReuse: a SYN that may begin a new connection of the same addresses and
	// ports; its own initial sequence number must not come before MinISS.
	TimeWaitReuse
	// TimeWaitDead: the record ends at once.
	TimeWaitDead
)

// TimeWait returns the record that replaces the connection in TIME-WAIT.
func (c *Conn) TimeWait() TimeWait {
	return TimeWait{
		set: c.set, ctr: c.ctr, deadline: c.lingerAt,
		sndNxt: c.snd.nxt, rcvNxt: c.rcv.nxt,
		tsRecent: c.ts.recent, tsOffset: c.ts.offset, stamped: c.ts.on,
		heardAt: c.ts.recentAt, window: c.windowField(), size: c.rcv.window(),
	}
}

// Deadline returns when TIME-WAIT is over.
func (t *TimeWait) Deadline() clock.Time { return t.deadline }

// MinISS returns the least initial sequence number with which this end may begin a new
// connection in place of the old (RFC 9293 §3.6.1: beyond what the old one used).
func (t *TimeWait) MinISS() seq.Value { return t.sndNxt.Add(1 << 16) }

// MayConnect reports whether this end may begin a new connection in place of the old already, because
// the timestamps keep them apart (RFC 6191 §2, for the other direction): Settings.TimeWaitReuse
// says where, local meaning that both ends are on this host, and TimeWaitReuseDelay how soon.
// Neither is asked about a port that the user has bound, but by FreeBSD, whose users wait.
// tsRecent is for the new connection's Config.
func (t *TimeWait) MayConnect(now clock.Time, local, bound bool) (tsRecent uint32, ok bool) {
	if bound {
		return t.tsRecent, t.stamped && t.set.Profile != ProfileFreeBSD
	}
	switch t.set.TimeWaitReuse {
	case 0:
		return 0, false
	case 2:
		if !local {
			return 0, false
		}
	}
	if !t.stamped || now.Sub(t.heardAt) < t.set.TimeWaitReuseDelay {
		return 0, false
	}
	return t.tsRecent, true
}

// Input judges a segment that arrived in TIME-WAIT, in the order of RFC 9293
// §3.10.7.4, and fills reply where it returns TimeWaitReply.
func (t *TimeWait) Input(now clock.Time, s, reply *Segment) TimeWaitVerdict {
	if t.set.Profile == ProfileFreeBSD {
		return t.inputFreeBSD(now, s, reply)
	}
	paws := t.stamped && s.Options.HasTimestamps && tsBefore(s.Options.TSVal, t.tsRecent)
	if s.Flags&(wire.FlagSYN|wire.FlagRST|wire.FlagACK) == wire.FlagSYN && t.mayReuse(s) {
		return TimeWaitReuse
	}
	if paws && !s.has(wire.FlagRST) { // RFC 7323 §5.3 R1
		t.ctr.PAWS.Add(1)
		return t.challenge(now, reply)
	}
	if !acceptable(s.Seq, s.Len(), t.rcvNxt, t.size) { // first: sequence number
		return t.unacceptable(now, s, reply)
	}
	if s.has(wire.FlagRST) { // second
		return t.reset(now, s, reply)
	}
	if s.has(wire.FlagSYN) { // fourth: RFC 5961 §4
		return t.challenge(now, reply)
	}
	return TimeWaitIgnore // fifth to eighth: nothing that is acceptable says anything new
}

// inputFreeBSD is Input as FreeBSD has it: resets are nothing, a new connection needs a number beyond
// the old one's, and what has an ACK and is not just the last one again is answered.
func (t *TimeWait) inputFreeBSD(now clock.Time, s, reply *Segment) TimeWaitVerdict {
	switch {
	case s.has(wire.FlagRST):
		t.ctr.ResetsIgnored.Add(1)
		return TimeWaitIgnore
	case s.has(wire.FlagSYN|wire.FlagFIN) && t.set.DropSynFin:
		return TimeWaitIgnore
	case s.has(wire.FlagSYN) && (!s.has(wire.FlagACK) || t.set.TimeWaitAnySYN) && s.Seq.Greater(t.rcvNxt):
		return TimeWaitReuse
	case !s.has(wire.FlagACK):
		t.ctr.NoAck.Add(1)
		return TimeWaitIgnore
	}
	if s.has(wire.FlagFIN) && s.End() == t.rcvNxt {
		t.deadline = now.Add(2 * t.set.MSL)
	}
	if s.Flags&^(ecnFlags|wire.FlagPSH) == wire.FlagACK && len(s.Payload) == 0 && s.Seq == t.rcvNxt && s.Ack == t.sndNxt {
		return TimeWaitIgnore
	}
	t.ack(now, reply)
	reply.Options.BSD = true
	return TimeWaitReply
}

// mayReuse decides whether a SYN may begin a new connection (RFC 6191 §2).
func (t *TimeWait) mayReuse(s *Segment) bool {
	if t.stamped && s.Options.HasTimestamps && s.Options.TSVal != t.tsRecent {
		return tsBefore(t.tsRecent, s.Options.TSVal)
	}
	if !t.stamped && s.Options.HasTimestamps {
		return true
	}
	return s.Seq.Greater(t.rcvNxt)
}

// unacceptable answers a segment outside the window. The peer's FIN again means that
// our last ACK was lost: "acknowledge it, and restart the 2 MSL timeout".
func (t *TimeWait) unacceptable(now clock.Time, s, reply *Segment) TimeWaitVerdict {
	if s.has(wire.FlagRST) {
		t.ctr.ResetsIgnored.Add(1)
		return TimeWaitIgnore
	}
	if s.has(wire.FlagFIN) && s.End() == t.rcvNxt {
		t.deadline = now.Add(2 * t.set.MSL)
		t.ack(now, reply)
		return TimeWaitReply
	}
	t.ctr.OutOfWindow.Add(1)
	return t.challenge(now, reply)
}

func (t *TimeWait) reset(now clock.Time, s, reply *Segment) TimeWaitVerdict {
	switch {
	case t.set.IgnoreTimeWaitReset: // RFC 1337 §3
		t.ctr.ResetsIgnored.Add(1)
		return TimeWaitIgnore
	case s.Seq != t.rcvNxt: // RFC 5961 §3
		return t.challenge(now, reply)
	}
	t.ctr.ResetsIn.Add(1)
	return TimeWaitDead
}

// challenge answers with an ACK as far as the stack's limit allows.
func (t *TimeWait) challenge(now clock.Time, reply *Segment) TimeWaitVerdict {
	if !t.ctr.challengeLimit().allow(now, t.set.ChallengeAckPerSecond) {
		t.ctr.ChallengeAcksHeld.Add(1)
		return TimeWaitIgnore
	}
	t.ctr.ChallengeAcks.Add(1)
	t.ack(now, reply)
	return TimeWaitReply
}

// ack fills reply with the connection's last ACK again.
func (t *TimeWait) ack(now clock.Time, reply *Segment) {
	reply.reset()
	reply.Seq, reply.Ack = t.sndNxt, t.rcvNxt
	reply.Flags, reply.Window = wire.FlagACK, t.window
	if t.stamped {
		reply.Options.HasTimestamps = true
		reply.Options.TSVal = tsClock(now) + t.tsOffset
		reply.Options.TSEcr = t.tsRecent
	}
}
