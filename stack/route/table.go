package route

import (
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"
)

// Table is a routing table of both families. The zero value is empty and ready. It must
// not be copied. It is safe for readers at the same time, not for a writer
// beside them; see With and Without.
type Table struct {
	// The lists are never changed once they are in a trie, for tries share them.
	trie bart.Table[[]Route]
	size int
}

// Len returns how many routes there are.
func (t *Table) Len() int { return t.size }

// Lookup returns the best route to dst: that of the longest prefix that holds it, and of
// those the one of the lowest metric (RFC 1812 §5.2.4.3, Longest Match and Best Metric). It reports false where no prefix does. An
// IPv4-mapped address counts as the IPv4 address, a zone counts for nothing.
func (t *Table) Lookup(dst netip.Addr) (Route, bool) {
	routes, ok := t.trie.Lookup(dst.Unmap())
	if !ok {
		return Route{}, false
	}
	return routes[0], true
}

// LookupWhere returns the best route to dst that usable takes. When it takes none of the
// longest prefix, the next shorter one is tried, and so on to the default
// routes. A nil usable takes every route. The route that usable is shown must not be changed.
func (t *Table) LookupWhere(dst netip.Addr, usable func(*Route) bool) (Route, bool) {
	if usable == nil {
		return t.Lookup(dst)
	}
	dst = dst.Unmap()
	for bits := dst.BitLen(); bits >= 0 && dst.IsValid(); {
		prefix, routes, ok := t.trie.LookupPrefixLPM(netip.PrefixFrom(dst, bits))
		if !ok {
			break
		}
		for i := range routes {
			if usable(&routes[i]) {
				return routes[i], true
			}
		}
		bits = prefix.Bits() - 1
	}
	return Route{}, false
}

// Get returns the routes to exactly this prefix, the best first. The slice is the
// table's and must not be changed.
func (t *Table) Get(dst netip.Prefix) []Route {
	routes, _ := t.trie.Get(dst.Masked())
	return routes
}

// Contains reports whether the very route is there: that of the same destination,
// metric, interface and next hop.
func (t *Table) Contains(r Route) bool {
	_, found := find(t.Get(r.Dst), &r)
	return found
}

// Insert adds a route. One of the same destination, metric, interface and next hop is
// replaced. The error wraps ErrDestination, ErrNextHop or ErrSource.
func (t *Table) Insert(r Route) error {
	r, err := r.normal()
	if err != nil {
		return err
	}
	old := t.Get(r.Dst)
	list := with(old, r)
	t.trie.Insert(r.Dst, list)
	t.size += len(list) - len(old)
	return nil
}

// Remove takes out the route of the same destination, metric, interface and next hop, and
// reports whether there was one.
func (t *Table) Remove(r Route) bool {
	old := t.Get(r.Dst)
	i, found := find(old, &r)
	if !found {
		return false
	}
	t.size--
	if len(old) == 1 {
		t.trie.Delete(r.Dst.Masked())
	} else {
		t.trie.Insert(r.Dst.Masked(), without(old, i))
	}
	return true
}

// RemoveWhere takes out every route that drop takes, as when an interface goes, and
// returns how many.
func (t *Table) RemoveWhere(drop func(*Route) bool) int {
	var doomed []Route
	for _, routes := range t.trie.All() {
		for i := range routes {
			if drop(&routes[i]) {
				doomed = append(doomed, routes[i])
			}
		}
	}
	for i := range doomed {
		t.Remove(doomed[i])
	}
	return len(doomed)
}

// With returns a table that has the route as well, as Insert would; t stays as it is.
// The two share most of their nodes, so from then on neither may be changed in place by
// Insert, Remove or RemoveWhere: only With, Without and Clone are for them.
func (t *Table) With(r Route) (*Table, error) {
	r, err := r.normal()
	if err != nil {
		return nil, err
	}
	old := t.Get(r.Dst)
	list := with(old, r)
	return &Table{trie: *t.trie.InsertPersist(r.Dst, list), size: t.size + len(list) - len(old)}, nil
}

// Without returns a table that lacks the route, as after Remove; t stays as it is. It
// returns t itself and false where the route is not there. What With says of sharing holds here.
func (t *Table) Without(r Route) (*Table, bool) {
	old := t.Get(r.Dst)
	i, found := find(old, &r)
	if !found {
		return t, false
	}
	dst := r.Dst.Masked()
	if len(old) == 1 {
		return &Table{trie: *t.trie.DeletePersist(dst), size: t.size - 1}, true
	}
	return &Table{trie: *t.trie.InsertPersist(dst, without(old, i)), size: t.size - 1}, true
}

// Clone returns a table with the same routes that shares nothing that either may change.
func (t *Table) Clone() *Table { return &Table{trie: *t.trie.Clone(), size: t.size} }

// All returns every route in a new slice: IPv4 before IPv6, in the order of addresses,
// the shorter prefix first, and the best route to a prefix first.
func (t *Table) All() []Route {
	all := make([]Route, 0, t.size)
	for _, routes := range t.trie.AllSorted() {
		all = append(all, routes...)
	}
	return all
}

// find returns where in the list the route is, or would be.
func find(list []Route, r *Route) (int, bool) {
	return slices.BinarySearchFunc(list, r, func(e Route, r *Route) int { return e.compare(r) })
}

// with returns a new list that has the route as well.
func with(list []Route, r Route) []Route {
	i, found := find(list, &r)
	if found {
		list = slices.Clone(list)
		list[i] = r
		return list
	}
	return slices.Concat(list[:i], []Route{r}, list[i:])
}

// without returns a new list that lacks the route at i.
func without(list []Route, i int) []Route {
	return slices.Delete(slices.Clone(list), i, i+1)
}
