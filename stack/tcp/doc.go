// Package tcp is the Transmission Control Protocol as a state machine: RFC 9293, with RFC
// 7323 (window scale, timestamps, PAWS), 2018, 2883 and 6675 (SACK), 8985 (RACK-TLP), 9937 (PRR),
// 5682 (F-RTO), 4015 (undo), 3168 (ECN), 5681, 6582 and 9438 (congestion control and recovery), 6298 (the retransmission timeout), 5961 (blind attacks), 6191
// (TIME-WAIT) and 6093 (urgent data).
//
// # Theory of operation
//
// A [Conn] is one connection. It is a function of its state, the time that it is told, and
// what is put into it; it holds no lock, starts no goroutine and never asks for the time.
// Four verbs drive it:
//
//	Input(now, segment) events   a segment has arrived
//	Output(now, segment) bool    the next segment to send, or none
//	Deadline() time              when to call Expire
//	Expire(now) events           a timer has passed
//
// and the user's calls, Write, Read, CloseWrite, Close and the rest, change what Output has
// to say. None of them sends: Output is the one way out, for a SYN, text, a retransmission,
// an ACK, a probe, a FIN and a reset alike. It tries in turn all that may be due and
// abandons what turns out to be empty, so that "is there something to send" and
// "send it" cannot drift apart. A driver feeds what has arrived, calls
// Output until it returns false, and sets a timer to Deadline. ACKs coalesce by
// themselves that way: many segments may come between two rounds of Output, and one
// ACK answers them.
//
// # The way of a segment in
//
// Input follows RFC 9293 §3.10.7, one method for each of its steps, in its order:
// firstSequenceNumber, secondReset, fourthSyn, fifthAck, sixthUrgent, seventhText and
// eighthFin for most states, and for SYN-SENT synSentFirstAck, synSentSecondReset and
// synSentFourthSyn. For CLOSED there is [Refuse], for LISTEN [Listen], and for TIME-WAIT
// the small record [TimeWait], which takes the place of the whole connection. A connection
// that Accept has opened may lie down as a [HalfOpen] between one segment and the next.
//
// Text in order is copied to the receive queue, text out of order to package reasm. An ACK
// lets go of the send queue's front, is measured (measure.go), moves the
// window, and says what was lost (learn.go, alert.go).
//
// # The way of an octet out
//
// The send queue holds octets from SND.UNA on and knows no segments. What Output sends is a
// range of it: first what is deemed lost, then what was never sent. What lies between SND.UNA
// and SND.NXT is a flight (sent.go): records in order, each a range that left at one time in
// segments of one size and has met one fate:
//
//	SACKed     the peer has reported it
//	lost       it is deemed lost
//	resent     its retransmission is under way
//
// A record is as long as that holds for, so that a whole window may be one; nothing is kept for each
// segment. How much may be under way is compared with the congestion window as RFC 6675 counts
// it ("pipe"): what was sent, less what was SACKed or lost, and what was sent again.
//
// # Recovery
//
// An ACK is taken in by learn (learn.go). It marks what has arrived, measures the round trip,
// and, where anything is out of the ordinary, goes through the states of alert.go: open, disorder,
// cwr, recovery, loss. What is lost is found by time with RACK (rack.go), by RFC 6675 or, without
// SACK, by counting duplicates; a tail loss probe (tlp.go) brings an ACK where none would come,
// and a timeout (timeout.go) deems lost what RACK cannot excuse. The window comes down in
// proportion to what is delivered (prr.go), or because of ECN (ecn.go), and goes back up
// where a loss turns out to have been none (undo.go).
//
// A segment may be longer than the path takes: up to Config.MaxSegment octets leave at once,
// to be cut to Segment.SegmentSize by the link, and one that arrives coalesced counts as
// the segments it was made of.
//
// # Timers
//
// There are three instants, and Deadline is the least: rtxAt (one of retransmission, RACK's
// reordering timer, the tail loss probe, or the probe of a closed window: never two, as each of
// the first three stands in for the others and nothing is outstanding in the last case but
// the probe), ackAt (a delayed ACK) and lingerAt (TIME-WAIT, FIN-WAIT-2 without a user).
// The user timeout and keep-alives are worked out from when progress was last
// made and when the peer was last heard.
//
// # Profiles
//
// By its own profile a connection does what the RFCs advise and what is fast. With
// [LinuxSettings] or [FreeBSDSettings] it behaves as the kernel's would, to the segment:
// scripts written against a kernel hold. Whatever is a number or a choice is a field of
// Settings, and SetSysctl sets it by the kernel's name for it. What is more than that follows
// Settings.Profile, in files of their own: windowlike.go (the window offered and its scale),
// acklike.go (when Linux acknowledges), packets.go and pushlike.go (what Linux's packets are, and
// where it sets PSH), bufferlike.go (how much a write takes, who is told of room, how buffers grow), inputlike.go; a few lines elsewhere ask likeLinux or likeFreeBSD. An older release of a kernel is the
// profile with a few settings changed (ProfileReleases, [FreeBSD12Settings]); recovery as it was then
// is in holes.go, and what BSD makes of ICMP errors in icmperrors.go. What a connection must
// remember for it hangs off one pointer, which is nil in weir's own profile.
//
// In the Linux profile Config.RecvBuffer is the kernel's sk_rcvbuf, of which a share is offered
// (WindowShare), and Config.MaxSegment should be that of a link that cuts (Settings.SoftwareGSO), as the
// kernel always builds packets of several segments and sets PSH by them.
//
// # Memory
//
// Blocks are attached only while there is data: an idle connection holds none. What a connection
// needs only while anything is queued, outstanding, due or waited for, both queues and the timers
// included, is lent by a slab, and the driver gives it back (Park) when there has been
// nothing for a while; all parked connections share one that says so, and one of what few ever have:
// keep-alives, unusual choices of the user, what a kernel's profile must remember, congestion control that
// has met congestion. Text out of order, the flight and the state of recovery hang off pointers too.
// A Conn has under 400 octets, which is all that a parked one in weir's own profile and
// without keep-alives has. Sizes and counts are kept in 32 bits where that is enough.
// In weir's own profile the receive buffer of a user who has not set one begins small, so that
// what lies in it stays in the processor's caches, and grows to twice what is read in the
// path's least round trip (fitReceive).
// The receive queue is bounded by the window offered, the text out of order by its memory,
// the flight by its records. Once established, nothing allocates in either direction
// but the first loss.
//
// # What is promised
//
//   - No segment makes anything panic, leak or grow without bound, and what is dropped
//     is counted by reason in [Counters].
//   - After Output has returned false, whatever waits is waited for by a timer. [Conn.Check]
//     verifies that and every other invariant.
//   - The right edge of the receive window does not move left, but for the rounding of the
//     window scale when a peer sends very little at a time.
//   - A Conn is not safe for concurrent use; Settings are read only, Counters are atomic.
//
// # Departures from the letter
//
//   - A bare ACK exactly at the right edge of the window is answered, as RFC 9293 §3.10.7.4
//     says, but its ACK field is heard: see specialAllowance.
//   - The least retransmission timeout is that of [rtt.Limits], below RFC 6298's second.
//   - Nagle's algorithm waits only for small segments (Minshall), but in the FreeBSD profile.
//   - The urgent pointer marks one octet (RFC 6093 §3), which SetUrgentInline(false) takes out of
//     the stream as BSD's sockets do.
//   - TS.Recent is not updated by a segment whose ACK turns out not to be acceptable, although
//     RFC 7323 §5.3 comes before the check of the ACK: a forged segment would poison it.
package tcp
