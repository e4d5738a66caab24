package zone

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Diff is what changes from one version of a zone to another, as IXFR speaks of it (RFC 1995 §4): the first
// record of either list is the SOA record.
type Diff struct {
	Deleted, Added []msg.RR
}

// From returns the serial number of the version that the difference applies to.
func (d *Diff) From() uint32 { return serialOf(d.Deleted) }

// To returns the serial number of the version that comes of it.
func (d *Diff) To() uint32 { return serialOf(d.Added) }

func serialOf(rrs []msg.RR) uint32 {
	if len(rrs) == 0 {
		return 0
	}
	soa, _ := rrs[0].SOA()
	return soa.Serial
}

// Octets returns about how much memory the difference takes.
func (d *Diff) Octets() (n int) {
	for _, list := range [2][]msg.RR{d.Deleted, d.Added} {
		for i := range list {
			n += 64 + len(list[i].Name) + len(list[i].Data)
		}
	}
	return n
}

// ErrNotThere is what Apply returns when a record to be deleted is not in the zone: the two sides do not have the
// same version, and the whole zone must be fetched.
var ErrNotThere = errors.New("a record to be deleted is not there")

// change is one record that comes or goes.
type change struct {
	record
	del bool
}

// Apply returns the version that the difference makes. Pages of the zone that nothing changes in are shared.
func (z *Zone) Apply(d *Diff) (*Zone, error) {
	names, hashes, err := z.changes(d)
	if err != nil {
		return nil, err
	}
	nz := &Zone{origin: z.origin, folded: z.folded, labels: z.labels, cuts: z.cuts, records: z.records}
	if nz.names, err = nz.rewrite(&z.names, names); err != nil {
		return nil, err
	}
	if nz.hashes, err = nz.rewrite(&z.hashes, hashes); err != nil {
		return nil, err
	}
	if err := nz.finish(); err != nil {
		return nil, err
	}
	return nz, nil
}

// changes sorts the records of a difference by the tree that they are in, and by key, those that go first.
func (z *Zone) changes(d *Diff) (names, hashes []change, err error) {
	b := Builder{origin: z.origin, labels: z.labels}
	for i, list := range [2][]msg.RR{d.Deleted, d.Added} {
		for j := range list {
			r, err := b.record(&list[j])
			if err != nil {
				return nil, nil, err
			}
			r.key = strings.Clone(r.key)
			if c := (change{r, i == 0}); r.typ == msg.TypeNSEC3 {
				hashes = append(hashes, c)
			} else {
				names = append(names, c)
			}
		}
	}
	byKey := func(a, b change) int {
		if c := strings.Compare(a.key, b.key); c != 0 {
			return c
		}
		return cmp.Compare(btoi(b.del), btoi(a.del))
	}
	slices.SortStableFunc(names, byKey)
	slices.SortStableFunc(hashes, byKey)
	return names, hashes, nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// rewriter carries changes into a tree.
type rewriter struct {
	z       *Zone
	w       writer
	ed      editor
	changes []change
}

// rewrite returns the tree with the changes.
func (z *Zone) rewrite(t *tree, changes []change) (tree, error) {
	if len(changes) == 0 {
		return *t, nil
	}
	r := rewriter{z: z, changes: changes}
	for p, pg := range t.pages {
		last := p == len(t.pages)-1
		if len(r.changes) == 0 || !last && r.changes[0].key >= t.pages[p+1].key(0) {
			r.w.keep(pg)
			continue
		}
		for i, n := 0, pg.len(); i < n; i++ {
			if err := r.node(pg, i); err != nil {
				return tree{}, err
			}
		}
		for len(r.changes) > 0 && (last || r.changes[0].key < t.pages[p+1].key(0)) {
			if err := r.fresh(); err != nil {
				return tree{}, err
			}
		}
	}
	for len(r.changes) > 0 {
		if err := r.fresh(); err != nil {
			return tree{}, err
		}
	}
	t2 := r.w.tree()
	if sparse(&t2) {
		return compact(&t2), nil
	}
	return t2, nil
}

// node copies a node, with what changes in it, after the new ones that come before it.
func (r *rewriter) node(pg page, i int) error {
	key := pg.key(i)
	for len(r.changes) > 0 && r.changes[0].key < key {
		if err := r.fresh(); err != nil {
			return err
		}
	}
	if len(r.changes) == 0 || r.changes[0].key != key {
		r.w.add([]byte(pg.raw(i)))
		return nil
	}
	n := pg.node(i)
	if n.flags&(flagCut|flagDNAME) != 0 {
		r.z.cuts[keyLabels(key)]--
	}
	n.each(func(s Set) bool {
		r.z.records -= s.records + s.sigs
		return true
	})
	r.ed.load(n)
	return r.edit()
}

// fresh makes a node that was not there.
func (r *rewriter) fresh() error {
	r.ed.reset(r.changes[0].key)
	return r.edit()
}

// edit carries the changes of one key into the editor's node and writes it.
func (r *rewriter) edit() error {
	for len(r.changes) > 0 && r.changes[0].key == r.ed.key {
		switch c := r.changes[0]; {
		case !c.del:
			if !r.ed.add(c.record, !c.sig) {
				return r.ed.large(r.z.origin)
			}
		case !r.ed.remove(c.record):
			return fmt.Errorf("zone %v: %v %v: %w", r.z.origin, keyName(c.key, r.z.origin), c.typ, ErrNotThere)
		}
		r.changes = r.changes[1:]
	}
	if len(r.ed.sets) > 0 {
		r.ed.put(r.z, &r.w, r.ed.sets)
	}
	return nil
}

// raw returns a node as it is encoded.
func (p page) raw(i int) string {
	from, to := int(be16(string(p[2+2*i:]))), len(p)
	if i+1 < p.len() {
		to = int(be16(string(p[2+2*(i+1):])))
	}
	return string(p[from:to])
}

// sparse reports whether a tree has many more pages than it needs, after many changes.
func sparse(t *tree) bool {
	octets := 0
	for _, pg := range t.pages {
		octets += len(pg)
	}
	return len(t.pages) > 3*octets/pageSize+8
}

// compact makes the pages of a tree anew.
func compact(t *tree) tree {
	var w writer
	for _, pg := range t.pages {
		for i, n := 0, pg.len(); i < n; i++ {
			w.add([]byte(pg.raw(i)))
		}
	}
	return w.tree()
}

// Compare returns what changes from one version to another of the same zone, unless it is more than so many records.
func Compare(from, to *Zone, limit int) (*Diff, bool) {
	d := &Diff{
		Deleted: from.soaSet.unsigned().AppendRRs(nil),
		Added:   to.soaSet.unsigned().AppendRRs(nil),
	}
	ok := d.trees(from, &from.names, &to.names, limit) && d.trees(from, &from.hashes, &to.hashes, limit)
	return d, ok
}

// trees adds what changes from one tree to another.
func (d *Diff) trees(z *Zone, a, b *tree, limit int) bool {
	for x, y := (place{}), (place{}); a.valid(x) || b.valid(y); {
		var old, fresh node
		order := 0
		switch {
		case !a.valid(x):
			order = 1
		case !b.valid(y):
			order = -1
		default:
			if x.node == 0 && y.node == 0 && a.pages[x.page] == b.pages[y.page] {
				x, y = place{x.page + 1, 0}, place{y.page + 1, 0}
				continue
			}
			order = strings.Compare(a.key(x), b.key(y))
		}
		if order <= 0 {
			old, x = a.node(x), a.next(x)
		}
		if order >= 0 {
			fresh, y = b.node(y), b.next(y)
		}
		if old.body != fresh.body {
			d.node(z, old, fresh)
		}
		if len(d.Deleted)+len(d.Added) > limit {
			return false
		}
	}
	return true
}

// node adds what changes at one name.
func (d *Diff) node(z *Zone, old, fresh node) {
	before, after := old.records(z.origin), fresh.records(z.origin)
	same := func(a, b msg.RR) bool { return a.Type == b.Type && a.TTL == b.TTL && a.Data == b.Data }
	without := func(dst, list, other []msg.RR) []msg.RR {
		for _, rr := range list {
			if !slices.ContainsFunc(other, func(o msg.RR) bool { return same(rr, o) }) {
				rr.Data = strings.Clone(rr.Data) // rather than keep a whole page of the old version
				dst = append(dst, rr)
			}
		}
		return dst
	}
	d.Deleted, d.Added = without(d.Deleted, before, after), without(d.Added, after, before)
}

// records returns all records of a node but the SOA record.
func (n node) records(origin msg.Name) (rrs []msg.RR) {
	if n.body == "" {
		return nil
	}
	name := n.name(origin)
	n.each(func(s Set) bool {
		s.Name = name
		at := len(rrs)
		if rrs = s.AppendRRs(rrs); s.Type == msg.TypeSOA {
			rrs = slices.Delete(rrs, at, at+s.records)
		}
		return true
	})
	return rrs
}
