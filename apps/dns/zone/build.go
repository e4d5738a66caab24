package zone

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/weirnet/weir/apps/dns/msg"
)

// What a record may be refused for.
var (
	ErrOutOfZone = errors.New("not at or below the zone's name")
	ErrClass     = errors.New("not of class IN")
	ErrMeta      = errors.New("of a type that no zone holds")
	ErrNoSOA     = errors.New("no SOA record at the zone's name")
	ErrManySOA   = errors.New("more than one SOA record")
	ErrLarge     = fmt.Errorf("an RRset with its signatures may have %d octets, so that a message holds it, and a name %d types", maxSet, maxTypes)
)

// What one name may have. Without these bounds a few lines with $GENERATE, or a master, could make sets whose making
// takes the square of their size in time, and of which no answer could be given.
const (
	maxSet   = 65535 // octets of the records of a set, as a message has them
	maxTypes = 1000
)

// Builder gathers the records of a zone in any order.
type Builder struct {
	origin msg.Name
	labels int
	arena  [][]byte
	index  []draft
	key    [maxKey]byte
}

// draft is a record in the arena: where it is, and the first octets of its key.
type draft struct {
	head uint64
	slab uint32
	at   uint32
}

// slabSize is the size of one piece of the arena.
const slabSize = 1 << 20

// NewBuilder returns a builder of a zone of that name.
func NewBuilder(origin msg.Name) *Builder {
	return &Builder{origin: origin, labels: origin.Labels()}
}

// Len returns the number of records added.
func (b *Builder) Len() int { return len(b.index) }

// record is a record as the builder and the differences speak of it.
type record struct {
	key   string
	cased string
	typ   msg.Type // for an RRSIG the type that it covers
	sig   bool
	ttl   uint32
	data  string
}

// record divides rr into a key and the rest. The key is good until the next call.
func (b *Builder) record(rr *msg.RR) (record, error) {
	switch {
	case rr.Class != msg.ClassINET:
		return record{}, fmt.Errorf("%v %v: %w", rr.Name, rr.Type, ErrClass)
	case !rr.Name.Under(b.origin):
		return record{}, fmt.Errorf("%v %v: %w %v", rr.Name, rr.Type, ErrOutOfZone, b.origin)
	case rr.Type.Meta():
		return record{}, fmt.Errorf("%v %v: %w", rr.Name, rr.Type, ErrMeta)
	case len(rr.Data) > 65535 || rr.Type == msg.TypeRRSIG && len(rr.Data) < 18:
		return record{}, fmt.Errorf("%v %v: rdata of %d octets cannot be", rr.Name, rr.Type, len(rr.Data))
	}
	r := record{key: text(appendKey(b.key[:0], string(rr.Name), b.labels)), typ: rr.Type, ttl: realTTL(rr.TTL), data: rr.Data}
	if own := string(rr.Name[:len(rr.Name)-len(b.origin)]); hasUpper(own) {
		r.cased = own
	}
	if rr.Type == msg.TypeRRSIG {
		r.sig, r.typ = true, msg.Type(be16(rr.Data))
	}
	return r, nil
}

func hasUpper(s string) bool {
	for i := 0; i < len(s); i++ {
		if 'A' <= s[i] && s[i] <= 'Z' {
			return true
		}
	}
	return false
}

// Add adds a record. It keeps nothing of rr.
func (b *Builder) Add(rr msg.RR) error {
	r, err := b.record(&rr)
	if err != nil {
		return err
	}
	need := len(r.key) + len(r.cased) + len(r.data) + 16
	if n := len(b.arena); n == 0 || cap(b.arena[n-1])-len(b.arena[n-1]) < need {
		b.arena = append(b.arena, make([]byte, 0, max(slabSize, need)))
	}
	i := len(b.arena) - 1
	s := b.arena[i]
	b.index = append(b.index, draft{head(r.key), uint32(i), uint32(len(s))})
	s = binary.BigEndian.AppendUint16(s, uint16(len(r.key)))
	s = append(s, r.key...)
	s = append(s, byte(len(r.cased)))
	s = append(s, r.cased...)
	s = binary.BigEndian.AppendUint16(s, uint16(r.typ))
	s = append(s, 0)
	if r.sig {
		s[len(s)-1] = 1
	}
	s = binary.BigEndian.AppendUint32(s, r.ttl)
	s = binary.BigEndian.AppendUint16(s, uint16(len(r.data)))
	b.arena[i] = append(s, r.data...)
	return nil
}

// at reads a record of the arena.
func (b *Builder) at(d draft) record {
	s := text(b.arena[d.slab][d.at:])
	n := int(be16(s))
	r := record{key: s[2 : 2+n]}
	s = s[2+n:]
	n = int(s[0])
	r.cased, s = s[1:1+n], s[1+n:]
	r.typ, r.sig, r.ttl = msg.Type(be16(s)), s[2] == 1, be32(s[3:])
	n = int(be16(s[7:]))
	r.data = s[9 : 9+n]
	return r
}

// draftKey returns the key of a record in the arena.
func (b *Builder) draftKey(d draft) string {
	s := text(b.arena[d.slab][d.at:])
	return s[2 : 2+int(be16(s))]
}

// compare orders records by key and then as they came.
func (b *Builder) compare(x, y draft) int {
	if c := cmp.Compare(x.head, y.head); c != 0 {
		return c
	}
	if c := strings.Compare(b.draftKey(x), b.draftKey(y)); c != 0 {
		return c
	}
	if c := cmp.Compare(x.slab, y.slab); c != 0 {
		return c
	}
	return cmp.Compare(x.at, y.at)
}

// Zone returns the zone of the records added. Duplicates are one record, and the TTL of a set is that
// of its first record (RFC 2181 §5.2); both are what [Check] finds. The builder may not be used again.
func (b *Builder) Zone() (*Zone, error) {
	slices.SortFunc(b.index, b.compare)
	z := &Zone{origin: b.origin, folded: b.origin.Fold(), labels: b.labels}
	var names, hashes writer
	var ed editor
	for i := 0; i < len(b.index); {
		key := b.draftKey(b.index[i])
		ed.reset(key)
		for ; i < len(b.index) && b.draftKey(b.index[i]) == key; i++ {
			if !ed.add(b.at(b.index[i]), false) {
				return nil, ed.large(b.origin)
			}
		}
		ed.write(z, &names, &hashes)
	}
	z.names, z.hashes = names.tree(), hashes.tree()
	b.arena, b.index = nil, nil
	if err := z.finish(); err != nil {
		return nil, err
	}
	return z, nil
}

// editor holds one node while it is made or changed.
type editor struct {
	key   string
	cased string
	sets  []pack
	split []pack
	buf   []byte
}

func (e *editor) reset(key string) {
	e.key, e.cased, e.sets = key, "", e.sets[:0]
}

// load starts from a node as it is.
func (e *editor) load(n node) {
	e.reset(n.key)
	e.cased = n.cased
	n.each(func(s Set) bool {
		p := pack{typ: s.Type, ttl: s.TTL}
		for d := range s.Data() {
			p.data = append(p.data, d)
			p.octets += leastRecord + len(d)
		}
		for d := range s.Sigs() {
			p.sigs = append(p.sigs, d)
			p.octets += leastRecord + len(d)
		}
		e.sets = append(e.sets, p)
		return true
	})
}

// set returns the set of a type, made when it is not there.
func (e *editor) set(t msg.Type, ttl uint32) *pack {
	i := slices.IndexFunc(e.sets, func(p pack) bool { return p.typ >= t })
	if i >= 0 && e.sets[i].typ == t {
		return &e.sets[i]
	}
	if i < 0 {
		i = len(e.sets)
	}
	if len(e.sets) < cap(e.sets) { // the slices of an earlier node are used again
		e.sets = e.sets[:len(e.sets)+1]
		spare := e.sets[len(e.sets)-1]
		copy(e.sets[i+1:], e.sets[i:len(e.sets)-1])
		e.sets[i] = pack{data: spare.data[:0], sigs: spare.sigs[:0]}
	} else {
		e.sets = slices.Insert(e.sets, i, pack{})
	}
	e.sets[i].typ, e.sets[i].ttl = t, ttl
	return &e.sets[i]
}

// add adds a record unless it is there, and reports false where the name would have too much. With retime the set takes the
// record's TTL.
func (e *editor) add(r record, retime bool) bool {
	if r.cased != "" && e.cased == "" {
		e.cased = r.cased
	}
	p := e.set(r.typ, r.ttl)
	if !r.sig && len(p.data) == 0 || retime {
		p.ttl = r.ttl
	}
	list := &p.data
	if r.sig {
		list = &p.sigs
	}
	if i, found := slices.BinarySearch(*list, r.data); !found {
		*list = slices.Insert(*list, i, r.data)
		p.octets += leastRecord + len(r.data)
	}
	return p.octets <= maxSet && len(e.sets) <= maxTypes
}

// leastRecord is the octets of a record beside its data, where its name is compressed.
const leastRecord = 12

// large says that there was too much to add.
func (e *editor) large(origin msg.Name) error {
	return fmt.Errorf("zone %v: %v: %w", origin, keyName(e.key, origin), ErrLarge)
}

// remove takes a record away and reports whether it was there.
func (e *editor) remove(r record) bool {
	i := slices.IndexFunc(e.sets, func(p pack) bool { return p.typ == r.typ })
	if i < 0 {
		return false
	}
	list := &e.sets[i].data
	if r.sig {
		list = &e.sets[i].sigs
	}
	at, found := slices.BinarySearch(*list, r.data)
	if !found {
		return false
	}
	*list = slices.Delete(*list, at, at+1)
	e.sets[i].octets -= leastRecord + len(r.data)
	if len(e.sets[i].data)+len(e.sets[i].sigs) == 0 {
		e.sets = slices.Delete(e.sets, i, i+1)
	}
	return true
}

// write puts the node where it belongs: NSEC3 and its signatures into a tree of their own, for their
// owners are no names that a question could find (RFC 5155 §7.2.8).
func (e *editor) write(z *Zone, names, hashes *writer) {
	if len(e.sets) == 0 {
		return
	}
	i := slices.IndexFunc(e.sets, func(p pack) bool { return p.typ == msg.TypeNSEC3 })
	if i < 0 {
		e.put(z, names, e.sets)
		return
	}
	e.put(z, hashes, e.sets[i:i+1])
	if len(e.sets) > 1 {
		e.split = append(append(e.split[:0], e.sets[:i]...), e.sets[i+1:]...)
		e.put(z, names, e.split)
	}
}

func (e *editor) put(z *Zone, w *writer, sets []pack) {
	flags := byte(0)
	for i := range sets {
		switch {
		case len(sets[i].data) == 0:
		case sets[i].typ == msg.TypeNS && e.key != "":
			flags |= flagCut
		case sets[i].typ == msg.TypeDNAME:
			flags |= flagDNAME
		}
		z.records += len(sets[i].data) + len(sets[i].sigs)
	}
	if flags != 0 {
		z.cuts[keyLabels(e.key)]++
	}
	e.buf = appendNode(e.buf[:0], e.key, flags, e.cased, sets)
	w.add(e.buf)
}
