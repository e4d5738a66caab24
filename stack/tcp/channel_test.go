package tcp

import (
	"bytes"
	"container/heap"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/tcp/cc"
	"github.com/weirnet/weir/stack/wire"
)

// channel joins two connections by a network that loses, reorders and duplicates, in
// virtual time. Everything follows from the seed.
type channel struct {
	rng       *rand.Rand
	now       clock.Time
	pool      mem.Pool
	ctr       Counters
	ends      [2]*chanEnd
	inFlight  deliveries
	serial    int
	delay     time.Duration
	jitter    time.Duration
	loss      float64
	reorder   float64
	duplicate float64
	mark      float64 // of what may be marked, with CE
	cut       bool    // super-segments are cut on the way
	steps     int
	buf       []byte
	log       func(format string, args ...any)
}

type chanEnd struct {
	c        Conn
	set      Settings
	cfg      Config
	name     string
	toSend   []byte
	sent     int
	got      []byte
	fin      bool // CloseWrite has been called
	eof      bool // the peer's end of stream has been seen
	closed   bool // Close has been called
	readMax  int
	readEach time.Duration // 0 reads at once
	nextRead clock.Time
	edge     seq.Value // the right edge that the peer has seen
	edgeSeen bool
}

type delivery struct {
	at     clock.Time
	serial int
	to     int
	seg    Segment
}

type deliveries []delivery

func (d deliveries) Len() int { return len(d) }
func (d deliveries) Less(i, j int) bool {
	if d[i].at != d[j].at {
		return d[i].at < d[j].at
	}
	return d[i].serial < d[j].serial
}
func (d deliveries) Swap(i, j int) { d[i], d[j] = d[j], d[i] }
func (d *deliveries) Push(x any)   { *d = append(*d, x.(delivery)) }
func (d *deliveries) Pop() any {
	old := *d
	x := old[len(old)-1]
	*d = old[:len(old)-1]
	return x
}

func newChannel(seed uint64) *channel {
	ch := &channel{rng: rand.New(rand.NewPCG(seed, 7)), log: func(string, ...any) {}}
	for i := range ch.ends {
		set := DefaultSettings()
		ch.ends[i] = &chanEnd{set: set, name: string(rune('A' + i)), readMax: 1 << 20}
		e := ch.ends[i]
		e.cfg = Config{
			Settings: &e.set, Counters: &ch.ctr, Pool: &ch.pool,
			ISS: seq.Value(ch.rng.Uint32()), TSOffset: ch.rng.Uint32(),
			MSS: 1460, PathMSS: 1460, MaxSegment: 1460, RecvBuffer: 256 << 10, SendBuffer: 256 << 10,
		}
	}
	return ch
}

// vary draws what the seed decides about each end.
func (ch *channel) vary() {
	r := ch.rng
	for _, e := range ch.ends {
		e.set, _ = ProfileSettings(ProfileNames()[r.IntN(len(ProfileNames()))])
		e.cfg.MSS = []int{1460, 536, 1220, 100}[r.IntN(4)]
		e.cfg.PathMSS = e.cfg.MSS
		e.cfg.MaxSegment = e.cfg.MSS * (1 + r.IntN(20))
		e.cfg.RecvBuffer = 1 << (10 + r.IntN(9))
		e.cfg.SendBuffer = 1 << (10 + r.IntN(9))
		e.set.Timestamps = r.IntN(3) > 0
		e.set.SACK = r.IntN(3) > 0
		e.set.WindowScale = r.IntN(4) > 0
		e.set.ProbeBehindWindow = r.IntN(2) == 0
		ch.varyRecovery(e)
		e.c.SetNoDelay(r.IntN(2) == 0)
		if r.IntN(3) == 0 {
			e.readEach = time.Duration(1+r.IntN(400)) * time.Millisecond
			e.readMax = e.cfg.RecvBuffer/16 + r.IntN(e.cfg.RecvBuffer)
		}
	}
	ch.delay = time.Duration(1+r.IntN(40)) * time.Millisecond
	ch.jitter = time.Duration(r.IntN(5)) * time.Millisecond
	ch.cut = r.IntN(2) == 0
}

// varyRecovery draws how an end recovers from losses.
func (ch *channel) varyRecovery(e *chanEnd) {
	r := ch.rng
	on := func() bool { return r.IntN(3) > 0 }
	e.set.CC = cc.Kind(r.IntN(2))
	e.set.RACK, e.set.TLP, e.set.PRR, e.set.FRTO, e.set.DSACK = on(), on(), on(), on(), on()
	e.set.CwndInSegments, e.set.RACKMinRTT, e.set.RTO.EachAck = on(), on(), on()
	e.set.HyStart = cc.HyStart(r.IntN(3))
	e.set.ECN = ECN(r.IntN(3))
	e.set.RecoverByHoles, e.set.PipeBySACK, e.set.TimeOneSegment = on(), on(), on()
	e.set.SlowStartAtThreshold, e.set.ECNEveryPacket, e.set.CWRAnywhere = on(), on(), on()
}

// transmit puts a segment on its way, or loses it.
func (ch *channel) transmit(from int, s *Segment) {
	if ch.cut && s.SegmentSize > 0 && len(s.Payload) > s.SegmentSize {
		for off := 0; off < len(s.Payload); off += s.SegmentSize {
			p := *s
			end := min(off+s.SegmentSize, len(s.Payload))
			p.Payload, p.Seq, p.SegmentSize = s.Payload[off:end], s.Seq.Add(off), 0
			if end < len(s.Payload) {
				p.Flags &^= wire.FlagFIN | wire.FlagPSH
			}
			ch.impair(from, &p)
		}
		return
	}
	ch.impair(from, s)
}

func (ch *channel) impair(from int, s *Segment) {
	if ch.rng.Float64() < ch.loss {
		ch.log("%12v %s   lost %s", time.Duration(ch.now), ch.ends[from].name, ch.show(from, s))
		return
	}
	n := 1
	if ch.rng.Float64() < ch.duplicate {
		n = 2
	}
	for range n {
		at := ch.now.Add(ch.delay)
		if ch.jitter > 0 {
			at = at.Add(time.Duration(ch.rng.Int64N(int64(ch.jitter))))
		}
		if ch.rng.Float64() < ch.reorder {
			at = at.Add(time.Duration(ch.rng.Int64N(int64(ch.delay) + 1)))
		}
		seg := *s
		if seg.ECN != NotECT && ch.rng.Float64() < ch.mark {
			seg.ECN = CE
		}
		seg.Payload = bytes.Clone(s.Payload)
		ch.serial++
		heap.Push(&ch.inFlight, delivery{at, ch.serial, 1 - from, seg})
	}
}

func (ch *channel) show(from int, s *Segment) string {
	me, peer := ch.ends[from], ch.ends[1-from]
	out := fmt.Sprintf("%v seq %d ack %d len %d win %d", s.Flags, s.Seq.Sub(me.cfg.ISS), s.Ack.Sub(peer.cfg.ISS), len(s.Payload), s.Window)
	for _, b := range s.Options.SACK[:s.Options.NumSACK] {
		out += fmt.Sprintf(" sack %d-%d", seq.Value(b.Left).Sub(peer.cfg.ISS), seq.Value(b.Right).Sub(peer.cfg.ISS))
	}
	return out
}

// run lets an end's application work and sends everything there is to send.
func (ch *channel) run(i int) error {
	e := ch.ends[i]
	for {
		did := ch.work(e)
		var s Segment
		if ch.buf == nil {
			ch.buf = make([]byte, 64<<10)
		}
		spent := false
		for n := 0; e.c.Output(ch.now, &s, ch.buf); n++ {
			if did = true; spent {
				return fmt.Errorf("%s is spent, and sends %s", e.name, ch.show(i, &s))
			}
			if n > 10000 {
				return fmt.Errorf("%s sends without end: %s", e.name, ch.show(i, &s))
			}
			ch.log("%12v %s -> %s", time.Duration(ch.now), e.name, ch.show(i, &s))
			if err := ch.checkEdge(e, &s); err != nil {
				return err
			}
			ch.transmit(i, &s)
			if err := e.c.Check(); err != nil {
				return fmt.Errorf("%s after Output of %s: %w", e.name, ch.show(i, &s), err)
			}
			spent = e.c.Spent(ch.now)
		}
		if err := e.c.Check(); err != nil {
			return fmt.Errorf("%s with Output silent: %w", e.name, err)
		}
		if !did {
			if e.c.Park(); e.c.Check() != nil {
				return fmt.Errorf("%s after Park: %w", e.name, e.c.Check())
			}
			return nil
		}
	}
}

// checkEdge: the right edge of the window never moves left (RFC 9293 §3.8.6, SHLD-14), but
// for what rounding to the scale takes.
func (ch *channel) checkEdge(e *chanEnd, s *Segment) error {
	if !s.has(wire.FlagACK) || s.has(wire.FlagRST) {
		return nil
	}
	shift := e.c.rcv.shift
	if s.has(wire.FlagSYN) {
		shift = 0
	}
	edge := s.Ack.Add(int(s.Window) << shift)
	if e.edgeSeen && edge.Add(1<<shift-1).Less(e.edge) {
		return fmt.Errorf("%s moves the right edge %d to the left", e.name, e.edge.Sub(edge))
	}
	if !e.edgeSeen || edge.Greater(e.edge) {
		e.edge, e.edgeSeen = edge, true
	}
	return nil
}

// work writes, reads and closes, and reports whether it did anything.
func (ch *channel) work(e *chanEnd) bool {
	did := false
	if e.sent < len(e.toSend) {
		n := e.c.Write(ch.now, e.toSend[e.sent:min(len(e.toSend), e.sent+1+ch.rng.IntN(100000))])
		e.sent += n
		did = n > 0
	}
	if e.sent == len(e.toSend) && !e.fin && e.c.State().Synchronized() {
		e.fin, did = true, true
		e.c.CloseWrite(ch.now)
	}
	if e.c.Readable() > 0 && (e.readEach == 0 || e.nextRead <= ch.now) {
		buf := make([]byte, min(e.readMax, e.c.Readable()))
		n := e.c.Read(ch.now, buf)
		e.got = append(e.got, buf[:n]...)
		e.nextRead = ch.now.Add(e.readEach)
		did = did || n > 0
	}
	if e.c.EOF() && !e.eof {
		e.eof = true
	}
	if e.eof && e.fin && !e.closed {
		e.closed, did = true, true
		e.c.Close(ch.now)
	}
	return did
}

// step moves time on to what happens next and lets it happen. It reports false when
// nothing will.
func (ch *channel) step() (bool, error) {
	next := clock.Never
	if len(ch.inFlight) > 0 {
		next = ch.inFlight[0].at
	}
	for _, e := range ch.ends {
		next = min(next, e.c.Deadline())
		if e.readEach > 0 && e.c.Readable() > 0 {
			next = min(next, max(e.nextRead, ch.now))
		}
	}
	if next == clock.Never {
		return false, nil
	}
	ch.now = max(ch.now, next)
	ch.steps++
	for i, e := range ch.ends {
		if e.c.Deadline().Reached(ch.now) {
			ch.log("%12v %s    timer", time.Duration(ch.now), e.name)
			e.c.Expire(ch.now)
		}
		if err := e.c.Check(); err != nil {
			return false, fmt.Errorf("%s after Expire: %w", e.name, err)
		}
		for len(ch.inFlight) > 0 && ch.inFlight[0].at <= ch.now {
			d := heap.Pop(&ch.inFlight).(delivery)
			to := ch.ends[d.to]
			ch.log("%12v %s <- %s", time.Duration(ch.now), to.name, ch.show(1-d.to, &d.seg))
			to.c.Input(ch.now, &d.seg)
			if err := to.c.Check(); err != nil {
				return false, fmt.Errorf("%s after Input of %s: %w", to.name, ch.show(1-d.to, &d.seg), err)
			}
		}
		_ = i
	}
	for i := range ch.ends {
		if err := ch.run(i); err != nil {
			return false, err
		}
	}
	return true, nil
}

// open begins: A connects, and B accepts A's first SYN, or connects at the same time.
func (ch *channel) open(simultaneous bool) error {
	a, b := ch.ends[0], ch.ends[1]
	a.c.Connect(0, &a.cfg)
	if simultaneous {
		b.c.Connect(0, &b.cfg)
	} else {
		var syn Segment
		a.c.Output(0, &syn, nil)
		b.c.Accept(0, &b.cfg, &syn)
	}
	for i := range ch.ends {
		if err := ch.run(i); err != nil {
			return err
		}
	}
	return nil
}

// finish runs until both ends have gone, and checks what came of it.
func (ch *channel) finish(limit time.Duration) error {
	for {
		more, err := ch.step()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if ch.now > clock.Time(limit) {
			return fmt.Errorf("not done after %v: A %+v, B %+v", limit, ch.ends[0].c.Info(), ch.ends[1].c.Info())
		}
	}
	for i, e := range ch.ends {
		peer := ch.ends[1-i]
		if !bytes.Equal(e.got, peer.toSend) {
			return fmt.Errorf("%s got %d octets of %d, or not the same: %+v (%v); peer %+v", e.name, len(e.got), len(peer.toSend), e.c.Info(), e.c.Err(), peer.c.Info())
		}
		if e.c.State() != StateClosed || e.c.Err() != nil {
			return fmt.Errorf("%s ended in %v with %v", e.name, e.c.State(), e.c.Err())
		}
		e.c.Release()
	}
	if n := ch.pool.Outstanding(); n != 0 {
		return fmt.Errorf("%d blocks were not given back", n)
	}
	return nil
}

func fillRandom(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

var seedCount = flag.Uint64("seeds", 0, "how many seeds each randomized test tries; 0 is its own number")

// seeds is how many seeds a test tries: n, or fewer with -short, or what -seeds says.
func seeds(n uint64) uint64 {
	switch {
	case *seedCount > 0:
		return *seedCount
	case testing.Short():
		return n / 5
	}
	return n
}

// TestBytesArriveWholeOverALossyChannel sends both ways at once over networks of all kinds.
func TestBytesArriveWholeOverALossyChannel(t *testing.T) {
	for seed := range seeds(300) {
		if err := lossyRun(seed, func(string, ...any) {}); err != nil {
			t.Errorf("seed %d: %v", seed, err)
			if testing.Verbose() {
				_ = lossyRun(seed, t.Logf)
			}
			return
		}
	}
}

func lossyRun(seed uint64, log func(string, ...any)) error {
	ch := newChannel(seed)
	ch.log = log
	ch.vary()
	ch.loss = []float64{0, 0.005, 0.02, 0.1}[ch.rng.IntN(4)]
	ch.reorder = []float64{0, 0.02, 0.2}[ch.rng.IntN(3)]
	ch.duplicate = []float64{0, 0.01, 0.1}[ch.rng.IntN(3)]
	ch.mark = []float64{0, 0.02, 0.2, 1}[ch.rng.IntN(4)]
	for _, e := range ch.ends {
		e.toSend = fillRandom(ch.rng, ch.rng.IntN(1<<(6+ch.rng.IntN(12))))
		e.c.SetNoDelay(ch.rng.IntN(2) == 0)
	}
	if err := ch.open(ch.rng.IntN(4) == 0); err != nil {
		return err
	}
	return ch.finish(2 * time.Hour)
}
