package tcp

import "github.com/weirnet/weir/stack/wire"

// ECN is explicit congestion notification (RFC 3168 §6.1).
type ECN uint8

const (
	// ECNOff neither asks for it nor agrees.
	ECNOff ECN = iota
	// ECNOn asks for it when opening, and agrees.
	ECNOn
	// ECNAccept agrees where the peer asks, and does not ask.
	ECNAccept
)

// The codepoints of the IP header's ECN field (RFC 3168 §5), as in Segment.ECN.
const (
	NotECT uint8 = 0
	ECT1   uint8 = 1
	ECT0   uint8 = 2
	CE     uint8 = 3
)

// ecnState is the state of ECN on a connection. Accurate ECN (RFC 9768) would be another bit
// of it: it replaces the flags' meaning after a negotiation that falls back to this one.
type ecnState uint8

const (
	ecnAgreed ecnState = 1 << iota
	ecnEcho            // ECE is to be set until CWR comes
	ecnCWR             // CWR goes with the next new text
	ecnSeen            // the peer has sent ECT or CE
)

const ecnFlags = wire.FlagECE | wire.FlagCWR

// ecnSyn returns the flags of our SYN, an "ECN-setup SYN packet", or SYN,ACK, where the peer's
// SYN was one (§6.1.1). A SYN that is sent again asks no more (§6.1.1.1), or for so long as
// Settings.ECNSynRetries says.
func (c *Conn) ecnSyn() wire.TCPFlags {
	switch {
	case c.state != StateSynSent:
		if c.ecn&ecnAgreed != 0 {
			return wire.FlagECE
		}
	case c.set.ECN == ECNOn && int(c.tries) <= c.set.ECNSynRetries:
		return ecnFlags
	}
	return 0
}

// adoptECN takes the peer's SYN or SYN,ACK in. A SYN on a codepoint that says ECT is not one
// that RFC 3168 §6.1.1 knows.
func (c *Conn) adoptECN(s *Segment) {
	c.ecn = 0
	switch flags := s.Flags & ecnFlags; {
	case !s.has(wire.FlagACK):
		if flags == ecnFlags && c.set.ECN != ECNOff && (s.ECN == NotECT || c.set.ECNMarkedSYN) {
			c.ecn = ecnAgreed
		}
	case c.set.ECN == ECNOn && flags == wire.FlagECE && c.state == StateSynSent:
		c.ecn = ecnAgreed
	}
}

// noteECN takes in what a segment says of congestion on the peer's way to us: "TCP receiver
// ... sets the ECN-Echo flag ... until it receives a CWR packet" (§6.1.3). CE without text
// says nothing.
func (c *Conn) noteECN(s *Segment) {
	if c.ecn&ecnAgreed == 0 || s.has(wire.FlagSYN) {
		return
	}
	if s.has(wire.FlagCWR) {
		c.ecn &^= ecnEcho
		if s.Len() > 0 || c.set.ECNEveryPacket && !c.set.CWRAnywhere {
			c.ackNow() // the peer's window may be as small as one segment
		}
	}
	if len(s.Payload) == 0 && !c.set.ECNEveryPacket {
		return
	}
	switch s.ECN {
	case CE:
		c.ctr.CongestionMarks.Add(1)
		if c.ecn&ecnEcho == 0 {
			c.quickenCE()
		}
		c.ecn |= ecnEcho | ecnSeen
	case ECT0, ECT1:
		c.ecn |= ecnSeen
	default:
		if c.ecn&ecnSeen != 0 {
			c.quickenCE() // most likely a retransmission
		}
	}
}

// quickenCE has Linux acknowledge the next two segments at once: the peer's window is about to be
// small.
func (c *Conn) quickenCE() {
	if c.likeLinux() {
		c.quick, c.pingpong = max(c.quick, 2), false
	}
}

// ecnEchoed reports whether an ACK says that congestion was met on our way.
func (c *Conn) ecnEchoed(s *Segment) bool {
	return c.ecn&ecnAgreed != 0 && s.has(wire.FlagECE) && !s.has(wire.FlagSYN)
}

// queueCWR has the peer told that the window was reduced.
func (c *Conn) queueCWR() {
	if c.ecn&ecnAgreed != 0 {
		c.ecn |= ecnCWR
	}
}

func (c *Conn) withdrawCWR() { c.ecn &^= ecnCWR }

// ecnHeader sets ECN-Echo.
func (c *Conn) ecnHeader(s *Segment) {
	if c.ecn&ecnEcho != 0 {
		s.Flags |= wire.FlagECE
	}
	if c.set.CWRAnywhere {
		c.sayCWR(s)
	}
}

// ecnText marks new text: ECT(0), and CWR on the first of it after a reduction. Retransmissions
// and ACKs by themselves are not marked (§6.1.4, §6.1.5).
func (c *Conn) ecnText(s *Segment) {
	if c.ecn&ecnAgreed == 0 || len(s.Payload) == 0 {
		return
	}
	s.ECN = ECT0
	c.sayCWR(s)
}

// sayCWR tells the peer that the window was reduced, once.
func (c *Conn) sayCWR(s *Segment) {
	if c.ecn&ecnCWR != 0 {
		c.ecn &^= ecnCWR
		s.Flags |= wire.FlagCWR
	}
}
