package tcp

import (
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// opened is a connection without Nagle's algorithm whose congestion window takes three
// super-segments, and whose round trip takes rtt.
func opened(t *testing.T, rtt time.Duration) (d *dialogue, at int) {
	d = newDialogue(t, wide)
	d.accept(mss(1000))
	d.want("SYN,ACK", "SA", 0, 1)
	d.now = d.now.Add(rtt)
	d.in("A", 1, 1)
	d.c.SetNoDelay(true)
	d.write(80000)
	for at = 1; at < 80000; {
		for d.c.Output(d.now, &d.got, d.buf) {
			at += len(d.got.Payload)
		}
		d.now = d.now.Add(rtt)
		d.in("A", 1, at)
	}
	return d, at
}

// What is less than a super-segment waits while two are under way on a short path, and goes with
// what is written meanwhile, or when an ACK comes.
func TestEndOfTheQueueWaitsForCompanyOnAShortPath(t *testing.T) {
	d, at := opened(t, 100*time.Microsecond)
	d.write(20500)
	d.want("first", "A", at, 1, octets(10000))
	d.want("second", "A", at+10000, 1, octets(10000))
	d.idle("500 octets wait")
	d.write(9600)
	d.want("company", "A", at+20000, 1, octets(10000))
	d.idle("100 octets wait")
	d.in("A", 1, at+10000)
	d.idle("two are still under way")
	d.in("A", 1, at+20000)
	d.want("the rest", "PA", at+30000, 1, octets(100))
	if d.c.Deadline() == clock.Never {
		t.Error("no retransmission timer")
	}
}

// Nothing waits on a longer path, behind less than two super-segments, or before a FIN.
func TestEndOfTheQueueDoesNotWaitOtherwise(t *testing.T) {
	d, at := opened(t, 2*time.Millisecond)
	d.write(20500)
	d.want("first", "A", at, 1, octets(10000))
	d.want("second", "A", at+10000, 1, octets(10000))
	d.want("a longer path", "PA", at+20000, 1, octets(500))

	d, at = opened(t, 100*time.Microsecond)
	d.write(19500)
	d.want("first", "A", at, 1, octets(10000))
	d.want("behind less than two", "PA", at+10000, 1, octets(9500))

	d, at = opened(t, 100*time.Microsecond)
	d.write(20500)
	d.want("first", "A", at, 1, octets(10000))
	d.want("second", "A", at+10000, 1, octets(10000))
	d.c.CloseWrite(d.now)
	d.want("before a FIN", "FPA", at+20000, 1, octets(500))
}
