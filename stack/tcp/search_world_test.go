package tcp

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/seq"
)

const (
	maxOnWire = 10 // packets on the way in one direction: more is a storm, and a failure
	maxText   = 16
)

// packet is a segment on its way.
type packet struct {
	seg  Segment // without its payload
	text [maxText]byte
	n    int
}

// end is one of the two hosts of a world, with at most one connection.
type end struct {
	conn      Conn
	tw        TimeWait
	open      bool // conn is in the tables
	waiting   bool // tw is
	listening bool
	opened    uint8 // incarnations of conn
	pc        int   // the next call of the user
	wrote     uint8
	read      uint8
	eof       bool
	gone      bool // it gave up, or was told that the other did
	left      bool // it gave up, heard or unheard
	deaf      bool // its user has closed it, and reads no more
	was       bool // there was a connection once
	up        bool // and it was synchronized: a server's user has accepted it
	in        [maxOnWire]packet
	queued    int
}

// world is a scene at one moment.
type world struct {
	now    clock.Time
	faults int8
	fires  int8
	sc     *sharedScene
	ends   [2]end
}

// sharedScene is what all worlds of a search have in common.
type sharedScene struct {
	calls [2]string
	cfg   [2]Config
	pool  mem.Pool
	ctr   Counters
	buf   [2048]byte
}

func init() { shallow[reflect.TypeFor[sharedScene]()] = true }

func searchSettings(sc scene) Settings {
	set := DefaultSettings()
	set.Timestamps, set.WindowScale, set.SACK = false, false, sc.sack
	set.QuickAcks, set.InvalidAckInterval, set.ChallengeAckPerSecond = 0, 0, -1
	if !sc.slow {
		set.DelAckTimeout = 0
	}
	set.SynRetries, set.SynAckRetries, set.R1, set.Retries, set.OrphanRetries = 2, 2, 1, 3, 2
	set.MSL, set.FinWait2Timeout = time.Second, 3*time.Second
	return set
}

func (w *world) init(s *search) {
	sh := &sharedScene{}
	for i, calls := range []string{s.scene.a, s.scene.b} {
		sh.calls[i] = strings.ReplaceAll(calls, " ", "")
		sh.cfg[i] = Config{
			Settings: &s.sets, Counters: &sh.ctr, Pool: &sh.pool, ISS: seq.Value(1000 + i*0x7fff0000),
			MSS: 100, PathMSS: 100, MaxSegment: 100, RecvBuffer: 2000, SendBuffer: 2000,
		}
	}
	*w = world{now: clock.Time(time.Second), faults: int8(s.scene.faults), fires: int8(s.scene.fires), sc: sh}
}

type stepKind uint8

const (
	stepNone stepKind = iota
	stepCall
	stepDeliver
	stepLose
	stepDuplicate
	stepExpire
)

// step is one thing that may happen next.
type step struct {
	kind stepKind
	end  int // whose call, or to whom the packet goes
	at   int // the packet
}

// step returns the i-th step that the world may take, and false where there are no more. A step of no
// kind is one that is not possible just now.
func (w *world) step(i int) (step, bool) {
	if i < 2 {
		return w.call(i), true
	}
	if i == 2 {
		return w.expiry(), true
	}
	i -= 3
	end, i := i%2, i/2
	at, kind := i/3, [...]stepKind{stepDeliver, stepLose, stepDuplicate}[i%3]
	if at >= maxOnWire {
		return step{}, false
	}
	if at >= w.ends[end].queued {
		return step{}, true
	}
	if w.faults < cost(kind, at) {
		return step{}, true
	}
	return step{kind, end, at}, true
}

// cost is how many faults of the network a step is: overtaking is one, and so is
// a loss, and a duplicate.
func cost(kind stepKind, at int) int8 {
	n := int8(0)
	if kind != stepDeliver {
		n++
	}
	if at > 0 && kind != stepLose {
		n++
	}
	return n
}

// call returns the user's next call, where it is not one that waits.
func (w *world) call(i int) step {
	e := &w.ends[i]
	if e.pc == len(w.sc.calls[i]) {
		return step{}
	}
	switch w.sc.calls[i][e.pc] {
	case 'e':
		if !e.eof && !e.gone {
			return step{}
		}
	case 'c':
		if !e.gone && !e.up && !w.heard(i) {
			return step{}
		}
	}
	return step{kind: stepCall, end: i}
}

// heard lets an end that waits to be connected, and never opens, go on: once the other has tried.
func (w *world) heard(i int) bool {
	return !w.ends[i].open && !w.ends[i].listening && w.ends[1-i].was
}

// expiry returns the expiry of the earliest timer. While packets are under way it is a fault: the
// network has delayed them so long.
func (w *world) expiry() step {
	switch d := w.deadline(); {
	case d == clock.Never, w.fires == 0 && w.busy(), w.busy() && w.faults == 0:
		return step{}
	}
	return step{kind: stepExpire}
}

// busy reports whether something other than a timer may happen.
func (w *world) busy() bool { return w.ends[0].queued+w.ends[1].queued > 0 }

func (w *world) deadline() clock.Time {
	d := clock.Never
	for i := range w.ends {
		e := &w.ends[i]
		if e.open {
			d = min(d, e.conn.Deadline())
		}
		if e.waiting {
			d = min(d, e.tw.Deadline())
		}
	}
	return d
}

func (s step) describe(w *world) string {
	name := string(rune('a' + s.end))
	switch s.kind {
	case stepCall:
		return name + " calls " + string(w.sc.calls[s.end][w.ends[s.end].pc])
	case stepExpire:
		return fmt.Sprintf("the timer of %v from now expires", w.deadline().Sub(w.now))
	}
	p := &w.ends[s.end].in[s.at]
	return fmt.Sprintf("%s packet %d to %s: %s", [...]string{stepDeliver: "deliver", stepLose: "lose", stepDuplicate: "duplicate"}[s.kind], s.at, name, p)
}

func (p *packet) String() string {
	return fmt.Sprintf("%v seq %d ack %d %q", p.seg.Flags, uint32(p.seg.Seq), uint32(p.seg.Ack), p.text[:p.n])
}

// take makes the step.
func (w *world) take(s step) error {
	switch s.kind {
	case stepCall:
		return w.makeCall(s.end)
	case stepExpire:
		return w.expire()
	}
	w.faults -= cost(s.kind, s.at)
	e := &w.ends[s.end]
	p := e.in[s.at]
	if s.kind != stepDuplicate {
		copy(e.in[s.at:], e.in[s.at+1:e.queued])
		e.queued--
		e.in[e.queued] = packet{}
	}
	if s.kind == stepLose {
		return nil
	}
	return w.arrive(s.end, &p)
}

func (w *world) expire() error {
	if w.busy() {
		w.faults--
	}
	if w.fires > 0 {
		w.fires--
	}
	w.now = max(w.now, w.deadline())
	for i := range w.ends {
		e := &w.ends[i]
		if e.waiting && e.tw.Deadline().Reached(w.now) {
			e.waiting, e.tw = false, TimeWait{}
		}
		if e.open && e.conn.Deadline().Reached(w.now) {
			before := e.conn.State()
			e.conn.Expire(w.now)
			if err := w.after(i, before, "a timer"); err != nil {
				return err
			}
		}
	}
	return nil
}

// makeCall makes the next call of an end's user. On a connection that is no more it
// does nothing, as a call that fails does.
func (w *world) makeCall(i int) error {
	e := &w.ends[i]
	op := w.sc.calls[i][e.pc]
	e.pc++
	switch op {
	case 'C':
		e.open, e.was = true, true
		e.conn.Connect(w.now, &w.sc.cfg[i])
		e.conn.SetNoDelay(true)
		return w.after(i, StateClosed, "Connect")
	case 'L':
		e.listening = true
	case 'X', 'A', 'F':
		if op != 'F' {
			e.listening, e.deaf = false, true
		}
	}
	if !e.open {
		return nil
	}
	before := e.conn.State()
	if before == StateSynSent && op != 'w' {
		e.gone = true // nothing is delivered of what was written
	}
	switch op {
	case 'w':
		e.wrote += uint8(e.conn.Write(w.now, []byte{'a' + e.wrote, 'b' + e.wrote}))
	case 'F':
		e.conn.CloseWrite(w.now)
	case 'X':
		e.conn.Close(w.now)
	case 'A':
		e.conn.Abort(w.now)
		e.gone, e.left = true, true
	}
	return w.after(i, before, "the call "+string(op))
}

// arrive gives a packet to an end, as the driver does.
func (w *world) arrive(i int, p *packet) error {
	e := &w.ends[i]
	in, out := p.seg, Segment{}
	in.Payload = p.text[:p.n]
	switch {
	case e.open:
		before := e.conn.State()
		e.conn.Input(w.now, &in)
		return w.after(i, before, "a segment")
	case e.waiting:
		switch e.tw.Input(w.now, &in, &out) {
		case TimeWaitReply:
			return w.put(1-i, &out)
		case TimeWaitDead:
			e.waiting, e.tw = false, TimeWait{}
		}
	case e.listening:
		switch Listen(&in, &out) {
		case ListenReply:
			return w.put(1-i, &out)
		case ListenAccept:
			cfg := w.sc.cfg[i]
			cfg.ISS = cfg.ISS.Add(int(e.opened) << 20)
			e.opened++
			e.open, e.was = true, true
			e.conn = Conn{}
			e.conn.Accept(w.now, &cfg, &in)
			e.conn.SetNoDelay(true)
			return w.after(i, StateListen, "a SYN")
		}
	case Refuse(&in, &out):
		return w.put(1-i, &out)
	}
	return nil
}

// after lets an end send and read, and checks what became of it.
func (w *world) after(i int, before State, why string) error {
	e := &w.ends[i]
	c := &e.conn
	if err := legal(before, c.State()); err != nil {
		return fmt.Errorf("%c after %s: %w", 'a'+i, why, err)
	}
	e.up = e.up || c.State().Synchronized()
	if err := w.read(i); err != nil {
		return err
	}
	for n := 0; ; n++ {
		var s Segment
		before := c.State()
		if !c.Output(w.now, &s, w.sc.buf[:]) {
			break
		}
		if err := w.put(1-i, &s); err != nil {
			return err
		}
		if n > maxOnWire {
			return fmt.Errorf("%c sends without end", 'a'+i)
		}
		if err := legal(before, c.State()); err != nil {
			return fmt.Errorf("%c by sending: %w", 'a'+i, err)
		}
		if c.Spent(w.now) {
			if c.Output(w.now, &s, w.sc.buf[:]) {
				return fmt.Errorf("%c is spent, and sends", 'a'+i)
			}
			break
		}
	}
	if err := c.Check(); err != nil {
		return fmt.Errorf("%c after %s: %w", 'a'+i, why, err)
	}
	w.settle(i)
	return nil
}

// read takes all there is to read, and checks that it is what the other end wrote, in order.
func (w *world) read(i int) error {
	e, far := &w.ends[i], &w.ends[1-i]
	var p [maxText]byte
	n := e.conn.Read(w.now, p[:])
	for _, b := range p[:n] {
		if e.read >= far.wrote || b != 'a'+e.read {
			return fmt.Errorf("%c read %q after %d octets of %d", 'a'+i, p[:n], e.read, far.wrote)
		}
		e.read++
	}
	if e.conn.EOF() && !e.eof {
		e.eof = true
		if !far.gone && e.read != far.wrote {
			return fmt.Errorf("%c saw the end after %d octets of %d", 'a'+i, e.read, far.wrote)
		}
	}
	return nil
}

// settle moves a connection that has ended out of the way, as the driver does.
func (w *world) settle(i int) {
	e := &w.ends[i]
	switch e.conn.State() {
	case StateClosed:
		e.left = e.left || e.conn.Err() != nil
		e.gone = e.gone || e.conn.Err() != nil && (e.up || !e.listening)
	case StateTimeWait:
		e.tw, e.waiting = e.conn.TimeWait(), true
		e.eof = true
	default:
		return
	}
	e.conn.Release()
	e.conn, e.open = Conn{}, false
}

// put sends a segment to an end.
func (w *world) put(to int, s *Segment) error {
	e := &w.ends[to]
	if e.queued == maxOnWire {
		return fmt.Errorf("more than %d packets on the way to %c", maxOnWire, 'a'+to)
	}
	p := &e.in[e.queued]
	e.queued++
	p.n = copy(p.text[:], s.Payload)
	p.seg = *s
	p.seg.Payload, p.seg.Block = nil, nil
	return nil
}

// finished judges a world in which nothing more can happen.
func (w *world) finished() error {
	if w.deadline() != clock.Never {
		return nil // a timer is armed, beyond the scope
	}
	for i := range w.ends {
		e, far := &w.ends[i], &w.ends[1-i]
		switch {
		case far.left && !far.open:
			// Its reset was lost, or it gave up in SYN-RECEIVED without one: with no timer and
			// nothing to send e cannot know (RFC 9293 §3.5.1, half-open connections).
		case e.pc < len(w.sc.calls[i]) && w.sc.calls[i][e.pc] == 'c' && e.listening:
			// Nobody came, or came and went.
		case e.pc < len(w.sc.calls[i]):
			return fmt.Errorf("%c waits for ever in its call %c", 'a'+i, w.sc.calls[i][e.pc])
		case e.open:
			return fmt.Errorf("%c stays in %v with no timer", 'a'+i, e.conn.State())
		case !e.gone && !e.deaf && e.was && e.read != far.wrote:
			return fmt.Errorf("%c has read %d octets of %d", 'a'+i, e.read, far.wrote)
		}
	}
	return nil
}

func (w *world) String() string {
	var b strings.Builder
	for i := range w.ends {
		e := &w.ends[i]
		fmt.Fprintf(&b, "  %c: %v open=%v time-wait=%v wrote %d read %d eof=%v gone=%v err=%v\n",
			'a'+i, e.conn.State(), e.open, e.waiting, e.wrote, e.read, e.eof, e.gone, e.conn.Err())
		for p := range e.in[:e.queued] {
			fmt.Fprintf(&b, "     on its way: %s\n", &e.in[p])
		}
	}
	return b.String()
}

// edges are the edges of RFC 9293 §3.3.2's diagram (Figure 5), and those of §3.10's text that the
// diagram leaves out: any state may be aborted, reset or time out.
var edges = map[State][]State{
	StateClosed:      {StateSynSent},
	StateListen:      {StateSynReceived},
	StateSynSent:     {StateSynReceived, StateEstablished},
	StateSynReceived: {StateEstablished, StateFinWait1},
	StateEstablished: {StateFinWait1, StateCloseWait},
	StateFinWait1:    {StateFinWait2, StateClosing, StateTimeWait},
	StateFinWait2:    {StateTimeWait},
	StateClosing:     {StateTimeWait},
	StateCloseWait:   {StateLastAck},
	StateLastAck:     {},
	StateTimeWait:    {},
}

// legal returns an error where the diagram has no way from one state to the other. One segment may
// go along several edges: an ACK that ends the handshake and a FIN with it.
func legal(from, to State) error {
	if from == to || to == StateClosed {
		return nil
	}
	reached := []State{from}
	for range 3 {
		for _, s := range slices.Clone(reached) {
			reached = append(reached, edges[s]...)
		}
	}
	if !slices.Contains(reached, to) {
		return fmt.Errorf("from %v to %v, which RFC 9293 does not know", from, to)
	}
	return nil
}
