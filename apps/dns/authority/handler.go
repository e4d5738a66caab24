package authority

import (
	"context"
	"errors"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/apps/dns/tsig"
)

// request is a request being answered.
type request struct {
	*server.Request
	s    *Set
	ix   *index
	w    server.Writer
	sess *tsig.Session // nil for one that is not signed
	key  msg.Name      // that it is signed with, "" for none
}

// ServeDNS implements server.Handler: transfers, notices of changes, what is signed, and all else that
// AnswerDirect leaves.
func (s *Set) ServeDNS(ctx context.Context, w server.Writer, r *server.Request) {
	if len(r.Msg.Question) != 1 {
		m := r.Msg.Reply()
		m.Rcode = msg.RcodeFormatError
		_ = w.Write(m) // the server counts what cannot be sent
		return
	}
	q := r.Msg.Question[0]
	ix := s.index.Load()
	v := ix.find([]byte(q.Name.Fold()), q.Type)
	chaos := q.Class == msg.ClassCHAOS
	req := &request{Request: r, s: s, ix: ix, w: w}
	if !req.verify() { // whatever it asks for: RFC 8945 §5.2
		return
	}
	switch {
	case v == nil && ix.next != nil && !chaos && r.Msg.Opcode == msg.OpcodeQuery:
		req.next(ctx)
	case r.Msg.Opcode == msg.OpcodeNotify:
		req.notified(v)
	case r.Msg.Opcode != msg.OpcodeQuery:
		req.rcode(msg.RcodeNotImplemented)
	case chaos:
		req.chaos()
	case q.Class != msg.ClassINET:
		s.counters.refused.Add(1)
		req.refuse(msg.EDENotSupported)
	case v == nil:
		s.counters.refused.Add(1)
		req.rcode(msg.RcodeRefused)
	case q.Type == msg.TypeAXFR || q.Type == msg.TypeIXFR:
		req.transfer(ctx, v)
	case q.Type.Meta() && q.Type != msg.TypeANY:
		req.rcode(msg.RcodeFormatError)
	default:
		req.answer(v)
	}
}

// verify checks the request's signature, if it has one, and answers where it is wrong.
func (r *request) verify() bool {
	sess, err := tsig.Accept(r.Wire, r.ix.keys, time.Now())
	r.sess = sess
	if err != nil {
		r.s.counters.badSig.Add(1)
		rcode := msg.RcodeFormatError
		if e, ok := err.(*tsig.Error); ok {
			rcode = e.Rcode()
		}
		r.rcode(rcode)
		return false
	}
	if sess != nil {
		r.key = sess.Key()
	}
	return true
}

// next has what is not of any zone here answered by who else may know. What was signed is answered signed (RFC 8945 §5.3).
func (r *request) next(ctx context.Context) {
	if r.sess == nil {
		r.ix.next.ServeDNS(ctx, r.w, r.Request)
		return
	}
	to := *r.Request
	to.Limit -= r.sess.Room()
	r.ix.next.ServeDNS(ctx, &signer{r: r}, &to)
}

// signer is a server.Writer that signs.
type signer struct{ r *request }

// Write implements server.Writer.
func (w *signer) Write(m *msg.Message) error {
	if w.r.Msg.EDNS == nil {
		m.EDNS = nil // RFC 6891 §6.1.1
	}
	p := w.r.pack(m, w.r.Limit-w.r.sess.Room())
	if p == nil {
		return errPack
	}
	return w.r.w.WriteWire(p)
}

// WriteWire implements server.Writer.
func (w *signer) WriteWire(p []byte) error {
	p, err := w.r.sess.Sign(append([]byte(nil), p...), time.Now())
	if err != nil {
		return err
	}
	return w.r.w.WriteWire(p)
}

var errPack = errors.New("dns: the answer cannot be packed and signed")

// rcode answers without records.
func (r *request) rcode(rcode msg.Rcode) {
	m := r.Msg.Reply()
	m.Rcode = rcode
	r.write(m)
}

// refuse answers with REFUSED, and why (RFC 8914).
func (r *request) refuse(why uint16) {
	m := r.Msg.Reply()
	m.Rcode = msg.RcodeRefused
	m.AddEDE(msg.EDE{Code: why})
	r.write(m)
}

// write sends an answer, signed if the request was.
func (r *request) write(m *msg.Message) {
	if r.sess == nil {
		_ = r.w.Write(m) // the server counts what cannot be sent
		return
	}
	if p := r.pack(m, r.Limit-r.sess.Room()); p != nil {
		_ = r.w.WriteWire(p)
	}
}

// pack packs a message and signs it, if the request was. nil is a message that cannot be packed.
func (r *request) pack(m *msg.Message, limit int) []byte {
	if m.EDNS != nil {
		m.EDNS.Size = uint16(r.s.cfg.UDPSize)
	}
	p, err := m.Append(nil, limit)
	if err == nil && r.sess != nil {
		p, err = r.sess.Sign(p, time.Now())
	}
	if err != nil {
		r.s.cfg.Logger.Warn("dns: an answer cannot be packed", "question", r.Msg.Question[0].String(), "error", err)
		return nil
	}
	return p
}

// answer answers a question of class IN from a zone.
func (r *request) answer(v *served) {
	z := v.current.Load().zone
	if z == nil {
		r.s.counters.expired.Add(1)
		r.rcode(msg.RcodeServerFailure)
		return
	}
	q := r.Msg.Question[0]
	sc := r.s.scratches.Get().(*scratch)
	z.Lookup(&sc.answer, q.Name, q.Type, r.Msg.EDNS != nil && r.Msg.EDNS.DO)
	m := r.Msg.Reply()
	m.Authoritative, m.Rcode = sc.answer.Authoritative, sc.answer.Rcode
	m.Answer, m.Authority, m.Additional = records(nil, sc.answer.Answer), records(nil, sc.answer.Authority), records(nil, sc.answer.Additional)
	sc.clear()
	r.s.scratches.Put(sc)
	r.write(m)
}

var (
	versionNames = []msg.Name{msg.MustName("version.bind."), msg.MustName("version.server.")}
	hostNames    = []msg.Name{msg.MustName("hostname.bind."), msg.MustName("id.server.")}
)

// chaos answers what one asks a server about itself (RFC 4892), as far as the configuration wants it told.
func (r *request) chaos() {
	q := r.Msg.Question[0]
	text := ""
	for i, names := range [2][]msg.Name{versionNames, hostNames} {
		for _, n := range names {
			if n.Equal(q.Name) {
				text = [2]string{r.s.cfg.Version, r.s.cfg.Hostname}[i]
			}
		}
	}
	if text == "" || q.Type != msg.TypeTXT && q.Type != msg.TypeANY {
		r.refuse(msg.EDENotSupported)
		return
	}
	m := r.Msg.Reply()
	m.Authoritative = true
	text = text[:min(len(text), 255)]
	m.Answer = []msg.RR{{Name: q.Name, Type: msg.TypeTXT, Class: msg.ClassCHAOS, Data: string([]byte{byte(len(text))}) + text}}
	r.write(m)
}
