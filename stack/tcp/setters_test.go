package tcp

import (
	"testing"
	"time"

	"github.com/weirnet/weir/stack/tcp/cc"
)

// What a user sets before the connection is opened counts from the SYN on.
func TestWhatIsSetBeforeTheSynCounts(t *testing.T) {
	d := newDialogue(t)
	d.c.SetMaxSegment(600)
	d.c.SetWindowClamp(5000)
	d.c.SetSynRetries(2)
	d.c.SetKeepAlive(d.now, true, time.Minute, 0, 0)
	d.connect()
	if s := d.want("SYN", "S", 0, 0, win(5000)); s.Options.MSS != 600 {
		t.Errorf("announced %d", s.Options.MSS)
	}
	for range 2 {
		d.toTimer()
		d.want("SYN again", "S", 0, 0)
	}
	d.toTimer()
	d.state(StateClosed)

	d = newDialogue(t)
	d.c.SetMaxSegment(600)
	d.c.SetKeepAlive(d.now, true, time.Minute, 0, 0)
	d.connect()
	d.want("SYN", "S", 0, 0)
	d.in("SA", 0, 1, mss(1000))
	d.want("ACK", "A", 1, 1)
	d.write(700)
	d.want("no more than the bound", "A", 1, 1, octets(600))
	d.in("A", 1, 601)
	d.want("the rest", "AP", 601, 1, octets(100))
	d.in("A", 1, 701)
	if took := d.toTimer(); took != time.Minute {
		t.Errorf("a keep-alive after %v", took)
	}
	d.drain()
}

func TestConfigCarriesTheUsersChoices(t *testing.T) {
	k := cc.Reno
	d := newDialogue(t, func(d *dialogue) {
		d.cfg.UserMSS, d.cfg.WindowClamp, d.cfg.NotSentLowat, d.cfg.CC = 700, 4000, 10, &k
	})
	d.connect()
	if s := d.want("SYN", "S", 0, 0, win(4000)); s.Options.MSS != 700 {
		t.Errorf("announced %d", s.Options.MSS)
	}
	if d.c.NotSentLowat() != 10 || d.c.Congestion() != cc.Reno {
		t.Errorf("lowat %d, %v", d.c.NotSentLowat(), d.c.Congestion())
	}
}

func TestMaxSegmentAfterTheHandshakeBoundsWhatIsSent(t *testing.T) {
	d := established(t)
	d.c.SetMaxSegment(300)
	d.write(400)
	if s := d.want("pieces of 300", "AP", 1, 1, octets(400)); s.SegmentSize != 300 {
		t.Errorf("pieces of %d", s.SegmentSize)
	}
	d.c.SetMaxSegment(0)
	d.in("A", 1, 401)
	d.write(400)
	if s := d.want("one", "AP", 401, 1, octets(400)); s.SegmentSize != 0 {
		t.Errorf("pieces of %d", s.SegmentSize)
	}
}

func TestNotSentLowatIsTheRoomThatCounts(t *testing.T) {
	d := established(t, func(d *dialogue) { d.set.InitialWindow = 2 })
	d.c.SetNotSentLowat(1000)
	d.write(2500)
	d.drain()
	if n := d.c.Writable(); n == 0 {
		t.Error("500 octets wait, and nothing is writable")
	}
	d.write(500)
	if n := d.c.Writable(); n != 0 {
		t.Errorf("1000 octets wait, and %d are writable", n)
	}
	if n := d.c.Write(d.now, []byte("x")); n != 0 {
		t.Errorf("%d written", n)
	}
	if d.in("A", 1, 1001); d.ev&EventWritable == 0 {
		t.Error("the window takes all now, and nobody is told")
	}
	d.drain()
	if n := d.c.Writable(); n == 0 {
		t.Error("not writable")
	}
}

func TestWriteMoreKeepsAPartialSegmentBack(t *testing.T) {
	d := established(t)
	d.c.SetNoDelay(true)
	d.c.WriteMore(d.now, make([]byte, 1500))
	d.want("the full one", "A", 1, 1, octets(1000))
	d.idle("there is more to come")
	d.write(100)
	d.want("all", "AP", 1001, 1, octets(600))
}

func TestQuickAckSendsTheAckThatWaits(t *testing.T) {
	d := established(t)
	d.c.SetQuickAck(d.now, false)
	if d.c.QuickAck() {
		t.Error("still on")
	}
	d.in("A", 1, 1, octets(10))
	d.idle("delayed")
	d.c.SetQuickAck(d.now, true)
	d.want("at once", "A", 1, 11)
	if !d.c.QuickAck() {
		t.Error("still off")
	}
}

func TestCongestionControlChangesOverInFlight(t *testing.T) {
	d := established(t)
	before := d.c.Info().Cwnd
	for _, name := range cc.Names() {
		k, _ := cc.ParseKind(name)
		d.c.SetCongestion(k)
		if i := d.c.Info(); i.Congestion != name || i.Cwnd != before {
			t.Errorf("%s: window %d", i.Congestion, i.Cwnd)
		}
	}
}

func TestLinger2BoundsFinWait2(t *testing.T) {
	d := established(t)
	d.c.SetLinger2(3 * time.Second)
	d.close()
	d.want("FIN", "AF", 1, 1)
	d.in("A", 1, 2)
	d.state(StateFinWait2)
	if took := d.toTimer(); took != 3*time.Second {
		t.Errorf("it took %v", took)
	}
	d.state(StateClosed)
}

func TestNegativeLinger2ResetsInsteadOfFinWait2(t *testing.T) {
	d := established(t)
	d.c.SetLinger2(-1)
	d.close()
	d.want("FIN", "AF", 1, 1)
	if d.in("A", 1, 2); d.ev&EventClosed == 0 {
		t.Errorf("events %v", d.ev)
	}
	d.want("reset", "AR", 2, 1, win(0))
	d.state(StateClosed)

	d = established(t)
	d.c.SetLinger2(-1)
	d.closeWrite()
	d.want("FIN", "AF", 1, 1)
	d.in("A", 1, 2)
	d.state(StateFinWait2)
	d.close()
	d.want("reset", "AR", 2, 1, win(0))
	d.state(StateClosed)
}

// The bare ACK of the handshake is passed over until text comes.
func TestDeferAcceptWaitsForText(t *testing.T) {
	deferred := func(d *dialogue) { d.cfg.DeferAccept = 3 * time.Second }
	d := newDialogue(t, deferred)
	d.accept(mss(1000))
	d.want("SYN,ACK", "SA", 0, 1)
	d.in("A", 1, 1)
	d.state(StateSynReceived)
	d.idle("nothing")
	d.in("A", 1, 1, text("hello"))
	d.state(StateEstablished)
	if d.read(10) != "hello" {
		t.Error("not read")
	}

	d = newDialogue(t, deferred)
	d.accept(mss(1000))
	d.want("SYN,ACK", "SA", 0, 1)
	d.in("A", 1, 1)
	d.toTimer() // after 1 s
	d.idle("the SYN,ACK has arrived")
	d.toTimer() // after 3 s
	d.want("SYN,ACK", "SA", 0, 1)
	d.in("A", 1, 1)
	d.state(StateEstablished)
}
