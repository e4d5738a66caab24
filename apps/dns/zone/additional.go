package zone

import (
	"github.com/weirnet/weir/apps/dns/msg"
)

// maxAdditional is how many names addresses are looked up for in one answer.
const maxAdditional = 32

// targetOf returns the name that a record points to and whose addresses the asker will want next
// (RFC 1035 §3.3, RFC 2782, RFC 9460 §4.1), "" where there is none.
func targetOf(owner msg.Name, t msg.Type, data string) msg.Name {
	skip := 0
	switch t {
	case msg.TypeNS:
	case msg.TypeMX, msg.TypeSVCB, msg.TypeHTTPS:
		skip = 2
	case msg.TypeSRV:
		skip = 6
	default:
		return ""
	}
	if len(data) <= skip {
		return ""
	}
	end := skip
	for end < len(data) && data[end] != 0 {
		end += 1 + int(data[end])
	}
	if end >= len(data) {
		return ""
	}
	target := msg.Name(data[skip : end+1])
	if target == msg.Root {
		// In service mode the root stands for the owner (RFC 9460 §2.5); elsewhere it says that there is nothing.
		if (t == msg.TypeSVCB || t == msg.TypeHTTPS) && be16(data) != 0 {
			return owner
		}
		return ""
	}
	return target
}

// additional adds the addresses of what a set of the answer points to.
func (l *lookup) additional(s Set) {
	switch s.Type {
	case msg.TypeNS, msg.TypeMX, msg.TypeSRV, msg.TypeSVCB, msg.TypeHTTPS:
	default:
		return
	}
	n := 0
	for data := range s.Data() {
		if n++; n > maxAdditional {
			return
		}
		if target := targetOf(l.name, s.Type, data); target != "" {
			l.addresses(target)
		}
	}
}

// glue adds the addresses of a delegation's servers: of those in the delegated zone first, for nobody can ask
// elsewhere (RFC 9471), then of the others that this zone knows.
func (l *lookup) glue(ns Set) {
	for _, inside := range [2]bool{true, false} {
		n := 0
		for data := range ns.Data() {
			if n++; n > maxAdditional {
				break
			}
			if target := msg.Name(data); target.Under(ns.Name) == inside {
				l.addresses(target)
			}
		}
	}
}

// addresses adds the A and AAAA sets of a name, if they are in the zone.
func (l *lookup) addresses(name msg.Name) {
	if !name.Under(l.z.origin) {
		return
	}
	var buf [maxKey]byte
	n, ok := l.z.names.get(l.z.key(&buf, name))
	if !ok {
		return
	}
	for _, t := range [2]msg.Type{msg.TypeA, msg.TypeAAAA} {
		if s, ok := n.set(t); ok {
			s.Name = name
			l.add(l.signed(s))
		}
	}
}

// add adds a set to the additional section unless it is there, or is the answer itself.
func (l *lookup) add(s Set) {
	for _, section := range [2][]Set{l.a.Answer, l.a.Additional} {
		for i := range section {
			if section[i].Type == s.Type && section[i].Name.Equal(s.Name) {
				return
			}
		}
	}
	l.a.Additional = append(l.a.Additional, s)
}
