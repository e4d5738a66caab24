package zone

import (
	"slices"
	"strings"
)

// tree is an ordered set of nodes in pages. It is never changed; a new one shares
// with the old one the pages that are the same.
type tree struct {
	pages []page
	nodes int
	// So that a search need not look into every page: what the first keys of all pages but the first have in common,
	// and of each of them eight octets behind that.
	common string
	heads  []uint64
}

// place is where a node is, or where it would be.
type place struct {
	page, node int
}

// head returns the first eight octets of a key as a number, so that numbers compare as keys do.
func head(key string) uint64 {
	var h uint64
	for i := 0; i < 8; i++ {
		h <<= 8
		if i < len(key) {
			h |= uint64(key[i])
		}
	}
	return h
}

// find returns the place of the first node whose key is not less than key, and whether it is that key. The
// place after the last node is {len(pages), 0}.
func (t *tree) find(key string) (place, bool) {
	after := t.after(key)
	if after == 0 {
		return place{}, false
	}
	pg := t.pages[after-1]
	i, exact := pg.search(key)
	if i == pg.len() {
		return place{after, 0}, false
	}
	return place{after - 1, i}, exact
}

// after returns the first page that begins after key.
func (t *tree) after(key string) int {
	n := len(t.pages)
	if n == 0 || t.pages[0].key(0) > key {
		return 0
	}
	lo, hi := 1, n
	rest := ""
	switch c := t.common; {
	case strings.HasPrefix(key, c):
		rest = key[len(c):]
	case key < c:
		return 1
	default:
		return n
	}
	h := head(rest)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if g := t.heads[mid]; g < h || g == h && t.pages[mid].key(0) <= key {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// seal fills what a search uses.
func (t *tree) seal() {
	for i, pg := range t.pages {
		switch key := pg.key(0); {
		case i == 1:
			t.common = key
		case i > 1:
			n := 0
			for n < len(key) && n < len(t.common) && key[n] == t.common[n] {
				n++
			}
			t.common = t.common[:n]
		}
	}
	t.heads = make([]uint64, len(t.pages))
	for i, pg := range t.pages {
		if i > 0 {
			t.heads[i] = head(pg.key(0)[len(t.common):])
		}
	}
}

// get returns the node with that key.
func (t *tree) get(key string) (node, bool) {
	at, ok := t.find(key)
	if !ok {
		return node{}, false
	}
	return t.node(at), true
}

func (t *tree) valid(at place) bool { return at.page < len(t.pages) }

func (t *tree) node(at place) node { return t.pages[at.page].node(at.node) }

func (t *tree) key(at place) string { return t.pages[at.page].key(at.node) }

func (t *tree) next(at place) place {
	if at.node++; at.node == t.pages[at.page].len() {
		at = place{at.page + 1, 0}
	}
	return at
}

// before returns the place in front of at, and whether there is one.
func (t *tree) before(at place) (place, bool) {
	if at.node > 0 {
		return place{at.page, at.node - 1}, true
	}
	if at.page == 0 {
		return at, false
	}
	return place{at.page - 1, t.pages[at.page-1].len() - 1}, true
}

// each calls f with all nodes in order until f says false.
func (t *tree) each(f func(node) bool) {
	for _, pg := range t.pages {
		for i, n := 0, pg.len(); i < n; i++ {
			if !f(pg.node(i)) {
				return
			}
		}
	}
}

// octets returns the memory that the tree takes.
func (t *tree) octets() (n int) {
	for _, pg := range t.pages {
		n += len(pg)
	}
	return n + len(t.pages)*(16+8)
}

// below reports whether a key is that of a name at or below the one of an ancestor.
func below(key, ancestor string) bool { return strings.HasPrefix(key, ancestor) }

// writer makes pages of nodes that come in order.
type writer struct {
	t     tree
	nodes []byte // of the page being made
	offs  []int
	buf   []byte
}

// add appends a node that has been encoded by appendNode.
func (w *writer) add(encoded []byte) {
	if len(w.offs) > 0 && 2+2*len(w.offs)+2+len(w.nodes)+len(encoded) > pageSize {
		w.flush()
	}
	w.offs = append(w.offs, len(w.nodes))
	w.nodes = append(w.nodes, encoded...)
	w.t.nodes++
}

// flush ends the page being made.
func (w *writer) flush() {
	if len(w.offs) == 0 {
		return
	}
	n := len(w.offs)
	b := append(w.buf[:0], byte(n>>8), byte(n))
	for _, o := range w.offs {
		o += 2 + 2*n
		b = append(b, byte(o>>8), byte(o))
	}
	b = append(b, w.nodes...)
	w.buf = b
	w.page(page(b))
	w.nodes, w.offs = w.nodes[:0], w.offs[:0]
}

// page appends a finished page, after flush.
func (w *writer) page(pg page) {
	w.t.pages = append(w.t.pages, pg)
}

// tree returns the tree of what was added.
func (w *writer) tree() tree {
	w.flush()
	w.t.pages = slices.Clip(w.t.pages)
	w.t.seal()
	return w.t
}

// keep appends a page of another tree as it is.
func (w *writer) keep(pg page) {
	w.flush()
	w.page(pg)
	w.t.nodes += pg.len()
}
