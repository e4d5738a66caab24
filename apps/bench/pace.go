package bench

import (
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// pacer says when datagrams are due.
type pacer struct {
	gap  time.Duration // between two; 0 is none
	next time.Duration // when the next is due, by the session's clock
}

// maxDebt is how far a sender may be behind before it gives up what it owes, rather than
// send it all in one burst.
const maxDebt = 20 * time.Millisecond

// newPacer spreads bits per second over so many flows of datagrams of size octets.
func newPacer(rate float64, flows, size int, now time.Duration) pacer {
	if rate <= 0 {
		return pacer{}
	}
	gap := float64(size) * 8 * float64(flows) / rate * float64(time.Second)
	return pacer{gap: time.Duration(min(gap, float64(time.Hour))), next: now}
}

// due returns how many datagrams are due at now, at most a burst, how many it has given
// up, and when to ask again where none is.
func (p *pacer) due(now time.Duration) (n int, lost uint64, wait time.Duration) {
	const burst = 64
	if p.gap <= 0 {
		return burst, 0, 0
	}
	if now < p.next {
		return 0, 0, p.next - now
	}
	if debt := now - p.next; debt > maxDebt {
		lost = uint64((debt - maxDebt) / p.gap)
		p.next += time.Duration(lost) * p.gap
	}
	n = int(min((now-p.next)/p.gap+1, burst))
	p.next += time.Duration(n) * p.gap
	return n, lost, 0
}

// sender sends the datagrams of one flow until it is told to stop.
type sender struct {
	header  datagram
	size    int
	pace    pacer
	phase   *phase
	clock   func() time.Duration
	stopped <-chan struct{}
	write   func([]byte) error

	octets, sent, unsent atomic.Uint64 // octets of all, the others of the measured ones
}

func (s *sender) run() {
	buf := make([]byte, s.size)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for !s.phase.stopped() {
		n, lost, wait := s.pace.due(s.clock())
		if s.phase.measuring() {
			s.unsent.Add(lost)
		}
		if wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-s.stopped:
			}
			continue
		}
		for range n {
			if errors.Is(s.one(buf), net.ErrClosed) {
				return
			}
		}
	}
}

func (s *sender) one(buf []byte) error {
	h := &s.header
	if h.measured = s.phase.measuring(); h.measured {
		h.seq = s.sent.Add(1) - 1
	}
	h.sent = s.clock()
	h.put(buf)
	// What the network does not take is lost, as what it drops later.
	err := s.write(buf)
	if err == nil {
		s.octets.Add(uint64(len(buf)))
	}
	return err
}

// phase is how far a test is.
type phase struct{ v atomic.Int32 }

const (
	phaseWarmup int32 = iota
	phaseMeasure
	phaseEnding // nothing is measured any more, and the server was told to stop: it may end streams before we do
	phaseStopped
)

func (p *phase) measuring() bool { return p.v.Load() == phaseMeasure }
func (p *phase) ending() bool    { return p.v.Load() >= phaseEnding }
func (p *phase) stopped() bool   { return p.v.Load() == phaseStopped }
