package msg

import "slices"

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
	var twice duplicates
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
		sets[i].add(r, sig, &twice, i)
	}
	return sets
}

func (s *RRset) add(r RR, sig bool, twice *duplicates, i int) {
	s.TTL = min(s.TTL, r.TTL)
	to := &s.Data
	if sig {
		to = &s.Sigs
	}
	if !twice.in(place{i, sig}, *to, r.Data) {
		*to = append(*to, r.Data)
	}
}

// place is the records, or the signatures, of one of several sets.
type place struct {
	set int
	sig bool
}

// duplicates finds rdata that is there twice: by looking through the set while it is small.
type duplicates map[place]map[string]bool

func (d *duplicates) in(at place, have []string, data string) bool {
	const small = 16
	if len(have) < small {
		return slices.Contains(have, data)
	}
	if *d == nil {
		*d = duplicates{}
	}
	seen := (*d)[at]
	if seen == nil {
		seen = make(map[string]bool, 2*small)
		for _, h := range have {
			seen[h] = true
		}
		(*d)[at] = seen
	}
	if seen[data] {
		return true
	}
	seen[data] = true
	return false
}
