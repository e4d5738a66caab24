package tree

import (
	"context"
	"fmt"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/apps/dns/zone"
)

// Handler returns what answers for a server of the tree: an authority for its zones.
func (t *Tree) Handler(s Server) (server.Handler, error) {
	h := authority{}
	for _, origin := range s.Zones {
		z, ok := t.Zone(origin)
		if !ok {
			return nil, fmt.Errorf("%v is said to have %v, which is not in the tree", s.Name, origin)
		}
		b := zone.NewBuilder(origin)
		for _, rr := range z.Records {
			if err := b.Add(rr); err != nil {
				return nil, fmt.Errorf("zone %v: %v: %w", origin, rr, err)
			}
		}
		made, err := b.Zone()
		if err != nil {
			return nil, fmt.Errorf("zone %v: %w", origin, err)
		}
		h[origin.Fold()] = made
	}
	return h, nil
}

// authority answers from some zones.
type authority map[msg.Name]*zone.Zone

// ServeDNS answers a query.
func (h authority) ServeDNS(_ context.Context, w server.Writer, r *server.Request) {
	m := r.Msg.Reply()
	q := r.Msg.Question[0]
	z := h.find(q.Name)
	if z == nil || q.Class != msg.ClassINET || r.Msg.Opcode != msg.OpcodeQuery {
		m.Rcode = msg.RcodeRefused
		w.Write(m)
		return
	}
	var a zone.Answer
	z.Lookup(&a, q.Name, q.Type, r.Msg.EDNS != nil && r.Msg.EDNS.DO)
	m.Rcode, m.Authoritative = a.Rcode, a.Authoritative
	m.Answer, m.Authority, m.Additional = records(a.Answer), records(a.Authority), records(a.Additional)
	w.Write(m)
}

// find returns the zone that is nearest to a name.
func (h authority) find(name msg.Name) *zone.Zone {
	for at := name.Fold(); ; at = at.Parent() {
		if z := h[at]; z != nil || at == msg.Root {
			return z
		}
	}
}

func records(sets []zone.Set) (rrs []msg.RR) {
	for _, s := range sets {
		rrs = s.AppendRRs(rrs)
	}
	return rrs
}
