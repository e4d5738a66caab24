package tcp

import "testing"

func outOfLine(d *dialogue) { d.set.UrgentInline = false }

func (d *dialogue) urgentByte(b byte, st UrgentStatus) {
	d.t.Helper()
	if gotB, got := d.c.ReadUrgent(); gotB != b || got != st {
		d.t.Fatalf("urgent octet %q, status %d; want %q, %d", gotB, got, b, st)
	}
}

// RFC 6093 §2: the pointer marks the octet before it, which is read apart from the others.
func TestUrgentOctetIsReadApart(t *testing.T) {
	d := established(t, outOfLine)
	d.urgentByte(0, UrgentNone)
	d.in("AU", 1, 1, text("abcd"), urg(3))
	if n := d.c.Readable(); n != 2 {
		t.Errorf("%d readable before the mark", n)
	}
	if got := d.read(10); got != "ab" {
		t.Fatalf("read %q before the mark", got)
	}
	if !d.c.AtMark() {
		t.Error("not at the mark")
	}
	d.urgentByte('c', UrgentReady)
	d.urgentByte(0, UrgentNone)
	if got := d.read(10); got != "d" {
		t.Fatalf("read %q behind the mark", got)
	}
	if d.c.AtMark() {
		t.Error("still at the mark")
	}
}

func TestUrgentOctetThatIsNotReadIsPassedOver(t *testing.T) {
	d := established(t, outOfLine)
	d.in("AU", 1, 1, text("a!b"), urg(2))
	if got := d.read(1) + d.read(1); got != "ab" {
		t.Fatalf("read %q", got)
	}
	d.urgentByte(0, UrgentNone)
}

func TestUrgentOctetMayBeAnnouncedBeforeItComes(t *testing.T) {
	d := established(t, outOfLine)
	d.in("AU", 1, 1, text("a"), urg(3))
	d.urgentByte(0, UrgentPending)
	if got := d.read(10); got != "a" {
		t.Fatalf("read %q", got)
	}
	d.in("A", 2, 1, text("b!"))
	if b, st := d.c.PeekUrgent(); b != '!' || st != UrgentReady {
		t.Errorf("peeked %q, %d", b, st)
	}
	d.urgentByte('!', UrgentReady)
	if got := d.read(10); got != "b" {
		t.Fatalf("read %q", got)
	}
	d.in("AF", 4, 1)
	if !d.c.EOF() {
		t.Error("the marked octet hides the end of the stream")
	}
	if got := d.read(10); got != "" {
		t.Errorf("read %q", got)
	}
}

func TestUrgentInlineIsReadAfterAStopAtTheMark(t *testing.T) {
	d := established(t)
	d.c.SetUrgentInline(true)
	d.in("AU", 1, 1, text("abc"), urg(2))
	d.urgentByte(0, UrgentNone)
	if got := d.read(10); got != "a" || !d.c.AtMark() {
		t.Fatalf("read %q, at the mark %v", got, d.c.AtMark())
	}
	if got := d.read(10); got != "bc" {
		t.Fatalf("read %q", got)
	}
}

// Of two urgent octets only the later is marked; the first is left in the stream.
func TestLaterUrgentOctetTakesTheMark(t *testing.T) {
	d := established(t, outOfLine)
	d.in("AU", 1, 1, text("a!b?"), urg(2))
	d.in("AU", 5, 1, text("c#"), urg(2))
	if got := d.read(10); got != "a!b?c" {
		t.Fatalf("read %q", got)
	}
	d.urgentByte('#', UrgentReady)
}

func TestNextAndPeekStopAtTheMark(t *testing.T) {
	d := established(t, outOfLine)
	d.in("AU", 1, 1, text("ab!cd"), urg(3))
	b := make([]byte, 10)
	if n := d.c.Peek(b); string(b[:n]) != "ab" {
		t.Errorf("peeked %q", b[:n])
	}
	if p := d.c.Next(); string(p) != "ab" {
		t.Errorf("next %q", p)
	}
	d.c.Skip(d.now, 2)
	if p := d.c.Next(); string(p) != "cd" {
		t.Errorf("next %q", p)
	}
}
