package rtt

import (
	"testing"
	"time"

	"github.com/weirnet/weir/stack/seq"
)

// The least is that of what was sent last: the first may have waited for a delayed ACK.
func TestAckMeasuresTheLeastByTheLatest(t *testing.T) {
	var e Estimator
	e.Ack(40*time.Millisecond, 10*time.Millisecond, 1, 2, 1)
	e.Ack(30*time.Millisecond, 20*time.Millisecond, 2, 3, 1)
	if e.Min() != 10*time.Millisecond || e.SRTT() < 30*time.Millisecond {
		t.Errorf("least %v, srtt %v", e.Min(), e.SRTT())
	}
}

// With EachAck the timeout of an even path comes down to the smoothed time and Min, by a quarter
// of the way in each round trip, and one deviation takes it up at once.
func TestEachAckFollowsTheLargestDeviation(t *testing.T) {
	l := DefaultLimits()
	l.EachAck = true
	var e Estimator
	e.Init(&l)
	ack := seq.Value(1)
	sample := func(d time.Duration) {
		ack = ack.Add(10)
		e.Ack(d, d, ack, ack.Add(5), 1)
	}
	sample(100 * time.Millisecond)
	if e.RTO() != 300*time.Millisecond {
		t.Errorf("first: %v", e.RTO())
	}
	sample(500 * time.Millisecond)
	up := e.RTO()
	if up < 600*time.Millisecond {
		t.Errorf("one deviation of 400 ms, and the timeout is %v", up)
	}
	for range 100 {
		sample(100 * time.Millisecond)
	}
	if got := e.RTO(); got < 300*time.Millisecond || got > 310*time.Millisecond {
		t.Errorf("on an even path %v", got)
	}
	for range 5 {
		sample(time.Millisecond)
	}
	if got := e.RTO(); got > 310*time.Millisecond {
		t.Errorf("a path that has become faster: %v", got)
	}
}
