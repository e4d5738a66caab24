package tcp

import (
	"slices"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/seq"
)

// sentState is what has become of a range that was sent.
type sentState uint8

const (
	stSacked sentState = 1 << iota // reported by SACK
	stLost                         // deemed lost
	stResent                       // its retransmission is under way
	stEver                         // it was retransmitted at some time
	stFin                          // its last number is the FIN's
	stPush                         // a packet that ends with PSH
	stRecord                       // and with a record
)

// stEnd are the states of the end of a range.
const stEnd = stFin | stPush | stRecord

// owed is lost and not sent again yet.
func (s sentState) owed() bool { return s&(stLost|stResent) == stLost }

// sent is a range of the sequence space whose segments left at one time, are of one size, but
// for the last, and have met the same fate. It is as long as that holds: one record may
// stand for a whole window.
type sent struct {
	seq.Range
	at    clock.Time // when it was sent last; 0 once SACKed, when nothing asks for it
	then  snapshot   // for the delivery rate
	size  uint16
	state sentState
}

// snapshot is what was delivered when something was sent (draft-cheng-iccrg-delivery-rate-
// estimation §3.2, P.delivered, P.delivered_time, P.first_sent_time, P.is_app_limited).
type snapshot struct {
	at, first clock.Time
	delivered uint32
	limited   bool
}

// segments returns how many segments the range is. A FIN takes no room in one.
func (r *sent) segments() int {
	n := r.Len()
	if r.state&stFin != 0 && n > 1 {
		n--
	}
	return (n + int(r.size) - 1) / int(r.size)
}

// follows reports whether b can be counted with a as one record.
func (a *sent) follows(b *sent) bool {
	return a.End == b.Start && a.state == b.state && a.size == b.size && a.at == b.at &&
		a.then == b.then && a.state&stEnd == 0 && a.Len()%int(a.size) == 0
}

// tally counts segments, and octets with SYN and FIN.
type tally struct{ segments, octets int }

func (t *tally) add(r *sent, sign int) {
	t.segments += sign * r.segments()
	t.octets += sign * r.Len()
}

const (
	// maxSent bounds the records of a flight as far as the peer can make them more: a
	// SACK that would divide one beyond that is not heeded, and what is sent is
	// counted with what was sent last.
	maxSent = 1024
	// keepSent is the most records that a flight keeps room for while it is free.
	keepSent = 256
)

// flight is what lies between SND.UNA and SND.NXT: records in order and without gaps, and
// their tallies.
type flight struct {
	recs                             []sent
	out, sacked, lost, resent, owing tally
	hint                             seq.Value  // nothing before it is owed
	top                              seq.Value  // end of the highest range reported by SACK
	clock                            clock.Time // stamp of what was sent last, and where it ended
	last                             seq.Value
	apart                            bool // what left as one packet stays a record of its own
	before                           int  // outstanding before the ACK in hand, in the window's units; 0 outside of one
	known                            int  // and how much of that SACK had reported
	losses                           int  // segments ever deemed lost in it, for what is news of an ACK
	reno                             int  // without SACK: segments that duplicate ACKs say have arrived
	rack                             rackState
	usage                            usage
	first                            clock.Time // C.first_sent_time of the delivery rate
}

var flights mem.Slab[flight]

// newFlight returns an empty flight that begins at una.
func newFlight(una seq.Value) *flight {
	f := flights.Get()
	*f = flight{recs: f.recs[:0], hint: una, top: una}
	return f
}

// release gives the flight back.
func (f *flight) release() {
	if cap(f.recs) > keepSent {
		f.recs = nil
	}
	flights.Put(f)
}

// count adds a record to the tallies, or takes it away.
func (f *flight) count(r *sent, sign int) {
	f.out.add(r, sign)
	if r.state&stSacked != 0 {
		f.sacked.add(r, sign)
	}
	if r.state&stLost != 0 {
		f.lost.add(r, sign)
	}
	if r.state&stResent != 0 {
		f.resent.add(r, sign)
	}
	if r.state.owed() {
		f.owing.add(r, sign)
	}
}

// send appends what has been sent for the first time.
func (f *flight) send(r sent) {
	if n := len(f.recs); n > 0 {
		last := &f.recs[n-1]
		if !f.apart && last.follows(&r) || n >= 2*maxSent && last.state&^stEnd == r.state&^stEnd && last.state&stFin == 0 {
			f.count(last, -1)
			last.End, last.at, last.then, last.state = r.End, r.at, r.then, r.state
			f.count(last, 1)
			return
		}
		if last.End == r.Start && last.state == 0 && r.state == stFin && r.Len() == 1 {
			r.size = last.size
		}
	}
	f.recs = append(f.recs, r)
	f.count(&r, 1)
}

// index returns the record that v lies in, or the number of records where it lies in none.
func (f *flight) index(v seq.Value) int {
	i, _ := slices.BinarySearchFunc(f.recs, v, func(r sent, v seq.Value) int {
		if r.End.LessEq(v) {
			return -1
		}
		return 1
	})
	return i
}

// cut makes v a border between records and returns the record that begins there.
func (f *flight) cut(v seq.Value) int {
	i := f.index(v)
	if i == len(f.recs) || v.LessEq(f.recs[i].Start) {
		return i
	}
	r := f.recs[i]
	f.count(&r, -1)
	left, right := r, r
	left.End, right.Start = v, v
	left.state &^= stEnd
	f.recs[i] = left
	f.recs = slices.Insert(f.recs, i+1, right)
	f.count(&left, 1)
	f.count(&right, 1)
	return i + 1
}

// set changes the state of a record.
func (f *flight) set(i int, state sentState) {
	r := &f.recs[i]
	f.count(r, -1)
	r.state = state
	if state&stSacked != 0 {
		r.at, r.then = 0, snapshot{}
	}
	f.count(r, 1)
	if state.owed() && r.Start.Less(f.hint) {
		f.hint = r.Start
	}
}

// tidy joins the records from i to j with each other and their neighbours where they can be.
func (f *flight) tidy(i, j int) {
	i, j = max(i, 1), min(j+1, len(f.recs)-1)
	to := i - 1
	for k := i; k <= j; k++ {
		if a, b := &f.recs[to], &f.recs[k]; a.follows(b) && (!f.apart || a.state&stSacked != 0) {
			a.End, a.state = b.End, b.state
			continue
		}
		to++
		f.recs[to] = f.recs[k]
	}
	if to+1 <= j {
		f.recs = slices.Delete(f.recs, to+1, j+1)
	}
}

// drop forgets the first n records.
func (f *flight) drop(n int) {
	for i := range n {
		f.count(&f.recs[i], -1)
	}
	f.recs = slices.Delete(f.recs, 0, n)
}

// sackable returns which part of record i a SACK of [from, to) covers in whole segments, and
// makes it a record of its own; n is 0 where there is none. Less than a segment says
// nothing of how many packets have arrived.
func (f *flight) sackable(i int, b seq.Range) (at, n int) {
	r := f.recs[i]
	size := int(r.size)
	from, to := max(b.Start.Sub(r.Start), 0), min(b.End.Sub(r.Start), r.Len())
	from = (from + size - 1) / size * size
	if whole := r.Len(); to < whole {
		to = to / size * size
	}
	if from >= to {
		return i, 0
	}
	if (from > 0 || to < r.Len()) && len(f.recs) >= maxSent {
		return i, 0
	}
	if to < r.Len() {
		f.cut(r.Start.Add(to))
	}
	if from > 0 {
		i = f.cut(r.Start.Add(from))
	}
	return i, 1
}

// nextOwed returns the first range that is lost and not sent again; its records lie
// together, the first of them at i. It is empty where nothing is owed.
func (f *flight) nextOwed() (i int, r seq.Range) {
	if f.owing.octets == 0 {
		return 0, seq.Range{}
	}
	for i = f.index(f.hint); i < len(f.recs) && !f.recs[i].state.owed(); i++ {
	}
	if i == len(f.recs) {
		return 0, seq.Range{}
	}
	r = f.recs[i].Range
	f.hint = r.Start
	for j := i + 1; j < len(f.recs) && f.recs[j].state.owed(); j++ {
		r.End = f.recs[j].End
	}
	return i, r
}

// resend notes that the owed range [r.Start, r.End) has been sent again: it becomes one record.
func (f *flight) resend(r sent) {
	i := f.cut(r.Start)
	j := f.cut(r.End)
	r.state = stLost | stResent | stEver | f.recs[j-1].state&stEnd
	for k := i; k < j; k++ {
		r.state |= f.recs[k].state & stPush
		f.count(&f.recs[k], -1)
	}
	f.recs[i] = r
	f.recs = slices.Delete(f.recs, i+1, j)
	f.count(&r, 1)
	f.tidy(i, i)
	if f.hint == r.Start {
		f.hint = r.End
	}
}

// lose deems record i lost, and its retransmission too where that is under way.
func (f *flight) lose(i int) {
	if s := f.recs[i].state; s&stSacked == 0 && !s.owed() {
		f.losses += f.recs[i].segments()
		f.set(i, s&^stResent|stLost)
	}
}

// loseTo deems everything lost that is not SACKed and lies before v.
func (f *flight) loseTo(v seq.Value) {
	n := f.cut(v)
	for i := range n {
		if s := f.recs[i].state; s&(stSacked|stLost) == 0 {
			f.lose(i)
		}
	}
	f.tidy(0, n)
}

// find takes back that anything was lost.
func (f *flight) find() {
	for i := range f.recs {
		if s := f.recs[i].state; s&stLost != 0 {
			f.set(i, s&^stLost)
		}
	}
	f.tidy(0, len(f.recs))
}

// forgetSACK takes back what was reported by SACK (RFC 2018 §8).
func (f *flight) forgetSACK() {
	for i := range f.recs {
		if s := f.recs[i].state; s&stSacked != 0 {
			f.set(i, s&^stSacked)
		}
	}
}

// lostBelow is the function IsLost of RFC 6675 §4 for all sequence numbers at once: the
// number below which everything that is not SACKed is to be considered lost, since "either
// DupThresh discontiguous SACKed sequences have arrived above [it] or more than
// (DupThresh - 1) * SMSS bytes with sequence numbers greater than [it] have been SACKed".
// It returns una where nothing is.
func (f *flight) lostBelow(una seq.Value, smss, dupThresh int) seq.Value {
	octets, count, beyond := 0, 0, una.Add(-1)
	if f.sacked.octets == 0 {
		return una
	}
	for i := len(f.recs) - 1; i >= 0; i-- {
		r := &f.recs[i]
		if r.state&stSacked == 0 {
			continue
		}
		octets += r.Len()
		if r.End != beyond {
			count++
		}
		beyond = r.Start
		if count >= dupThresh || octets > (dupThresh-1)*smss {
			return r.Start
		}
	}
	return una
}

// stamp is the time at which something leaves that ends at end: later than what was sent before it, even
// where that was at the same instant, unless its sequence number says so (RFC 8985 §5.2: "some
// segments may have the same transmission time").
func (f *flight) stamp(now clock.Time, end seq.Value) clock.Time {
	if now <= f.clock {
		if now = f.clock; end.LessEq(f.last) {
			now++
		}
	}
	f.clock, f.last = now, end
	return now
}

// pushed reports whether the last packet of [from, to) has PSH, or one that was put together with it.
func (f *flight) pushed(from, to seq.Value) bool {
	for i := f.index(from); i < len(f.recs); i++ {
		r := &f.recs[i]
		end := r.End
		if r.state&stFin != 0 {
			end = end.Add(-1)
		}
		if end.Greater(to) {
			break
		}
		if r.state&stPush != 0 {
			return true
		}
	}
	return false
}

// packet is how much of what is owed from record i on goes as one segment or burst, where packets are
// kept: a record, filled up to a segment where it is shorter.
func (f *flight) packet(i, size int) int {
	n := f.recs[i].Len()
	for j := i + 1; j < len(f.recs) && n < size; j++ {
		more := f.recs[j].Len()
		if f.recs[j].state&stFin != 0 {
			more--
		}
		if f.recs[j-1].state&stRecord != 0 || !f.recs[j].state.owed() || n+more > size {
			break
		}
		n += f.recs[j].Len()
	}
	return n
}

// everResent reports whether a retransmission is under way, or the first segment was sent again.
func (f *flight) everResent() bool {
	return f.resent.octets > 0 || len(f.recs) > 0 && f.recs[0].state&stEver != 0
}
