package msg

// RRset is the records of one name, type and class, with the signatures that cover them.
type RRset struct {
	Name  Name
	Type  Type
	Class Class
	TTL   uint32   // seconds
	Data  []string // rdata of each record, wire form
	Sigs  []string // rdata of the RRSIGs
}

// RRs returns the records, without the signatures.
func (s *RRset) RRs() []RR {
	rrs := make([]RR, 0, len(s.Data))
	for _, d := range s.Data {
		rrs = append(rrs, RR{s.Name, s.Type, s.Class, s.TTL, d})
	}
	return rrs
}

// AppendTo appends the records to rrs, and the signatures after them when sigs is set.
func (s *RRset) AppendTo(rrs []RR, sigs bool) []RR {
	for _, d := range s.Data {
		rrs = append(rrs, RR{s.Name, s.Type, s.Class, s.TTL, d})
	}
	if sigs {
		for _, d := range s.Sigs {
			rrs = append(rrs, RR{s.Name, TypeRRSIG, s.Class, s.TTL, d})
		}
	}
	return rrs
}

// RRsets gathers records into RRsets, in the order in which each is met first. An RRset has the
// lowest TTL of its records (RFC 2181 section 5.2), and a record that is there twice counts once
// (section 5). Signatures go with what they cover; an RRset of signatures of nothing that is
// there has no Data.
func RRsets(rrs []RR) []RRset {
	type key struct {
		name  Name
		typ   Type
		class Class
	}
	var sets []RRset
	index := make(map[key]int, len(rrs))
	for _, r := range rrs {
		typ, sig := r.Type, false
		if s, ok := r.RRSIG(); ok {
			typ, sig = s.Covered, true
		}
		k := key{r.Name.Fold(), typ, r.Class}
		i, ok := index[k]
		if !ok {
			i = len(sets)
			index[k] = i
			sets = append(sets, RRset{Name: r.Name, Type: typ, Class: r.Class, TTL: r.TTL})
		}
		sets[i].add(r, sig)
	}
	return sets
}

func (s *RRset) add(r RR, sig bool) {
	s.TTL = min(s.TTL, r.TTL)
	to := &s.Data
	if sig {
		to = &s.Sigs
	}
	// Few records are usual, and nothing is gained by many: an answer has at most some thousand.
	for _, d := range *to {
		if d == r.Data {
			return
		}
	}
	*to = append(*to, r.Data)
}
