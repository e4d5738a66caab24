package recursor

import (
	"context"
	"net/netip"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
)

var (
	_ server.Handler = (*Resolver)(nil)
	_ server.Direct  = (*Resolver)(nil)
)

// ServeDNS implements server.Handler. Who may ask is for the caller to have decided. A question without RD is answered
// from the cache or refused.
func (r *Resolver) ServeDNS(ctx context.Context, w server.Writer, req *server.Request) {
	reply := req.Msg.Reply()
	if req.Msg.Opcode != msg.OpcodeQuery || len(req.Msg.Question) != 1 {
		reply.Rcode = msg.RcodeNotImplemented
		if req.Msg.Opcode == msg.OpcodeQuery {
			reply.Rcode = msg.RcodeFormatError
		}
		w.Write(reply)
		return
	}
	q := req.Msg.Question[0]
	if up := r.cfg.Upstream; up != nil {
		up.Asked(q, req.Remote.Addr())
	}
	o := QueryOptions{CD: req.Msg.CheckingDisabled, AD: req.Msg.AuthenticData, CacheOnly: !req.Msg.RecursionDesired}
	o.DO = req.Msg.EDNS != nil && req.Msg.EDNS.DO
	m, err := r.Resolve(ctx, q, o)
	Fill(reply, m, err)
	w.Write(reply) // an error is counted by the server
}

// Fill makes the reply to a client of what a resolver's Resolve returned.
func Fill(reply, m *msg.Message, err error) {
	reply.RecursionAvailable, reply.Authoritative = true, false
	switch {
	case err == ErrNotCached:
		reply.Rcode = msg.RcodeRefused
		reply.AddEDE(msg.EDE{Code: msg.EDENotAuthoritative})
	case err != nil:
		reply.Rcode = msg.RcodeServerFailure
		reply.AddEDE(msg.EDE{Code: msg.EDEOther, Text: err.Error()})
	default:
		reply.Rcode, reply.AuthenticData = m.Rcode, m.AuthenticData
		reply.Answer, reply.Authority, reply.Additional = m.Answer, m.Authority, m.Additional
		for _, e := range m.EDE() {
			reply.AddEDE(e)
		}
	}
}

// AnswerDirect implements server.Direct: it answers from the cache.
func (r *Resolver) AnswerDirect(dst []byte, q *msg.Query, _ netip.AddrPort, _ server.Transport) ([]byte, bool) {
	how := cache.Answering{Validated: r.check != nil, Prefetch: uint32(r.cfg.Prefetch), UDPSize: msg.DefaultSize}
	out, refresh, ok := r.cache.Answer(dst, q, how)
	if !ok {
		return dst, false
	}
	r.counters[countDirect].Add(1)
	if refresh {
		r.refresh(msg.Question{Name: msg.Name(q.Name()), Type: q.Type, Class: q.Class})
	}
	return out, true
}
