package shard

import (
	"runtime"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/link"
)

// queueInTime is a device of which the next frame comes wait after the last was taken, by a clock
// of its own, in which a look at it takes look.
type queueInTime struct {
	now         clock.Time
	due         clock.Time
	wait, look  time.Duration
	polls, naps int
}

func (q *queueInTime) Now() clock.Time                            { return q.now }
func (q *queueInTime) Name() string                               { return "in time" }
func (q *queueInTime) MTU() int                                   { return 1500 }
func (q *queueInTime) Features() uint64                           { return 0 }
func (q *queueInTime) Queues() int                                { return 1 }
func (q *queueInTime) WriteFrames(_ int, f [][]byte) (int, error) { return len(f), nil }
func (q *queueInTime) Close() error                               { return nil }
func (q *queueInTime) frame() int                                 { q.due = q.now.Add(q.wait); return 1 }
func (q *queueInTime) ReadFrames(int, [][]byte, []int) (int, error) {
	q.naps++
	q.now = max(q.now, q.due)
	return q.frame(), nil
}

func (q *queueInTime) PollFrames(int, [][]byte, []int) (int, error) {
	q.polls++
	q.now = q.now.Add(q.look)
	if q.now < q.due {
		return 0, nil
	}
	return q.frame(), nil
}

// takeFrames has a receive loop's inlet take n frames from q.
func takeFrames(t *testing.T, in *inlet, s *slots, n int) {
	t.Helper()
	for range n {
		if got, err := in.take(s); got != 1 || err != nil {
			t.Fatalf("took %d frames: %v", got, err)
		}
	}
}

// newInletOf returns the inlet of q, for a process with processors to spare.
func newInletOf(t *testing.T, q *queueInTime, procs int) (*inlet, *slots) {
	was := runtime.GOMAXPROCS(procs)
	t.Cleanup(func() { runtime.GOMAXPROCS(was) })
	h := New(Config{Clock: q})
	t.Cleanup(func() { h.Close() })
	i, err := h.AddInterface("", q, nil)
	if err != nil {
		t.Fatal(err)
	}
	in := newInlet(i, 0)
	q.due = q.now.Add(q.wait)
	t.Cleanup(func() {
		in.rest()
		if n := spinners.Load(); n != 0 {
			t.Errorf("%d receive loops may still spin", n)
		}
	})
	return in, &slots{host: h}
}

func needsProcessors(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("one processor: nobody spins")
	}
}

func TestSeldomFramesAreWaitedForAsleep(t *testing.T) {
	q := &queueInTime{wait: time.Millisecond, look: time.Microsecond}
	in, s := newInletOf(t, q, 2)
	const n = 1000
	if takeFrames(t, in, s, n); q.polls != n || q.naps != n {
		t.Errorf("%d frames, one a millisecond: %d looks and %d naps, want one each", n, q.polls, q.naps)
	}
}

func TestFramesThatComeSoonAreNotSleptFor(t *testing.T) {
	needsProcessors(t)
	q := &queueInTime{wait: 20 * time.Microsecond, look: time.Microsecond}
	in, s := newInletOf(t, q, 2)
	takeFrames(t, in, s, 50)
	q.naps = 0
	if takeFrames(t, in, s, 1000); q.naps != 0 {
		t.Errorf("slept %d times for frames that came every 20 µs", q.naps)
	}
	q.wait, q.polls = time.Second, 0
	takeFrames(t, in, s, 1) // the one that is still to come soon
	q.polls = 0
	if takeFrames(t, in, s, 20); time.Duration(q.polls)*q.look > 20*q.look+4*spinLimit {
		t.Errorf("%d looks in twenty seconds of silence", q.polls)
	}
}

func TestClockThatStandsStillEndsTheSpinning(t *testing.T) {
	needsProcessors(t)
	q := &queueInTime{wait: 20 * time.Microsecond, look: time.Microsecond}
	in, s := newInletOf(t, q, 2)
	takeFrames(t, in, s, 50)
	q.look, q.polls, q.naps = 0, 0, 0
	if takeFrames(t, in, s, 1); q.naps != 1 {
		t.Errorf("%d naps after %d looks, want one nap", q.naps, q.polls)
	}
}

func TestWhoIsKeptFromTheProcessorDoesNotSpin(t *testing.T) {
	needsProcessors(t)
	q := &queueInTime{wait: 20 * time.Microsecond, look: time.Microsecond}
	in, s := newInletOf(t, q, 2)
	takeFrames(t, in, s, 50)
	q.look, q.wait = 2*spinLimit, 5*spinLimit // another thread has the processor at each look
	takeFrames(t, in, s, 2)
	q.look, q.wait, q.polls, q.naps = time.Microsecond, 20*time.Microsecond, 0, 0
	const n = int(spinPause / (25 * time.Microsecond))
	if takeFrames(t, in, s, n); q.polls != n || q.naps != n {
		t.Errorf("%d frames later: %d looks and %d naps, want one each", n, q.polls, q.naps)
	}
}

func TestOneProcessorIsLeftToTheApplication(t *testing.T) {
	q := &queueInTime{wait: 20 * time.Microsecond, look: time.Microsecond}
	in, s := newInletOf(t, q, 1)
	const n = 100
	if takeFrames(t, in, s, n); q.polls != n || q.naps != n {
		t.Errorf("%d frames: %d looks and %d naps, want one each", n, q.polls, q.naps)
	}
}

func TestOnlyOneOfTwoReceiveLoopsSpinsOnTwoProcessors(t *testing.T) {
	needsProcessors(t)
	a := &queueInTime{wait: 20 * time.Microsecond, look: time.Microsecond}
	b := &queueInTime{wait: 20 * time.Microsecond, look: time.Microsecond}
	ia, sa := newInletOf(t, a, 2)
	ib, sb := newInletOf(t, b, 2)
	takeFrames(t, ia, sa, 50)
	if takeFrames(t, ib, sb, 50); b.naps != 50 {
		t.Errorf("the second slept %d times for 50 frames", b.naps)
	}
	ia.rest()
	takeFrames(t, ib, sb, 1)
	b.naps = 0
	if takeFrames(t, ib, sb, 50); b.naps != 0 {
		t.Errorf("with the first at rest the second slept %d times", b.naps)
	}
}

var _ interface {
	link.Device
	link.Poller
} = (*queueInTime)(nil)
