package tcp

import (
	"testing"
	"time"
)

// sendAll lets everything leave that may and returns the end of the text sent, from ISS.
func sendAll(d *dialogue) (end int) {
	var s Segment
	for d.c.Output(d.now, &s, d.buf) {
		if len(s.Payload) > 0 {
			end = max(end, s.Seq.Sub(d.iss)+len(s.Payload))
		}
	}
	return end
}

// The peer's text of 1 to 1001 is lost; what follows it comes with a window of 3000. Then the
// lost text comes, sent again, with an ACK that is new and the window that the peer has by
// then. Its sequence number is before SND.WL1, and yet nothing may be sent beyond the edge that it
// tells (RFC 9293 §3.8.6).
func TestWindowOfANewACKCountsThoughItsTextIsOld(t *testing.T) {
	d := established(t, func(d *dialogue) { d.cfg.MaxSegment = 1000 })
	d.in("A", 1001, 1, octets(1000), win(3000))
	sendAll(d)
	d.c.Write(d.now, make([]byte, 50000))
	if end := sendAll(d); end != 3001 {
		t.Fatalf("sent up to %d, want the edge of 3001", end)
	}
	d.in("A", 1, 3001, octets(1000), win(1000))
	if end := sendAll(d); end != 4001 {
		t.Errorf("sent up to %d, want the edge of 4001", end)
	}
}

// The peer takes back part of its window, but not all, and answers every retransmission: they
// keep to the window, and the connection stays (RFC 9293 §3.8.6, SHLD-17).
func TestPartlyShrunkWindowThatIsAnsweredKeepsTheConnection(t *testing.T) {
	d := established(t)
	d.c.Write(d.now, make([]byte, 50000))
	sendAll(d)
	d.in("A", 1, 1, win(300))
	for i := range 40 {
		d.now = d.c.Deadline()
		d.c.Expire(d.now)
		if end := sendAll(d); end > 301 {
			t.Fatalf("retransmission %d reaches to %d, beyond the edge of 301", i, end)
		}
		if d.c.State() != StateEstablished {
			t.Fatalf("ended at %v after %d retransmissions, each of which was answered", time.Duration(d.now), i)
		}
		d.in("A", 1, 1, win(300))
	}
}
