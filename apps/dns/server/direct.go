package server

import (
	"net/netip"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/serve"
)

// asked is what is known of a query while it is answered.
type asked struct {
	from      netip.AddrPort
	transport Transport
	at        time.Duration // of the server's clock, when it came; 0: nobody has looked
	state     cookieState
	now       time.Time // where there is one, when it was looked at
	cookie    []byte    // the data of its COOKIE option
	fresh     bool      // and it may be sent back as it is
	keepalive bool
	padding   bool
	nsid      []byte // to be told
	edns, do  bool
	extended  bool          // the answer's rcode may have more than four bits
	plain     bool          // it is a plain query, and counted
	took      time.Duration // where a handler has answered it
}

// proven reports whether the source is known to be there.
func (a *asked) proven() bool { return a.transport.Stream() || a.state == provenCookie }

// refused reports whether a datagram comes from where no honest client is: see serve.Refuse. Unlike there, port 53 may
// ask: responses are not answered, so that two servers cannot be set to talk to each other for ever.
func refused(from, to netip.AddrPort) bool {
	port := from.Port()
	switch {
	case from == to:
		return true
	case port == 53 || port == to.Port() && port != 0:
		port = 1024
	}
	return serve.Refuse(netip.AddrPortFrom(from.Addr(), port), 0) != serve.Answerable
}

// datagram answers a datagram at once where that can be. Else later says that a handler must.
func (s *Server) datagram(d *desk, p []byte, to netip.AddrPort, a *asked) (answer []byte, later bool) {
	switch {
	case len(p) < headerLen:
		d.m.drop(dropShort)
		return nil, false
	case p[2]&0x80 != 0:
		d.m.drop(dropResponse)
		return nil, false
	case refused(a.from, to):
		d.m.drop(dropSource)
		return nil, false
	}
	d.tick++
	timed := d.tick%sampled == 0
	if timed {
		a.at = s.now()
	}
	answer, later = s.immediate(d, p, a, s.cfg.MaxUDP)
	if timed && !later {
		d.m.took(s.now()-a.at, sampled)
	}
	return answer, later
}

// immediate answers a message that is no response within limit octets, where no handler is needed for it. The
// answer is the desk's until its next one.
func (s *Server) immediate(d *desk, p []byte, a *asked, limit int) (answer []byte, later bool) {
	q := &d.q
	if !q.Parse(p) || q.Opcode != msg.OpcodeQuery {
		return s.unusual(d, p, a)
	}
	d.m.query(a.from.Addr(), a.transport, q.Type)
	a.plain = true
	end := q.NameEnd + 4
	if a.edns, a.do = q.EDNS, q.DO; q.EDNS {
		if q.Version != 0 { // RFC 6891 §6.1.3
			a.extended = true
			return s.done(d, p, end, a, appendShort(d.out[:0], p, end, uint16(msg.RcodeBadVers), false, true, s.cfg.MaxUDP)), false
		}
		s.readOptions(d, a)
	}
	if s.cfg.Cookies.Require && !a.proven() && s.jar != nil {
		return s.done(d, p, end, a, s.comeAgain(d.out[:0], p, end, a)), false
	}
	if s.direct == nil {
		return nil, true
	}
	q.Size = uint16(s.limit(a, len(p), int(q.Size), limit))
	out, ok := s.direct.AnswerDirect(d.out[:0], q, a.from, a.transport)
	if !ok {
		return nil, true
	}
	if len(out) < headerLen {
		d.m.drop(dropUnanswered)
		return nil, false
	}
	d.m.direct.Add(1)
	return s.done(d, p, end, a, out), false
}

// leastAnswer is the octets of an answer that has nothing but the longest question and an OPT record.
const leastAnswer = headerLen + 255 + 4 + optLen

// streamOptions is the room for the server's options in an answer over a stream: a cookie, NSID, the idle timeout. Padding is added where
// there is room left.
const streamOptions = 256

// limit returns how long the answer to a query of n octets may be before options are added to it. says is what the
// client has said that it takes, most is what there is room for.
func (s *Server) limit(a *asked, n, says, most int) int {
	if a.transport.Stream() {
		return most - streamOptions
	}
	size := min(max(says, minUDP), most)
	if s.cfg.MaxAmplification > 0 && a.state != provenCookie {
		size = min(size, max(int(s.cfg.MaxAmplification*float64(n)), n))
	}
	least := min(n, leastAnswer)
	if a.cookie != nil {
		// The question and an OPT record have room at any rate: who gets no answer gets no cookie, and is never proven.
		size = max(size-cookieOption, least)
	}
	if n := 4 + len(a.nsid); n > 4 {
		if size-n < leastAnswer {
			a.nsid = nil
		} else {
			size -= n
		}
	}
	return size
}

// readOptions looks for the options that are the server's own business.
func (s *Server) readOptions(d *desk, a *asked) {
	if c := d.q.Cookie; c != nil && s.jar != nil {
		s.readCookie(c, a, d.m)
	}
	if id := s.live.Load().nsid; len(id) > 0 && hasOption(d.q.Options, msg.OptionNSID) {
		a.nsid = id
	}
	if a.transport.Stream() {
		a.keepalive = hasOption(d.q.Options, msg.OptionKeepalive)
		a.padding = a.transport == TLS && hasOption(d.q.Options, msg.OptionPadding)
	}
}

// readCookie looks at the query's cookie, and counts it in m where it is not nil.
func (s *Server) readCookie(c []byte, a *asked, m *meter) {
	a.now = time.Now()
	a.state, a.fresh = s.jar.check(c, a.from.Addr(), a.now)
	switch a.state {
	case malformedCookie:
		return
	case provenCookie:
		if m != nil {
			m.proven.Add(1)
		}
	}
	a.cookie = c
}

// comeAgain returns what is sent to a source that must prove itself first: a cookie to come again with
// (RFC 7873 §5.2.3), or to who has none, that TCP does it.
func (s *Server) comeAgain(dst, query []byte, end int, a *asked) []byte {
	rcode := uint16(msg.RcodeBadCookie)
	a.extended, a.nsid = true, nil // it is no longer than the query by more than a cookie
	if a.cookie == nil {
		rcode = 0
	}
	return appendShort(dst, query, end, rcode, a.cookie == nil, a.edns, s.cfg.MaxUDP)
}

// done finishes an answer: the rate limit, the options of the server's own, counters, the log. It returns what to send, which
// lies in dst's place or is the answer with more behind it; nil is nothing.
func (s *Server) done(d *desk, query []byte, end int, a *asked, answer []byte) []byte {
	held := false
	if s.limiter != nil && !a.proven() && !s.live.Load().exempted(a.from.Addr()) {
		if a.at == 0 {
			a.at = s.now()
		}
		switch s.limiter.take(a.from.Addr(), classOf(answer), micros(a.at)) {
		case holdAnswer:
			held = true
		case sendSlip:
			answer = s.comeAgain(answer[:0], query, end, a)
			d.m.slipped.Add(1)
		}
	}
	if held {
		d.m.drop(dropRate)
	} else {
		answer = s.addOptions(d, answer, a)
		rcode := msg.Rcode(answer[3] & 0x0f)
		if a.extended {
			rcode = a.rcode(answer)
		}
		d.m.answer(rcode, answer[2]&0x02 != 0)
		if rcode == msg.RcodeBadCookie {
			d.m.badCookie.Add(1)
		}
	}
	if cap(answer) > cap(d.out) {
		d.out = answer[:0]
	}
	if s.log != nil {
		s.logAnswer(d.m, query, end, a, answer, held)
	}
	if held {
		return nil
	}
	return answer
}

// rcode returns an answer's.
func (a *asked) rcode(answer []byte) msg.Rcode {
	opt := 0
	if a.edns {
		opt = finalOPT(answer)
	}
	return msg.Rcode(rcodeOf(answer, opt))
}

// addOptions adds to the OPT record of an answer what the query's options ask for: a cookie, the server's name
// (RFC 5001), the idle timeout (RFC 7828), padding (RFC 7830, in blocks as RFC 8467 §4.1 has them).
func (s *Server) addOptions(d *desk, answer []byte, a *asked) []byte {
	if !a.edns || a.cookie == nil && a.nsid == nil && !a.keepalive && !a.padding {
		return answer
	}
	opt := finalOPT(answer)
	if opt == 0 {
		return answer
	}
	if a.cookie != nil {
		data := a.cookie
		if !a.fresh {
			d.opts = s.jar.append(d.opts[:0], a.cookie, a.from.Addr(), a.now)
			data = d.opts
		}
		answer = appendOption(answer, opt, msg.OptionCookie, data)
	}
	if a.nsid != nil {
		answer = appendOption(answer, opt, msg.OptionNSID, a.nsid)
	}
	if a.keepalive {
		idle := min(s.cfg.Streams.Idle/(100*time.Millisecond), 0xffff)
		answer = appendOption(answer, opt, msg.OptionKeepalive, []byte{byte(idle >> 8), byte(idle)})
	}
	if a.padding {
		if n := len(answer) + 4; n < maxMessage-paddingBlock {
			answer = appendOption(answer, opt, msg.OptionPadding, padding[:(paddingBlock-n%paddingBlock)%paddingBlock])
		}
	}
	return answer
}

const paddingBlock = 468

var padding [paddingBlock]byte

// unusual answers a message that is no plain query, where its header says enough.
func (s *Server) unusual(d *desk, p []byte, a *asked) (answer []byte, later bool) {
	op := msg.Opcode(opcodeOf(p))
	if op != msg.OpcodeQuery {
		d.m.opcodes[op].Add(1)
	}
	rcode := msg.RcodeSuccess
	switch n := questions(p); {
	case op != msg.OpcodeQuery && op != msg.OpcodeNotify:
		rcode = msg.RcodeNotImplemented
	case n > 1: // RFC 9619
		d.m.opcodes[op].Add(1)
		rcode = msg.RcodeFormatError
	default:
		return nil, true
	}
	end := questionEnd(p)
	return s.done(d, p, end, a, appendShort(d.out[:0], p, end, uint16(rcode), false, false, 0)), false
}
