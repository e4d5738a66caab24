package dnssec

import "github.com/weirnet/weir/apps/dns/msg"

// nsec3Chain is validated NSEC3 records of one zone with one set of parameters.
type nsec3Chain struct {
	b      *budget
	zone   msg.Name
	param  msg.NSEC3PARAM
	all    []nsec3Record
	hashes map[msg.Name]string
	excess bool // a record has more iterations than are computed
}

type nsec3Record struct {
	owner string // a hash
	msg.NSEC3
}

// add takes the records of a set that can be used: of the hash that is known, without flags that
// are not (RFC 5155 section 8.1 and 8.2), and with the parameters of the others.
func (c *nsec3Chain) add(set *msg.RRset) {
	owner, ok := decodeHash(set.Name.First())
	if !ok || !set.Name.Parent().Equal(c.zone) {
		return
	}
	for _, r := range set.RRs() {
		n, ok := r.NSEC3()
		if !ok || n.Hash != hashSHA1 || n.Flags&^msg.FlagOptOut != 0 || len(n.Next) != len(owner) {
			continue
		}
		if int(n.Iterations) > c.b.limits.Iterations {
			c.excess = true
			return
		}
		p := msg.NSEC3PARAM{Hash: n.Hash, Iterations: n.Iterations, Salt: n.Salt}
		if len(c.all) == 0 {
			c.param = p
		}
		if p == c.param {
			c.all = append(c.all, nsec3Record{owner, n})
		}
	}
}

// hash returns a name's hash, which is computed once; false when no more are computed.
func (c *nsec3Chain) hash(name msg.Name) (string, bool) {
	name = name.Fold()
	if h, ok := c.hashes[name]; ok {
		return h, true
	}
	if len(c.all) == 0 || !c.b.hash() {
		return "", false
	}
	if c.hashes == nil {
		c.hashes = map[msg.Name]string{}
	}
	h := Hash(name, c.param)
	c.hashes[name] = h
	return h, true
}

func (c *nsec3Chain) matching(name msg.Name) *nsec3Record {
	h, ok := c.hash(name)
	if !ok {
		return nil
	}
	for i := range c.all {
		if c.all[i].owner == h {
			return &c.all[i]
		}
	}
	return nil
}

func (c *nsec3Chain) covering(name msg.Name) *nsec3Record {
	h, ok := c.hash(name)
	if !ok {
		return nil
	}
	for i := range c.all {
		n := &c.all[i]
		after, before := h > n.owner, h < n.Next
		// The last record points to the first one.
		if after && before || n.Next <= n.owner && (after || before) {
			return n
		}
	}
	return nil
}

// closest proves the closest encloser of a name that does not exist: the longest name above it
// that does, and the record that covers the next closer name (RFC 5155 section 8.3).
func (c *nsec3Chain) closest(name msg.Name) (encloser msg.Name, next *nsec3Record) {
	for labels := name.Labels() - 1; labels >= c.zone.Labels(); labels-- {
		e := name.Suffix(labels)
		n := c.matching(e)
		if n == nil {
			continue
		}
		if endsThere(n.Types) {
			return "", nil
		}
		return e, c.covering(name.Suffix(labels + 1))
	}
	return "", nil
}

// verdictOf is what a proof is worth that rests on a covering record: behind an opt-out there may
// be a delegation (RFC 5155 section 9.2).
func verdictOf(n *nsec3Record) verdict {
	if n.Flags&msg.FlagOptOut != 0 {
		return provenInsecure
	}
	return proven
}

// noName is RFC 5155 section 8.4.
func (c *nsec3Chain) noName(name msg.Name) verdict {
	encloser, next := c.closest(name)
	if next == nil {
		return unproven
	}
	wild, err := encloser.Wildcard()
	if err != nil || c.covering(wild) == nil {
		return unproven
	}
	return verdictOf(next)
}

// noData is RFC 5155 section 8.5 to 8.7.
func (c *nsec3Chain) noData(name msg.Name, typ msg.Type) verdict {
	if n := c.matching(name); n != nil {
		if lacks(n.Types, typ, name) {
			return proven
		}
		return unproven
	}
	encloser, next := c.closest(name)
	if next == nil {
		return unproven
	}
	if wild, err := encloser.Wildcard(); err == nil {
		if w := c.matching(wild); w != nil && lacks(w.Types, typ, wild) {
			return verdictOf(next)
		}
	}
	if typ == msg.TypeDS && verdictOf(next) == provenInsecure {
		return provenInsecure
	}
	return unproven
}

// noCloser is RFC 5155 section 8.8.
func (c *nsec3Chain) noCloser(next msg.Name) verdict {
	n := c.covering(next)
	if n == nil {
		return unproven
	}
	return verdictOf(n)
}

// delegation is RFC 5155 section 8.9.
func (c *nsec3Chain) delegation(name msg.Name) cut {
	if n := c.matching(name); n != nil {
		return ofTypes(n.Types)
	}
	switch _, next := c.closest(name); {
	case next == nil:
		return cutUnproven
	case verdictOf(next) == provenInsecure:
		return cutInsecure
	}
	return cutAbsent
}
