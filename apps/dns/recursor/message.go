package recursor

import (
	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/msg"
)

// message makes the answer of what was found: RA set and AA never.
func (r *Resolver) message(q msg.Question, out *outcome, o QueryOptions) *msg.Message {
	m := &msg.Message{Question: []msg.Question{q}}
	secure := out.fail == nil
	name := q.Name
	for i := range out.links {
		if out.fail != nil {
			break
		}
		e := &out.links[i]
		secure = secure && e.Security == cache.Secure
		name = addLink(m, e, name, q.Type, o.DO)
	}
	m = r.finish(m, o)
	m.AuthenticData = secure && (o.DO || o.AD)
	if out.fail != nil {
		m.Rcode = msg.RcodeServerFailure
		for _, e := range out.fail.ede {
			m.AddEDE(e)
		}
		return m
	}
	for i := range out.links {
		e := &out.links[i]
		if i == len(out.links)-1 && e.Kind == cache.NXDomain {
			m.Rcode = msg.RcodeNameError
		}
		switch {
		case e.Stale && e.Kind == cache.NXDomain:
			m.AddEDE(msg.EDE{Code: msg.EDEStaleNXDomain})
		case e.Stale:
			m.AddEDE(msg.EDE{Code: msg.EDEStaleAnswer})
		case e.EDE != 0:
			m.AddEDE(msg.EDE{Code: e.EDE})
		}
	}
	return m
}

// addLink adds an entry's RRsets to a message and returns what a CNAME among them points to. What belongs to the name
// that was asked for has it in the case it was asked in.
func addLink(m *msg.Message, e *cache.Entry, name msg.Name, typ msg.Type, do bool) (target msg.Name) {
	for i := range e.Sets {
		s := e.Sets[i].RRset
		if s.Name.Equal(name) {
			s.Name = name
		}
		switch e.Sets[i].Section {
		case cache.InAnswer:
			if s.Type == msg.TypeCNAME && typ != msg.TypeCNAME {
				target = msg.Name(s.Data[0])
			}
			m.Answer = s.AppendTo(m.Answer, do)
		case cache.InProof:
			if do {
				m.Authority = s.AppendTo(m.Authority, true)
			}
		default:
			m.Authority = s.AppendTo(m.Authority, do)
		}
	}
	if e.Type == msg.TypeCNAME && len(e.Sets) > 1 && e.Sets[1].Type == msg.TypeDNAME { // the DNAME goes first
		n := 1 + len(e.Sets[1].Data)
		if do {
			n += len(e.Sets[1].Sigs)
		}
		tail := m.Answer[len(m.Answer)-n:]
		cname := tail[0]
		copy(tail, tail[1:])
		tail[len(tail)-1] = cname
	}
	return target
}

// finish sets what is the same in every answer.
func (r *Resolver) finish(m *msg.Message, o QueryOptions) *msg.Message {
	m.Response, m.RecursionAvailable, m.CheckingDisabled = true, true, o.CD
	m.EDNS = &msg.EDNS{Size: msg.DefaultSize, DO: o.DO}
	return m
}

// unresolvable answers what is no question to a resolver: other classes, zone transfers and other types of
// questions only; ANY minimally (RFC 8482). Nil: it is one.
func unresolvable(q msg.Question) *msg.Message {
	m := &msg.Message{Question: []msg.Question{q}}
	switch {
	case q.Class == msg.ClassINET && q.Type == msg.TypeANY:
		m.Answer = []msg.RR{msg.NewRR(q.Name, msg.TypeHINFO, 3600, "\x07RFC8482\x00")}
	case q.Class != msg.ClassINET:
		m.Rcode = msg.RcodeRefused
	case q.Type.Meta() || q.Type == msg.TypeRRSIG:
		m.Rcode = msg.RcodeNotImplemented
	default:
		return nil
	}
	return m
}
