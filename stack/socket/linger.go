package socket

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// lingerLook is how often a lingering close looks again in real time: that our FIN has been
// acknowledged is nothing that a connection reports to anybody.
const lingerLook = 5 * time.Millisecond

// linger waits until the peer has acknowledged everything, the FIN included, or for the time of SO_LINGER.
func (s *System) linger(a *attachment, patience time.Duration) {
	sent := func() bool {
		st := a.state()
		return st != TCP_FIN_WAIT1 && st != TCP_CLOSING && st != TCP_LAST_ACK
	}
	deadline := s.host.Now().Add(patience)
	if s.cfg.Block != nil {
		s.blockUntil(deadline, sent)
		return
	}
	for s.host.Now() < deadline {
		if s.blockUntil(clock.Time(min(int64(deadline), int64(s.host.Now().Add(lingerLook)))), sent, &a.s.watch) {
			return
		}
	}
}
