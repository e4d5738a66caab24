package zone

import (
	"github.com/weirnet/weir/apps/dns/msg"
)

// Kind says what an answer is.
type Kind uint8

const (
	Positive   Kind = iota // the records asked for
	NoData                 // the name is there, the type is not
	NXDomain               // the name is not there
	Delegation             // another zone knows
	Partial                // a CNAME or DNAME that leads out of the zone, or round in a circle
	TooLong                // the name that a DNAME makes is longer than a name may be (RFC 6672 §2.2)
)

// String names the kind.
func (k Kind) String() string {
	return [...]string{"positive", "nodata", "nxdomain", "delegation", "partial", "too long"}[k]
}

// Answer is what a zone knows about a question. One may be used again and again: its slices are.
type Answer struct {
	Kind          Kind
	Rcode         msg.Rcode
	Authoritative bool
	Wildcard      bool // a wildcard stood in for a name
	Answer        []Set
	Authority     []Set
	Additional    []Set
	Hashes        int // NSEC3 hashes that were computed

	work lookup // here, so that a lookup allocates nothing
}

// Reset empties the answer, and forgets what it points to.
func (a *Answer) Reset() {
	clear(a.Answer)
	clear(a.Authority)
	clear(a.Additional)
	a.Answer, a.Authority, a.Additional = a.Answer[:0], a.Authority[:0], a.Additional[:0]
	a.Kind, a.Rcode, a.Authoritative, a.Wildcard, a.Hashes = 0, 0, false, false, 0
	l := &a.work
	l.z, l.name, l.key, l.closest = nil, "", "", ""
}

// maxChain is how many CNAME and DNAME records in a row are followed.
const maxChain = 16

// Lookup answers a question about a name at or below the zone's, as RFC 1034 §4.3.2 has it, with wildcards
// (RFC 4592), DNAME (RFC 6672) and, with do, what RFC 4035 §3.1 and RFC 5155 §7.2 add. A chain of CNAME
// is followed within the zone.
//
// The question for ANY is answered with one set (RFC 8482 §4.1), that for RRSIG with the signatures
// of one.
func (z *Zone) Lookup(a *Answer, name msg.Name, t msg.Type, do bool) {
	a.Reset()
	a.Authoritative = true
	l := &a.work
	l.z, l.a, l.typ, l.do = z, a, t, do && z.signed
	for n := 0; name != ""; n++ {
		if n == maxChain || n > 0 && l.answered(name) {
			a.Kind = Partial
			return
		}
		name = l.step(name)
	}
}

// lookup is a question on its way through a zone.
type lookup struct {
	z   *Zone
	a   *Answer
	typ msg.Type
	do  bool
	buf [maxKey]byte

	name    msg.Name // the one that is looked for now
	key     string
	found   bool   // something has the name
	at      place  // where it is, or would be
	closest string // the key of the closest encloser
}

// answered reports whether the answer has a CNAME of that name already.
func (l *lookup) answered(name msg.Name) bool {
	for i := range l.a.Answer {
		if l.a.Answer[i].Type == msg.TypeCNAME && l.a.Answer[i].Name.Equal(name) {
			return true
		}
	}
	return false
}

// step looks for one name and returns the one that a CNAME or DNAME leads to, if it is the zone's.
func (l *lookup) step(name msg.Name) msg.Name {
	l.name, l.key = name, l.z.key(&l.buf, name)
	l.at, l.found = l.z.names.find(l.key)
	if l.z.cut {
		if n, labels, ok := l.cut(); ok {
			if n.flags&flagCut != 0 {
				l.refer(n, labels)
				return ""
			}
			return l.dname(n, labels)
		}
	}
	switch {
	case l.found:
		return l.answer(l.z.names.node(l.at), false)
	case l.emptyNonTerminal():
		l.noData(node{}, false)
		return ""
	}
	l.closest = l.closestEncloser()
	if n, ok := l.wildcard(); ok {
		l.a.Wildcard = true
		return l.answer(n, true)
	}
	l.nxDomain()
	return ""
}

// cut returns the first delegation on the way down to the name, or DNAME above it, and how many
// labels below the apex it is. For DS a delegation at the name itself is none: the parent answers.
func (l *lookup) cut() (node, int, bool) {
	labels := keyLabels(l.key)
	for d := 0; d <= labels; d++ {
		if l.z.cuts[d] == 0 {
			continue
		}
		n, ok := node{}, l.found
		if d < labels {
			n, ok = l.z.names.get(keyPrefix(l.key, d))
		} else if ok {
			n = l.z.names.node(l.at)
		}
		if ok && (n.flags&flagCut != 0 && (d < labels || l.typ != msg.TypeDS) || n.flags&flagDNAME != 0 && d < labels) {
			return n, d, true
		}
	}
	return node{}, 0, false
}

// emptyNonTerminal reports whether the name, which owns nothing, has something below it.
func (l *lookup) emptyNonTerminal() bool {
	return l.z.names.valid(l.at) && below(l.z.names.key(l.at), l.key)
}

// closestEncloser returns the key of the longest ancestor that exists: what the name has in common
// with the one before or the one after it.
func (l *lookup) closestEncloser() string {
	common := 0
	if at, ok := l.z.names.before(l.at); ok {
		common = commonLabels(l.key, l.z.names.key(at))
	}
	if l.z.names.valid(l.at) {
		common = max(common, commonLabels(l.key, l.z.names.key(l.at)))
	}
	return keyPrefix(l.key, common)
}

// wildcard returns the source of synthesis (RFC 4592 §3.3.1), if there is one. It may be an empty
// non-terminal, and then is the zero node.
func (l *lookup) wildcard() (node, bool) {
	var buf [maxKey + 2]byte
	key := l.starKey(&buf)
	at, ok := l.z.names.find(key)
	if ok {
		return l.z.names.node(at), true
	}
	return node{}, l.z.names.valid(at) && below(l.z.names.key(at), key)
}

// starKey writes the key of the wildcard at the closest encloser.
func (l *lookup) starKey(buf *[maxKey + 2]byte) string {
	return text(append(append(buf[:0], l.closest...), "*\x00"...))
}

// answer answers from a node; synthesized says that it is a wildcard which stands in.
func (l *lookup) answer(n node, synthesized bool) msg.Name {
	if set, ok := l.wanted(n); ok {
		l.a.Kind = Positive
		l.give(set, synthesized)
		l.additional(set)
		return ""
	}
	cname, ok := n.set(msg.TypeCNAME)
	if !ok || l.typ == msg.TypeDS && n.flags&flagCut != 0 {
		l.noData(n, synthesized)
		return ""
	}
	l.give(cname, synthesized)
	return l.follow(msg.Name(cname.first()))
}

// wanted returns the set of a node that answers the question's type.
func (l *lookup) wanted(n node) (found Set, ok bool) {
	switch l.typ {
	default:
		return n.set(l.typ)
	case msg.TypeANY:
		n.each(func(s Set) bool {
			found, ok = s, s.Len() > 0
			return !ok
		})
	case msg.TypeRRSIG:
		n.each(func(s Set) bool {
			found, ok = s.only(), s.Signatures() > 0
			return !ok
		})
	}
	return found, ok
}

// give puts a set of the name into the answer, with the proof that a wildcard was right to stand in.
func (l *lookup) give(s Set, synthesized bool) {
	s.Name = l.name
	l.a.Answer = append(l.a.Answer, l.signed(s))
	if synthesized && l.do {
		l.proveExpansion()
	}
}

// signed returns the set as the question wants it: with signatures or without.
func (l *lookup) signed(s Set) Set {
	if !l.do {
		return s.unsigned()
	}
	return s
}

// follow returns the target of a CNAME when it is the zone's business.
func (l *lookup) follow(target msg.Name) msg.Name {
	if !target.Under(l.z.origin) {
		l.a.Kind = Partial
		return ""
	}
	return target
}

// dname puts a DNAME and the CNAME that follows from it into the answer (RFC 6672 §3.1).
func (l *lookup) dname(n node, labels int) msg.Name {
	s, _ := n.set(msg.TypeDNAME)
	s.Name = l.name.Suffix(l.z.labels + labels)
	if !l.given(s) {
		l.a.Answer = append(l.a.Answer, l.signed(s))
	}
	own, to := l.name[:len(l.name)-len(s.Name)], msg.Name(s.first())
	target := own + to
	if len(target) > 255 {
		l.a.Kind, l.a.Rcode = TooLong, msg.RcodeYXDomain
		return ""
	}
	l.a.Answer = append(l.a.Answer, makeSet(l.name, msg.TypeCNAME, s.TTL, string(target)))
	if l.typ == msg.TypeCNAME || l.typ == msg.TypeANY {
		l.a.Kind = Positive
		return ""
	}
	if to.Under(s.Name) { // it leads to itself, each time to a longer name
		l.a.Kind = Partial
		return ""
	}
	return l.follow(target)
}

// given reports whether the answer has a set already: one DNAME may be met twice on a chain.
func (l *lookup) given(s Set) bool {
	for i := range l.a.Answer {
		if o := &l.a.Answer[i]; o.Type == s.Type && o.Name.Equal(s.Name) {
			return true
		}
	}
	return false
}

// refer answers with a delegation (RFC 1034 §4.3.2 step 3b, RFC 4035 §3.1.4).
func (l *lookup) refer(n node, labels int) {
	ns, _ := n.set(msg.TypeNS)
	l.a.Kind = Delegation
	if len(l.a.Answer) == 0 {
		l.a.Authoritative = false
	}
	ns.Name = l.name.Suffix(l.z.labels + labels)
	l.authority(ns.unsigned())
	if l.do {
		if ds, ok := n.set(msg.TypeDS); ok {
			ds.Name = ns.Name
			l.authority(ds)
		} else {
			l.proveNoDS(n, ns.Name)
		}
	}
	l.glue(ns)
}

// noData answers that the name has no such type. n is the zero node for an empty non-terminal.
func (l *lookup) noData(n node, synthesized bool) {
	l.a.Kind = NoData
	l.authority(l.signed(l.z.negative))
	if l.do {
		l.proveNoData(n, synthesized)
	}
}

// nxDomain answers that the name is not there.
func (l *lookup) nxDomain() {
	l.a.Kind, l.a.Rcode = NXDomain, msg.RcodeNameError
	l.authority(l.signed(l.z.negative))
	if l.do {
		l.proveNXDomain()
	}
}

// authority adds a set to the authority section unless it is there.
func (l *lookup) authority(s Set) {
	for i := range l.a.Authority {
		if o := &l.a.Authority[i]; o.Type == s.Type && o.Name.Equal(s.Name) {
			return
		}
	}
	l.a.Authority = append(l.a.Authority, s)
}
