package script

import "time"

// wait is the backend's Wait, cut short when the run is interrupted.
func (r *runner) wait(until time.Duration, stop func() bool) error {
	if r.opt.Interrupted == nil {
		r.b.Wait(until, stop)
		return nil
	}
	r.b.Wait(until, func() bool { return stop() || r.opt.Interrupted() })
	return r.interrupted()
}

func (r *runner) interrupted() error {
	if r.opt.Interrupted != nil && r.opt.Interrupted() {
		return errInterrupted
	}
	return nil
}

var errInterrupted = skipf("was interrupted")

// patience is how long is waited for what has no time, where hours would do in virtual time.
func (r *runner) patience(virtual time.Duration) time.Duration {
	if p := r.opt.Patience; p > 0 {
		return min(p, virtual)
	}
	return virtual
}
