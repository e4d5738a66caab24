package tcp

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/wire"
)

// FuzzConn lets a byte string play the peer, the user and the clock. Whatever they do, the
// invariants hold, memory is bounded, Output comes to an end, and nothing leaks.
func FuzzConn(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(fillRandom(rand.New(rand.NewPCG(seed, 1)), 200))
	}
	f.Fuzz(func(t *testing.T, script []byte) { playScript(t, script) })
}

// TestRandomScriptsHoldTheInvariants runs what the fuzz target does with seeded strings.
func TestRandomScriptsHoldTheInvariants(t *testing.T) {
	for seed := range seeds(4000) {
		playScript(t, fillRandom(rand.New(rand.NewPCG(seed, 2)), 400))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// player reads decisions from a byte string; when it is used up they are all zero.
type player struct {
	script []byte
	t      *testing.T
	c      Conn
	now    clock.Time
	ctr    Counters
	pool   mem.Pool
	cfg    Config
	set    Settings
	buf    [4096]byte
}

func (p *player) next(n int) int {
	if len(p.script) == 0 {
		return 0
	}
	v := p.script[0]
	p.script = p.script[1:]
	return int(v) % n
}

const fuzzBuffer = 8192

func playScript(t *testing.T, script []byte) {
	p := &player{script: script, t: t, set: DefaultSettings(), now: clock.Time(time.Second)}
	bits := p.next(256)
	p.set, _ = ProfileSettings(profileNames[bits>>6%3])
	p.set.SACK, p.set.Timestamps, p.set.WindowScale = bits&1 != 0, bits&2 != 0, bits&4 != 0
	p.set.ProbeBehindWindow, p.set.TolerateNoTimestamp = bits&8 != 0, bits&16 != 0
	p.cfg = Config{
		Settings: &p.set, Counters: &p.ctr, Pool: &p.pool, ISS: 0xffffff00, MSS: 500, PathMSS: 500,
		MaxSegment: 2000, RecvBuffer: fuzzBuffer, SendBuffer: fuzzBuffer,
	}
	if bits&32 != 0 {
		p.c.Connect(p.now, &p.cfg)
	} else {
		syn := p.segment()
		syn.Flags = wire.FlagSYN
		p.c.Accept(p.now, &p.cfg, syn)
	}
	p.check("open")
	p.drain()
	if bits&192 != 0 { // most scripts begin in ESTABLISHED
		ack := p.segment()
		ack.Seq, ack.Ack, ack.Flags, ack.Payload = p.c.rcv.nxt, p.c.snd.nxt, wire.FlagACK, nil
		ack.Options.TSVal, ack.Options.NumSACK = p.c.ts.recent, 0
		if p.c.State() == StateSynSent {
			ack.Flags |= wire.FlagSYN
		}
		p.c.Input(p.now, ack)
		p.check("handshake")
	}
	for len(p.script) > 0 {
		p.act()
		if n := p.pool.InUse(); n > 3*(fuzzBuffer+64<<10) {
			t.Fatalf("%d octets in use", n)
		}
	}
	p.c.Release()
	p.c.Release()
	if n := p.pool.Outstanding(); n != 0 {
		t.Fatalf("%d blocks leaked", n)
	}
}

func (p *player) act() {
	switch p.next(16) {
	case 0, 7:
		p.c.Write(p.now, p.buf[:1+16*p.next(256)])
	case 1:
		p.c.Read(p.now, p.buf[:1+16*p.next(256)])
	case 2:
		p.user(p.next(12))
	case 3, 4:
		p.now = p.now.Add(time.Duration(p.next(256)) * 10 * time.Millisecond)
		p.c.Expire(p.now)
	case 5:
		if at := p.c.Deadline(); at != clock.Never {
			p.now = max(p.now, at)
			p.c.Expire(p.now)
			if d := p.c.Deadline(); d.Reached(p.now) {
				p.t.Fatalf("%v: Expire left a deadline of %v at %v", p.c.State(), d, p.now)
			}
		}
	case 6, 8:
		p.drain()
	default:
		p.c.Input(p.now, p.segment())
	}
	p.check("step")
}

func (p *player) user(what int) {
	switch what {
	case 0:
		if p.next(4) == 1 {
			p.c.CloseWrite(p.now)
		}
	case 1:
		if p.next(4) == 1 {
			p.c.CloseRead(p.now)
		}
	case 2:
		if p.next(4) == 1 {
			p.c.Close(p.now)
		}
	case 3:
		if p.next(16) == 1 {
			p.c.Abort(p.now)
		}
	case 4:
		p.c.SetPathMSS(p.now, 16*p.next(64))
	case 5:
		p.c.SetNoDelay(p.next(2) == 0)
	case 6:
		p.c.SetCork(p.next(2) == 0)
	case 7:
		p.c.SetKeepAlive(p.now, p.next(2) == 0, time.Second, time.Second, 2)
	case 8:
		p.c.SetBuffers(64*p.next(128), 64*p.next(128))
	case 9:
		p.c.OnICMP(p.now, p.next(2) == 0, syscall.EHOSTUNREACH)
	case 10:
		p.c.SetUserTimeout(p.now, time.Duration(p.next(8))*time.Second)
	case 11:
		p.c.WriteUrgent(p.now, p.buf[:1+p.next(100)])
	}
}

// segment makes a segment whose numbers lie near the edges that matter.
func (p *player) segment() *Segment {
	r, s := &p.c.rcv, &p.c.snd
	near := func(at ...seq.Value) seq.Value {
		v := at[p.next(len(at))]
		switch p.next(8) {
		case 0:
			return v.Add(p.next(5) - 2)
		case 1:
			return v.Add(100 * p.next(32))
		}
		return v
	}
	g := &Segment{
		Seq:    near(r.nxt, r.nxt, r.nxt, r.edge, r.irs),
		Ack:    near(s.una, s.una, s.una, s.nxt, s.una.Add(500), s.una.Add(500), s.nxt, s.iss),
		Window: uint16([...]int{0, 1, 400, 600, 2000, 9000, 65535}[p.next(7)]),
		Urgent: uint16(p.next(256)),
	}
	g.Flags = [...]wire.TCPFlags{
		wire.FlagACK, wire.FlagACK, wire.FlagACK, wire.FlagACK, wire.FlagACK, wire.FlagACK | wire.FlagFIN,
		wire.FlagPSH | wire.FlagACK, wire.FlagACK | wire.FlagURG,
	}[p.next(8)]
	if p.next(16) == 1 {
		g.Flags = [...]wire.TCPFlags{wire.FlagSYN | wire.FlagACK, wire.FlagSYN, wire.FlagRST, 0}[p.next(4)]
	}
	if p.next(64) == 1 {
		g.Flags = wire.TCPFlags(p.next(256))
	}
	if p.next(3) == 0 {
		g.Payload = p.buf[:8*p.next(256)]
		g.SegmentSize = 100 * p.next(3)
	}
	o := &g.Options
	o.MSS, o.SACKPermitted = uint16(8*p.next(256)), p.next(4) != 0
	o.HasWindowScale, o.WindowScale = p.next(4) != 0, uint8(p.next(20))
	o.HasTimestamps, o.TSVal, o.TSEcr = p.next(8) != 0, p.c.ts.recent+uint32(p.next(16))-1, p.c.ts.val(p.now)-uint32(p.next(8))
	o.NumSACK = max(0, p.next(8)-4)
	for i := range o.NumSACK {
		left := near(s.una, s.una.Add(500), s.nxt.Add(-500))
		o.SACK[i] = wire.SACKBlock{Left: uint32(left), Right: uint32(left.Add(100 * p.next(20)))}
	}
	return g
}

func (p *player) drain() {
	var s Segment
	for n := 0; p.c.Output(p.now, &s, p.buf[:]); n++ {
		if n > 1000 {
			p.t.Fatalf("%v: Output goes on without end", p.c.State())
		}
		p.check("Output")
	}
	p.check("Output is silent")
	if p.c.Park() {
		p.check("Park")
	}
}

func (p *player) check(after string) {
	if err := p.c.Check(); err != nil {
		p.t.Fatalf("after %s: %v", after, err)
	}
}
