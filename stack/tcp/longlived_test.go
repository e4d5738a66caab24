package tcp

import (
	"syscall"
	"testing"
)

// RFC 9293 §3.4: sequence numbers come round again after 4 GiB. An ACK that then brings SND.UNA
// to ISS is like any other: neither is the SYN sent again nor an octet skipped.
func TestSendingGoesOnThroughISSAfter4GiB(t *testing.T) {
	d := established(t)
	d.c.SetNoDelay(true)
	d.c.snd.iss = d.c.snd.una.Add(1000) // as it is relative to SND.UNA after 4 GiB less 1000
	d.c.Write(d.now, append(make([]byte, 1000), "the next four GiB"...))
	d.want("up to ISS", "A", 1, 1, octets(1000))
	d.want("beyond it", "AP", 1001, 1, octets(17))
	d.in("A", 1, 1001)
	d.idle("all was sent")
	d.toTimer()
	if s := d.want("the retransmission", "AP", 1001, 1, octets(17)); string(s.Payload) != "the next four GiB" {
		t.Errorf("sent %q again", s.Payload)
	}
	d.in("A", 1, 1018)
	if n := d.c.sendQueue.Len(); n != 0 {
		t.Errorf("%d octets are left in the queue", n)
	}
}

// RFC 9293 §3.8.6.1: the interval between probes increases, and does not begin anew once their
// number is more than an octet counts.
func TestProbesOfAWindowClosedForHoursStayRare(t *testing.T) {
	d := established(t)
	d.in("A", 1, 1, win(0))
	d.write(10)
	d.idle("the window is closed")
	for i := range 600 {
		if took := d.toTimer(); i > 20 && took < d.set.PersistMax {
			t.Fatalf("probe %d came after %v", i, took)
		}
		d.want("probe", "A", 1, 1, octets(1))
		d.in("A", 1, 1, win(0))
		d.idle("the window is still closed")
	}
}

// A peer that takes its window back and acknowledges nothing does not keep a connection whose
// user is gone, however often it says so.
func TestOrphanWithItsWindowTakenBackEnds(t *testing.T) {
	d := established(t)
	d.write(10)
	d.close()
	d.want("text and FIN", "APF", 1, 1, octets(10))
	d.in("A", 1, 1, win(0))
	for i := 0; d.c.State() != StateClosed; i++ {
		if i > d.set.OrphanRetries {
			t.Fatalf("it lives on after %d timeouts", i)
		}
		d.toTimer()
		d.drain()
		d.in("A", 1, 1, win(0))
	}
	d.err(syscall.ETIMEDOUT)
}

// RFC 9293 §3.9.2.2: a soft error is why a connection times out only if nothing was acknowledged
// since: the path has worked again in the meantime.
func TestSoftErrorIsForgottenWhenThePathWorks(t *testing.T) {
	d := established(t)
	d.c.OnICMP(d.now, false, syscall.EHOSTUNREACH)
	d.write(10)
	d.want("text", "AP", 1, 1, octets(10))
	d.in("A", 1, 11)
	d.write(10)
	for d.c.State() != StateClosed {
		d.drain()
		d.toTimer()
	}
	d.err(syscall.ETIMEDOUT)
}
