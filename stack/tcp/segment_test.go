package tcp

import (
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/weirnet/weir/stack/wire"
)

// ParseSegment says what is on the wire.
func TestParseSegment(t *testing.T) {
	b := make([]byte, 60)
	n := wire.PutTCP(b, &wire.TCPFields{
		SrcPort: 1, DstPort: 2, Seq: 3, Ack: 4, Flags: wire.FlagACK | wire.FlagFIN, Window: 5, Urgent: 6,
		Options: &wire.TCPOptions{MSS: 1460, SACKPermitted: true},
	})
	b = append(b[:n], "text"...)
	v, err := wire.ParseTCP(b)
	if err != nil {
		t.Fatal(err)
	}
	var s Segment
	if err := ParseSegment(v, &s); err != nil {
		t.Fatal(err)
	}
	if s.Seq != 3 || s.Ack != 4 || s.Flags != wire.FlagACK|wire.FlagFIN || s.Window != 5 || s.Urgent != 6 ||
		s.Options.MSS != 1460 || string(s.Payload) != "text" || s.Len() != 5 || s.End() != 8 {
		t.Errorf("%+v", s)
	}
	b[n-1] = 200 // the last option runs out of the header
	b[n-2] = 2
	if err := ParseSegment(v, &s); err == nil || s.Options.MSS != 1460 || string(s.Payload) != "text" {
		t.Errorf("malformed options: %v, %+v", err, s)
	}
}

// A super-segment counts as ceil(len/size) segments.
func TestSegmentsOfASuperSegment(t *testing.T) {
	for _, tc := range []struct{ n, size, want int }{{0, 0, 1}, {1000, 0, 1}, {1000, 1000, 1}, {1001, 1000, 2}, {64000, 1000, 64}} {
		s := Segment{Payload: make([]byte, tc.n), SegmentSize: tc.size}
		if got := s.segments(); got != tc.want {
			t.Errorf("%d octets of %d: %d segments, want %d", tc.n, tc.size, got, tc.want)
		}
	}
}

// Every counter has a name, and its own.
func TestEveryCounterHasAName(t *testing.T) {
	var c Counters
	v := reflect.ValueOf(&c).Elem()
	fields := 0
	for i := range v.NumField() {
		if !v.Type().Field(i).IsExported() {
			continue
		}
		fields++
		v.Field(i).Addr().Interface().(*atomic.Uint64).Store(uint64(fields))
	}
	names, values := map[string]bool{}, map[uint64]bool{}
	c.Each(func(name string, v uint64) {
		names[name], values[v] = true, true
		if !strings.HasPrefix(name, "tcp.") {
			t.Errorf("name %q", name)
		}
	})
	if len(names) != fields || len(values) != fields {
		t.Errorf("%d counters, %d names, %d of them reached", fields, len(names), len(values))
	}
}

// States and events have the RFC's names.
func TestNames(t *testing.T) {
	if StateSynReceived.String() != "SYN-RECEIVED" || StateTimeWait.String() != "TIME-WAIT" || State(99).String() != "State(99)" {
		t.Error("states")
	}
	if (EventConnected|EventClosed).String() != "connected|closed" || Events(0).String() != "-" {
		t.Error("events")
	}
}
