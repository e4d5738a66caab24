package script

import (
	"iter"
	"slices"

	"github.com/weirnet/weir/stack/clock"
)

// task is a system call as a coroutine: it runs until it is over or is blocked, and goes on when
// what it waits for has come. One runs at a time, and never beside the runner.
type task struct {
	resume   func() (struct{}, bool)
	stop     func()
	yield    func(struct{}) bool
	ready    func() bool
	deadline clock.Time
	pending  *Pending
}

// Start runs f as a coroutine.
func (w *weir) Start(f func()) *Pending {
	t := &task{pending: &Pending{}, deadline: clock.Never}
	t.resume, t.stop = iter.Pull(func(yield func(struct{}) bool) {
		t.yield = yield
		f()
	})
	w.step(t)
	w.settle()
	return t.pending
}

// step lets a task run until it is over or blocked.
func (w *weir) step(t *task) {
	outer := w.running
	w.running = t
	_, alive := t.resume()
	w.running = outer
	if alive {
		if !slices.Contains(w.tasks, t) {
			w.tasks = append(w.tasks, t)
		}
		return
	}
	t.pending.Done, t.pending.End = true, w.Now()
	w.tasks = slices.DeleteFunc(w.tasks, func(x *task) bool { return x == t })
}

// settle lets every task go on that can, until none can.
func (w *weir) settle() {
	for again := true; again; {
		again = false
		for _, t := range slices.Clone(w.tasks) {
			if t.deadline.Reached(w.clock.Now()) || t.ready() {
				w.step(t)
				again = true
			}
		}
	}
}

// block is socket.Config.Block: it lets everything else go on until ready holds.
func (w *weir) block(deadline clock.Time, ready func() bool) bool {
	t := w.running
	for !ready() {
		if t == nil || w.closing || deadline.Reached(w.clock.Now()) {
			return ready()
		}
		t.ready, t.deadline = ready, deadline
		if !t.yield(struct{}{}) {
			return false
		}
	}
	return true
}
