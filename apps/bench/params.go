package bench

import (
	"fmt"
	"time"
)

// Version is the protocol's. Both sides must speak the same.
const Version = 1

// DefaultPort is where a server listens unless told otherwise, for TCP and UDP.
const DefaultPort = 7300

// Test is what is measured.
type Test string

// The tests.
const (
	Bulk        Test = "bulk"
	Requests    Test = "requests"
	Connections Test = "connections"
	Datagrams   Test = "datagrams"
)

// Direction is which way streams and datagrams go, as the client sees it.
type Direction string

// The directions.
const (
	To   Direction = "to"   // to the server
	From Direction = "from" // from the server
	Both Direction = "both"
)

func (d Direction) to() bool   { return d != From }
func (d Direction) from() bool { return d != To }

// What a server grants at most.
const (
	MaxStreams  = 10_000
	MaxSize     = 16 << 20       // octets of a request, a reply or a write
	MaxBuffers  = 64 << 20       // octets of Size and Reply, all streams together
	MaxDatagram = 65535 - 8 - 40 // octets of a datagram's payload that IPv6 carries without options
	MaxRate     = 1e12           // bits per second
	MaxDuration = 24 * time.Hour
	// MinDatagram is the room for the header that each datagram has.
	MinDatagram = datagramHeader
)

// Params are the parameters of a test. The client chooses, the server checks.
type Params struct {
	Test      Test      `json:"test"`
	Streams   int       `json:"streams"`             // connections or flows at a time
	Direction Direction `json:"direction,omitempty"` // of Bulk and Datagrams
	// Size is the octets of a write (Bulk), a request (Requests) or a datagram's payload (Datagrams).
	Size int `json:"size,omitempty"`
	// Reply is the octets of a reply.
	Reply int `json:"reply,omitempty"`
	// UDP makes the requests datagrams. One that is not answered within a second is counted as lost.
	UDP bool `json:"udp,omitempty"`
	// Rate is the bits of payload per second and direction, all flows together; 0 is as many as go.
	Rate float64 `json:"rate,omitempty"`
	// Warmup is how long the test runs before it is measured, Duration how long it is measured.
	Warmup   time.Duration `json:"warmup_ns"`
	Duration time.Duration `json:"duration_ns"`
	// Interval is the time between two reports of progress.
	Interval time.Duration `json:"interval_ns"`
}

// Defaults returns what a test is run with unless told otherwise.
func Defaults(t Test) Params {
	p := Params{Test: t, Streams: 1, Warmup: time.Second, Duration: 10 * time.Second, Interval: time.Second}
	switch t {
	case Bulk:
		p.Direction, p.Size = To, 128<<10
	case Requests:
		p.Size, p.Reply = 1, 1
	case Datagrams:
		p.Direction, p.Size, p.Rate = To, 1200, 10e6
	}
	return p
}

// Check returns an error that says which parameter cannot be.
func (p *Params) Check() error {
	least, most := 0, 0 // of Size
	switch p.Test {
	case Bulk:
		least, most = 1, MaxSize
	case Requests:
		least, most = 1, MaxSize
		if p.UDP {
			least, most = MinDatagram, MaxDatagram
		}
		if p.Reply < least || p.Reply > most {
			return fmt.Errorf("a reply of %d octets: it must have %d to %d", p.Reply, least, most)
		}
	case Datagrams:
		least, most = MinDatagram, MaxDatagram
	case Connections:
	default:
		return fmt.Errorf("there is no test %q", p.Test)
	}
	switch {
	case p.Size < least || p.Size > most:
		return fmt.Errorf("a size of %d octets: it must be %d to %d", p.Size, least, most)
	case p.Streams < 1 || p.Streams > MaxStreams:
		return fmt.Errorf("%d streams: there may be 1 to %d", p.Streams, MaxStreams)
	case !p.datagrams() && p.Streams*(p.Size+p.Reply) > MaxBuffers:
		return fmt.Errorf("%d streams with buffers of %d octets: all together may be %d", p.Streams, p.Size+p.Reply, MaxBuffers)
	case p.oneWay() && p.Direction != To && p.Direction != From && p.Direction != Both:
		return fmt.Errorf("direction %q: it must be to, from or both", p.Direction)
	case !(p.Rate >= 0 && p.Rate <= MaxRate):
		return fmt.Errorf("a rate of %g bit/s: it must be 0 to %g", p.Rate, float64(MaxRate))
	case p.Warmup < 0 || p.Duration <= 0 || p.Warmup > MaxDuration || p.Duration > MaxDuration:
		return fmt.Errorf("%v after a warm-up of %v: a test runs for more than nothing and at most %v", p.Duration, p.Warmup, MaxDuration)
	case p.Interval < 10*time.Millisecond || p.Interval > maxSilence/2:
		return fmt.Errorf("an interval of %v: it must be 10ms to %v", p.Interval, maxSilence/2)
	}
	return nil
}

// oneWay reports whether the test has a direction.
func (p *Params) oneWay() bool { return p.Test == Bulk || p.Test == Datagrams }

// datagrams reports whether the test's data goes by UDP.
func (p *Params) datagrams() bool { return p.Test == Datagrams || p.Test == Requests && p.UDP }

// connections reports whether the test has data connections that are open from its start.
func (p *Params) connections() bool { return p.Test == Bulk || p.Test == Requests && !p.UDP }
