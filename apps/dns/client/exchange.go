package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/weirnet/weir/apps/dns/msg"
)

// exchange is one call of Exchange.
type exchange struct {
	c      *Client
	m      msg.Message // as asked, then with the id and EDNS that are ours
	to     netip.AddrPort
	o      Options
	server server
	Result

	query  []byte // as it is sent
	asked  []byte // the question in query as the caller wrote it
	cookie [8]byte
	// The server seems not to keep the case: TCP is asked in random case too, to see whether it does it there,
	// and what it does with it.
	doubt, changed bool
	unsure         []string // what it answered over UDP without random case, until two are the same
	noStream       bool     // TCP has failed in doubt: it is not tried again
	// The server refused EDNS, in an answer without it: if it takes the question without EDNS, it does not know it. One that
	// cannot read the question at all is not to be asked without DNSSEC for an hour.
	plain bool
}

const headerLen = 12

// maxSent bounds the questions of one exchange: UDP, without EDNS, with the server's cookie, TCP, without random case. maxUnsure
// bounds the last of these.
const (
	maxSent   = 8
	maxUnsure = 3
)

func (x *exchange) run(ctx context.Context) (reply *msg.Message, err error) {
	x.Transport = x.o.Transport
	if x.m.EDNS != nil && x.server.noEDNS {
		x.m.EDNS, x.NoEDNS = nil, true
	}
	for x.Sent < maxSent {
		if err = x.pack(); err != nil {
			return nil, err
		}
		if x.Transport == UDP {
			reply, err = x.udp(ctx)
		} else {
			reply, err = x.stream(ctx)
		}
		switch {
		case err == nil && x.again(reply):
			continue
		case err == nil && x.doubt && x.Transport == UDP && !x.agrees(reply):
			if err = errDiffer; len(x.unsure) == maxUnsure {
				return nil, err
			}
			continue
		case err == nil:
			if x.doubt && x.changed || x.doubt && x.Transport == UDP {
				x.c.counters[countNoCase].Add(1)
				x.c.learn(x.to, func(s *server) { s.noCase = true })
			}
			if x.plain && reply.Rcode != msg.RcodeFormatError {
				x.c.learn(x.to, func(s *server) { s.noEDNS = true })
			}
			x.c.counters[countAnswered].Add(1)
			return reply, nil
		case errors.Is(err, errCase) && !x.doubt:
			x.Transport, x.doubt = TCP, true
		case errors.Is(err, errMismatches):
			x.c.counters[countGuessed].Add(1)
			x.Transport = TCP
		case x.doubt && x.Transport == TCP && !x.noStream && ctx.Err() == nil && !errors.Is(err, ErrConnections):
			// No TCP there: over UDP, without random case. That we have no connection left says nothing of the server.
			x.server.noCase, x.Transport, x.noStream = true, UDP, true
		default:
			return nil, err
		}
	}
	return nil, or(err, ErrAnswer)
}

// agrees reports whether the server has given the same answer before, to another question without random case. One such answer is
// not believed: whoever has guessed an id and a port once has brought us here, and one guess more would be enough. Two questions, each
// from a port of its own, must be guessed both (RFC 5452 §9.2). TTLs and the order do not matter.
func (x *exchange) agrees(r *msg.Message) bool {
	list := []string{r.Rcode.String()}
	for i, section := range [][]msg.RR{r.Answer, r.Authority, r.Additional} {
		for _, rr := range section {
			list = append(list, fmt.Sprintf("%d %s %d %x", i, rr.Name.Fold(), rr.Type, rr.Data))
		}
	}
	slices.Sort(list[1:])
	all := strings.Join(list, "\n")
	if slices.Contains(x.unsure, all) {
		return true
	}
	x.unsure = append(x.unsure, all)
	return false
}

// again reports whether the answer asks for another question, which x is then ready to send.
func (x *exchange) again(r *msg.Message) bool {
	switch {
	case r.Truncated && x.Transport == UDP && !x.o.NoFallback:
		x.c.counters[countTruncated].Add(1)
		x.Truncated, x.Transport = true, TCP
		return true
	case x.m.EDNS != nil && (r.EDNS == nil && noEDNS(r.Rcode) || r.Rcode == msg.RcodeFormatError):
		x.c.counters[countNoEDNS].Add(1)
		x.m.EDNS, x.NoEDNS, x.plain = nil, true, r.EDNS == nil
		return true
	case r.Rcode == msg.RcodeBadCookie && x.Transport == UDP:
		// RFC 7873 §5.3: once more with the cookie that came, and then over TCP.
		if fresh := x.c.server(x.to); bytes.Equal(fresh.cookie, x.server.cookie) {
			x.Transport = TCP
		} else {
			x.server = fresh
		}
		return true
	}
	return false
}

// noEDNS reports whether a code, in an answer without EDNS, says that the server does not know it (RFC 6891 §7).
func noEDNS(r msg.Rcode) bool { return r == msg.RcodeFormatError || r == msg.RcodeNotImplemented }

// pack makes the query: a new id, and the case and the cookie that the server can stand.
func (x *exchange) pack() error {
	m := x.m
	m.ID = randomID()
	if m.EDNS != nil {
		e := *m.EDNS
		if e.Size = x.c.udpSize(); !x.c.NoCookies && x.Transport == UDP {
			x.cookie = x.c.secret.cookie(x.to)
			e.Options = append(slices.Clip(e.Options), msg.Option{Code: msg.OptionCookie, Data: append(x.cookie[:], x.server.cookie...)})
		}
		m.EDNS = &e
	}
	p, err := m.Append(x.query[:0], 0xffff)
	if err != nil {
		return err
	}
	x.query = p
	end, ok := questionEnd(p)
	if !ok {
		return errors.New("a question has one name, one type and one class: give one question")
	}
	x.asked = append(x.asked[:0], p[headerLen:end]...)
	if (x.Transport == UDP || x.doubt) && !x.c.NoCase && !x.server.noCase {
		mix(p[headerLen : end-4])
	}
	return nil
}

// questionEnd returns where the only question of a message ends. Its name must not be compressed.
func questionEnd(p []byte) (int, bool) {
	if len(p) < headerLen || binary.BigEndian.Uint16(p[4:]) != 1 {
		return 0, false
	}
	i := headerLen
	for i < len(p) && p[i] != 0 {
		if p[i] > 63 {
			return 0, false
		}
		i += 1 + int(p[i])
	}
	return i + 5, i+5 <= len(p)
}

// mix gives the letters of a name random case: up to a bit each that a guess must get right.
func mix(name []byte) {
	var bits [256 / 8]byte
	rand.Read(bits[:])
	for i, b := range name {
		if b |= 0x20; 'a' <= b && b <= 'z' && bits[i/8]>>(i%8)&1 != 0 {
			name[i] ^= 0x20
		}
	}
}

// check says what is wrong with a message that is said to be the answer, and puts the question in it back into
// the case that the caller wrote it in, so that names which point into it get that too.
func (x *exchange) check(p []byte) (reason int, ok bool) {
	if len(p) < headerLen || p[2]&0x80 == 0 {
		return countMalformed, false
	}
	if p[0] != x.query[0] || p[1] != x.query[1] {
		return countBadID, false
	}
	sent := x.query[headerLen : headerLen+len(x.asked)]
	end, whole := questionEnd(p)
	if !whole {
		// RFC 1035 servers that refuse a message may leave the question out: no name to change, nothing to cache.
		if code := msg.Rcode(p[3] & 15); binary.BigEndian.Uint16(p[4:]) == 0 && noEDNS(code) && len(p) <= headerLen+11 {
			return 0, true
		}
		return countBadQuestion, false
	}
	got := p[headerLen:end]
	if len(got) != len(sent) || !sameFolded(got, sent) {
		return countBadQuestion, false
	}
	if !bytes.Equal(got, sent) {
		if x.changed = true; x.Transport == UDP && !x.server.noCase { // over a stream nobody guesses
			return countBadCase, false
		}
	}
	copy(got, x.asked)
	return 0, true
}

// sameFolded compares questions without regard to the case of the name. What follows the name must be equal.
func sameFolded(a, b []byte) bool {
	n := len(a) - 4
	return msg.Name(a[:n]).Equal(msg.Name(b[:n])) && bytes.Equal(a[n:], b[n:])
}

// cookieOK takes the cookie of an answer. It is false where the answer is not from whom we asked: with a client's
// cookie that is not ours, or without one from a server that gave one before (RFC 7873 §5.3).
func (x *exchange) cookieOK(r *msg.Message) bool {
	if x.m.EDNS == nil || x.c.NoCookies {
		return true
	}
	var data []byte
	if r.EDNS != nil {
		data, _ = r.EDNS.Option(msg.OptionCookie)
	}
	if len(data) == 0 {
		return !x.server.cookies
	}
	if len(data) < 8 || len(data) > 40 || !bytes.Equal(data[:8], x.cookie[:]) {
		return false
	}
	if own := data[8:]; len(own) >= 8 && !bytes.Equal(own, x.server.cookie) {
		x.c.learn(x.to, func(s *server) { s.cookies, s.cookie = true, bytes.Clone(own) })
	}
	return true
}
