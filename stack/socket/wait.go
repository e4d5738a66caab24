package socket

import (
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// watchers is who wants to know when an object's events may have changed: calls that wait,
// and the epoll sets that it is in. It is told under the object's locks, so what it does
// is short.
type watchers struct {
	mu    sync.Mutex
	calls []*call
	items []*epollItem
}

// call is a call that waits.
type call struct{ wake chan struct{} }

// notify tells all that these events may hold now; 0 is any.
func (w *watchers) notify(events uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.calls {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
	for _, i := range w.items {
		i.happened(events)
	}
}

func (w *watchers) add(c *call) {
	w.mu.Lock()
	w.calls = append(w.calls, c)
	w.mu.Unlock()
}

func (w *watchers) remove(c *call) {
	w.mu.Lock()
	w.calls = without(w.calls, c)
	w.mu.Unlock()
}

// without takes x out of the list, in place.
func without[T comparable](list []T, x T) []T {
	if at := slices.Index(list, x); at >= 0 {
		return slices.Delete(list, at, at+1)
	}
	return list
}

// block waits until ready holds, and reports false where the time, measured from now, passes
// first; less than 0 is for ever. Who changes what ready asks for notifies one of ws.
func (s *System) block(timeout time.Duration, ready func() bool, ws ...*watchers) bool {
	deadline := clock.Never
	if timeout >= 0 {
		deadline = s.host.Now().Add(timeout)
	}
	return s.blockUntil(deadline, ready, ws...)
}

func (s *System) blockUntil(deadline clock.Time, ready func() bool, ws ...*watchers) bool {
	if s.cfg.Block != nil {
		return s.cfg.Block(deadline, ready)
	}
	c := &call{wake: make(chan struct{}, 1)}
	for _, w := range ws {
		w.add(c)
		defer w.remove(c)
	}
	var expired <-chan time.Time
	if deadline != clock.Never {
		t := time.NewTimer(deadline.Sub(s.host.Now()))
		defer t.Stop()
		expired = t.C
	}
	for !ready() {
		select {
		case <-c.wake:
		case <-expired:
			return ready()
		}
	}
	return true
}

// retry makes attempts until one does not answer EAGAIN. Between them it waits until ready
// holds, but not where the call must not block, nor longer than timeout in all. Once the file
// is closed it answers EBADF.
func (s *System) retry(f *file, nonblock bool, timeout time.Duration, attempt func() (int, error), ready func() bool) (int, error) {
	deadline := clock.Never
	for first := true; ; first = false {
		n, err := attempt()
		if err != syscall.EAGAIN || nonblock {
			return n, err
		}
		if first && timeout >= 0 {
			deadline = s.host.Now().Add(timeout)
		}
		if !s.blockUntil(deadline, func() bool { return f.gone.Load() || ready() }, f.watchers()) {
			return -1, syscall.EAGAIN
		}
		if f.gone.Load() {
			return -1, syscall.EBADF
		}
	}
}
