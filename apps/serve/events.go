package serve

import (
	"time"

	"github.com/weirnet/weir/stack/event"
)

// Events is a network that gives connections to handlers. *stack.Stack is one.
type Events interface {
	ListenEvents(network, address string, h event.Handler, o event.Options) (*event.Listener, error)
}

// Progress is what is remembered of a connection whose peer is slow to take what it is sent. A
// handler that keeps a value of its own with a connection embeds it there.
type Progress struct{ acked uint64 }

func (p *Progress) latest() *uint64 { return &p.acked }

// EventHandler returns h with what the services share: connections are counted in n, their peers asked whether
// they are there (KeepAlivePeriod), and one whose peer takes nothing of what it is sent is given
// up, when it has been found so for StallTimeout to twice that. A handler that is a TimerHandler has
// the timer, and that concern, to itself.
func EventHandler(h event.Handler, n *Counters) event.TimerHandler {
	return &eventHandler{Handler: h, counters: n, stall: StallTimeout}
}

type eventHandler struct {
	event.Handler
	counters *Counters
	stall    time.Duration
}

// keepAliveProbes is how many probes go unanswered before a peer is given up.
const keepAliveProbes = 9

// OnOpen implements event.Handler.
func (h *eventHandler) OnOpen(c *event.Conn) {
	h.counters.Accepted.Add(1)
	c.SetKeepAlive(KeepAlivePeriod, KeepAlivePeriod, keepAliveProbes)
	c.SetTimer(h.stall)
	h.Handler.OnOpen(c)
}

// OnTimer implements event.TimerHandler.
func (h *eventHandler) OnTimer(c *event.Conn) {
	if own, ok := h.Handler.(event.TimerHandler); ok {
		own.OnTimer(c)
		return
	}
	c.SetTimer(h.stall)
	if c.Unsent() == 0 {
		if _, only := c.Value().(*Progress); only {
			c.SetValue(nil)
		}
		return
	}
	p, ok := c.Value().(interface{ latest() *uint64 })
	if !ok {
		p = new(Progress)
		c.SetValue(p)
	}
	acked := c.Info().OctetsAcked
	if last := p.latest(); *last == acked && ok {
		c.Abort()
	} else {
		*last = acked
	}
}
