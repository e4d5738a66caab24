package dnssec

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// drop removes the records for which f says so.
func drop(rrs []msg.RR, f func(msg.RR) bool) []msg.RR { return slices.DeleteFunc(rrs, f) }

// covers reports whether r is a signature of that type.
func covers(r msg.RR, typ msg.Type) bool {
	s, ok := r.RRSIG()
	return ok && s.Covered == typ
}

func isDenial(r msg.RR) bool {
	return r.Type == msg.TypeNSEC || r.Type == msg.TypeNSEC3 || covers(r, msg.TypeNSEC) || covers(r, msg.TypeNSEC3)
}

func TestBogusAnswersSayWhy(t *testing.T) {
	name := "ai.example."
	for _, c := range []struct {
		what string
		name string
		typ  msg.Type
		at   time.Time
		edit func(m *msg.Message)                                    // of the answer
		keys func(name msg.Name, typ msg.Type, m *msg.Message) error // of answers to the validator
		want uint16
		// An opt-out allows it: the name could be below a delegation that is not signed.
		opted bool
	}{
		{what: "a changed address", edit: func(m *msg.Message) { m.Answer[0].Data = "\xc0\x00\x02\x42" }, want: msg.EDEBogus},
		{what: "another owner", edit: func(m *msg.Message) {
			for i := range m.Answer {
				m.Answer[i].Name = msg.MustName("ns1.example.")
			}
		}, want: msg.EDEBogus},
		{what: "a record more", edit: func(m *msg.Message) {
			m.Answer = append(m.Answer, msg.RR{Name: m.Answer[0].Name, Type: msg.TypeA, Class: 1, TTL: 9, Data: "\xc0\x00\x02\x43"})
		}, want: msg.EDEBogus},
		{what: "no signature", edit: func(m *msg.Message) {
			m.Answer = drop(m.Answer, func(r msg.RR) bool { return r.Type == msg.TypeRRSIG })
		}, want: msg.EDERRSIGsMissing},
		{what: "a signature of an insecure zone", edit: func(m *msg.Message) { resign(m, "b.example.") }, want: msg.EDERRSIGsMissing},
		{what: "a signature of a name that is no zone", edit: func(m *msg.Message) { resign(m, "ai.example.") }, want: msg.EDEBogus},
		{what: "a signature of the parent", edit: func(m *msg.Message) { resign(m, ".") }, want: msg.EDEDNSKEYMissing},
		{what: "expired", at: expiration.Add(time.Second), want: msg.EDESignatureExpired},
		{what: "not yet valid", at: inception.Add(-time.Second), want: msg.EDESignatureNotYetValid},
		{what: "expired, the answer alone", edit: func(m *msg.Message) { retime(m, inception, now.Add(-time.Second)) }, want: msg.EDESignatureExpired},
		{what: "not yet valid, the answer alone", edit: func(m *msg.Message) { retime(m, now.Add(time.Second), expiration) }, want: msg.EDESignatureNotYetValid},
		{what: "expires before it begins", edit: func(m *msg.Message) { retime(m, expiration, inception) }, want: msg.EDESignatureExpiredBeforeValid},
		{what: "a key that is not there", edit: func(m *msg.Message) { retag(m) }, want: msg.EDEDNSKEYMissing},
		{what: "no DNSKEY set", keys: only("example.", msg.TypeDNSKEY, func(m *msg.Message) { m.Answer = nil }), want: msg.EDEDNSKEYMissing},
		{what: "keys that the DS is not of", keys: only("example.", msg.TypeDNSKEY, func(m *msg.Message) {
			m.Answer = drop(m.Answer, func(r msg.RR) bool { k, ok := r.DNSKEY(); return ok && k.Flags&msg.FlagSEP != 0 })
		}), want: msg.EDEDNSKEYMissing},
		{what: "keys without signature", keys: only("example.", msg.TypeDNSKEY, func(m *msg.Message) {
			m.Answer = drop(m.Answer, func(r msg.RR) bool { return r.Type == msg.TypeRRSIG })
		}), want: msg.EDERRSIGsMissing},
		{what: "servers that do not answer for keys", keys: func(n msg.Name, typ msg.Type, _ *msg.Message) error {
			if typ == msg.TypeDNSKEY && n == msg.MustName("example.") {
				return errSilent
			}
			return nil
		}, want: msg.EDEDNSKEYMissing},
		{what: "a changed DS", keys: only("example.", msg.TypeDS, func(m *msg.Message) { m.Answer[0].Data = m.Answer[0].Data[:35] + "x" }), want: msg.EDEBogus},
		{what: "a DS that is left out", keys: only("example.", msg.TypeDS, func(m *msg.Message) { m.Answer = nil }), want: msg.EDENSECMissing},
		{what: "a DS that is denied by what proves nothing", keys: only("example.", msg.TypeDS, func(m *msg.Message) {
			m.Answer = nil
			m.Authority = drop(m.Authority, func(r msg.RR) bool { return !isDenial(r) })
		}), want: msg.EDENSECMissing},
		{what: "NXDOMAIN without proof", name: "nope.example.", edit: func(m *msg.Message) { m.Authority = drop(m.Authority, isDenial) }, want: msg.EDENSECMissing},
		{what: "NXDOMAIN with nothing", name: "nope.example.", edit: func(m *msg.Message) { m.Authority = nil }, want: msg.EDENSECMissing, opted: true},
		{what: "NXDOMAIN without signatures", name: "nope.example.", edit: func(m *msg.Message) {
			m.Authority = drop(m.Authority, func(r msg.RR) bool { return r.Type == msg.TypeRRSIG })
		}, want: msg.EDERRSIGsMissing, opted: true},
		{what: "NXDOMAIN of a name that exists", edit: func(m *msg.Message) { denyAll(m, "nope.example.", true) }, want: msg.EDENSECMissing},
		{what: "NODATA of a type that exists", edit: func(m *msg.Message) { denyAll(m, "nope.example.", false) }, want: msg.EDENSECMissing},
		{what: "NODATA of a name that does not", name: "nope.example.", edit: func(m *msg.Message) { m.Rcode = 0 }, want: msg.EDENSECMissing},
		{what: "NXDOMAIN where a wildcard is", name: "k.w.example.", typ: msg.TypeMX, edit: func(m *msg.Message) { m.Answer = nil; m.Rcode = msg.RcodeNameError }, want: msg.EDENSECMissing},
		{what: "a wildcard without proof", name: "k.w.example.", typ: msg.TypeMX, edit: func(m *msg.Message) { m.Authority = nil }, want: msg.EDENSECMissing},
		{what: "a wildcard in place of a name that exists", name: "k.w.example.", typ: msg.TypeMX, edit: func(m *msg.Message) {
			for i := range m.Answer {
				m.Answer[i].Name = msg.MustName("x.w.example.")
			}
		}, want: msg.EDENSECMissing},
		{what: "a wildcard below a name that exists", name: "k.w.example.", typ: msg.TypeMX, edit: func(m *msg.Message) {
			for i := range m.Answer {
				m.Answer[i].Name = msg.MustName("k.y.w.example.")
			}
		}, want: msg.EDENSECMissing},
		{what: "NXDOMAIN below a delegation, by the parent", name: "www.a.example.", edit: func(m *msg.Message) { denyAll(m, "nope.example.", true) }, want: msg.EDENSECMissing},
		{what: "NODATA at a delegation, by the parent", name: "a.example.", typ: msg.TypeSOA, edit: func(m *msg.Message) { denyAll(m, "nope.example.", false) }, want: msg.EDENSECMissing},
		{what: "no DS, by the child", name: "a.example.", typ: msg.TypeDS, edit: func(m *msg.Message) { denyAll(m, "nope.a.example.", false) }, want: msg.EDERRSIGsMissing},
		{what: "NXDOMAIN below a DNAME", name: "q.dn.example.", edit: func(m *msg.Message) { denyAll(m, "nope.example.", true) }, want: msg.EDENSECMissing},
		{what: "a CNAME that the DNAME does not make", name: "q.dn.example.", typ: msg.TypeCNAME, edit: func(m *msg.Message) {
			m.Answer[len(m.Answer)-1].Data = string(msg.MustName("evil.example."))
		}, want: msg.EDERRSIGsMissing},
	} {
		for variant, nsec3 := range variants {
			w, v := newWorld(t, nsec3)
			theWorld = w
			w.edit = c.keys
			n, typ, at := c.name, c.typ, c.at
			if n == "" {
				n = name
			}
			if typ == 0 {
				typ = msg.TypeA
			}
			if at.IsZero() {
				at = now
			}
			a := w.ask(msg.MustName(n), typ)
			if c.edit != nil {
				c.edit(a.Message)
				if len(a.Message.Answer) > 0 {
					a.Question.Name = a.Message.Answer[len(a.Message.Answer)-1].Name
				}
			}
			r := v.Validate(context.Background(), a, at)
			if variant == "optout" && c.opted {
				if r.Status != Insecure {
					t.Errorf("%s: %s (%s), and an opt-out allows it", c.what, r.Status, r.EDE)
				}
				continue
			}
			if r.Status != Bogus || r.EDE.Code != c.want || r.EDE.Text == "" || len(r.Authority) > 0 {
				t.Errorf("%s, %s: %s (%s), want bogus with %s", c.what, variant, r.Status, r.EDE, msg.EDE{Code: c.want}.Name())
			}
			if (r.Err != nil) != strings.HasPrefix(c.what, "servers that do not answer") {
				t.Errorf("%s, %s: error %v", c.what, variant, r.Err)
			}
		}
	}
}

// theWorld is that of the case in hand, for those that need more of it.
var theWorld *world

func only(name string, typ msg.Type, f func(*msg.Message)) func(msg.Name, msg.Type, *msg.Message) error {
	return func(n msg.Name, t msg.Type, m *msg.Message) error {
		if n == msg.MustName(name) && t == typ {
			f(m)
		}
		return nil
	}
}

// editSigs changes the signatures of the answer without making them anew.
func editSigs(m *msg.Message, f func(*msg.RRSIG)) {
	for i, r := range m.Answer {
		if s, ok := r.RRSIG(); ok {
			f(&s)
			m.Answer[i].Data = s.Data()
		}
	}
}

func resign(m *msg.Message, signer string) {
	editSigs(m, func(s *msg.RRSIG) { s.Signer = msg.MustName(signer) })
}

func retime(m *msg.Message, from, to time.Time) {
	editSigs(m, func(s *msg.RRSIG) { s.Inception, s.Expiration = uint32(from.Unix()), uint32(to.Unix()) })
}

func retag(m *msg.Message) { editSigs(m, func(s *msg.RRSIG) { s.KeyTag++ }) }

// denyAll makes a denial of it, with every record that the zone of another name has for one.
func denyAll(m *msg.Message, like string, nx bool) {
	m.Answer, m.Rcode = nil, 0
	if nx {
		m.Rcode = msg.RcodeNameError
	}
	m.Authority = theWorld.ask(msg.MustName(like), msg.TypeA).Message.Authority
}
