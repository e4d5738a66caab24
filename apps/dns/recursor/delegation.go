package recursor

import (
	"math/rand/v2"
	"net/netip"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/msg"
)

// cut is a zone and its servers, with what one walk has found out about them.
type cut struct {
	zone    msg.Name // in lower case
	left    uint32   // seconds that the delegation lasts
	servers []nsServer
	cands   []candidate
	fetched int
	last    []error // what the servers asked last had wrong with them
}

// nsServer is a name of an NS record.
type nsServer struct {
	name   msg.Name
	looked int // 0: its address was not looked for yet; 1: A was; 2: AAAA too
}

// candidate is an address to ask.
type candidate struct {
	name  msg.Name
	addr  netip.Addr
	tries int
	out   bool // of no use for this question
}

// again lets all servers be asked anew.
func (c *cut) again() {
	for i := range c.cands {
		c.cands[i].tries, c.cands[i].out = 0, false
	}
	c.last = nil
}

// dismiss takes a server out, and reports whether there is another one.
func (c *cut) dismiss(a netip.Addr) (another bool) {
	for i := range c.cands {
		c.cands[i].out = c.cands[i].out || c.cands[i].addr == a
		another = another || !c.cands[i].out
	}
	return another
}

func (c *cut) add(name msg.Name, a netip.Addr) {
	a = a.Unmap()
	for i := range c.cands {
		if c.cands[i].addr == a {
			return
		}
	}
	c.cands = append(c.cands, candidate{name: name, addr: a})
}

// hints makes the root's delegation from hints.
func hints(rrs []msg.RR) (cache.Entry, error) {
	e := cache.Entry{Name: msg.Root, Type: msg.TypeNS, Kind: cache.Delegation}
	sets := msg.RRsets(rrs)
	for _, s := range sets {
		if s.Type == msg.TypeNS && s.Name == msg.Root {
			e.Sets = append(e.Sets, cache.Set{RRset: s})
		}
	}
	if len(e.Sets) == 0 {
		return e, ErrHints
	}
	for _, s := range sets {
		if (s.Type == msg.TypeA || s.Type == msg.TypeAAAA) && names(e.Sets[0].RRset, s.Name) {
			e.Sets = append(e.Sets, cache.Set{RRset: s})
		}
	}
	if len(e.Sets) == 1 {
		return e, ErrHints
	}
	return e, nil
}

// deepest returns the deepest zone that a name is in, or for a DS its parent is in, of those that the cache has
// a delegation of.
func (t *task) deepest(name msg.Name, typ msg.Type) (*cut, *failure) {
	n := name
	if typ == msg.TypeDS {
		n = n.Parent()
	}
	for ; n != msg.Root; n = n.Parent() {
		e, ok := t.r.cache.Get(n, msg.TypeNS, cache.Delegation, false)
		if !ok {
			continue
		}
		if c := t.cutOf(&e); len(c.cands) > 0 || c.hopeful(t) {
			return c, nil
		}
	}
	return t.root()
}

// hopeful reports whether an address of one of the servers may be found without the zone itself.
func (c *cut) hopeful(t *task) bool {
	for _, s := range c.servers {
		if !s.name.Under(c.zone) && !t.pending(s.name, msg.TypeA) {
			return true
		}
	}
	return false
}

// root returns the root and its servers: as it names them itself (RFC 8109), or as the hints do where it does not.
func (t *task) root() (*cut, *failure) {
	if e, ok := t.r.cache.Get(msg.Root, msg.TypeNS, cache.Delegation, false); ok {
		return t.cutOf(&e), nil
	}
	hinted := t.cutOf(&t.r.hints)
	q := msg.Question{Name: msg.Root, Type: msg.TypeNS, Class: msg.ClassINET}
	rep, f := t.ask(hinted, q)
	if f != nil {
		return nil, f
	}
	if rep.kind != gotAnswer {
		return hinted, nil
	}
	e := cache.Entry{Name: msg.Root, Type: msg.TypeNS, Kind: cache.Delegation, TTL: rep.ttl, Sets: []cache.Set{{RRset: rep.set}}}
	e.Sets[0].Sigs = nil
	for _, g := range msg.RRsets(rep.m.Additional) {
		if (g.Type == msg.TypeA || g.Type == msg.TypeAAAA) && len(g.Data) > 0 && names(rep.set, g.Name) {
			g.Sigs = nil
			e.Sets = append(e.Sets, cache.Set{RRset: g})
		}
	}
	if len(e.Sets) == 1 { // truncated glue, or none: what the hints say of servers of the same names
		for _, s := range t.r.hints.Sets[1:] {
			if names(rep.set, s.Name) {
				e.Sets = append(e.Sets, s)
			}
		}
	}
	t.r.cache.Put(e)
	if c := t.cutOf(&e); len(c.cands) > 0 {
		return c, nil
	}
	return hinted, nil
}

// cutOf makes a cut of a delegation: servers with the addresses that came with it, and those that the cache has.
func (t *task) cutOf(e *cache.Entry) *cut {
	c := &cut{zone: e.Name.Fold(), left: e.TTL}
	data := e.Sets[0].Data
	start := rand.IntN(max(len(data), 1))
	for i := range data {
		if i == t.r.cfg.Limits.Servers {
			break
		}
		c.servers = append(c.servers, nsServer{name: msg.Name(data[(start+i)%len(data)])})
	}
	for i := range c.servers {
		s := &c.servers[i]
		for _, g := range e.Sets[1:] {
			if g.Name.Equal(s.name) {
				t.addresses(c, s.name, g.RRset)
			}
		}
		for n, typ := range addressTypes {
			if a, ok := t.r.cache.Get(s.name, typ, cache.Positive, false); ok && a.Rank > cache.RankAdditional {
				if s.looked == n {
					s.looked = n + 1
				}
				if a.Kind == cache.Positive {
					t.addresses(c, s.name, a.Sets[0].RRset)
				}
			}
		}
	}
	return c
}

var addressTypes = [2]msg.Type{msg.TypeA, msg.TypeAAAA}

// addresses adds the addresses of an RRset that may be asked.
func (t *task) addresses(c *cut, name msg.Name, s msg.RRset) {
	for _, rr := range s.RRs() {
		a := rr.Addr().Unmap()
		if !a.IsValid() || a.IsUnspecified() || a.IsMulticast() || len(c.cands) >= 2*t.r.cfg.Limits.Servers ||
			a.Is4() && t.r.cfg.NoIPv4 || a.Is6() && t.r.cfg.NoIPv6 {
			continue
		}
		c.add(name, a)
	}
}

// refer keeps the delegation that a server gave and returns the zone that it leads to. It lasts no longer than that of the zone
// of the server: one that its parent has taken back cannot live on in delegations below it (ghost domains).
func (t *task) refer(from *cut, rep *reply) *cut {
	e := cache.Entry{
		Name: rep.set.Name.Fold(), Type: msg.TypeNS, Kind: cache.Delegation, Rank: cache.RankAuthority, TTL: rep.ttl,
		Sets: []cache.Set{{RRset: rep.set}},
	}
	if from.zone != msg.Root {
		e.TTL = min(e.TTL, from.left)
	}
	e.Sets[0].Sigs = nil
	for _, g := range rep.glue {
		e.Sets = append(e.Sets, cache.Set{RRset: g})
	}
	t.r.cache.Put(e)
	for _, s := range rep.auth { // a validator asks for it next
		if s.Type == msg.TypeDS && len(s.Data) > 0 && len(s.Sigs) > 0 && s.Name.Equal(e.Name) {
			t.r.cache.Put(cache.Entry{Name: e.Name, Type: msg.TypeDS, Rank: cache.RankAuthority, TTL: s.TTL, Sets: []cache.Set{{RRset: s}}})
		}
	}
	return t.cutOf(&e)
}

// find looks up an address of a server that has none yet, or none that was of use. It reports false where there is no
// name left to look up, or nothing left to do it with (NXNSAttack), or it would go round in a circle (TsuNAME).
func (t *task) find(c *cut) (bool, *failure) {
	for round := range 2 {
		for i := range c.servers {
			s := &c.servers[i]
			typ := addressTypes[round]
			if s.looked != round {
				continue
			}
			s.looked++
			if round == 0 && t.r.cfg.NoIPv4 || round == 1 && t.r.cfg.NoIPv6 {
				continue
			}
			if s.name.Under(c.zone) { // only the zone itself could tell, and its servers are of no use
				continue
			}
			if t.pending(s.name, typ) || t.depth >= t.r.cfg.Limits.Depth {
				continue
			}
			if c.fetched >= t.r.cfg.Limits.Fetch || t.left.names <= 0 {
				return false, nil
			}
			c.fetched++
			t.left.names--
			before := len(c.cands)
			t.findOne(c, s.name, typ)
			if f := t.late(); f != nil {
				return false, f
			}
			if len(c.cands) > before {
				return true, nil
			}
		}
	}
	return false, nil
}

func (t *task) findOne(c *cut, name msg.Name, typ msg.Type) {
	sub := t.sub(name, typ)
	sub.event(Event{Kind: FindServer, Zone: c.zone})
	out := sub.question()
	if out.fail != nil {
		if out.fail.reason == unreachable {
			sub.rememberFailure(out.fail)
		}
		return
	}
	if last := &out.links[len(out.links)-1]; len(out.links) == 1 { // RFC 2181 §10.3: an alias is no server
		if set := last.RRset(); set != nil {
			t.addresses(c, name, *set)
		}
	}
}
