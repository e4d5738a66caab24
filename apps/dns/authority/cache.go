package authority

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/weirnet/weir/apps/dns/msg"
)

// answers is packed answers by question: a table of slots, each of which holds one. A question may be in any slot of a set, which is
// one line of the processor's cache, so that the lines to wait for are that one, the entry, and the answer itself. Where its set is full
// a question that comes for the second time in a row replaces one; so what is asked once does not push out what is asked often, and nothing
// is allocated for it.
type answers struct {
	slots  []slot
	octets atomic.Int64
	limit  int64
}

// ways is how many slots a set has.
const ways = 4

type slot struct {
	entry atomic.Pointer[entry]
	tag   atomic.Uint32 // of the entry's hash; two that race may leave a wrong one, and the answer is then not found
	mark  atomic.Uint32 // of the question that fell here last without being answered from its set
}

// entry is an answer as it goes out, but for id, the case of the question, RD, CD and the OPT record. The folded name is in it.
type entry struct {
	hash    uint64
	answer  []byte
	index   *index
	zone    *served
	version *version
	typ     msg.Type
	do      bool
}

// entryCost is about what an entry takes beside its octets.
const entryCost = 128

// maxCached is the longest answer that is kept.
const maxCached = 4096

func newAnswers(slots int, octets int64) *answers {
	c := &answers{limit: octets}
	if slots > 0 {
		n := 1
		for n < slots && n < 1<<24 {
			n <<= 1
		}
		c.slots = make([]slot, n)
	}
	return c
}

// set returns the slots that an answer may be in.
func (c *answers) set(h uint64) []slot {
	if len(c.slots) <= ways {
		return c.slots
	}
	at := h & uint64(len(c.slots)-1) &^ (ways - 1)
	return c.slots[at : at+ways : at+ways]
}

// tagOf returns a part of the hash that is not in the set's place, and is never 0.
func tagOf(h uint64) uint32 { return uint32(h>>32) | 1 }

// victim returns the slot of a full set that an answer would take.
func victim(set []slot, h uint64) *slot { return &set[h>>60&uint64(len(set)-1)] }

// hash returns where an answer lies.
func (c *answers) hash(name []byte, t msg.Type, do bool) uint64 {
	h := maphash.Bytes(seed, name) ^ uint64(t)*0x9e3779b97f4a7c15
	if do {
		h = ^h
	}
	return h
}

// get returns the answer to a question, nil where it is not there or not of the zones as they are now.
func (c *answers) get(h uint64, q *msg.Query, ix *index) []byte {
	set, tag := c.set(h), tagOf(h)
	for i := range set {
		if set[i].tag.Load() != tag {
			continue
		}
		if e := set[i].entry.Load(); e != nil && e.hash == h && e.typ == q.Type && e.do == q.DO && e.good(ix) && e.asks(q.Name()) {
			return e.answer
		}
	}
	return nil
}

// asks reports whether the answer is to a question for that name. Where the octets of one name begin another they are the whole of it: the
// last is the root's.
func (e *entry) asks(name []byte) bool {
	end := 12 + len(name)
	return len(e.answer) >= end && string(e.answer[12:end]) == string(name)
}

// good reports whether the answer is of the zones as they are now.
func (e *entry) good(ix *index) bool { return e.index == ix && e.zone.current.Load() == e.version }

// wants reports whether the answer to a question that was not there should be kept.
func (c *answers) wants(h uint64) bool {
	set := c.set(h)
	if len(set) == 0 {
		return false
	}
	room := c.octets.Load() < c.limit
	for i := range set {
		if e := set[i].entry.Load(); e == nil && room || e != nil && e.hash == h { // which is old, or has a wrong tag
			return true
		}
	}
	s, mark := victim(set, h), tagOf(h)
	if s.mark.Load() == mark {
		return true
	}
	s.mark.Store(mark)
	return false
}

// put keeps an answer: in the place of one of the same hash, else in a free slot, else in that of another, unless the cache has no room
// for more.
func (c *answers) put(e *entry) {
	set := c.set(e.hash)
	s := victim(set, e.hash)
	room := c.octets.Load()+e.cost() <= c.limit
	for i := range set {
		switch have := set[i].entry.Load(); {
		case have == nil && room:
			s = &set[i]
		case have != nil && have.hash == e.hash:
			s, room = &set[i], false
		}
	}
	old := s.entry.Load()
	grow := e.cost() - old.cost()
	if c.octets.Add(grow) > c.limit && grow > 0 || !s.entry.CompareAndSwap(old, e) {
		c.octets.Add(-grow)
		return
	}
	s.tag.Store(tagOf(e.hash))
}

func (e *entry) cost() int64 {
	if e == nil {
		return 0
	}
	return int64(len(e.answer) + entryCost)
}

// sweep throws away the answers that are not good any more, so that they do not take room.
func (c *answers) sweep(ix *index) {
	for i := range c.slots {
		s := &c.slots[i]
		if e := s.entry.Load(); e != nil && !e.good(ix) && s.entry.CompareAndSwap(e, nil) {
			c.octets.Add(-e.cost())
		}
	}
}
