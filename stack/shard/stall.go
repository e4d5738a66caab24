package shard

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// stall is what is known of a handler that does not return.
type stall struct {
	since clock.Time
	name  string
	at    place
	looks int // of the watchdog since
}

// nameOf names a handler to people.
func nameOf(h any) string {
	if n, ok := h.(interface{ Name() string }); ok {
		return n.Name()
	}
	return fmt.Sprintf("%T", h)
}

// begin is called, with d locked, when the goroutine of w has been inside for too long.
func (d *watchdog) begin(h *Host, w *watch) {
	h.counters.handlerStalls.Add(1)
	d.stalls[w] = &stall{since: h.Now(), name: nameOf(w.handler), at: w.at}
	w.at.stalled(true)
	if w.replace != nil {
		d.watches[w.replace()] = struct{}{}
	}
}

// tell warns of a handler that still has not returned.
func (d *watchdog) tell(h *Host, s *stall) {
	d.warn.warn(h, "an event handler does not return: its connection or port waits, others go on; have it do in a goroutine what takes long",
		append([]any{"handler", s.name}, s.at.ends()...)...)
}

// over is called when the goroutine of w has come out after all. Who sees that nothing stalls any more finds
// the handler open again.
func (d *watchdog) over(w *watch) {
	d.mu.Lock() // begin may be under way still: only what comes after it takes back what it says
	w.at.stalled(false)
	delete(d.stalls, w)
	d.mu.Unlock()
}

// stalled is for the watchdog: a connection's segments are left to who has its lock, and listings do not wait.
func (c *TCP) stalled(yes bool) {
	if yes {
		c.pending.Or(pendStalled)
	} else {
		c.pending.And(^pendStalled)
	}
}

// ends says which connection it is.
func (c *TCP) ends() []any {
	return []any{"local", c.Local().String(), "remote", c.Remote().String()}
}

// stalls counts, for a port, the goroutines that do not come back from its handler. While there is one
// the others stay outside, for each would be held up as well.
type stalls struct{ n atomic.Int32 }

func (s *stalls) stalled(yes bool) {
	if yes {
		s.n.Add(1)
	} else {
		s.n.Add(-1)
	}
}

// busy reports whether the handler is not to be called.
func (s *stalls) busy() bool { return s.n.Load() > 0 }

// ends says which socket it is.
func (u *UDP) ends() []any { return []any{"local", u.Local().String()} }

// ends says which listener it is.
func (l *Listener) ends() []any { return []any{"local", l.local.String()} }

// synHandler is ListenOptions.OnSYN by its name.
type synHandler struct{}

func (synHandler) Name() string { return "OnSYN" }

// stalled returns how many connections wait for their handler.
func (d *watchdog) stalled() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.stalls)
}

// warner says things at most once a second. It is under its owner's lock.
type warner struct {
	last clock.Time
	held int // how many were not said
}

func (w *warner) warn(h *Host, text string, args ...any) {
	now := h.Now()
	if w.last != 0 && now.Sub(w.last) < time.Second {
		w.held++
		return
	}
	if w.held > 0 {
		args = append(args, "unsaid", w.held)
	}
	w.last, w.held = now, 0
	if h.cfg.Logger != nil {
		go h.cfg.Logger.Warn(text, args...) // whoever logs may block
	}
}
