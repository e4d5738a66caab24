package tcp

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
)

const flightBase seq.Value = 0xffffc000 // the numbers wrap

// naive is one segment of the naive model, as a stack would keep it that had an object for each.
type naive struct {
	seq.Range
	at    clock.Time
	state sentState
}

// flightWorld holds a flight against the model, packet by packet.
type flightWorld struct {
	r    *rand.Rand
	f    *flight
	all  []naive
	now  clock.Time
	nxt  seq.Value
	una  seq.Value
	last clock.Time // sending time of the latest that has arrived (RACK.xmit_ts)
	end  seq.Value
}

const modelSize = 100

// send sends up to four whole segments and sometimes a smaller one.
func (w *flightWorld) send() {
	n := (1+w.r.IntN(4))*modelSize + w.r.IntN(3)/2*(1+w.r.IntN(modelSize-1))
	x := sent{Range: seq.Range{Start: w.nxt, End: w.nxt.Add(n)}, at: w.now, size: modelSize}
	w.f.send(x)
	for at := 0; at < n; at += modelSize {
		w.all = append(w.all, naive{seq.Range{Start: w.nxt.Add(at), End: w.nxt.Add(min(at+modelSize, n))}, w.now, 0})
	}
	w.nxt = w.nxt.Add(n)
}

// ack acknowledges whole packets.
func (w *flightWorld) ack() {
	if len(w.all) == 0 {
		return
	}
	k := w.r.IntN(min(len(w.all), 5) + 1)
	for _, p := range w.all[:k] {
		w.una = p.End
	}
	w.all = w.all[k:]
	w.f.drop(w.f.cut(w.una))
	w.f.hint, w.f.top = seq.Max(w.f.hint, w.una), seq.Max(w.f.top, w.una)
}

// sack reports any range; what it covers whole has arrived.
func (w *flightWorld) sack() {
	out := w.nxt.Sub(w.una)
	if out < 2 {
		return
	}
	from := w.una.Add(1 + w.r.IntN(out-1))
	b := seq.Range{Start: from, End: seq.Min(from.Add(1+w.r.IntN(600)), w.nxt)}
	c := Conn{ctr: new(Counters), set: new(Settings), active: &active{loss: lossState{out: w.f}}, rare: &nothing}
	c.snd.una, c.snd.nxt, c.snd.mss = w.una, w.nxt, modelSize
	n := news{now: w.now, low: w.nxt}
	c.sackRange(b, &n, false)
	total := tally{}
	for i := range w.all {
		p := &w.all[i]
		if p.state&stSacked != 0 || p.Start.Less(b.Start) || p.End.Greater(b.End) {
			continue
		}
		if sentAfter(p.at, p.End, w.last, w.end) {
			w.last, w.end = p.at, p.End
		}
		total.segments++
		total.octets += p.Len()
		switch {
		case p.state&stResent != 0 && p.state&stLost != 0:
			p.state &^= stLost | stResent
		case p.state&stResent == 0:
			p.state &^= stLost
		}
		p.state |= stSacked
	}
	if n.delivered != total {
		panic(fmt.Sprintf("%v delivered, want %v", n.delivered, total))
	}
}

// detect loses what was sent more than a while before the latest arrival.
func (w *flightWorld) detect() {
	wnd := time.Duration(w.r.IntN(4)) * time.Millisecond
	for i := range w.all {
		p := &w.all[i]
		if p.state&stSacked == 0 && !p.state.owed() && sentAfter(w.last, w.end, p.at, p.End) && p.at.Add(wnd) <= w.last {
			p.state = p.state&^stResent | stLost
		}
	}
	for i := range w.f.recs {
		r := &w.f.recs[i]
		if r.state&stSacked == 0 && !r.state.owed() && sentAfter(w.last, w.end, r.at, r.End) && r.at.Add(wnd) <= w.last {
			w.f.lose(i)
		}
	}
	w.f.tidy(0, len(w.f.recs))
}

// resend sends the next so many of what is owed again.
func (w *flightWorld) resend() {
	_, hole := w.f.nextOwed()
	first := -1
	for i := range w.all {
		if w.all[i].state.owed() {
			first = i
			break
		}
	}
	if (hole.Len() > 0) != (first >= 0) || first >= 0 && hole.Start != w.all[first].Start {
		panic(fmt.Sprintf("owed %v, want packet %d", hole, first))
	}
	if first < 0 {
		return
	}
	k, end := 1+w.r.IntN(3), hole.Start
	for i := first; i < len(w.all) && i < first+k && w.all[i].state.owed(); i++ {
		p := &w.all[i]
		p.state |= stResent | stEver
		p.at, end = w.now, p.End
		if p.Len() < modelSize {
			break // what follows would be cut anew
		}
	}
	w.f.resend(sent{Range: seq.Range{Start: hole.Start, End: end}, at: w.now, size: modelSize})
}

// compare holds records and packets against each other.
func (w *flightWorld) compare() error {
	if len(w.all) == 0 {
		return nil
	}
	if err := w.f.check(w.una, w.nxt); err != nil {
		return err
	}
	var out, sacked, lost, resent tally
	i := 0
	for _, p := range w.all {
		one := tally{1, p.Len()}
		for t, on := range map[*tally]bool{&out: true, &sacked: p.state&stSacked != 0, &lost: p.state&stLost != 0, &resent: p.state&stResent != 0} {
			if on {
				t.segments, t.octets = t.segments+one.segments, t.octets+one.octets
			}
		}
		for i < len(w.f.recs) && w.f.recs[i].End.LessEq(p.Start) {
			i++
		}
		r := &w.f.recs[i]
		if r.state != p.state || r.Start.Greater(p.Start) || r.End.Less(p.End) || p.state&stSacked == 0 && r.at != p.at {
			return fmt.Errorf("packet %v of %v in state %b lies in %+v", p.Range, p.at, p.state, *r)
		}
	}
	if out != w.f.out || sacked != w.f.sacked || lost != w.f.lost || resent != w.f.resent {
		return fmt.Errorf("tallies %v %v %v %v, want %v %v %v %v", w.f.out, w.f.sacked, w.f.lost, w.f.resent, out, sacked, lost, resent)
	}
	return nil
}

// The records of a flight say of each packet what a record of its own would.
func TestFlightAgainstOneRecordPerPacket(t *testing.T) {
	for seed := range seeds(400) {
		w := &flightWorld{r: rand.New(rand.NewPCG(seed, 5)), f: newFlight(flightBase), now: 1, nxt: flightBase, una: flightBase, end: flightBase}
		for step := range 150 {
			if w.r.IntN(3) == 0 {
				w.now = w.now.Add(time.Millisecond)
			}
			switch w.r.IntN(7) {
			case 0, 1:
				w.send()
			case 2:
				w.ack()
			case 3, 4:
				w.sack()
			case 5:
				w.detect()
			case 6:
				w.resend()
			}
			if err := w.compare(); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, step, err)
			}
		}
		w.f.release()
	}
}

// A window that left at one time is one record, however many segments it has.
func TestRecordsMerge(t *testing.T) {
	f := newFlight(0)
	for i := range 100 {
		f.send(sent{Range: seq.Range{Start: seq.Value(i * 6400), End: seq.Value(i*6400 + 6400)}, at: 5, size: 100})
	}
	if len(f.recs) != 1 || f.out != (tally{6400, 640000}) {
		t.Errorf("%d records, %v", len(f.recs), f.out)
	}
}

// A peer cannot make the records more than their bound, by whatever SACK.
func TestRecordsAreBounded(t *testing.T) {
	f := newFlight(0)
	f.send(sent{Range: seq.Range{Start: 0, End: 1 << 20}, at: 5, size: 100})
	for at := 100; at < 1<<20; at += 200 {
		if i, n := f.sackable(f.index(seq.Value(at)), seq.Range{Start: seq.Value(at), End: seq.Value(at + 100)}); n > 0 {
			f.set(i, stSacked)
		}
	}
	if len(f.recs) > maxSent+2 {
		t.Errorf("%d records", len(f.recs))
	}
}

// RFC 6675 §4, IsLost.
func TestLostBelow(t *testing.T) {
	for _, tc := range []struct {
		sacked []seq.Range
		want   seq.Value
	}{
		{nil, 0},
		{[]seq.Range{{Start: 1000, End: 3000}}, 0},                                                                         // two segments: not more than two
		{[]seq.Range{{Start: 1000, End: 4000}}, 1000},                                                                      // more
		{[]seq.Range{{Start: 200, End: 300}, {Start: 400, End: 500}}, 0},                                                   // two ranges
		{[]seq.Range{{Start: 200, End: 300}, {Start: 400, End: 500}, {Start: 600, End: 700}}, 200},                         // three
		{[]seq.Range{{Start: 200, End: 300}, {Start: 400, End: 500}, {Start: 600, End: 700}, {Start: 800, End: 900}}, 400}, // the upper three
		{[]seq.Range{{Start: 200, End: 300}, {Start: 3000, End: 4000}, {Start: 5000, End: 6100}}, 3000},                    // octets before ranges
	} {
		f := newFlight(0)
		f.send(sent{Range: seq.Range{Start: 0, End: 10000}, at: 5, size: 100})
		for _, b := range tc.sacked {
			i, _ := f.sackable(f.index(b.Start), b)
			f.set(i, stSacked)
		}
		if got := f.lostBelow(0, 1000, 3); got != tc.want {
			t.Errorf("%v: %d, want %d", tc.sacked, got, tc.want)
		}
	}
}
