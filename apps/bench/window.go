package bench

import (
	"context"
	"time"

	"github.com/weirnet/weir/apps/bench/hist"
)

// window is the measured time of a test.
type window struct {
	test      *test
	control   *control
	progress  func(Interval)
	intervals []Interval

	// What each side had counted as it began, at the last interval, and as it ended.
	near, far [3]Sample
}

const (
	atBegin = iota
	atLast
	atEnd
)

func (w *window) begin() (err error) {
	if w.far[atBegin], err = w.control.order(orderMeasure); err != nil {
		return err
	}
	w.near[atBegin] = w.test.sample() // before anything is measured, so that no rate is told that was not there
	w.test.phase.v.CompareAndSwap(phaseWarmup, phaseMeasure)
	w.near[atLast], w.far[atLast] = w.near[atBegin], w.far[atBegin]
	return nil
}

// measure runs until the time is over or ctx is done.
func (w *window) measure(ctx context.Context) (interrupted bool, err error) {
	t := w.test
	end := w.near[atBegin].At + t.params.Duration
	for n := time.Duration(1); ; n++ {
		until := min(w.near[atBegin].At+n*t.params.Interval, end)
		if err := t.wait(ctx, until-t.now()); err != nil {
			if t.failure() == nil && ctx.Err() != nil {
				return true, nil
			}
			return false, err
		}
		if until == end {
			return false, nil
		}
		far, err := w.control.order(orderSample)
		if err != nil {
			return false, err
		}
		w.tick(t.sample(), far)
	}
}

// tick reports an interval.
func (w *window) tick(near, far Sample) {
	t := w.test
	i := Interval{
		Begin: seconds(w.near[atLast].At - w.near[atBegin].At),
		End:   seconds(near.At - w.near[atBegin].At),
	}
	if t.params.oneWay() {
		if t.params.Direction.to() {
			i.To = bitRate(far.Received-w.far[atLast].Received, far.At-w.far[atLast].At)
		}
		if t.params.Direction.from() {
			i.From = bitRate(near.Received-w.near[atLast].Received, near.At-w.near[atLast].At)
		}
	} else {
		h := t.interval.Swap(new(hist.Histogram))
		s := h.Summary()
		i.Rate = float64(s.Count) / max(i.End-i.Begin, 1e-9)
		i.P50, i.P99 = s.P50, s.P99
	}
	w.near[atLast], w.far[atLast] = near, far
	w.intervals = append(w.intervals, i)
	if w.progress != nil {
		w.progress(i)
	}
}

// end ends the measured time. Of streams the samples are taken while they run; of datagrams
// once those under way have had time to arrive.
func (w *window) end() (err error) {
	t := w.test
	if t.params.Test != Datagrams {
		t.phase.v.Store(phaseEnding)
		w.near[atEnd] = t.sample()
		w.far[atEnd], err = w.control.order(orderStop)
		t.stop()
		return err
	}
	t.stop()
	near := t.sample()
	far, err := w.control.order(orderStop)
	if err != nil {
		return err
	}
	_ = t.wait(context.Background(), grace)
	w.far[atEnd], err = w.control.order(orderSample)
	w.near[atEnd] = t.sample()
	w.near[atEnd].At, w.far[atEnd].At = near.At, far.At // the sending ended then
	return err
}

func seconds(d time.Duration) float64 { return d.Seconds() }

func bitRate(octets uint64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(octets) * 8 / d.Seconds()
}
