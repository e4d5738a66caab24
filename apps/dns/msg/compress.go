package msg

// table remembers where names stand in a message that is being packed. It has a fixed size: a name
// that finds no place is not remembered, and what it would have saved is lost.
type table struct {
	at   [tableSize]uint16 // from the beginning of the message; 0 is free
	hash [tableSize]uint16 // some more bits, so that few names are compared for nothing
}

const (
	tableSize = 1024
	probes    = 4
	maxPoint  = 1<<14 - 1 // a pointer has 14 bits (RFC 1035 section 4.1.4)
)

// name packs n with the longest suffix of it that is there already replaced by a pointer.
func (p *builder) name(n Name) {
	var starts [128]uint8
	var hashes [128]uint32
	labels := n.starts(&starts)
	h := uint32(2166136261) // FNV-1a, label by label from the root
	for i := labels - 1; i >= 0; i-- {
		a := int(starts[i])
		for _, c := range []byte(n[a:n.next(a)]) {
			h = (h ^ uint32(c)) * 16777619
		}
		hashes[i] = h
	}
	to, known := 0, labels // the pointer, and the label that it stands in for
	for i := range labels {
		if at, ok := p.find(n[starts[i]:], hashes[i]); ok {
			to, known = at, i
			break
		}
	}
	for i := range known {
		p.remember(p.size()+int(starts[i])-int(starts[0]), hashes[i])
	}
	if known == labels {
		p.b = append(p.b, n...)
		return
	}
	p.b = append(p.b, n[:starts[known]]...)
	p.b = append(p.b, 0xc0|byte(to>>8), byte(to))
}

func (p *builder) find(n Name, hash uint32) (int, bool) {
	for i := range uint32(probes) {
		slot := (hash + i) % tableSize
		at := int(p.names.at[slot])
		if at == 0 {
			return 0, false
		}
		if p.names.hash[slot] == uint16(hash>>16) && p.same(at, n) {
			return at, true
		}
	}
	return 0, false
}

func (p *builder) remember(at int, hash uint32) {
	if at > maxPoint {
		return
	}
	for i := range uint32(probes) {
		slot := (hash + i) % tableSize
		if p.names.at[slot] == 0 {
			p.names.at[slot], p.names.hash[slot] = uint16(at), uint16(hash>>16)
			return
		}
	}
}

// same reports whether the name at that place of the message is n in the same case.
func (p *builder) same(at int, n Name) bool {
	m := p.b[p.base:]
	for i := 0; ; {
		if at >= len(m) {
			return false // its room was given back
		}
		l := int(m[at])
		if l >= 0xc0 {
			if at+1 >= len(m) {
				return false
			}
			to := (l&0x3f)<<8 | int(m[at+1])
			if to >= at {
				return false
			}
			at = to
			continue
		}
		if at+1+l > len(m) || i+1+l > len(n) || string(m[at:at+1+l]) != string(n[i:i+1+l]) {
			return false
		}
		if l == 0 {
			return true
		}
		at, i = at+1+l, i+1+l
	}
}

// drop gives the octets from mark on back, and forgets the names in them.
func (p *builder) drop(mark int) {
	p.b = p.b[:mark]
	for i, at := range p.names.at {
		if int(at) >= p.size() {
			// A name that found this place taken stands in the next: the place must not look free.
			p.names.at[i] = gone
		}
	}
}

// gone is a place that no name can be found at: no message is as long.
const gone = 1<<16 - 1
