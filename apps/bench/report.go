package bench

import (
	"time"

	"github.com/weirnet/weir/apps/bench/hist"
)

// Interval is a part of the measured time.
type Interval struct {
	Begin float64       `json:"begin_s"`
	End   float64       `json:"end_s"`
	To    float64       `json:"to_bits_per_second,omitempty"`
	From  float64       `json:"from_bits_per_second,omitempty"`
	Rate  float64       `json:"per_second,omitempty"`
	P50   time.Duration `json:"p50_ns,omitempty"`
	P99   time.Duration `json:"p99_ns,omitempty"`
}

// Report is what a test has found.
type Report struct {
	Params      Params  `json:"params"`
	Interrupted bool    `json:"interrupted,omitempty"`
	Seconds     float64 `json:"seconds"` // of the measured time
	// To and From are the two directions of Bulk and Datagrams.
	To   *Throughput `json:"to,omitempty"`
	From *Throughput `json:"from,omitempty"`
	// Rate is of Requests and Connections.
	Rate *Rate `json:"rate,omitempty"`
	// ClientCPU and ServerCPU are the processor time of the two processes, in seconds.
	ClientCPU float64    `json:"client_cpu_s"`
	ServerCPU float64    `json:"server_cpu_s"`
	Intervals []Interval `json:"intervals,omitempty"`
}

// Throughput is what went one way, as its receiver counted it.
type Throughput struct {
	Octets        uint64      `json:"octets"`
	BitsPerSecond float64     `json:"bits_per_second"`
	Datagrams     *FlowCounts `json:"datagrams,omitempty"`
	Lost          uint64      `json:"lost,omitempty"` // datagrams that were sent and have not come
	LostPercent   float64     `json:"lost_percent,omitempty"`
}

// Rate is how often something was done, and how long it took.
type Rate struct {
	Count     uint64       `json:"count"`
	PerSecond float64      `json:"per_second"`
	Latency   hist.Summary `json:"latency"`
	// Connect is the part of Connections until the connection stands.
	Connect hist.Summary `json:"connect,omitzero"`
	// Lost are requests by datagram that were not answered, Errors connections that failed;
	// Error is the first of these.
	Lost   uint64 `json:"lost,omitempty"`
	Errors uint64 `json:"errors,omitempty"`
	Error  string `json:"error,omitempty"`
}

func (w *window) report() *Report {
	near, far := w.near, w.far
	r := &Report{
		Params: w.test.params, Intervals: w.intervals,
		Seconds:   seconds(near[atEnd].At - near[atBegin].At),
		ClientCPU: seconds(near[atEnd].CPU - near[atBegin].CPU),
		ServerCPU: seconds(far[atEnd].CPU - far[atBegin].CPU),
	}
	p := &w.test.params
	switch {
	case !p.oneWay():
		r.Rate = w.rate(r.Seconds)
		return r
	case p.Test == Bulk:
		if p.Direction.to() {
			r.To = stream(far)
		}
		if p.Direction.from() {
			r.From = stream(near)
		}
	default:
		if p.Direction.to() {
			r.To = datagramsOf(near, far)
		}
		if p.Direction.from() {
			r.From = datagramsOf(far, near)
		}
	}
	return r
}

func stream(s [3]Sample) *Throughput {
	n := s[atEnd].Received - s[atBegin].Received
	return &Throughput{Octets: n, BitsPerSecond: bitRate(n, s[atEnd].At-s[atBegin].At)}
}

func datagramsOf(from, to [3]Sample) *Throughput {
	c := to[atEnd].Flow
	c.Sent, c.Unsent = from[atEnd].Flow.Sent, from[atEnd].Flow.Unsent
	t := &Throughput{Octets: c.Octets, BitsPerSecond: bitRate(c.Octets, from[atEnd].At-from[atBegin].At), Datagrams: &c}
	if c.Sent > c.Received {
		t.Lost = c.Sent - c.Received
		t.LostPercent = 100 * float64(t.Lost) / float64(c.Sent)
	}
	return t
}

func (w *window) rate(seconds float64) *Rate {
	t := w.test
	r := &Rate{Latency: t.latency.Summary(), Connect: t.connect.Summary(), Lost: t.lost.Load(), Errors: t.errors.Load()}
	r.Count = r.Latency.Count
	if seconds > 0 {
		r.PerSecond = float64(r.Count) / seconds
	}
	if e := t.firstError.Load(); e != nil && r.Errors > 0 {
		r.Error = (*e).Error()
	}
	return r
}
