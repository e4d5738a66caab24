package socket

import "time"

// linger waits until the peer has acknowledged everything, the FIN included, or for the time of SO_LINGER.
func (s *System) linger(a *attachment, patience time.Duration) {
	s.block(patience, func() bool {
		st := a.state()
		return st != TCP_FIN_WAIT1 && st != TCP_CLOSING && st != TCP_LAST_ACK
	}, &a.s.watch)
}
