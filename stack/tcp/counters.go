package tcp

import (
	"sync/atomic"

	"github.com/weirnet/weir/stack/clock"
)

// Counters count what the connections of a stack do, each by its reason. The zero
// value is ready; it may be used from any goroutine and must not be copied.
type Counters struct {
	_ [0]func() // not comparable: else every program has 1.6 kB of code to do so

	SegmentsIn, SegmentsOut atomic.Uint64 // segments, as given to Input and by Output
	OctetsIn, OctetsOut     atomic.Uint64 // text, retransmissions included

	ActiveOpens, PassiveOpens, Established atomic.Uint64
	SimultaneousOpens                      atomic.Uint64
	ConnectFailures                        atomic.Uint64 // from SYN-SENT or SYN-RECEIVED to CLOSED
	TimeWaits                              atomic.Uint64

	RetransmittedSegments, RetransmittedOctets atomic.Uint64
	RetransmitTimeouts                         atomic.Uint64 // RFC 6298 §5
	SynRetransmits                             atomic.Uint64
	FastRetransmits                            atomic.Uint64 // times fast recovery was entered
	PartialAcks                                atomic.Uint64 // RFC 6582 §3.2
	LostRetransmits                            atomic.Uint64 // retransmissions seen to be lost without a timeout
	DupAcks                                    atomic.Uint64
	SACKBlocksIgnored                          atomic.Uint64 // outside what is in flight
	Reneged                                    atomic.Uint64 // the peer took back a SACK (RFC 2018 §8)
	ReorderTimeouts                            atomic.Uint64 // RFC 8985 §6.2 step 5
	TailProbes, TailProbeRepairs               atomic.Uint64 // RFC 8985 §7; and those that repaired a loss
	Reordered                                  atomic.Uint64 // times reordering was seen
	Undone, SpuriousTimeouts                   atomic.Uint64 // reductions taken back; and timeouts that F-RTO found spurious
	DuplicatesTold, DuplicatesReported         atomic.Uint64 // RFC 2883: blocks sent, and segments reported by the peer
	CongestionMarks                            atomic.Uint64 // segments that came with CE (RFC 3168 §6.1.3)

	ZeroWindowProbes, ZeroWindows atomic.Uint64
	KeepAliveProbes               atomic.Uint64
	WindowUpdates                 atomic.Uint64
	DelayedAcks                   atomic.Uint64

	OutOfOrder      atomic.Uint64 // segments put aside for reassembly
	OutOfOrderFull  atomic.Uint64 // dropped because the reassembly bound was met
	DuplicateText   atomic.Uint64 // segments with text that was there before
	OutOfWindow     atomic.Uint64 // unacceptable, RFC 9293 §3.10.7.4 first
	PAWS            atomic.Uint64 // RFC 7323 §5.3 R1
	NoTimestamp     atomic.Uint64 // RFC 7323 §3.2
	NoAck           atomic.Uint64 // no ACK bit in a synchronized state
	AckTooNew       atomic.Uint64 // acknowledges what was not sent
	AckTooOld       atomic.Uint64 // RFC 5961 §5
	AfterFin        atomic.Uint64 // text behind the peer's FIN
	NotForThisState atomic.Uint64 // dropped by the rules of SYN-SENT or CLOSED
	UrgentIn        atomic.Uint64

	ChallengeAcks, ChallengeAcksHeld atomic.Uint64 // sent, and not sent because of the limit
	ResetsIn, ResetsOut              atomic.Uint64
	ResetsIgnored                    atomic.Uint64 // outside the window, or in TIME-WAIT

	AbortedOnData    atomic.Uint64 // text came after the user had closed
	AbortedUnread    atomic.Uint64 // closed with text unread
	TimedOut         atomic.Uint64 // R2
	UserTimedOut     atomic.Uint64
	KeepAliveFailed  atomic.Uint64
	PersistGaveUp    atomic.Uint64
	FinWait2TimedOut atomic.Uint64
	SoftErrors       atomic.Uint64 // ICMP reports that were only remembered
	R1Reached        atomic.Uint64

	// challenge is the stack-wide limit on challenge ACKs: not a count, but
	// shared in just the same way.
	challenge limiter
	limits    *Counters // whose challenge is used; nil says: its own
}

// LimitWith makes the limit on challenge ACKs that of another, which is to be called before c is used. It
// is for a stack that counts in several places: the limit is one for all of it (RFC 5961 §7).
func (c *Counters) LimitWith(other *Counters) { c.limits = other }

// CountIn has what happens from now on counted in ctr, of the same stack as the Counters before.
func (c *Conn) CountIn(ctr *Counters) { c.ctr = ctr }

func (c *Counters) challengeLimit() *limiter {
	if c.limits != nil {
		return &c.limits.challenge
	}
	return &c.challenge
}

// Each calls f with the name and the value of every counter.
func (c *Counters) Each(f func(name string, v uint64)) {
	for _, n := range [...]struct {
		name string
		v    *atomic.Uint64
	}{
		{"tcp.segments.in", &c.SegmentsIn},
		{"tcp.segments.out", &c.SegmentsOut},
		{"tcp.octets.in", &c.OctetsIn},
		{"tcp.octets.out", &c.OctetsOut},
		{"tcp.open.active", &c.ActiveOpens},
		{"tcp.open.passive", &c.PassiveOpens},
		{"tcp.open.simultaneous", &c.SimultaneousOpens},
		{"tcp.open.established", &c.Established},
		{"tcp.open.failed", &c.ConnectFailures},
		{"tcp.close.time_wait", &c.TimeWaits},
		{"tcp.retransmit.segments", &c.RetransmittedSegments},
		{"tcp.retransmit.octets", &c.RetransmittedOctets},
		{"tcp.retransmit.timeout", &c.RetransmitTimeouts},
		{"tcp.retransmit.syn", &c.SynRetransmits},
		{"tcp.retransmit.fast", &c.FastRetransmits},
		{"tcp.retransmit.partial_ack", &c.PartialAcks},
		{"tcp.retransmit.lost_again", &c.LostRetransmits},
		{"tcp.retransmit.r1", &c.R1Reached},
		{"tcp.ack.duplicate", &c.DupAcks},
		{"tcp.ack.delayed", &c.DelayedAcks},
		{"tcp.ack.window_update", &c.WindowUpdates},
		{"tcp.ack.challenge", &c.ChallengeAcks},
		{"tcp.ack.challenge_limited", &c.ChallengeAcksHeld},
		{"tcp.sack.ignored", &c.SACKBlocksIgnored},
		{"tcp.retransmit.reorder_timeout", &c.ReorderTimeouts},
		{"tcp.retransmit.tail_probe", &c.TailProbes},
		{"tcp.retransmit.tail_probe_repair", &c.TailProbeRepairs},
		{"tcp.retransmit.undone", &c.Undone},
		{"tcp.retransmit.timeout_spurious", &c.SpuriousTimeouts},
		{"tcp.reordering", &c.Reordered},
		{"tcp.dsack.sent", &c.DuplicatesTold},
		{"tcp.dsack.segments", &c.DuplicatesReported},
		{"tcp.ecn.marked", &c.CongestionMarks},
		{"tcp.sack.reneged", &c.Reneged},
		{"tcp.probe.zero_window", &c.ZeroWindowProbes},
		{"tcp.probe.keep_alive", &c.KeepAliveProbes},
		{"tcp.zero_window", &c.ZeroWindows},
		{"tcp.out_of_order", &c.OutOfOrder},
		{"tcp.duplicate_text", &c.DuplicateText},
		{"tcp.urgent", &c.UrgentIn},
		{"tcp.drop.reassembly_full", &c.OutOfOrderFull},
		{"tcp.drop.out_of_window", &c.OutOfWindow},
		{"tcp.drop.paws", &c.PAWS},
		{"tcp.drop.no_timestamp", &c.NoTimestamp},
		{"tcp.drop.no_ack", &c.NoAck},
		{"tcp.drop.ack_too_new", &c.AckTooNew},
		{"tcp.drop.ack_too_old", &c.AckTooOld},
		{"tcp.drop.after_fin", &c.AfterFin},
		{"tcp.drop.state", &c.NotForThisState},
		{"tcp.reset.in", &c.ResetsIn},
		{"tcp.reset.out", &c.ResetsOut},
		{"tcp.reset.ignored", &c.ResetsIgnored},
		{"tcp.abort.data_after_close", &c.AbortedOnData},
		{"tcp.abort.unread", &c.AbortedUnread},
		{"tcp.abort.retransmit", &c.TimedOut},
		{"tcp.abort.user_timeout", &c.UserTimedOut},
		{"tcp.abort.keep_alive", &c.KeepAliveFailed},
		{"tcp.abort.zero_window", &c.PersistGaveUp},
		{"tcp.abort.fin_wait_2", &c.FinWait2TimedOut},
		{"tcp.icmp.soft", &c.SoftErrors},
	} {
		f(n.name, n.v.Load())
	}
}

// limiter allows so many events a second (RFC 5961 §7). How many are left in the
// present second must not be something that an off-path observer can learn by using
// them up, so the number differs from second to second by up to a half.
type limiter struct {
	second atomic.Int64 // the second that used counts
	used   atomic.Int64
}

// allow reports whether one more may happen now. Racing callers may let a few
// more through as a second begins.
func (l *limiter) allow(now clock.Time, perSecond int) bool {
	if perSecond < 0 {
		return true
	}
	second := int64(now)>>30 + 1 // 2³⁰ ns are near enough a second; 0 is "never used"
	if old := l.second.Load(); old != second && l.second.CompareAndSwap(old, second) {
		l.used.Store(int64(uint64(now) * 0x9E3779B97F4A7C15 >> 32 % uint64(perSecond/2+1)))
	}
	return l.used.Add(1) <= int64(perSecond)
}
