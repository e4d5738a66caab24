package dns

import (
	"context"
	"encoding/binary"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
)

// route is the way of questions that no zone of the service's own has.
type route struct {
	service   *Service
	forward   map[string]target // by the zone's folded name
	longest   int               // labels of the longest of them
	recursion target
	allow     []netip.Prefix
	size      uint16 // of EDNS

	asked   atomic.Int64 // queries that are being answered; retired is added when there is another route
	once    sync.Once
	settled chan struct{} // closed when the last of them is answered after that
}

// retired is added to route.asked when no more queries are to be taken.
const retired = 1 << 62

// enter takes a query, unless the route is retired. leave is to follow.
func (r *route) enter() bool {
	if r.asked.Add(1) > retired {
		r.leave()
		return false
	}
	return true
}

func (r *route) leave() {
	if r.asked.Add(-1) == retired {
		r.settle()
	}
}

// retire has the route take no more queries.
func (r *route) retire() {
	if r.asked.Add(retired) == retired {
		r.settle()
	}
}

// settle tells that the last query is answered. Who comes late and is sent away may be the last too.
func (r *route) settle() { r.once.Do(func() { close(r.settled) }) }

// target is a handler, which may be nil, and whether it answers in the receive path too.
type target struct {
	server.Handler
	direct server.Direct
}

func newTarget(h server.Handler) target {
	d, _ := h.(server.Direct)
	return target{h, d}
}

// to returns who has the question for a folded name, with a nil Handler where nobody has. A DS record is its zone's
// parent's (RFC 4035 §3.1.4.1), so that it is asked for where the parent's names are, if those have anybody.
func (r *route) to(name []byte, labels int, typ msg.Type) target {
	if len(r.forward) == 0 {
		return r.recursion
	}
	if typ == msg.TypeDS && labels > 0 {
		if t := r.under(name[1+int(name[0]):], labels-1); t.Handler != nil {
			return t
		}
	}
	return r.under(name, labels)
}

// under returns who has the names that are under a folded name.
func (r *route) under(name []byte, labels int) target {
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
	to := r.to(q.Name(), q.Labels, q.Type)
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
	if !r.enter() {
		r.late(ctx, w, req)
		return
	}
	defer r.leave()
	name := req.Msg.Question[0].Name.Fold()
	to := r.to([]byte(name), name.Labels(), req.Msg.Question[0].Type)
	switch {
	case to.Handler == nil:
		refuse(w, req, msg.EDENotAuthoritative)
	case !r.allowed(req.Remote.Addr()):
		refuse(w, req, msg.EDEProhibited)
	default:
		to.ServeDNS(ctx, w, req)
	}
}

// late has a query answered that came when there was another configuration already: from the beginning, for what had no zone may
// have one now, but for one whose signature is verified, which would be signed twice.
func (r *route) late(ctx context.Context, w server.Writer, req *server.Request) {
	if n := len(req.Msg.Additional); n > 0 && req.Msg.Additional[n-1].Type == msg.TypeTSIG {
		r.service.state.Load().next().ServeDNS(ctx, w, req)
		return
	}
	r.service.zones.ServeDNS(ctx, w, req)
}

func refuse(w server.Writer, req *server.Request, ede uint16) {
	m := req.Msg.Reply()
	m.Rcode = msg.RcodeRefused
	if m.EDNS != nil {
		m.AddEDE(msg.EDE{Code: ede})
	}
	_ = w.Write(m) // the server counts what cannot be sent
}
