package tcp

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/wire"
)

func TestHalfOpenIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(HalfOpen{}); n > 112 {
		t.Errorf("a half-open connection is %d octets", n)
	}
}

// FuzzHalfOpen lets a byte string play the peer and the clock while a connection is in SYN-RECEIVED.
// One that becomes a record and a connection again after each step does and remembers the
// same as one that stays a connection.
func FuzzHalfOpen(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(fillRandom(rand.New(rand.NewPCG(seed, 3)), 60))
	}
	f.Add([]byte("B000000z000021201701\x13202001000007022100"))      // old text in a SYN, to Linux's profile
	f.Add([]byte("00000000000020200170000702212100000701\x1320200")) // text from before the SYN, not answered
	f.Fuzz(func(t *testing.T, script []byte) { playHalfOpen(t, script) })
}

func TestHalfOpenDoesAsTheConnectionDoes(t *testing.T) {
	ends := map[State]int{}
	for seed := range seeds(3000) {
		ends[playHalfOpen(t, fillRandom(rand.New(rand.NewPCG(seed, 4)), 100))]++
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if ends[StateEstablished] == 0 || ends[StateCloseWait] == 0 || ends[StateClosed] == 0 {
		t.Errorf("ends %v", ends)
	}
}

// half is one of the two connections with what it counts.
type half struct {
	c   Conn
	ctr Counters
	cfg Config
}

func playHalfOpen(t *testing.T, script []byte) State {
	p := &player{script: script, t: t, now: clock.Time(time.Second)}
	bits := p.next(256)
	p.set, _ = ProfileSettings(profileNames[bits>>6%3])
	p.set.SACK, p.set.Timestamps, p.set.WindowScale = bits&1 == 0, bits&2 == 0, bits&4 == 0
	p.set.TolerateNoTimestamp, p.set.AnnouncePathMTU = bits&8 != 0, bits&16 != 0
	p.set.ECN, p.set.ECNEveryPacket = ECN(p.next(3)), p.next(2) == 0
	p.set.InsecureSyn, p.set.InsecureReset = p.next(4) == 1, p.next(4) == 1
	if p.next(4) == 1 {
		p.set.UserTimeout = 3 * time.Second
	}
	cfg := Config{
		Settings: &p.set, Pool: &p.pool, ISS: 0xfffffff0, TSOffset: 77, MSS: 1460, PathMSS: 500 + p.next(2)*960,
		MaxSegment: 2000, RecvBuffer: 1 << (10 + p.next(10)), SendBuffer: fuzzBuffer, RecvBufferFixed: p.next(2) == 0,
	}
	if p.set.AnnouncePathMTU {
		cfg.MSS = min(cfg.MSS, cfg.PathMSS)
	}
	if p.next(3) == 1 {
		cfg.DeferAccept = time.Duration(1+p.next(8)) * time.Second
	}
	s := p.halfSegment(1000)
	s.Seq, s.Flags, s.ECN = 1000, wire.FlagSYN|s.Flags&(wire.FlagFIN|ecnFlags), 0
	var whole, folded half
	for _, h := range [...]*half{&whole, &folded} {
		h.cfg = cfg
		h.cfg.Counters = &h.ctr
		h.c.Accept(p.now, &h.cfg, s)
	}
	p.same(&whole, &folded, "Accept", 0, 0)
	// Some counts of a record go as far as an octet does.
	for step := 0; step < 100 && len(p.script) > 0 && whole.c.IsHalfOpen(); step++ {
		var a, b Events
		what := ""
		switch p.next(8) {
		case 0:
			p.now = p.now.Add(time.Duration(p.next(256)) * 10 * time.Millisecond)
			a, b, what = whole.c.Expire(p.now), folded.c.Expire(p.now), "Expire"
		case 1, 2:
			if at := whole.c.Deadline(); at != clock.Never {
				p.now = max(p.now, at)
			}
			a, b, what = whole.c.Expire(p.now), folded.c.Expire(p.now), "Expire at the deadline"
		case 3:
			hard := p.next(2) == 0
			a, b, what = whole.c.OnICMP(p.now, hard, syscall.EHOSTUNREACH), folded.c.OnICMP(p.now, hard, syscall.EHOSTUNREACH), "OnICMP"
		default:
			s := p.halfSegment(1000)
			a, b, what = whole.c.Input(p.now, s), folded.c.Input(p.now, s), fmt.Sprintf("%+v", *s)
		}
		p.same(&whole, &folded, what, a, b)
	}
	end := whole.c.State()
	whole.c.Release()
	folded.c.Release()
	if n := p.pool.Outstanding(); n != 0 {
		t.Fatalf("%d blocks leaked", n)
	}
	return end
}

// halfSegment is a segment that a peer whose SYN was irs may have sent, or somebody else.
func (p *player) halfSegment(irs seq.Value) *Segment {
	s := &Segment{Seq: irs.Add(1), Ack: 0xfffffff1, Flags: wire.FlagACK, Window: uint16(p.next(256) * 256)}
	switch p.next(8) {
	case 0:
		s.Seq = irs
	case 1:
		s.Seq = irs.Add(p.next(256)*64 - 2000)
	}
	switch p.next(8) {
	case 0:
		s.Ack = s.Ack.Add(p.next(5) - 2)
	case 1:
		s.Ack = s.Ack.Add(p.next(256) * 1 << 24)
	}
	if p.next(3) == 0 {
		s.Flags = wire.TCPFlags(p.next(256))
	}
	switch p.next(4) {
	case 0:
		s.Payload = p.buf[:p.next(256)*8]
	case 1:
		s.ECN = uint8(p.next(4))
	}
	o := &s.Options
	if p.next(8) != 0 {
		o.HasTimestamps, o.TSVal, o.TSEcr = true, uint32(5+p.next(8)), tsClock(p.now)+77
	}
	if s.Flags&wire.FlagSYN != 0 || s.Seq == irs.Add(1) {
		o.MSS = uint16(p.next(3) * 700)
		o.SACKPermitted, o.HasWindowScale, o.WindowScale = p.next(2) == 0, p.next(2) == 0, uint8(p.next(20))
	}
	return s
}

// same drains both connections, compares what they send and what they are, and folds the one.
func (p *player) same(whole, folded *half, what string, a, b Events) {
	p.t.Helper()
	if a != b {
		p.t.Fatalf("%s: events %v and %v", what, a, b)
	}
	for {
		var x, y Segment
		more := whole.c.Output(p.now, &x, p.buf[:])
		if got := folded.c.Output(p.now, &y, p.buf[:]); got != more || !reflect.DeepEqual(x, y) {
			p.t.Fatalf("%s: the connection sends\n%v %+v\nthe record\n%v %+v", what, more, x, got, y)
		}
		if !more {
			break
		}
	}
	if folded.c.IsHalfOpen() {
		record := folded.c.HalfOpen()
		if record.Deadline() != whole.c.Deadline() {
			p.t.Fatalf("%s: deadline %v and %v", what, whole.c.Deadline(), record.Deadline())
		}
		folded.c = Conn{}
		record.Resume(&folded.c, &folded.cfg)
	}
	x, y := known(&whole.c), known(&folded.c)
	for name, v := range x {
		if y[name] != v {
			p.t.Fatalf("%s: in %v %s is %s, of the record %s", what, whole.c.State(), name, v, y[name])
		}
	}
	if err := folded.c.Check(); err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
	counts := func(h *half) (all string) {
		h.ctr.Each(func(name string, v uint64) { all += fmt.Sprintln(name, v) })
		return all
	}
	if x, y := counts(whole), counts(folded); x != y {
		p.t.Fatalf("%s: counted\n%s\nand\n%s", what, x, y)
	}
}

// forgotten is what a record does not keep: what only listings of connections that
// have an owner tell. Where the blocks of queues lie differs in any case.
const forgotten = " ctr stat.dataIn stat.dataHeardAt stat.ackHeardAt heardAt " +
	"active.recvQueue.q.one active.recvQueue.q.pieces active.ooo.pages "

// known returns everything that a connection is made of, by name.
func known(c *Conn) map[string]string {
	m := map[string]string{}
	var walk func(name string, v reflect.Value)
	walk = func(name string, v reflect.Value) {
		switch {
		case name != "" && strings.Contains(forgotten, " "+name+" "), v.Type() == reflect.TypeFor[*mem.Pool](), v.Type() == reflect.TypeFor[*Settings]():
		case v.Kind() == reflect.Struct:
			for i := range v.NumField() {
				walk(strings.TrimPrefix(name+"."+v.Type().Field(i).Name, "."), v.Field(i))
			}
		case v.Kind() == reflect.Pointer && !v.IsNil() && v.Elem().Kind() == reflect.Struct:
			walk(name, v.Elem())
		case v.Kind() == reflect.Interface:
			m[name] = fmt.Sprint(v.IsNil())
		default:
			m[name] = fmt.Sprintf("%v", v)
		}
	}
	walk("", reflect.ValueOf(c).Elem())
	if len(m) < 100 {
		panic("what a connection is made of is not looked at")
	}
	return m
}
