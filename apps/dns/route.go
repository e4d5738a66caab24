package dns

import (
	"context"
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
)

// route is the way of questions that no zone of the service's own has.
type route struct {
	forward   map[string]target // by the zone's folded name
	longest   int               // labels of the longest of them
	recursion target
	allow     []netip.Prefix
	size      uint16 // of EDNS
}

// target is a handler, which may be nil, and whether it answers in the receive path too.
type target struct {
	server.Handler
	direct server.Direct
}

func newTarget(h server.Handler) target {
	d, _ := h.(server.Direct)
	return target{h, d}
}

// to returns who has the question for a folded name, with a nil Handler where nobody has.
func (r *route) to(name []byte, labels int) target {
	if len(r.forward) == 0 {
		return r.recursion
	}
	for {
		if labels <= r.longest {
			if t, ok := r.forward[string(name)]; ok {
				return t
			}
		}
		if labels == 0 {
			return r.recursion
		}
		name = name[1+int(name[0]):]
		labels--
	}
}

func (r *route) allowed(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(r.allow, func(p netip.Prefix) bool { return p.Contains(a) })
}

// AnswerDirect implements server.Direct.
func (r *route) AnswerDirect(dst []byte, q *msg.Query, from netip.AddrPort, t server.Transport) ([]byte, bool) {
	to := r.to(q.Name(), q.Labels)
	switch {
	case to.Handler == nil:
		return r.refuse(dst, q, msg.EDENotAuthoritative), true
	case !r.allowed(from.Addr()):
		return r.refuse(dst, q, msg.EDEProhibited), true
	case to.direct == nil:
		return dst, false
	}
	return to.direct.AnswerDirect(dst, q, from, t)
}

// refuse appends an answer of REFUSED that says why.
func (r *route) refuse(dst []byte, q *msg.Query, ede uint16) []byte {
	at := len(dst)
	dst = append(dst, q.Wire[:q.NameEnd+4]...)
	h := dst[at:]
	h[2], h[3] = 0x80, byte(msg.RcodeRefused)
	if q.RD {
		h[2] |= 0x01
	}
	if q.CD {
		h[3] |= 0x10
	}
	if !q.EDNS {
		return dst
	}
	h[11] = 1
	do := byte(0)
	if q.DO {
		do = 0x80
	}
	dst = append(dst, 0, 0, byte(msg.TypeOPT), byte(r.size>>8), byte(r.size), 0, 0, do, 0, 0, 6, 0, byte(msg.OptionEDE), 0, 2)
	return binary.BigEndian.AppendUint16(dst, ede)
}

// ServeDNS implements server.Handler.
func (r *route) ServeDNS(ctx context.Context, w server.Writer, req *server.Request) {
	name := req.Msg.Question[0].Name.Fold()
	to := r.to([]byte(name), name.Labels())
	switch {
	case to.Handler == nil:
		refuse(w, req, msg.EDENotAuthoritative)
	case !r.allowed(req.Remote.Addr()):
		refuse(w, req, msg.EDEProhibited)
	default:
		to.ServeDNS(ctx, w, req)
	}
}

func refuse(w server.Writer, req *server.Request, ede uint16) {
	m := req.Msg.Reply()
	m.Rcode = msg.RcodeRefused
	if m.EDNS != nil {
		m.AddEDE(msg.EDE{Code: ede})
	}
	_ = w.Write(m) // the server counts what cannot be sent
}
