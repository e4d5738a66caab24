package tcp

import "testing"

// RFC 9293 §3.8.3: at R1, three retransmissions at least (SHLD-10), the failure is counted, and
// whoever asks is told (SHLD-9), long before R2 ends the connection (MUST-20).
func TestR1IsCountedAndTold(t *testing.T) {
	d := established(t)
	if d.set.R1 < 3 || d.set.R1 >= d.set.Retries {
		t.Errorf("R1 is %d and R2 %d", d.set.R1, d.set.Retries)
	}
	d.write(10)
	d.want("text", "PA", 1, 1, octets(10))
	for n := 1; n <= d.set.R1+1; n++ {
		d.toTimer()
		d.want("retransmission", "PA", 1, 1, octets(10))
		want := uint64(0)
		if n >= d.set.R1 {
			want = 1
		}
		if got := d.ctr.R1Reached.Load(); got != want {
			t.Errorf("after %d retransmissions R1 was reached %d times", n, got)
		}
		if got := int(d.c.Info().Retransmits); got != n {
			t.Errorf("after %d retransmissions Info tells of %d", n, got)
		}
	}
	d.state(StateEstablished)
}
