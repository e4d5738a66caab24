package tcp

import "testing"

// A peer without SACK counts duplicate ACKs, so that each segment out of order has one; those that are
// still due after the first are not forgotten.
func TestSpentIsNotWhoOwesDuplicateAcks(t *testing.T) {
	d := established(t)
	for i := range 3 {
		d.in("PA", 1001+1000*i, 1, octets(1000))
	}
	for left := 2; left >= 0; left-- {
		d.want("a duplicate ACK", "A", 1, 1)
		if spent := d.c.Spent(d.now); spent != (left == 0) {
			t.Fatalf("spent: %v, with %d duplicate ACKs to go", spent, left)
		}
		d.check("Spent")
	}
	d.idle("three segments, three ACKs")
}
