package tcp

import (
	"sync/atomic"

	"github.com/weirnet/weir/stack/clock"
)

// Counters count what the connections of a stack do, each by its reason. The zero
// value is ready; it may be used from any goroutine and must not be copied.
type Counters struct {
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
}

// Each calls f with the name and the value of every counter.
func (c *Counters) Each(f func(name string, v uint64)) {
	for i := range counterNames {
		n := &counterNames[i]
		f(n.name, n.of(c).Load())
	}
}

// counterNames gives every counter its name.
var counterNames = [...]struct {
	name string
	of   func(*Counters) *atomic.Uint64
}{
	{"tcp.segments.in", func(c *Counters) *atomic.Uint64 { return &c.SegmentsIn }},
	{"tcp.segments.out", func(c *Counters) *atomic.Uint64 { return &c.SegmentsOut }},
	{"tcp.octets.in", func(c *Counters) *atomic.Uint64 { return &c.OctetsIn }},
	{"tcp.octets.out", func(c *Counters) *atomic.Uint64 { return &c.OctetsOut }},
	{"tcp.open.active", func(c *Counters) *atomic.Uint64 { return &c.ActiveOpens }},
	{"tcp.open.passive", func(c *Counters) *atomic.Uint64 { return &c.PassiveOpens }},
	{"tcp.open.simultaneous", func(c *Counters) *atomic.Uint64 { return &c.SimultaneousOpens }},
	{"tcp.open.established", func(c *Counters) *atomic.Uint64 { return &c.Established }},
	{"tcp.open.failed", func(c *Counters) *atomic.Uint64 { return &c.ConnectFailures }},
	{"tcp.close.time_wait", func(c *Counters) *atomic.Uint64 { return &c.TimeWaits }},
	{"tcp.retransmit.segments", func(c *Counters) *atomic.Uint64 { return &c.RetransmittedSegments }},
	{"tcp.retransmit.octets", func(c *Counters) *atomic.Uint64 { return &c.RetransmittedOctets }},
	{"tcp.retransmit.timeout", func(c *Counters) *atomic.Uint64 { return &c.RetransmitTimeouts }},
	{"tcp.retransmit.syn", func(c *Counters) *atomic.Uint64 { return &c.SynRetransmits }},
	{"tcp.retransmit.fast", func(c *Counters) *atomic.Uint64 { return &c.FastRetransmits }},
	{"tcp.retransmit.partial_ack", func(c *Counters) *atomic.Uint64 { return &c.PartialAcks }},
	{"tcp.retransmit.lost_again", func(c *Counters) *atomic.Uint64 { return &c.LostRetransmits }},
	{"tcp.retransmit.r1", func(c *Counters) *atomic.Uint64 { return &c.R1Reached }},
	{"tcp.ack.duplicate", func(c *Counters) *atomic.Uint64 { return &c.DupAcks }},
	{"tcp.ack.delayed", func(c *Counters) *atomic.Uint64 { return &c.DelayedAcks }},
	{"tcp.ack.window_update", func(c *Counters) *atomic.Uint64 { return &c.WindowUpdates }},
	{"tcp.ack.challenge", func(c *Counters) *atomic.Uint64 { return &c.ChallengeAcks }},
	{"tcp.ack.challenge_limited", func(c *Counters) *atomic.Uint64 { return &c.ChallengeAcksHeld }},
	{"tcp.sack.ignored", func(c *Counters) *atomic.Uint64 { return &c.SACKBlocksIgnored }},
	{"tcp.retransmit.reorder_timeout", func(c *Counters) *atomic.Uint64 { return &c.ReorderTimeouts }},
	{"tcp.retransmit.tail_probe", func(c *Counters) *atomic.Uint64 { return &c.TailProbes }},
	{"tcp.retransmit.tail_probe_repair", func(c *Counters) *atomic.Uint64 { return &c.TailProbeRepairs }},
	{"tcp.retransmit.undone", func(c *Counters) *atomic.Uint64 { return &c.Undone }},
	{"tcp.retransmit.timeout_spurious", func(c *Counters) *atomic.Uint64 { return &c.SpuriousTimeouts }},
	{"tcp.reordering", func(c *Counters) *atomic.Uint64 { return &c.Reordered }},
	{"tcp.dsack.sent", func(c *Counters) *atomic.Uint64 { return &c.DuplicatesTold }},
	{"tcp.dsack.segments", func(c *Counters) *atomic.Uint64 { return &c.DuplicatesReported }},
	{"tcp.ecn.marked", func(c *Counters) *atomic.Uint64 { return &c.CongestionMarks }},
	{"tcp.sack.reneged", func(c *Counters) *atomic.Uint64 { return &c.Reneged }},
	{"tcp.probe.zero_window", func(c *Counters) *atomic.Uint64 { return &c.ZeroWindowProbes }},
	{"tcp.probe.keep_alive", func(c *Counters) *atomic.Uint64 { return &c.KeepAliveProbes }},
	{"tcp.zero_window", func(c *Counters) *atomic.Uint64 { return &c.ZeroWindows }},
	{"tcp.out_of_order", func(c *Counters) *atomic.Uint64 { return &c.OutOfOrder }},
	{"tcp.duplicate_text", func(c *Counters) *atomic.Uint64 { return &c.DuplicateText }},
	{"tcp.urgent", func(c *Counters) *atomic.Uint64 { return &c.UrgentIn }},
	{"tcp.drop.reassembly_full", func(c *Counters) *atomic.Uint64 { return &c.OutOfOrderFull }},
	{"tcp.drop.out_of_window", func(c *Counters) *atomic.Uint64 { return &c.OutOfWindow }},
	{"tcp.drop.paws", func(c *Counters) *atomic.Uint64 { return &c.PAWS }},
	{"tcp.drop.no_timestamp", func(c *Counters) *atomic.Uint64 { return &c.NoTimestamp }},
	{"tcp.drop.no_ack", func(c *Counters) *atomic.Uint64 { return &c.NoAck }},
	{"tcp.drop.ack_too_new", func(c *Counters) *atomic.Uint64 { return &c.AckTooNew }},
	{"tcp.drop.ack_too_old", func(c *Counters) *atomic.Uint64 { return &c.AckTooOld }},
	{"tcp.drop.after_fin", func(c *Counters) *atomic.Uint64 { return &c.AfterFin }},
	{"tcp.drop.state", func(c *Counters) *atomic.Uint64 { return &c.NotForThisState }},
	{"tcp.reset.in", func(c *Counters) *atomic.Uint64 { return &c.ResetsIn }},
	{"tcp.reset.out", func(c *Counters) *atomic.Uint64 { return &c.ResetsOut }},
	{"tcp.reset.ignored", func(c *Counters) *atomic.Uint64 { return &c.ResetsIgnored }},
	{"tcp.abort.data_after_close", func(c *Counters) *atomic.Uint64 { return &c.AbortedOnData }},
	{"tcp.abort.unread", func(c *Counters) *atomic.Uint64 { return &c.AbortedUnread }},
	{"tcp.abort.retransmit", func(c *Counters) *atomic.Uint64 { return &c.TimedOut }},
	{"tcp.abort.user_timeout", func(c *Counters) *atomic.Uint64 { return &c.UserTimedOut }},
	{"tcp.abort.keep_alive", func(c *Counters) *atomic.Uint64 { return &c.KeepAliveFailed }},
	{"tcp.abort.zero_window", func(c *Counters) *atomic.Uint64 { return &c.PersistGaveUp }},
	{"tcp.abort.fin_wait_2", func(c *Counters) *atomic.Uint64 { return &c.FinWait2TimedOut }},
	{"tcp.icmp.soft", func(c *Counters) *atomic.Uint64 { return &c.SoftErrors }},
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
