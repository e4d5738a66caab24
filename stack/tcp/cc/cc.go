package cc

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
)

// MaxWindow is the largest window in octets: what TCP can have outstanding at all
// (RFC 7323 §2.3). It is also the initial ssthresh, which "SHOULD be set
// arbitrarily high" (RFC 5681 §3.1).
const MaxWindow = 1 << 30

// Control is a congestion control algorithm at work on one connection. All amounts
// are octets of payload.
type Control interface {
	// Init begins a connection whose segments hold mss octets (SMSS), with an
	// initial window of iw segments, which InitialWindow bounds. An iw of 0 is
	// RFC 5681's own; 1 is for a connection whose SYN was lost (RFC 5681 §3.1).
	Init(mss, iw int)

	// SetMSS says that segments hold mss octets from now on.
	SetMSS(mss int)

	// SetBurst says how many octets the sender hands to its link as one segment,
	// which the link or the peer may treat as one: what one acknowledgement is
	// ordinarily for. Without it, that is one SMSS.
	SetBurst(octets int)

	// OnAck is an acknowledgement of acked octets of new data outside of recovery.
	// inFlight is what was outstanding before it, rtt its measurement or 0, and
	// appLimited says that the window was not what held the sender back
	// (see AppLimited), so that the window proves nothing and must not grow.
	OnAck(now clock.Time, acked, inFlight int, rtt time.Duration, appLimited bool)

	// EnterRecovery is a loss that was found without a timeout, while inFlight
	// octets were outstanding. dupAcks is how many duplicate acknowledgements showed
	// it, three as a rule: each is for a segment that has left the network and
	// widens the window by one SMSS. It is 0 where the sender knows from SACK what
	// has left.
	EnterRecovery(now clock.Time, inFlight, dupAcks int)

	// OnDupAck is n duplicate acknowledgements more, within recovery, from a sender
	// that gave EnterRecovery theirs.
	OnDupAck(n int)

	// OnPartialAck is an acknowledgement, within recovery, of acked octets of new
	// data but not of all that was outstanding when recovery began.
	OnPartialAck(acked int)

	// ExitRecovery is the acknowledgement of all that was outstanding when recovery
	// began. inFlight is what is outstanding after it.
	ExitRecovery(now clock.Time, inFlight int)

	// OnTimeout is the expiry of the retransmission timer while inFlight octets
	// were outstanding. It ends recovery.
	OnTimeout(now clock.Time, inFlight int)

	// OnIdle comes before the first segment after nothing was sent for as long as
	// idle, which is longer than the retransmission timeout rto.
	OnIdle(now clock.Time, idle, rto time.Duration)

	// OnUnused says that for the time of a retransmission timeout no more than used
	// octets were outstanding, since there was no more to send (RFC 2861 §3.2).
	OnUnused(used int)

	// SetWindow sets cwnd, for a sender that works out itself what may be outstanding
	// while a reduction is under way (RFC 9937) or after a timeout.
	SetWindow(octets int)

	// Undo takes back the last EnterRecovery or OnTimeout, which was for a loss that
	// was none (RFC 4015 §3.2): window and threshold are no less than before it. It
	// ends recovery.
	Undo()

	// Window returns cwnd: how many octets may be outstanding.
	Window() int

	// SSThresh returns the window above which growth is slow.
	SSThresh() int

	// InSlowStart reports whether the window grows with each acknowledgement.
	InSlowStart() bool

	// InRecovery reports whether a loss is being recovered from without a timeout.
	InRecovery() bool

	// Name returns the algorithm's name, as ParseKind takes it.
	Name() string
}

// Sampler is a Control that looks at every acknowledgement's round trip.
type Sampler interface {
	Control

	// OnSample is an acknowledgement of new data, in whatever state.
	OnSample(s Sample)

	// OnResume comes before the first segment after nothing was outstanding, and
	// nothing sent for as long as idle.
	OnResume(now clock.Time, idle time.Duration)
}

// Sample is what an acknowledgement of new data showed.
type Sample struct {
	Now clock.Time
	// RTT is the round trip of the data that was acknowledged last, or 0.
	RTT time.Duration
	// Una and Nxt are SND.UNA after it and SND.NXT.
	Una, Nxt seq.Value
	// Paced says that the sender spreads its segments, and Slack how long a burst of it
	// may take because it does.
	Paced bool
	Slack time.Duration
}

// Pacer is a Control that spreads its segments over time.
type Pacer interface {
	Control

	// PacingRate returns how many octets may leave in a second; 0 is no limit.
	PacingRate() int64
}

// Kind is an algorithm. The zero value is the default.
type Kind uint8

// The algorithms.
const (
	Reno  Kind = iota // NewReno: RFC 5681, RFC 6582, RFC 3465
	CUBIC             // RFC 9438

	kinds
)

var names = [kinds]string{Reno: "reno", CUBIC: "cubic"}

// String returns the algorithm's name, or "unknown".
func (k Kind) String() string {
	if k < kinds {
		return names[k]
	}
	return "unknown"
}

// ParseKind returns the algorithm of that name, and false when there is none.
func ParseKind(name string) (Kind, bool) {
	for k, n := range names {
		if n == name {
			return Kind(k), true
		}
	}
	return 0, false
}

// Names returns the names of all algorithms.
func Names() []string { return append([]string(nil), names[:]...) }

// Options are variants of the algorithms. The zero value is that of the RFCs.
type Options struct {
	// Segments counts the window in segments as Linux does: it does not shrink with the
	// segment size, ssthresh is reckoned from it and not from what is outstanding, and
	// slow start has no bound for one acknowledgement.
	Segments bool
	// PRR says that the sender brings the window down itself (RFC 9937), by SetWindow.
	// EnterRecovery then leaves it where it is.
	PRR bool
	// HyStart is how slow start ends.
	HyStart HyStart
	// AtThreshold has NewReno's slow start go on while cwnd is no more than ssthresh, and not only
	// less: "When cwnd and ssthresh are equal, the sender may use either slow start or congestion
	// avoidance" (RFC 5681 §3.1).
	AtThreshold bool
}

// New returns an algorithm at its beginning, to be given to Init. A kind that is
// not known gives the default.
func New(k Kind) Control { return NewWith(k, Options{}) }

// NewWith is New for a variant.
func NewWith(k Kind, o Options) Control {
	switch {
	case k == CUBIC:
		c := cubics.Get()
		*c = Cubic{opts: o}
		return c
	case o.Segments:
		return &segmentReno{prr: o.PRR}
	}
	return &NewReno{prr: o.PRR, atThreshold: o.AtThreshold}
}

// InitialWindow returns the initial window in octets for segments of mss octets
// when iw segments are wanted: "min (10*MSS, max (2*MSS, 14600))" of RFC 6928 §2 for
// an iw of 10 and in proportion for others. For an iw of 0 it is that of RFC 5681
// §3.1: two, three or four segments according to their size.
func InitialWindow(mss, iw int) int {
	switch {
	case iw > 0:
		return min(iw*mss, max(min(iw, 2)*mss, iw*1460))
	case mss > 2190:
		return 2 * mss
	case mss > 1095:
		return 3 * mss
	}
	return 4 * mss
}

// AppLimited reports whether something else than the window held the sender back,
// when inFlight octets were the most that it had outstanding lately: it used less
// than half of the window in slow start, or left room for burst octets, the most it
// sends at once, otherwise. A window that was not used has not been shown to be
// safe (RFC 7661 §4.3); slow start may go on while half is used, because an
// acknowledgement of all of that doubles it no further than twice what was proven.
func AppLimited(c Control, inFlight, burst int) bool {
	if c.InSlowStart() {
		return 2*inFlight < c.Window()
	}
	return inFlight+burst <= c.Window()
}
