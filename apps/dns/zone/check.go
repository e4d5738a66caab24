package zone

import (
	"errors"
	"fmt"
	"hash/maphash"
	"net/netip"
	"strings"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Problem is something that is wrong with a zone.
type Problem struct {
	Pos   Position
	Error bool // no server should load the zone; else it is a warning
	Text  string
}

// String returns the problem in one line.
func (p Problem) String() string {
	level := "warning"
	if p.Error {
		level = "error"
	}
	return fmt.Sprintf("%v: %s: %s", p.Pos, level, p.Text)
}

// MaxProblems is the most problems that Check lists. When there are more, the last one says so.
const MaxProblems = 1000

// Check reads a zone and lists what is wrong with it: what BIND's named-checkzone finds, divided as there into errors and
// warnings, and some more as warnings. The zone is nil when there is an error that leaves none. now is for
// signatures.
func Check(rd *Reader, origin msg.Name, now time.Time) ([]Problem, *Zone) {
	defer rd.Close()
	c := &checker{rd: rd, origin: origin, now: now, seed: maphash.MakeSeed(),
		ttls: map[uint64]uint32{}, seen: map[uint64]struct{}{}, pos: Position{File: rd.last.File}}
	b := NewBuilder(origin)
	for {
		rr, ok := rd.Next()
		if !ok {
			break
		}
		c.pos = rd.Position()
		switch err := b.Add(rr); {
		case errors.Is(err, ErrOutOfZone):
			c.warn("out-of-zone data is ignored: %v %v", rr.Name, rr.Type)
		case err != nil:
			c.fail("%v", err)
		default:
			c.record(rr)
		}
	}
	if err := rd.Err(); err != nil {
		c.pos = rd.Position()
		c.fail("%s", strings.TrimPrefix(err.Error(), c.pos.String()+": "))
		return c.found, nil
	}
	c.pos = Position{File: c.pos.File}
	if rd.MinimumTTL() {
		c.warn("records without a TTL, and no $TTL: the minimum of the SOA record is taken")
	}
	if c.soas != 1 {
		c.fail("%v has %d SOA records", origin, c.soas)
		return c.found, nil
	}
	z, err := b.Zone()
	if err != nil {
		c.fail("%v", err)
		return c.found, nil
	}
	c.whole(z)
	return c.found, z
}

// CheckFile checks a file.
func CheckFile(path string, origin msg.Name, o ReadOptions, now time.Time) ([]Problem, *Zone) {
	rd, err := OpenFile(path, origin, o)
	if err != nil {
		return []Problem{{Position{File: path}, true, oneLine(err.Error())}}, nil
	}
	return Check(rd, origin, now)
}

// checker gathers problems.
type checker struct {
	rd     *Reader
	origin msg.Name
	now    time.Time
	pos    Position
	found  []Problem

	seed  maphash.Seed
	ttls  map[uint64]uint32   // of each RRset by its hash
	seen  map[uint64]struct{} // records by their hash
	soas  int
	links []link // records that point to names, and such as stand alone
}

// link is a record to look at when the zone is whole.
type link struct {
	pos Position
	rr  msg.RR
}

func (c *checker) fail(format string, args ...any) { c.add(true, format, args...) }
func (c *checker) warn(format string, args ...any) { c.add(false, format, args...) }

func (c *checker) add(isError bool, format string, args ...any) {
	switch n := len(c.found); {
	case n == MaxProblems:
		c.found = append(c.found, Problem{c.pos, isError, "and more"})
	case n < MaxProblems:
		c.found = append(c.found, Problem{c.pos, isError, oneLine(fmt.Sprintf(format, args...))})
	case isError: // one that matters is not lost
		c.found[n-1].Error = true
	}
}

// record looks at one record by itself and beside those before it.
func (c *checker) record(rr msg.RR) {
	if c.rd.large {
		c.warn("%v %v: TTL %d is above %d and counts as 0 (RFC 2181 §8)", rr.Name, rr.Type, c.rd.given, uint32(maxTTL))
	}
	name := string(rr.Name.Fold())
	set := c.hash(name, rr.Type, "")
	if rr.Type == msg.TypeRRSIG {
		set = c.hash(name, rr.Type, rr.Data[:2])
	}
	if ttl, ok := c.ttls[set]; !ok {
		c.ttls[set] = rr.TTL
	} else if ttl != rr.TTL { // RFC 2181 §5.2
		c.warn("%v %v: TTL %d differs from %d of the RRset's first record, which is taken", rr.Name, rr.Type, rr.TTL, ttl)
	}
	one := c.hash(name, rr.Type, rr.Data)
	if _, twice := c.seen[one]; twice {
		c.warn("%v %v: the record is there twice", rr.Name, rr.Type)
		return
	}
	c.seen[one] = struct{}{}
	apex := rr.Name.Equal(c.origin)
	switch rr.Type {
	case msg.TypeSOA:
		if !apex {
			c.fail("%v: an SOA record below the zone's name", rr.Name)
			return
		}
		c.soas++
	case msg.TypeNS:
		if rr.Name.IsWildcard() {
			c.fail("%v: a wildcard cannot be delegated (RFC 4592 §4.2)", rr.Name)
		}
	case msg.TypeDS:
		if apex {
			c.fail("%v: DS at the zone's own name belongs into the zone above (RFC 4035 §2.4)", rr.Name)
		}
	case msg.TypeRRSIG:
		c.signature(rr)
	}
	c.names(rr)
	switch rr.Type {
	case msg.TypeNS, msg.TypeMX, msg.TypeSRV, msg.TypeCNAME, msg.TypeDNAME, msg.TypeDS:
		c.links = append(c.links, link{c.pos, rr})
	}
}

func (c *checker) hash(name string, t msg.Type, data string) uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	h.WriteString(name)
	h.Write([]byte{byte(t >> 8), byte(t)})
	h.WriteString(data)
	return h.Sum64()
}

// signature looks at the times of a signature (RFC 4034 §3.1.5).
func (c *checker) signature(rr msg.RR) {
	sig, ok := rr.RRSIG()
	if !ok {
		return
	}
	switch now := uint32(c.now.Unix()); {
	case int32(sig.Expiration-now) < 0:
		c.warn("%v %v: the signature expired %s", rr.Name, msg.Type(be16(rr.Data)), since(c.now, sig.Expiration))
	case int32(now-sig.Inception) < 0:
		c.warn("%v %v: the signature is not valid yet", rr.Name, msg.Type(be16(rr.Data)))
	}
}

func since(now time.Time, then uint32) string {
	d := time.Duration(uint32(now.Unix())-then) * time.Second
	if d < 48*time.Hour {
		return fmt.Sprintf("%v ago", d)
	}
	return fmt.Sprintf("%d days ago", d/(24*time.Hour))
}

// names looks at whether names of hosts are such (RFC 952, RFC 1123 §2.1).
func (c *checker) names(rr msg.RR) {
	switch rr.Type {
	case msg.TypeA, msg.TypeAAAA, msg.TypeMX:
		if !hostname(rr.Name, true) {
			c.warn("%v %v: this is no name of a host (check-names)", rr.Name, rr.Type)
		}
	}
	target := rr.Target()
	if soa, ok := rr.SOA(); ok {
		target = soa.MName
	}
	switch rr.Type {
	case msg.TypeNS, msg.TypeMX, msg.TypeSRV, msg.TypeSOA:
		if target != "" && !hostname(target, false) {
			c.warn("%v %v points to %v, which is no name of a host (check-names)", rr.Name, rr.Type, target)
		}
	}
	if rr.Type == msg.TypeNS || rr.Type == msg.TypeMX {
		text := strings.TrimSuffix(target.String(), ".")
		if target.Under(c.origin) {
			text = strings.TrimSuffix(text, "."+strings.TrimSuffix(c.origin.String(), "."))
		}
		if _, err := netip.ParseAddr(text); err == nil {
			c.warn("%v %v points to %v: it wants a name, not an address", rr.Name, rr.Type, target)
		}
	}
}

// hostname reports whether a name has letters, digits and hyphens only, with no hyphen at an end of a label.
func hostname(n msg.Name, wildcard bool) bool {
	for ; n != msg.Root && n != ""; n = n.Parent() {
		l := n.First()
		if wildcard && l == "*" {
			wildcard = false
			continue
		}
		wildcard = false
		if l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for i := 0; i < len(l); i++ {
			if c := l[i] | 0x20; !('a' <= c && c <= 'z' || '0' <= l[i] && l[i] <= '9' || l[i] == '-') {
				return false
			}
		}
	}
	return true
}

// whole looks at what only the whole zone shows.
func (c *checker) whole(z *Zone) {
	if _, ok := z.Get(c.origin, msg.TypeNS); !ok {
		c.fail("%v has no NS records", c.origin)
	}
	alone := map[msg.Name]bool{}
	for _, l := range c.links {
		c.pos = l.pos
		switch l.rr.Type {
		case msg.TypeCNAME, msg.TypeDNAME:
			c.alone(z, l.rr, alone)
		case msg.TypeDS:
			if _, ok := z.Get(l.rr.Name, msg.TypeNS); !ok {
				c.warn("%v: DS without NS: nothing is delegated there", l.rr.Name)
			}
		default:
			c.points(z, l.rr)
		}
	}
	c.pos = Position{File: c.pos.File}
	c.occluded(z)
}

// alone looks at what must be the only one of its kind, or the only record (RFC 2181 §10.1, RFC 6672 §2.4).
func (c *checker) alone(z *Zone, rr msg.RR, told map[msg.Name]bool) {
	var buf [maxKey]byte
	n, ok := z.names.get(z.key(&buf, rr.Name))
	if !ok || told[rr.Name.Fold()] {
		return
	}
	if s, _ := n.set(rr.Type); s.Len() > 1 {
		told[rr.Name.Fold()] = true
		c.fail("%v has %d %v records, it may have one", rr.Name, s.Len(), rr.Type)
		return
	}
	if rr.Type != msg.TypeCNAME {
		return
	}
	n.each(func(s Set) bool {
		if besideCNAME(s.Type) {
			return true
		}
		if s.Len() > 0 {
			told[rr.Name.Fold()] = true
			c.fail("%v: CNAME and other data (%v)", rr.Name, s.Type)
		}
		return s.Len() == 0
	})
}

// points looks at where an NS, MX or SRV record points to (RFC 2181 §10.3).
func (c *checker) points(z *Zone, rr msg.RR) {
	target := rr.Target()
	if target == "" || target == msg.Root || !target.Under(c.origin) {
		return
	}
	tell := c.warn
	if rr.Type == msg.TypeNS && rr.Name.Equal(c.origin) {
		tell = c.fail
	}
	var a Answer
	for _, t := range [2]msg.Type{msg.TypeA, msg.TypeAAAA} {
		z.Lookup(&a, target, t, false)
		switch {
		case len(a.Answer) > 0 && (a.Answer[0].Type == msg.TypeCNAME || a.Answer[0].Type == msg.TypeDNAME):
			tell("%v %v points to %v, which is a %v (RFC 2181 §10.3)", rr.Name, rr.Type, target, a.Answer[0].Type)
			return
		case a.Kind == Positive:
			return
		case a.Kind == Delegation:
			if _, ok := z.Get(target, t); ok || rr.Type != msg.TypeNS {
				return
			}
		}
	}
	if a.Kind == Delegation {
		kind := "sibling glue"
		if target.Under(rr.Name) {
			kind = "glue, without which it cannot be reached"
		}
		tell("%v NS points to %v, for which there is no address: %s", rr.Name, target, kind)
		return
	}
	tell("%v %v points to %v, which has no address (A or AAAA)", rr.Name, rr.Type, target)
}

// occluded looks for what no answer will have, since it is below a delegation or a DNAME.
func (c *checker) occluded(z *Zone) {
	top, dname := "", false
	z.names.each(func(n node) bool {
		if top != "" && n.key != top && below(n.key, top) {
			n.each(func(s Set) bool {
				if glue := !dname && (s.Type == msg.TypeA || s.Type == msg.TypeAAAA); !glue {
					what := "a delegation"
					if dname {
						what = "a DNAME"
					}
					c.warn("%v %v is below %s, %v, and no answer has it", n.name(z.origin), s.Type, what, keyName(top, z.origin))
				}
				return false
			})
			return true
		}
		if top = ""; n.flags&(flagCut|flagDNAME) != 0 {
			top, dname = n.key, n.flags&flagDNAME != 0
		}
		return true
	})
}
