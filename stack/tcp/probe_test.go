package tcp

import "testing"

// RFC 9293 §3.8.6.1: the octet of a probe may be taken although a segment that the peer had sent
// before it arrived had the probe taken back. The late ACK, and what comes with it, is as good as any.
func TestProbeTakenAfterItWasTakenBack(t *testing.T) {
	d := established(t)
	d.in("A", 1, 1, win(0))
	d.write(10)
	d.idle("the window is closed")
	d.toTimer()
	d.want("probe", "A", 1, 1, octets(1))
	d.in("A", 1, 1, win(0), text("sent before"))
	d.in("A", 12, 2, win(5000), text("sent after"))
	d.want("the rest", "AP", 2, 22, octets(9))
	if got := d.read(100); got != "sent beforesent after" {
		t.Errorf("read %q", got)
	}
}

// What was not sent is not acknowledged by that rule: it is for one octet, once a probe had it.
func TestOnlyTheProbesOctetMayBeAcknowledgedLate(t *testing.T) {
	for _, ack := range []int{2, 3} {
		d := established(t)
		d.in("A", 1, 1, win(0))
		d.write(10)
		d.idle("the window is closed")
		if ack == 3 {
			d.toTimer()
			d.want("probe", "A", 1, 1, octets(1))
			d.in("A", 1, 1, win(0))
		}
		d.in("A", 1, ack, win(5000))
		if n := d.ctr.AckTooNew.Load(); n != 1 {
			t.Errorf("ACK %d: %d ACKs were too new, want 1", ack, n)
		}
	}
}

// A FIN that was the probe is acknowledged late in the same way.
func TestFinProbeTakenAfterItWasTakenBack(t *testing.T) {
	d := established(t)
	d.in("A", 1, 1, win(0))
	d.closeWrite()
	d.idle("the window is closed")
	d.toTimer()
	d.want("the FIN as a probe", "AF", 1, 1)
	d.in("A", 1, 1, win(0), text("sent before"))
	d.in("A", 12, 2, win(0))
	d.state(StateFinWait2)
}
