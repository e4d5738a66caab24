package tcp

import "testing"

func ecnField(v uint8) part { return func(_ *dialogue, s *Segment) { s.ECN = v } }

// freeBSDMarked is an established connection of the FreeBSD profile with ECN, opened by a SYN that was
// marked itself.
func freeBSDMarked(t *testing.T, with ...func(*dialogue)) *dialogue {
	t.Helper()
	d := newDialogue(t, append([]func(*dialogue){asFreeBSD}, with...)...)
	d.c.Accept(d.now, &d.cfg, d.segment("SEW", 0, 0, []part{mss(1460), sackPermitted(), ecnField(ECT0)}))
	d.want("SYN,ACK", "SAE", 0, 1)
	d.in("A", 1, 1)
	d.state(StateEstablished)
	return d
}

// A SYN asks for ECN as often as the setting says.
func TestFreeBSDAsksForECNTwice(t *testing.T) {
	for _, retries := range []int{0, 1, 2} {
		d := newDialogue(t, asFreeBSD)
		d.set.ECN, d.set.ECNSynRetries = ECNOn, retries
		d.connect()
		d.want("SYN", "SEW", 0, 0)
		for i := 1; i <= 3; i++ {
			d.toTimer()
			flags := "S"
			if i <= retries {
				flags = "SEW"
			}
			d.want("again", flags, 0, 0)
		}
	}
}

// CE counts on an ACK without text as well; it does not hurry ACKs; CWR is answered at once.
func TestFreeBSDHeedsECNOnEveryPacket(t *testing.T) {
	d := freeBSDMarked(t)
	d.in("A", 1, 1, ecnField(CE))
	d.idle("an ACK")
	d.write(100)
	d.want("text", "APE", 1, 1, octets(100), ecnField(ECT0))
	d.in("AW", 1, 101)
	d.want("CWR came", "A", 101, 1)
	d.in("A", 1, 101, octets(1000), ecnField(CE))
	d.idle("delayed")
	d.in("A", 1001, 101, octets(1000), ecnField(ECT0))
	d.want("two segments", "AE", 101, 2001)
}

// What reduces the window is told with the first new text; once it was told with whatever left first.
func TestFreeBSDTellsOfTheReducedWindow(t *testing.T) {
	for _, anywhere := range []bool{false, true} {
		d := freeBSDMarked(t, func(d *dialogue) { d.set.CWRAnywhere = anywhere })
		d.write(1460 * 8)
		for i := range 8 {
			flags := "A"
			if i == 7 {
				flags = "AP"
			}
			d.want("text", flags, 1+1460*i, 1, octets(1460), ecnField(ECT0))
		}
		for i := 2; i <= 4; i++ {
			d.in("A", 1, 1, sack(1461, 1+1460*i))
		}
		again, text := "A", "AWP"
		if anywhere {
			again, text = "AW", "AP"
		}
		d.want("retransmission", again, 1, 1, octets(1460))
		d.in("A", 1, 11681)
		d.write(1460)
		d.want("new text", text, 11681, 1, octets(1460), ecnField(ECT0))
	}
}

// The first probe of a closed window is new text; the next ones are retransmissions.
func TestFreeBSDMarksTheFirstProbe(t *testing.T) {
	d := freeBSDMarked(t)
	d.in("A", 1, 1, win(0))
	d.write(100)
	d.drain()
	for _, field := range []uint8{ECT0, NotECT, NotECT} {
		d.toTimer()
		d.want("probe", "A", 1, 1, octets(1), ecnField(field))
		d.in("A", 1, 1, win(0))
	}
	d.in("A", 1, 2, win(0))
	d.idle("the window is closed")
	d.toTimer()
	d.want("another octet", "A", 2, 1, octets(1), ecnField(ECT0))
}
