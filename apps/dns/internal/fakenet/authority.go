package fakenet

import (
	"fmt"
	"strings"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Records reads records, one a line, as a master file without directives has them: name, TTL, class, type, data.
func Records(text string) (rrs []msg.RR) {
	for _, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		rr, err := msg.ParseRR(line)
		if err != nil {
			panic(fmt.Sprintf("%q: %v", line, err))
		}
		rrs = append(rrs, rr)
	}
	return rrs
}

// Zone returns a handler that answers with authority over a zone from its records: answers, CNAMEs, DNAMEs, referrals with
// glue, NODATA and NXDOMAIN. The SOA record is made where there is none.
func Zone(origin, text string) Handler {
	z := &zone{origin: msg.MustName(origin), rrs: Records(text)}
	soa := msg.SOA{MName: z.origin, RName: z.origin, Serial: 1, Refresh: 1, Retry: 1, Expire: 1, Minimum: 60}
	z.soa = msg.NewRR(z.origin, msg.TypeSOA, 3600, soa.Data())
	for _, rr := range z.rrs {
		if rr.Type == msg.TypeSOA {
			z.soa = rr
		}
	}
	return func(q *msg.Message, _ []byte, _ bool) []Reply {
		m := q.Reply()
		z.answer(m, q.Question[0])
		return []Reply{{Msg: m}}
	}
}

type zone struct {
	origin msg.Name
	rrs    []msg.RR
	soa    msg.RR
}

func (z *zone) answer(m *msg.Message, q msg.Question) {
	if !q.Name.Under(z.origin) {
		m.Rcode = msg.RcodeRefused
		return
	}
	m.Authoritative = true
	exists := q.Name.Equal(z.origin)
	for _, rr := range z.rrs {
		exists = exists || rr.Name.Under(q.Name)
		switch {
		case rr.Type == msg.TypeNS && !rr.Name.Equal(z.origin) && q.Name.Under(rr.Name) &&
			!(q.Type == msg.TypeDS && q.Name.Equal(rr.Name)):
			m.Authoritative = false
			m.Authority = append(m.Authority, rr)
			for _, g := range z.rrs {
				if (g.Type == msg.TypeA || g.Type == msg.TypeAAAA) && g.Name.Equal(rr.Target()) {
					m.Additional = append(m.Additional, g)
				}
			}
		case rr.Name.Equal(q.Name) && (rr.Type == q.Type || rr.Type == msg.TypeCNAME):
			m.Answer = append(m.Answer, rr)
		case rr.Type == msg.TypeDNAME && q.Name.Under(rr.Name) && !q.Name.Equal(rr.Name):
			to := q.Name[:len(q.Name)-len(rr.Name)] + rr.Target()
			m.Answer = append(m.Answer, rr, msg.CNAME(q.Name, rr.TTL, to))
		}
	}
	if !m.Authoritative {
		m.Answer = nil
		return
	}
	if q.Type == msg.TypeSOA && q.Name.Equal(z.origin) && len(m.Answer) == 0 {
		m.Answer = []msg.RR{z.soa}
	}
	if q.Type == msg.TypeNS && q.Name == msg.Root { // priming
		for _, ns := range m.Answer {
			for _, g := range z.rrs {
				if g.Name.Equal(ns.Target()) {
					m.Additional = append(m.Additional, g)
				}
			}
		}
	}
	if len(m.Answer) == 0 {
		m.Authority = []msg.RR{z.soa}
		if !exists {
			m.Rcode = msg.RcodeNameError
		}
	}
}

// Refuse answers REFUSED to everything.
func Refuse(q *msg.Message, _ []byte, _ bool) []Reply { return Code(msg.RcodeRefused)(q, nil, false) }

// Code answers with a response code and nothing else.
func Code(c msg.Rcode) Handler {
	return func(q *msg.Message, _ []byte, _ bool) []Reply {
		m := q.Reply()
		m.Rcode = c
		return []Reply{{Msg: m}}
	}
}

// Edit changes the answers of a handler.
func Edit(h Handler, f func(q, m *msg.Message)) Handler {
	return func(q *msg.Message, w []byte, tcp bool) []Reply {
		list := h(q, w, tcp)
		for i := range list {
			f(q, list[i].Msg)
		}
		return list
	}
}
