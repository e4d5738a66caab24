package tcp

import (
	"time"
)

// Info is a connection as a listing shows it. Sizes are octets.
type Info struct {
	State State

	Readable        int // in order and not read
	OutOfOrder      int // held for reassembly
	Unacked, Unsent int // in the send queue

	SndUna, SndNxt, RcvNxt uint32
	SndWnd, RcvWnd         int // the windows, scaled
	SndScale, RcvScale     uint8
	MSS                    int // of what is sent, without options
	AdvertisedMSS          int

	Cwnd, SSThresh int
	InFlight       int // believed to be in the network
	Sacked         int
	Recovery       string // "", "fast" or "timeout"
	Congestion     string // the algorithm

	SRTT, RTTVar, MinRTT, RTO time.Duration
	Timeouts                  int // in a row
	Retransmits               int // segments sent again, the SYN included
	Probing                   bool

	Timestamps, SACK, WindowScale bool
	Err                           error
}

// Info returns the connection's present figures.
func (c *Conn) Info() Info {
	i := Info{
		State: c.state, Readable: c.rcv.queue.Len(),
		SndUna: uint32(c.snd.una), SndNxt: uint32(c.snd.nxt), RcvNxt: uint32(c.rcv.nxt),
		SndWnd: int(c.snd.wnd), RcvWnd: int(c.rcv.window()),
		SndScale: c.snd.shift, RcvScale: c.rcv.shift,
		MSS: int(c.snd.mss), AdvertisedMSS: int(c.rcv.mss), InFlight: c.pipe(),
		SRTT: c.rtt.SRTT(), RTTVar: c.rtt.RTTVAR(), MinRTT: c.rtt.Min(), RTO: c.rtt.RTO(),
		Timeouts: int(c.tries), Retransmits: int(c.again), Probing: c.persist,
		Timestamps: c.ts.on, SACK: c.sackOK, WindowScale: c.scaleOK, Err: c.Err(),
	}
	i.Unacked, i.Unsent = c.Queued()
	if c.rcv.ooo != nil {
		i.OutOfOrder = c.rcv.ooo.Bytes()
	}
	if c.loss.sacked != nil {
		i.Sacked = c.loss.sacked.octets
	}
	if c.cc != nil {
		i.Cwnd, i.SSThresh, i.Congestion = c.cc.Window(), c.cc.SSThresh(), c.cc.Name()
	}
	switch c.loss.mode {
	case lossFast:
		i.Recovery = "fast"
	case lossTimeout:
		i.Recovery = "timeout"
	}
	return i
}
