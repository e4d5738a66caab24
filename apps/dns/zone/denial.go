package zone

import (
	"github.com/weirnet/weir/apps/dns/msg"
)

// proveNXDomain proves that the name is not there and that no wildcard stands in
// (RFC 4035 §3.1.3.2, RFC 5155 §7.2.2).
func (l *lookup) proveNXDomain() {
	if l.z.nsec3 != nil {
		l.proveEncloser(l.closest, l.key)
		l.coverHash(l.closest + "*\x00")
		return
	}
	l.coverNSEC(l.at)
	var buf [maxKey + 2]byte
	at, _ := l.z.names.find(l.starKey(&buf))
	l.coverNSEC(at)
}

// proveExpansion proves that a wildcard stands in for a name that is not there
// (RFC 4035 §3.1.3.3, RFC 5155 §7.2.6).
func (l *lookup) proveExpansion() {
	if l.z.nsec3 != nil {
		l.coverHash(keyPrefix(l.key, keyLabels(l.closest)+1))
		return
	}
	l.coverNSEC(l.at)
}

// proveNoData proves that the name, or the wildcard that stands in for it, has no such type
// (RFC 4035 §3.1.3.1 and §3.1.3.4, RFC 5155 §7.2.3 to §7.2.5).
func (l *lookup) proveNoData(n node, synthesized bool) {
	var buf [maxKey + 2]byte
	if l.z.nsec3 != nil {
		switch {
		case synthesized:
			l.proveEncloser(l.closest, l.key)
			l.matchHash(l.starKey(&buf))
		case !l.matchHash(l.key): // a delegation that opted out, or an empty non-terminal above such only
			l.proveAncestor(l.key)
		}
		return
	}
	if s, ok := n.set(msg.TypeNSEC); ok {
		s.Name = l.name
		if synthesized {
			s.Name = n.name(l.z.origin)
		}
		l.authority(s)
	} else if synthesized { // the wildcard is an empty non-terminal
		at, _ := l.z.names.find(l.starKey(&buf))
		l.coverNSEC(at)
	} else { // the name is one
		l.coverNSEC(l.at)
	}
	if synthesized {
		l.coverNSEC(l.at)
	}
}

// proveNoDS proves that a delegation is not signed (RFC 4035 §3.1.4.1, RFC 5155 §7.2.7).
func (l *lookup) proveNoDS(n node, name msg.Name) {
	if l.z.nsec3 != nil {
		if !l.matchHash(n.key) {
			l.proveAncestor(n.key)
		}
		return
	}
	if s, ok := n.set(msg.TypeNSEC); ok {
		s.Name = name
		l.authority(s)
	}
}

// coverNSEC adds the NSEC record whose span holds a name that would be at that place.
func (l *lookup) coverNSEC(at place) {
	z := l.z
	at, ok := z.names.before(at)
	if !ok {
		return
	}
	n := z.names.node(at)
	s, ok := n.set(msg.TypeNSEC)
	if !ok { // below a delegation: the delegation has it
		if n, ok = z.above(n.key); !ok {
			return
		}
		if s, ok = n.set(msg.TypeNSEC); !ok {
			return
		}
	}
	s.Name = n.name(z.origin)
	l.authority(s)
}

// above returns the highest delegation or DNAME above a key.
func (z *Zone) above(key string) (node, bool) {
	for d, labels := 0, keyLabels(key); d < labels; d++ {
		if z.cuts[d] == 0 {
			continue
		}
		if n, ok := z.names.get(keyPrefix(key, d)); ok && n.flags&(flagCut|flagDNAME) != 0 {
			return n, true
		}
	}
	return node{}, false
}
