package script

import (
	"fmt"
	"slices"
	"time"

	"github.com/weirnet/weir/stack/script/ast"
)

// setTimes works out when the event is to happen. What is relative counts from the present, that
// is from the end of the event before; but packets in count from the time of a packet in
// before them.
func (r *runner) setTimes() error {
	t := r.ev.Time
	r.base = 0
	switch t.Kind {
	case ast.TimeRelative, ast.TimeRelativeRange, ast.TimeAny, ast.TimeNone:
		r.base = r.b.Now()
		if r.lastIn && r.ev.Packet != nil && r.ev.Packet.Direction == ast.In {
			r.base = r.lastAt
		}
	default:
		if !r.haveLast && t.Start != 0 {
			return invalidf("line %d: the first event is to be at time 0", r.ev.Pos.Line)
		}
		if r.haveLast && t.Start < r.lastAt && absolute(r.last.Time) {
			return invalidf("line %d: time goes back from %s to %s", r.ev.Pos.Line, seconds(r.lastAt), seconds(t.Start))
		}
	}
	last := max(t.End, t.Start)
	if r.ev.Syscall != nil {
		last = max(last, r.ev.Syscall.End)
	}
	r.at, r.until = r.base+t.Start, r.base+max(t.End, t.Start)
	return r.timeIn(r.base, last)
}

// absolute reports whether a time counts from the script's begin.
func absolute(t ast.Time) bool { return t.Kind == ast.TimeAbsolute || t.Kind == ast.TimeAbsoluteRange }

// allowance is how much earlier or later than the script says something may happen.
func (r *runner) allowance(at, since time.Duration, have bool) time.Duration {
	d := r.cfg.tolerance
	if have {
		d = max(d, time.Duration(r.cfg.percent/100*float64(at-since)))
	}
	return d
}

// waitForEvent lets time pass to the event's.
func (r *runner) waitForEvent(what string) error {
	if err := r.passTo(r.at); err != nil {
		return err
	}
	return r.checkTime(what, r.b.Now())
}

// passTo lets time pass to an instant, and looks at the calls that return meanwhile.
func (r *runner) passTo(at time.Duration) error {
	for {
		if err := r.reap(); err != nil {
			return err
		}
		if r.b.Now() >= at {
			return nil
		}
		if err := r.wait(at, r.someReturned); err != nil {
			return err
		}
	}
}

func (r *runner) someReturned() bool {
	return slices.ContainsFunc(r.pending, func(p *pendingCall) bool { return p.p.Done })
}

// checkTime compares when the event's thing happened with when it was to.
func (r *runner) checkTime(what string, got time.Duration) error {
	if r.ev.Time.Kind == ast.TimeAny || r.ev.Time.Kind == ast.TimeNone {
		return nil
	}
	d := r.allowance(r.at, r.lastAt, r.haveLast)
	if got >= r.at-d && got <= r.until+d {
		return nil
	}
	return r.fail(fmt.Sprintf("%s at %s, not %s", what, seconds(got), r.timeText(d)), "", "")
}

// timeText is when the event was to happen.
func (r *runner) timeText(d time.Duration) string {
	if r.until > r.at {
		return fmt.Sprintf("between %s and %s (±%s)", seconds(r.at), seconds(r.until), seconds(d))
	}
	return fmt.Sprintf("at %s (±%s)", seconds(r.at), seconds(d))
}
