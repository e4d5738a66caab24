package shard

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/link"
)

// inlet is how a receive loop comes by frames: those that are there at once, and where there
// are none it looks again for a moment, if that has paid of late, before it sleeps.
type inlet struct {
	ifc   *Interface
	queue int
	poll  link.Poller // nil where the device cannot be asked without waiting
	spin  spin
}

func newInlet(i *Interface, queue int) *inlet {
	in := &inlet{ifc: i, queue: queue, spin: newSpin()}
	in.poll, _ = i.dev.(link.Poller)
	return in
}

// take returns how many of the slots have been filled.
func (in *inlet) take(s *slots) (int, error) {
	if in.poll == nil {
		return in.ifc.dev.ReadFrames(in.queue, s.bufs[:], s.sizes[:])
	}
	if n, _ := in.poll.PollFrames(in.queue, s.bufs[:], s.sizes[:]); n > 0 {
		return n, nil
	}
	begin := in.ifc.host.Now()
	n, err := in.wait(s, begin)
	in.spin.learn(in.ifc.host.Now().Sub(begin))
	return n, err
}

// wait returns with the first frame that comes, without a look for more: what comes after a wait
// comes alone as a rule.
func (in *inlet) wait(s *slots, begin clock.Time) (int, error) {
	if in.spin.begin(begin) {
		now, last := begin, begin
		for look := 0; look < spinLooks && in.spin.on(begin, last, now); look++ {
			yield()
			if n, _ := in.poll.PollFrames(in.queue, s.bufs[:1], s.sizes[:1]); n > 0 {
				return n, nil
			}
			last, now = now, in.ifc.host.Now()
		}
	}
	in.spin.end()
	return in.ifc.dev.ReadFrames(in.queue, s.bufs[:1], s.sizes[:1])
}

// rest is called when the receive loop ends.
func (in *inlet) rest() { in.spin.end() }

const (
	// spinLimit is how long a receive loop looks for frames before it sleeps, and spinLooks how
	// often, should the clock stand still.
	spinLimit = 50 * time.Microsecond
	spinLooks = 1000
	// spinGap is how long frames let wait for them, on average of late, where looking does not pay.
	spinGap = 100 * time.Microsecond
	// spinPause is how long it sleeps at once after another thread has kept it from the processor.
	spinPause = 10 * time.Millisecond
)

// spin decides whether to look again or to sleep.
type spin struct {
	gap  time.Duration // how long the frames of late let wait for them
	held bool          // it is one of spinners
	not  clock.Time    // not before
}

// spinners counts who spins at the moment in the process: receive loops, which leave one processor to
// others, and readers.
var spinners atomic.Int32

// mayOneMoreSpin reports whether there is a processor for one more who spins, and spare others, and
// counts that one.
func mayOneMoreSpin(spare int) bool {
	if int(spinners.Add(1)) <= min(runtime.GOMAXPROCS(0), runtime.NumCPU())-spare {
		return true
	}
	spinners.Add(-1)
	return false
}

func newSpin() spin { return spin{gap: 2 * spinGap} }

// begin reports whether it pays to look again.
func (s *spin) begin(now clock.Time) bool {
	if s.gap > spinGap || now < s.not {
		return false
	}
	s.held = s.held || mayOneMoreSpin(1)
	return s.held
}

// on reports whether to look once more.
func (s *spin) on(begin, last, now clock.Time) bool {
	if now.Sub(last) > spinLimit { // somebody else wanted the processor
		s.not = now.Add(spinPause)
		return false
	}
	return now.Sub(begin) < spinLimit
}

// end is called before sleep.
func (s *spin) end() {
	if s.held {
		s.held = false
		spinners.Add(-1)
	}
}

// learn notes how long a frame was waited for.
func (s *spin) learn(d time.Duration) {
	s.gap += (min(d, 4*spinGap) - s.gap) / 8
}
