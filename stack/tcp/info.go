package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// CAState is what a sender does about losses, in the words and with the numbers of
// Linux's tcpi_ca_state.
type CAState uint8

// The states.
const (
	CAOpen     CAState = iota // nothing is wrong
	CADisorder                // duplicate ACKs or SACK, and no loss is concluded yet
	CACWR                     // the window is being reduced, for ECN or for the link
	CARecovery                // fast recovery
	CALoss                    // after a timeout
)

// Info is a connection as a listing shows it. What Linux's struct tcp_info documents is here as
// far as it has a meaning. Sizes are octets, counts named Segments are
// those that the octets fill, and times that went by are 0 where nothing happened yet.
type Info struct {
	State State

	Readable        int // in order and not read
	OutOfOrder      int // held for reassembly
	Unacked, Unsent int // in the send queue

	SndUna, SndNxt, RcvNxt uint32
	SndWnd, RcvWnd         int // the windows, scaled
	SndScale, RcvScale     uint8
	MSS                    int // of what is sent, without options
	RcvMSS                 int // of what is received, as far as it shows
	AdvertisedMSS          int
	PathMSS                int // what a packet of the path takes of options and text

	Cwnd, SSThresh int
	RcvSSThresh    int // what the window offered may grow to for now
	InFlight       int // believed to be in the network
	Sacked         int
	Lost           int    // deemed lost and not sent again yet
	Recovery       string // "", "fast" or "timeout"
	CAState        CAState
	Congestion     string // the algorithm
	PacingRate     int64  // octets a second; 0 is not paced
	MaxPacingRate  int64  // the bound of the former; 0 is none

	UnackedSegments, SackedSegments, LostSegments int
	RetransSegments                               int // sent again and neither acknowledged nor lost again
	Reordering                                    int // how far out of order segments have been seen to come

	SRTT, RTTVar, MinRTT, RTO time.Duration
	RcvRTT                    time.Duration // the receiver's estimate
	RcvSpace                  int           // what the user reads in a round trip
	ATO                       time.Duration // how long an ACK waits for company
	Timeouts                  int           // in a row
	Backoff                   int           // doublings of the timeout, or of the persist timer
	Probes                    int           // of a closed window or of a silent peer, not answered
	Retransmits               int           // segments sent again, the SYN included
	Probing                   bool

	LastDataSent, LastDataRecv, LastAckRecv time.Duration // how long ago; never is since the handshake

	OctetsAcked, OctetsReceived uint64
	OctetsSent, OctetsAgain     uint64 // text; the second is what of it was sent again
	SegmentsIn, SegmentsOut     int
	DataIn, DataOut             int // segments with text
	OutOfOrderIn                int // segments that came out of order
	Delivered, DeliveredCE      int // segments that have arrived, and of these with congestion experienced
	DSACKs, Reorderings         int // D-SACKs received, and times reordering was seen

	DeliveryRate           int64 // octets a second, as last measured
	DeliveryRateAppLimited bool

	Busy, WindowLimited, BufferLimited time.Duration // how long there was text to send, and what held it

	Timestamps, SACK, WindowScale bool
	ECN, ECNSeen                  bool
	Err                           error
}

// Info returns the connection's present figures. What is said of time past, it says as of
// the last event; InfoAt is exact.
func (c *Conn) Info() Info { return c.InfoAt(0) }

// InfoAt returns the connection's figures as of now.
func (c *Conn) InfoAt(now clock.Time) Info {
	d := c.awake()
	defer c.asleep(d)
	return d.infoAt(now)
}

func (c *Conn) infoAt(now clock.Time) Info {
	i := Info{
		State: c.state, Readable: c.Readable(),
		SndUna: uint32(c.snd.una), SndNxt: uint32(c.snd.nxt), RcvNxt: uint32(c.rcv.nxt),
		SndWnd: int(c.snd.wnd), RcvWnd: int(c.rcv.window()),
		SndScale: c.snd.shift, RcvScale: c.rcv.shift,
		MSS: int(c.snd.mss), RcvMSS: c.rcvMSS(), AdvertisedMSS: int(c.rcv.mss), PathMSS: int(c.snd.pathMSS),
		SRTT: c.rtt.SRTT(), RTTVar: c.rtt.RTTVAR(), MinRTT: c.rtt.Min(), RTO: c.rtt.RTO(),
		Timeouts: int(c.tries), Retransmits: int(c.again), Probing: c.persist,
		Timestamps: c.ts.on, SACK: c.sackOK, WindowScale: c.scaleOK, Err: c.Err(),
	}
	i.Unacked, i.Unsent = c.Queued()
	if c.like != nil && c.like.synFin { // as FreeBSD calls a handshake in which the peer has closed already
		i.State = StateCloseWait
	}
	if c.ooo != nil {
		i.OutOfOrder = c.ooo.Bytes()
	}
	c.infoOfTimers(&i)
	c.infoOfReceiving(&i)
	c.infoOfLoss(&i)
	c.infoOfPast(&i, now)
	return i
}

func (c *Conn) infoOfTimers(i *Info) {
	i.Backoff = c.rtt.Backoffs()
	if c.persist {
		i.Timeouts, i.Probes, i.Backoff = 0, int(c.tries), int(c.probeShift)
	} else if c.keep != nil {
		i.Probes = c.keep.probes
	}
	if c.set != nil {
		i.ATO = c.ato()
	}
}

func (c *Conn) infoOfReceiving(i *Info) {
	i.RcvSSThresh, i.RcvSpace = c.rcvSSThresh(), int(c.rcv.space)
	i.RcvRTT = c.rcv.rtt.duration()
}

// infoOfLoss fills in what congestion control and loss recovery know.
func (c *Conn) infoOfLoss(i *Info) {
	l := &c.loss
	if c.state == StateClosed {
		return
	}
	i.Reordering, i.CAState, i.InFlight = c.reordering(), CAState(l.state), c.pipe()
	if f := l.out; f != nil {
		i.Sacked, i.Lost = f.sacked.octets, f.owing.octets
		i.UnackedSegments, i.SackedSegments = f.out.segments, f.sacked.segments+f.reno
		i.LostSegments, i.RetransSegments = f.lost.segments, f.resent.segments
	} else {
		i.UnackedSegments = c.inSegments(c.snd.nxt.Sub(c.snd.una))
	}
	if c.cc != nil {
		i.Cwnd, i.SSThresh, i.Congestion = c.cwnd(), c.cc.SSThresh(), c.cc.Name()
		i.PacingRate = c.pacingRate()
	}
	if r := l.rec; r != nil {
		i.DSACKs, i.Reorderings = int(r.dsacks), int(r.reorderings)
	}
	i.Delivered, i.DeliveredCE = int(c.delivered), int(c.deliveredCE)
	i.DeliveryRate, i.DeliveryRateAppLimited = c.DeliveryRate()
	i.ECN, i.ECNSeen = c.ecn&ecnAgreed != 0, c.ecn&ecnSeen != 0
	switch l.state {
	case caRecovery:
		i.Recovery = "fast"
	case caLoss:
		i.Recovery = "timeout"
	}
}

// inSegments returns how many segments n octets fill.
func (c *Conn) inSegments(n int) int {
	size := max(int(c.snd.mss), 1)
	return (max(n, 0) + size - 1) / size
}

func (c *Conn) infoOfPast(i *Info, now clock.Time) {
	s := &c.stat
	now = max(now, s.dataSentAt, s.dataHeardAt, s.ackHeardAt, c.limitedAt)
	ago := func(at clock.Time) time.Duration {
		if at == 0 {
			return 0
		}
		return now.Sub(at)
	}
	i.LastDataSent, i.LastDataRecv, i.LastAckRecv = ago(s.dataSentAt), ago(s.dataHeardAt), ago(s.ackHeardAt)
	i.OctetsAcked, i.OctetsReceived = s.octetsAcked, s.octetsReceived
	i.OctetsSent, i.OctetsAgain = s.octetsSent, s.octetsAgain
	i.SegmentsIn, i.SegmentsOut = int(s.segmentsIn), int(s.segmentsOut)
	i.DataIn, i.DataOut, i.OutOfOrderIn = int(s.dataIn), int(s.dataOut), int(s.outOfOrderIn)
	i.WindowLimited, i.BufferLimited = c.waited(now, limitedByPeer), c.waited(now, limitedByBuffer)
	i.Busy = c.waited(now, limitedByNetwork) + i.WindowLimited + i.BufferLimited
}
