package shard

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// stall is what is known of a connection whose handler does not return.
type stall struct {
	since clock.Time
	name  string
}

// begin is called, with d locked, when the goroutine of w has been inside for too long.
func (d *watchdog) begin(h *Host, w *watch) {
	c := w.conn
	h.counters.handlerStalls.Add(1)
	s := stall{since: h.Now(), name: w.handler.Name()}
	d.stalls[c] = s
	c.pending.Or(pendStalled)
	d.warn.warn(h, "an event handler does not return: its connection waits, others go on; have it do in a goroutine what takes long, and Post",
		"handler", s.name, "local", c.Local().String(), "remote", c.Remote().String())
	if w.replace != nil {
		d.watches[w.replace()] = struct{}{}
	}
}

// over is called when the goroutine of w has come out after all.
func (d *watchdog) over(w *watch) {
	d.mu.Lock()
	delete(d.stalls, w.conn)
	d.mu.Unlock()
	w.conn.pending.And(^pendStalled)
}

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
