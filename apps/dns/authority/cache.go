package authority

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/weirnet/weir/apps/dns/msg"
)

// answers is packed answers by question: a table of slots, each of which holds one. A question that falls on a
// taken slot for the second time in a row replaces what is there; so what is asked once does not push out what is
// asked often, and nothing is allocated for it.
type answers struct {
	slots  []slot
	octets atomic.Int64
	limit  int64
}

type slot struct {
	entry atomic.Pointer[entry]
	mark  atomic.Uint32 // of the question that fell here last without being answered from the slot
}

// entry is an answer as it goes out, but for id, the case of the question, RD, CD and the OPT record.
type entry struct {
	hash    uint64
	name    string // folded
	typ     msg.Type
	do      bool
	index   *index
	zone    *served
	version *version
	answer  []byte
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
	if len(c.slots) == 0 {
		return nil
	}
	e := c.slots[h&uint64(len(c.slots)-1)].entry.Load()
	if e == nil || e.hash != h || e.typ != q.Type || e.do != q.DO || e.name != string(q.Name()) || !e.good(ix) {
		return nil
	}
	return e.answer
}

// good reports whether the answer is of the zones as they are now.
func (e *entry) good(ix *index) bool { return e.index == ix && e.zone.current.Load() == e.version }

// wants reports whether the answer to a question that was not there should be kept.
func (c *answers) wants(h uint64) bool {
	if len(c.slots) == 0 {
		return false
	}
	s := &c.slots[h&uint64(len(c.slots)-1)]
	if s.entry.Load() == nil && c.octets.Load() < c.limit {
		return true
	}
	mark := uint32(h>>32) | 1
	if s.mark.Load() == mark {
		return true
	}
	s.mark.Store(mark)
	return false
}

// put keeps an answer, unless the cache has no room and the slot is free.
func (c *answers) put(e *entry) {
	s := &c.slots[e.hash&uint64(len(c.slots)-1)]
	old := s.entry.Load()
	grow := e.cost() - old.cost()
	if c.octets.Add(grow) > c.limit && grow > 0 || !s.entry.CompareAndSwap(old, e) {
		c.octets.Add(-grow)
	}
}

func (e *entry) cost() int64 {
	if e == nil {
		return 0
	}
	return int64(len(e.answer) + len(e.name) + entryCost)
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
