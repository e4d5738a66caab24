package wheel

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// model is the specification: a timer is an instant in a plain array, and everything
// is found by looking at all of them.
type model struct {
	at  []clock.Time // clock.Never: idle
	set []clock.Time // when it was set
	now clock.Time
}

// order returns the instant whose tick says when a timer's turn is: its own, or that of
// its being set where it had passed then.
func (m *model) order(i int) clock.Time { return max(m.at[i], m.set[i]) }

func (m *model) next() clock.Time {
	least := clock.Never
	for _, at := range m.at {
		least = min(least, at)
	}
	return least
}

func (m *model) len() (n int) {
	for _, at := range m.at {
		if at != clock.Never {
			n++
		}
	}
	return n
}

// pair is a wheel and the model it must agree with.
type pair struct {
	w       *Wheel[int]
	m       model
	entries []Entry[int]
	tick    clock.Time
	due     map[int]bool // what the Advance that runs has yet to fire
}

func newPair(n int, tick time.Duration) *pair {
	p := &pair{w: New[int](tick), entries: make([]Entry[int], n), tick: clock.Time(tick)}
	p.m.at, p.m.set = make([]clock.Time, n), make([]clock.Time, n)
	for i := range p.entries {
		p.entries[i].Value = i
		p.m.at[i] = clock.Never
	}
	return p
}

func (p *pair) schedule(i int, at clock.Time) {
	p.w.Schedule(&p.entries[i], at)
	p.m.at[i], p.m.set[i] = at, p.m.now
	delete(p.due, i) // set from fire, it waits for the next Advance
}

func (p *pair) cancel(i int) {
	p.w.Cancel(&p.entries[i])
	p.m.at[i] = clock.Never
	delete(p.due, i)
}

// advance moves both and checks that exactly what is due fires, in the order of ticks.
// within is called for every timer that fires.
func (p *pair) advance(now clock.Time, within func(i int)) error {
	p.m.now = max(p.m.now, now)
	p.due = map[int]bool{}
	for i, at := range p.m.at {
		if at.Reached(p.m.now) {
			p.due[i] = true
		}
	}
	last := clock.Time(-1)
	var err error
	p.w.Advance(now, func(e *Entry[int]) {
		i := e.Value
		switch {
		case !p.due[i]:
			err = fmt.Errorf("timer %d at %d fired at %d", i, p.m.at[i], p.m.now)
		case p.m.order(i)/p.tick < last:
			err = fmt.Errorf("timer %d at %d fired after one of tick %d", i, p.m.at[i], last)
		}
		last = p.m.order(i) / p.tick
		p.m.at[i] = clock.Never
		delete(p.due, i)
		if within != nil {
			within(i)
		}
	})
	if err == nil && len(p.due) > 0 {
		err = fmt.Errorf("at %d the timers %v did not fire", p.m.now, p.due)
	}
	return err
}

// check compares everything that can be seen from outside, and the bitmaps.
func (p *pair) check() error {
	if got, want := p.w.Len(), p.m.len(); got != want {
		return fmt.Errorf("%d timers are set, want %d", got, want)
	}
	for i := range p.entries {
		if p.entries[i].At() != p.m.at[i] {
			return fmt.Errorf("timer %d is at %d, want %d", i, p.entries[i].At(), p.m.at[i])
		}
	}
	got, want := p.w.Next(), p.m.next()
	if got > want {
		return fmt.Errorf("Next is %d, late: the earliest timer is at %d", got, want)
	}
	if len(p.entries) <= maxScan && got != want {
		return fmt.Errorf("Next is %d, want %d exactly, for there are few timers", got, want)
	}
	return p.checkBitmaps()
}

func (p *pair) checkBitmaps() error {
	for level := range p.w.slots {
		for i := range p.w.slots[level] {
			used := p.w.used[level]>>i&1 != 0
			if used != (p.w.slots[level][i].head != nil) {
				return fmt.Errorf("slot %d of level %d: bit is %t", i, level, used)
			}
		}
		if (p.w.used[level] != 0) != (p.w.busy>>level&1 != 0) {
			return fmt.Errorf("level %d: bit is wrong", level)
		}
	}
	return nil
}

// span returns a random length of time whose order of magnitude is random, too.
func span(rng *rand.Rand) clock.Time { return clock.Time(rng.Uint64() >> 1 >> rng.IntN(63)) }

func TestWheelAgreesWithTheModel(t *testing.T) {
	rounds := 15
	if testing.Short() {
		rounds = 4
	}
	for range rounds {
		seed := rand.Uint64()
		for _, c := range []struct {
			timers int
			tick   time.Duration
		}{{3, time.Millisecond}, {50, time.Millisecond}, {300, time.Millisecond}, {50, 1}, {20, time.Second}} {
			if err := randomRun(seed, c.timers, c.tick); err != nil {
				t.Fatalf("seed %#x, %d timers, tick %v: %v", seed, c.timers, c.tick, err)
			}
		}
	}
}

func randomRun(seed uint64, timers int, tick time.Duration) error {
	rng := rand.New(rand.NewPCG(seed, 0))
	p := newPair(timers, tick)
	maxShift := 1 + rng.IntN(60) // how far this run looks ahead
	ahead := func() clock.Time {
		return p.m.now.Add(time.Duration(span(rng)>>maxShift) - time.Duration(rng.IntN(3)))
	}
	for step := range 400 {
		i := rng.IntN(timers)
		var err error
		switch rng.IntN(8) {
		case 0, 1, 2:
			p.schedule(i, ahead())
		case 3:
			p.cancel(i)
		case 4:
			err = p.advance(p.w.Next()-1, nil)
		case 5:
			if next := p.w.Next(); next != clock.Never {
				err = p.advance(next, nil)
			}
		default:
			to := ahead()
			if rng.IntN(50) != 0 { // rarely far: the runs are to last
				to = p.m.now + (to-p.m.now)/clock.Time(1+rng.IntN(100))
			}
			err = p.advance(to, func(int) {
				switch j := rng.IntN(timers); rng.IntN(4) {
				case 0:
					p.schedule(j, ahead())
				case 1:
					p.cancel(j)
				}
			})
			if err == nil && p.m.next() > p.m.now && p.w.Next() <= p.m.now {
				err = fmt.Errorf("Next %d has passed at %d", p.w.Next(), p.m.now)
			}
		}
		if err == nil {
			err = p.check()
		}
		if err != nil {
			return fmt.Errorf("step %d: %w", step, err)
		}
	}
	return nil
}

// FuzzWheel reads operations of ten octets: what, which timer, when.
func FuzzWheel(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x00\x00\x00\x00\x10\x00\x00\x02\x01\xff\xff\xff\xff\xff\xff\xff\x00"))
	f.Add([]byte("\x00\x01\x40\x42\x0f\x00\x00\x00\x00\x00\x00\x02\x80\x84\x1e\x00\x00\x00\x00\x00\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x80\x84\x1e\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, ops []byte) {
		p := newPair(8, time.Millisecond)
		for ; len(ops) >= 10; ops = ops[10:] {
			i := int(ops[1]) % len(p.entries)
			at := clock.Time(binary.LittleEndian.Uint64(ops[2:]))
			var err error
			switch ops[0] % 5 {
			case 0:
				p.schedule(i, at)
			case 1:
				p.cancel(i)
			case 2:
				err = p.advance(at, nil)
			case 3:
				err = p.advance(at, func(j int) { p.schedule(j, at) })
			case 4:
				err = p.advance(at, func(int) { p.cancel(i) })
			}
			if err == nil {
				err = p.check()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}
