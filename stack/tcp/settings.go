package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/tcp/cc"
	"github.com/weirnet/weir/stack/tcp/rtt"
)

// Settings are the choices that the connections of a stack share. They must not change
// once a connection uses them. DefaultSettings gives the values to start from; the
// zero value of a field means what its comment says, not the default.
type Settings struct {
	// Profile is the stack that TCP behaves like where no field of its own says so: which
	// options stand where, what window is offered, when ACKs are sent and what is pushed.
	Profile Profile

	// RTO bounds the retransmission timeout (RFC 6298 §2).
	RTO rtt.Limits

	// TrustCopies takes back the doublings of the timeout when two ACKs in a row, without a timeout
	// between, are for what was sent again, and not sooner than the path's least round trip;
	// RFC 6298 §3 waits for a measurement.
	TrustCopies bool

	// MSL is the maximum segment lifetime: TIME-WAIT lasts twice as long
	// (RFC 9293 §3.4.2).
	MSL time.Duration

	// DelAckTimeout is how long an acknowledgment may wait for company
	// (RFC 9293 §3.8.6.3: less than 500 ms). 0 acknowledges at once.
	DelAckTimeout time.Duration
	// QuickAcks is how many segments at the start of a connection are
	// acknowledged at once, while the peer's slow start needs every ACK.
	QuickAcks int

	// SynRetries and SynAckRetries are how often a SYN and a SYN,ACK are sent again
	// before the connection fails. With the default timeouts 7 goes on for more than
	// the three minutes that RFC 9293 §3.8.3 (MUST-23) asks for.
	SynRetries, SynAckRetries int
	// SynLinear is how many timeouts of a SYN come before they are doubled; so many retransmissions
	// are not counted by SynRetries.
	SynLinear int
	// R1 is after how many retransmissions of the same segment the failure is
	// counted, and Retries is R2: after how many the connection fails
	// (RFC 9293 §3.8.3).
	R1, Retries int
	// OrphanRetries takes the place of Retries once the user has closed the connection,
	// and bounds the probes of a closed window then: nobody is left to
	// abort what a peer keeps open for ever.
	OrphanRetries int
	// UserTimeout is how long sent data may stay unacknowledged before the connection
	// fails; 0 leaves it to Retries (RFC 9293 §3.9.1, RFC 5482).
	UserTimeout time.Duration

	// KeepIdle, KeepInterval and KeepCount are what SetKeepAlive uses where it
	// is given zero (RFC 9293 §3.8.4: the idle time is no less than two hours by default).
	KeepIdle, KeepInterval time.Duration
	KeepCount              int

	// PersistMax bounds the time between two probes of a zero window.
	PersistMax time.Duration
	// PersistMin is the least; 0 is no bound but the retransmission timeout's.
	PersistMin time.Duration
	// ProbeBehindWindow makes a probe of a zero window an empty segment with the
	// last acknowledged number, as Linux sends it, and not the next octet,
	// as RFC 9293 §3.8.6.1 has it.
	ProbeBehindWindow bool

	// FinWait2Timeout is how long a connection that its user has closed
	// waits for the peer's FIN.
	FinWait2Timeout time.Duration

	// SynLosses is how many retransmissions of a SYN leave the initial window as it is; RFC 5681 §3.1
	// has it one segment after any.
	SynLosses int
	// InitialWindow is the initial congestion window in segments (RFC 6928).
	InitialWindow int

	// SoftwareGSO has connections build segments for the link to cut (Config.MaxSegment) also where the
	// link cannot: the driver then cuts them as it hands them on. What leaves has the PSH bits of
	// a system that always works so.
	SoftwareGSO bool
	// KeepPackets cuts what is written to packets of several segments as Linux does, each of which is
	// sent, and sent again, by itself: PSH follows them, and records (MSG_EOR) are kept apart.
	// It goes with SoftwareGSO.
	KeepPackets bool
	// DeferDivisor, where packets are kept, has a packet of several segments wait that the window has room
	// for less of than a DeferDivisor-th of itself, while what was sent first is as old as a round
	// trip takes, so that an ACK is about to come and make the burst longer (tcp_tso_win_divisor); 0 never.
	DeferDivisor int
	// MinBurst is how many segments the Linux profile hands to the link at once at least
	// (tcp_min_tso_segs).
	MinBurst int
	// SlowStartAfterIdle has the congestion window begin anew after an idle time (RFC 5681 §4.1).
	SlowStartAfterIdle bool

	// ReceiveSizes and SendSizes are the least, the initial and the largest size of a buffer that
	// follows the traffic; those of a connection are in its Config. The largest receive buffer
	// decides the window scale, in weir's own profile and Linux's. In weir's own, send buffers do not grow.
	ReceiveSizes, SendSizes [3]int
	// TruncatedWindow rounds the window of the FreeBSD profile down to what the field can say, as kernels
	// before FreeBSD 13 did, and not up.
	TruncatedWindow bool
	// TimeWaitLastWindow has TIME-WAIT offer what is left of the last window, as kernels did before
	// FreeBSD 14, and not what the buffer holds.
	TimeWaitLastWindow bool
	// TimeWaitAnySYN ends TIME-WAIT by a SYN,ACK beyond the old numbers as by a SYN, as kernels before
	// FreeBSD 14 did.
	TimeWaitAnySYN bool
	// CrossedSynOffers has the SYN,ACK of a simultaneous open offer window scaling and timestamps although
	// the peer's SYN did not, as kernels before FreeBSD 13 did.
	CrossedSynOffers bool
	// InitialBuffers has a connection begin with the initial one of those sizes, where its user has
	// asked for none, and not with the host's.
	InitialBuffers bool
	// ReceiveCeiling bounds what a user may ask of a receive buffer (net.core.rmem_max,
	// kern.ipc.maxsockbuf). It decides the window scale of the FreeBSD profile.
	ReceiveCeiling int
	// WindowShare says what part of the receive buffer is offered as the window in the Linux
	// profile: all but 1/2^n of it for n > 0, else 1/2^-n (tcp_adv_win_scale).
	WindowShare int
	// SignedWindows keeps unscaled windows below 32 KiB, for peers that take them as signed
	// numbers (tcp_workaround_signed_windows).
	SignedWindows bool

	// SynTimeout is how long the handshake of an active open may take whatever SynRetries says;
	// 0 leaves it to those (FreeBSD's keepinit).
	SynTimeout time.Duration
	// SynPlainAfter is after how many retransmissions a SYN carries no option but MSS, for paths that
	// do not let others through; 0 is never (FreeBSD's rexmit_drop_options).
	SynPlainAfter int

	// TimeOneSegment measures the round trip, where there are no timestamps, by one segment at a time, as
	// often as RFC 6298 §3 asks for at least, and not by every ACK.
	TimeOneSegment bool
	// SlowStartAtThreshold lets slow start go on where cwnd equals ssthresh, which RFC 5681 §3.1 leaves
	// open, and past it by the last of its steps.
	SlowStartAtThreshold bool

	// Timestamps, SACK and WindowScale say which options are offered and accepted
	// (RFC 7323, RFC 2018).
	Timestamps, SACK, WindowScale bool
	// DSACK reports text that came twice, and heeds such reports (RFC 2883).
	DSACK bool
	// FinEndsSACK has the ACK of a FIN carry no SACK block, not even for what came twice with it, as
	// Linux does: nothing more is to come that the peer could learn from it.
	FinEndsSACK bool
	// TimestampOffsets has each connection's timestamp clock begin elsewhere (RFC 7323 §5.4);
	// without it all show the time since the stack began.
	TimestampOffsets bool
	// TolerateNoTimestamp accepts segments without a timestamp where timestamps
	// were agreed; RFC 7323 §3.2 says to drop them silently.
	TolerateNoTimestamp bool
	// PAWSIdle is the age at which the peer's timestamp no longer counts
	// (RFC 7323 §5.5: 24 days).
	PAWSIdle time.Duration

	// ChallengeAckPerSecond bounds the challenge ACKs of the whole stack (RFC 5961 §7);
	// 0 sends none, less than 0 sets no bound.
	ChallengeAckPerSecond int
	// InvalidAckInterval is the least time between two ACKs that one connection
	// sends about segments without text outside its window, so that two
	// ends that disagree do not answer each other for ever. 0 sets no bound.
	InvalidAckInterval time.Duration
	// ChallengeAcksPerConn bounds the challenge ACKs of one connection in a second; 0 is no
	// bound but InvalidAckInterval.
	ChallengeAcksPerConn int
	// InsecureReset and InsecureSyn let a reset, or a SYN, anywhere in the window end the connection,
	// as before RFC 5961; InsecureAck accepts any old ACK.
	InsecureReset, InsecureSyn, InsecureAck bool
	// KeepUnread closes a connection with text that was not read as any other, where RFC 2525 §2.17
	// asks for a reset.
	KeepUnread bool
	// DropSynFin has a port in LISTEN drop a SYN that has FIN set as well.
	DropSynFin bool
	// Blackhole has closed ports stay silent: 1 to a SYN, 2 to any segment, 3 also to what
	// comes from this host.
	Blackhole int
	// ICMPMayReset lets a hard ICMP error end a connection in SYN-SENT (RFC 5927 §6).
	ICMPMayReset bool
	// BSDErrors reads ICMP errors as BSD's kernels do: what they mean (icmp.Kind.BSDErrno), that one about a
	// connection that works is nothing, and that one in the middle of a handshake ends it where
	// it follows another and four timeouts.
	BSDErrors bool
	// AnnouncePathMTU bounds the MSS that we announce by what is known of the path, which may be less
	// than the link takes: what the peer sends will often come the same way. RFC 9293 §3.7.1 asks for
	// the link's only.
	AnnouncePathMTU bool
	// NoLocalTimeWait forgets connections of this host with itself at once.
	NoLocalTimeWait bool
	// FastFinWait2 has the FreeBSD profile heed FinWait2Timeout; otherwise FIN-WAIT-2 lasts as long as
	// keep-alives would take to find the peer dead.
	FastFinWait2 bool
	// TimeWaitReuse lets Connect take a pair of ports in TIME-WAIT whose timestamps keep the
	// connections apart (RFC 6191): 0 never, 1 always, 2 on this host only.
	TimeWaitReuse int
	// TimeWaitReuseDelay is how long after the last segment of the old connection that may be.
	TimeWaitReuseDelay time.Duration
	// AlwaysKeepAlive turns keep-alives on for every connection.
	AlwaysKeepAlive bool
	// AbortOnOverflow resets a connection for which there is no room in the accept queue.
	AbortOnOverflow bool
	// UrgentBehind has the urgent pointer point at the urgent octet, as RFC 1122 had it, and not
	// behind it (tcp_stdurg).
	UrgentBehind bool
	// DefaultMSS4 and DefaultMSS6 are assumed of peers that announce none, MinMSS is the least that
	// is believed; 0 stands for 536, 1220 and 48.
	DefaultMSS4, DefaultMSS6, MinMSS int
	// PathMTUDiscovery finds the path MTU (RFC 1191).
	PathMTUDiscovery bool
	// SynCookies answers SYNs with cookies where the queue is full: 0 never, 1 then, 2 always.
	SynCookies int

	// IgnoreTimeWaitReset makes TIME-WAIT ignore resets (RFC 1337 §3, fix F1).
	IgnoreTimeWaitReset bool

	// NotSentLowat is from how many octets on that wait to be sent the send buffer counts as full;
	// 0 is no limit.
	NotSentLowat int
	// UrgentInline leaves the octet that the urgent pointer marks in the stream, as RFC
	// 6093 §6 advises; the user may choose otherwise (SetUrgentInline).
	UrgentInline bool

	// ReassemblyLimit bounds the octets of memory for text that came out of order, for
	// one connection; 0 is twice its receive buffer.
	ReassemblyLimit int

	// CC is the congestion control, and HyStart how CUBIC's slow start ends.
	CC      cc.Kind
	HyStart cc.HyStart
	// CwndInSegments counts the congestion window, and all that is compared with it, in
	// segments as Linux does, so that a small segment takes as much of it as a full one.
	CwndInSegments bool

	// Reordering is DupThresh, in segments: how much reordering is taken for granted
	// before any was seen (RFC 5681 §3.2). 0 is three.
	Reordering int
	// RACK finds losses by time where SACK is in use (RFC 8985 §6); without it they
	// are found by RFC 6675.
	RACK bool
	// RACKMinRTT takes RACK's reordering window from the least round trip alone, as the RFC
	// says, and not from half of the smoothed one at least.
	RACKMinRTT bool
	// TLP sends a tail loss probe where SACK is in use (RFC 8985 §7), and ProbeDelay is how
	// much longer it waits where one segment is outstanding whose ACK may be
	// delayed.
	TLP        bool
	ProbeDelay time.Duration
	// PRR brings the window down in proportion to what is delivered (RFC 9937), and not
	// at once.
	PRR bool
	// ResendBound sends nothing again while as much is under way again as is deemed lost, even where that
	// is something else, whose loss was taken back: as Linux does.
	ResendBound bool
	// FRTO finds out whether a timeout was spurious (RFC 5682).
	FRTO bool
	// RecoverByHoles has SACK recovery without PRR go as FreeBSD's did before that: see holes.go. PipeBySACK
	// has it count what is under way, and begin, by what was SACKed (RFC 6675) and not by the
	// last that arrived and by duplicates (rfc6675_pipe).
	RecoverByHoles, PipeBySACK bool
	// ECN is explicit congestion notification (RFC 3168).
	ECN ECN
	// ECNSynRetries is how many retransmissions of a SYN still ask for ECN; RFC 3168 §6.1.1.1 has none
	// do so, for paths that drop such SYNs.
	ECNSynRetries int
	// ECNEveryPacket heeds CE and CWR on packets without text as well, and marks the first probe of a
	// closed window, as FreeBSD does.
	ECNEveryPacket bool
	// CWRAnywhere sets CWR on the next segment, whatever it is, where RFC 3168 §6.1.2 has it on
	// the first new text after a reduction, and not after a timeout.
	CWRAnywhere bool
	// ECNMarkedSYN agrees to ECN also where the SYN itself came on a codepoint that says ECT, as
	// experiments send it (RFC 8311 §4.3); RFC 3168 §6.1.1 knows none such.
	ECNMarkedSYN bool
}

// DefaultSettings returns the settings of a stack that was told nothing.
func DefaultSettings() Settings {
	return Settings{
		RTO:                   rtt.DefaultLimits(),
		TrustCopies:           true,
		MSL:                   30 * time.Second,
		DelAckTimeout:         40 * time.Millisecond,
		QuickAcks:             16,
		SynRetries:            7,
		SynAckRetries:         5,
		R1:                    3,
		Retries:               15,
		OrphanRetries:         8,
		KeepIdle:              2 * time.Hour,
		KeepInterval:          75 * time.Second,
		KeepCount:             9,
		PersistMax:            60 * time.Second,
		FinWait2Timeout:       60 * time.Second,
		InitialWindow:         10,
		MinBurst:              2,
		SlowStartAfterIdle:    true,
		ReceiveSizes:          [3]int{4096, 2 << 20, 0xffff << 8},
		SendSizes:             [3]int{4096, 4 << 20, 4 << 20},
		InitialBuffers:        true,
		ReceiveCeiling:        212992,
		WindowShare:           1,
		TimestampOffsets:      true,
		ICMPMayReset:          true,
		PathMTUDiscovery:      true,
		SynCookies:            1,
		TimeWaitReuse:         2,
		TimeWaitReuseDelay:    time.Second,
		Timestamps:            true,
		SACK:                  true,
		WindowScale:           true,
		UrgentInline:          true,
		PAWSIdle:              24 * 24 * time.Hour,
		ChallengeAckPerSecond: 1000,
		InvalidAckInterval:    500 * time.Millisecond,
		CC:                    cc.CUBIC,
		RACK:                  true,
		TLP:                   true,
		ProbeDelay:            200 * time.Millisecond,
		PRR:                   true,
		FRTO:                  true,
		DSACK:                 true,
	}
}
