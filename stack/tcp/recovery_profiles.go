package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/tcp/cc"
)

// recoverAsLinux sets what a present-day Linux does about loss and congestion.
func recoverAsLinux(s *Settings) {
	s.CC, s.HyStart, s.CwndInSegments = cc.CUBIC, cc.HyStartClassic, true
	s.Reordering = 3
	s.RACK, s.RACKMinRTT = true, true
	s.TLP, s.ProbeDelay = true, 200*time.Millisecond
	s.PRR, s.FRTO, s.DSACK, s.SlowStartAfterIdle = true, true, true, true
	s.ECN = ECNAccept
	s.TrustCopies = false
	s.SynLosses, s.ResendBound = 1, true
	s.RTO.EachAck = true
}

// recoverAsFreeBSD sets what a present-day FreeBSD does with its default stack: RFC 6675
// recovery with proportional reduction, and no timers but RFC 6298's.
func recoverAsFreeBSD(s *Settings) {
	s.CC, s.HyStart, s.CwndInSegments = cc.CUBIC, cc.HyStartPlus, false
	s.Reordering = 3
	s.RACK, s.TLP, s.FRTO = false, false, false
	s.PRR, s.DSACK, s.SlowStartAfterIdle = true, true, true
	s.ECN, s.ECNMarkedSYN, s.ECNEveryPacket, s.ECNSynRetries = ECNAccept, true, true, 1
}
