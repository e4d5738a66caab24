package cache

// index is an open table with linear probing from tags to records. A tag is enough to find an entry's first slot, so
// that it can grow and close holes without looking at records.
type index struct {
	table []slot
	n     int
}

type slot struct {
	tag uint32
	ref ref
}

const leastIndex = 64

func (x *index) mask() uint32 { return uint32(len(x.table) - 1) }

// first returns where the search for a tag begins, and next where it goes on. It ends at a slot whose ref is zero.
func (x *index) first(tag uint32) int { return int(spread(tag) & x.mask()) }
func (x *index) next(i int) int       { return int((uint32(i) + 1) & x.mask()) }

// spread mixes a tag's bits: ghosts use the low ones as they are.
func spread(tag uint32) uint32 {
	tag *= 0x9e3779b1
	return tag ^ tag>>15
}

// find returns the slot of a record that is in the index.
func (x *index) find(tag uint32, r ref) int {
	i := x.first(tag)
	for x.table[i].ref != r {
		i = x.next(i)
	}
	return i
}

// add adds a record. The table is at most three quarters full.
func (x *index) add(tag uint32, r ref) {
	if (x.n+1)*4 > len(x.table)*3 {
		x.grow()
	}
	x.put(slot{tag, r})
	x.n++
}

func (x *index) put(e slot) {
	i := x.first(e.tag)
	for x.table[i].ref != 0 {
		i = x.next(i)
	}
	x.table[i] = e
}

func (x *index) grow() {
	old := x.table
	x.table = make([]slot, max(leastIndex, 2*len(old)))
	for _, e := range old {
		if e.ref != 0 {
			x.put(e)
		}
	}
}

// remove empties slot i and closes the hole: each of the entries that follow moves up if its search would
// otherwise end at the hole.
func (x *index) remove(i int) {
	x.n--
	hole := uint32(i)
	for j := uint32(x.next(i)); x.table[j].ref != 0; j = uint32(x.next(int(j))) {
		home := uint32(x.first(x.table[j].tag))
		if (j-home)&x.mask() >= (j-hole)&x.mask() {
			x.table[hole] = x.table[j]
			hole = j
		}
	}
	x.table[hole] = slot{}
}
