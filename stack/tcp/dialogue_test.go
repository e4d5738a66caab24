package tcp

import (
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/tcp/cc"
	"github.com/weirnet/weir/stack/wire"
)

// dialogue is a connection that a test speaks with as the peer, in virtual time. Sequence
// numbers are relative: 0 is the SYN of each end, 1 its first octet. Every step checks the
// connection's invariants, and the end that every block was given back.
type dialogue struct {
	t    *testing.T
	c    Conn
	now  clock.Time
	set  Settings
	ctr  Counters
	pool mem.Pool
	cfg  Config
	iss  seq.Value
	irs  seq.Value
	buf  []byte
	got  Segment // what the last want found
	ev   Events
}

const peerWindow = 65535

// newDialogue begins with nothing open. By default there are no options but MSS, so that
// numbers are easy to read; ACKs are delayed from the first segment on. Losses are recovered from as
// RFC 5681, 6582 and 6675 have it, and nothing newer.
func newDialogue(t *testing.T, with ...func(*dialogue)) *dialogue {
	t.Helper()
	d := &dialogue{t: t, set: DefaultSettings(), iss: 0xfffffff0, irs: 0x7ffffff0, buf: make([]byte, 64<<10)}
	d.now = clock.Time(time.Second)
	d.set.Timestamps, d.set.SACK, d.set.WindowScale, d.set.QuickAcks = false, false, false, 0
	d.set.CC, d.set.RACK, d.set.TLP, d.set.PRR, d.set.FRTO, d.set.DSACK = cc.Reno, false, false, false, false, false
	d.cfg = Config{
		Settings: &d.set, Counters: &d.ctr, Pool: &d.pool, ISS: d.iss, TSOffset: 77,
		MSS: 1000, PathMSS: 1000, MaxSegment: 1000, RecvBuffer: 10000, SendBuffer: 100000,
	}
	for _, f := range with {
		f(d)
	}
	t.Cleanup(func() {
		d.c.Release()
		if n := d.pool.Outstanding(); n != 0 && !t.Failed() {
			t.Errorf("%d blocks were not given back", n)
		}
	})
	return d
}

// established has gone through a three-way handshake that the peer began. The peer announces
// an MSS of 1000 and a window of peerWindow.
func established(t *testing.T, with ...func(*dialogue)) *dialogue {
	t.Helper()
	d := newDialogue(t, with...)
	d.accept(mss(1000))
	d.want("SYN,ACK", "SA", 0, 1)
	d.in("A", 1, 1)
	d.state(StateEstablished)
	return d
}

// connected has gone through a handshake that this end began, for tests in which that matters.
func connected(t *testing.T, with ...func(*dialogue)) *dialogue {
	t.Helper()
	d := newDialogue(t, with...)
	d.connect()
	d.want("SYN", "S", 0, 0)
	d.in("SA", 0, 1, mss(1000))
	d.want("the handshake's ACK", "A", 1, 1)
	d.state(StateEstablished)
	return d
}

func (d *dialogue) connect() {
	d.c.Connect(d.now, &d.cfg)
	d.check("Connect")
}

func (d *dialogue) accept(more ...part) {
	d.t.Helper()
	s := d.segment("S", 0, 0, more)
	var reply Segment
	if v := Listen(s, &reply); v != ListenAccept {
		d.t.Fatalf("Listen says %v to a SYN", v)
	}
	d.ev = d.c.Accept(d.now, &d.cfg, s)
	d.check("Accept")
}

// part is something more about a segment than flags and numbers.
type part func(*dialogue, *Segment)

func text(p string) part  { return func(_ *dialogue, s *Segment) { s.Payload = []byte(p) } }
func octets(n int) part   { return text(strings.Repeat("x", n)) }
func win(n int) part      { return func(_ *dialogue, s *Segment) { s.Window = uint16(n) } }
func mss(n int) part      { return func(_ *dialogue, s *Segment) { s.Options.MSS = uint16(n) } }
func urg(n int) part      { return func(_ *dialogue, s *Segment) { s.Urgent = uint16(n) } }
func segments(n int) part { return func(_ *dialogue, s *Segment) { s.SegmentSize = n } }
func sackPermitted() part { return func(_ *dialogue, s *Segment) { s.Options.SACKPermitted = true } }
func wscale(n uint8) part {
	return func(_ *dialogue, s *Segment) { s.Options.HasWindowScale, s.Options.WindowScale = true, n }
}
func ts(val, ecr uint32) part {
	return func(_ *dialogue, s *Segment) {
		s.Options.HasTimestamps, s.Options.TSVal, s.Options.TSEcr = true, val, ecr
	}
}

// sack has blocks of our sequence numbers, two for each.
func sack(edges ...int) part {
	return func(d *dialogue, s *Segment) {
		for i := 0; i+1 < len(edges); i += 2 {
			s.Options.SACK[i/2] = wire.SACKBlock{Left: uint32(d.iss.Add(edges[i])), Right: uint32(d.iss.Add(edges[i+1]))}
			s.Options.NumSACK++
		}
	}
}

func parseFlags(s string) wire.TCPFlags {
	var f wire.TCPFlags
	for _, c := range s {
		f |= map[rune]wire.TCPFlags{
			'F': wire.FlagFIN, 'S': wire.FlagSYN, 'R': wire.FlagRST, 'P': wire.FlagPSH,
			'A': wire.FlagACK, 'U': wire.FlagURG, 'E': wire.FlagECE, 'W': wire.FlagCWR,
		}[c]
	}
	return f
}

func (d *dialogue) segment(flags string, sequence, ack int, more []part) *Segment {
	s := &Segment{Seq: d.irs.Add(sequence), Flags: parseFlags(flags), Window: peerWindow}
	if s.has(wire.FlagACK) {
		s.Ack = d.iss.Add(ack)
	}
	for _, p := range more {
		p(d, s)
	}
	return s
}

// in is a segment from the peer.
func (d *dialogue) in(flags string, sequence, ack int, more ...part) Events {
	d.t.Helper()
	d.ev = d.c.Input(d.now, d.segment(flags, sequence, ack, more))
	d.check("Input " + flags)
	return d.ev
}

func (d *dialogue) check(after string) {
	d.t.Helper()
	if err := d.c.Check(); err != nil {
		d.t.Fatalf("after %s: %v", after, err)
	}
}

// want takes the next segment and compares it; why says why it is due.
func (d *dialogue) want(why, flags string, sequence, ack int, more ...part) *Segment {
	d.t.Helper()
	var s Segment
	if !d.c.Output(d.now, &s, d.buf) {
		d.t.Fatalf("%s: nothing was sent, in %v", why, d.c.State())
	}
	d.check("Output")
	d.got = s
	d.got.Payload = append([]byte(nil), s.Payload...)
	w := Segment{Flags: parseFlags(flags), Window: s.Window}
	for _, p := range more {
		p(d, &w)
	}
	if w.ECN != s.ECN {
		d.t.Fatalf("%s: want the ECN field %d, got %d", why, w.ECN, s.ECN)
	}
	gotAck := 0
	if s.has(wire.FlagACK) {
		gotAck = s.Ack.Sub(d.irs)
	}
	if s.Flags != w.Flags || s.Seq.Sub(d.iss) != sequence || gotAck != ack || len(s.Payload) != len(w.Payload) || s.Window != w.Window || s.Urgent != w.Urgent {
		d.t.Fatalf("%s: want %v seq %d ack %d len %d win %d, got %v seq %d ack %d len %d win %d", why,
			w.Flags, sequence, ack, len(w.Payload), w.Window,
			s.Flags, s.Seq.Sub(d.iss), gotAck, len(s.Payload), s.Window)
	}
	return &d.got
}

// idle wants nothing to be sent.
func (d *dialogue) idle(why string) {
	d.t.Helper()
	var s Segment
	if d.c.Output(d.now, &s, d.buf) {
		d.t.Fatalf("%s: want nothing, got %v seq %d ack %d len %d", why, s.Flags, s.Seq.Sub(d.iss), s.Ack.Sub(d.irs), len(s.Payload))
	}
	d.check("Output")
	d.park()
}

// park gives up what an idle connection has no use for: nothing that a test sees may change by it.
func (d *dialogue) park() {
	d.t.Helper()
	if d.c.Park() {
		d.check("Park")
	}
}

// awake returns the connection with what Park may have given up.
func (d *dialogue) awake() *Conn {
	d.c.wake()
	return &d.c
}

// drain takes all there is to send and returns how many segments and octets that was.
func (d *dialogue) drain() (count, length int) {
	d.t.Helper()
	var s Segment
	for d.c.Output(d.now, &s, d.buf) {
		d.check("Output")
		d.got = s
		count++
		length += len(s.Payload)
		if count > 1000 {
			d.t.Fatal("Output goes on without end")
		}
	}
	d.check("Output")
	d.park()
	return count, length
}

// advance moves time on, and runs the timers that pass meanwhile.
func (d *dialogue) advance(by time.Duration) Events {
	d.t.Helper()
	end := d.now.Add(by)
	var ev Events
	for n := 0; ; n++ {
		at := d.c.Deadline()
		if at > end {
			break
		}
		d.now = max(d.now, at)
		ev |= d.c.Expire(d.now)
		d.check("Expire")
		if n > 1000 {
			d.t.Fatal("a timer fires without end")
		}
		if d.hasOutput() {
			break
		}
	}
	if !d.hasOutput() {
		d.now = end
	}
	d.ev = ev
	return ev
}

// hasOutput reports whether something was made due that a test should look at before time goes on.
func (d *dialogue) hasOutput() bool { return !d.c.settled && d.c.State() != StateClosed }

// toTimer moves time on to the next timer and runs it; it returns how long that took.
func (d *dialogue) toTimer() time.Duration {
	d.t.Helper()
	at := d.c.Deadline()
	if at == clock.Never {
		d.t.Fatalf("no timer is set, in %v", d.c.State())
	}
	took := max(at.Sub(d.now), 0)
	d.now = max(d.now, at)
	d.ev = d.c.Expire(d.now)
	d.check("Expire")
	return took
}

func (d *dialogue) state(want State) {
	d.t.Helper()
	if d.c.State() != want {
		d.t.Fatalf("want state %v, it is %v (%v)", want, d.c.State(), d.c.Err())
	}
}

func (d *dialogue) err(want error) {
	d.t.Helper()
	if d.c.Err() != want {
		d.t.Fatalf("want error %v, it is %v", want, d.c.Err())
	}
}

func (d *dialogue) events(want Events) {
	d.t.Helper()
	if d.ev != want {
		d.t.Fatalf("want events %v, got %v", want, d.ev)
	}
}

func (d *dialogue) write(n int) {
	d.t.Helper()
	for left := n; left > 0; {
		got := d.c.Write(d.now, []byte(strings.Repeat("d", left)))
		if left -= got; got == 0 {
			d.t.Fatalf("Write took %d of %d octets", n-left, n)
		}
		d.check("Write")
	}
}

func (d *dialogue) read(n int) string {
	d.t.Helper()
	b := make([]byte, n)
	got := d.c.Read(d.now, b)
	d.check("Read")
	return string(b[:got])
}

func (d *dialogue) closeWrite() { d.c.CloseWrite(d.now); d.check("CloseWrite") }
func (d *dialogue) close()      { d.c.Close(d.now); d.check("Close") }
func (d *dialogue) abort()      { d.c.Abort(d.now); d.check("Abort") }

func withTimestamps(d *dialogue) { d.set.Timestamps = true }
func withSACK(d *dialogue)       { d.set.SACK = true }
func withScale(d *dialogue)      { d.set.WindowScale = true }
