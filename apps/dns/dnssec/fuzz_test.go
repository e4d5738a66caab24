package dnssec

import (
	"context"
	"slices"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Whatever is made of an answer: what is secure is what the zone has. The validator's own questions
// are answered with the same octets when fetch is set.
func FuzzNothingForgedIsSecure(f *testing.F) {
	questions := []struct {
		name string
		typ  msg.Type
	}{
		{"ai.example.", msg.TypeA}, {"nope.example.", msg.TypeA}, {"k.w.example.", msg.TypeMX}, {"a.example.", msg.TypeDS},
		{"www.a.example.", msg.TypeA}, {"www.b.example.", msg.TypeA}, {"q.dn.example.", msg.TypeA},
	}
	w, _ := newWorld(f, nil)
	w3, _ := newWorld(f, &NSEC3Options{})
	for i, q := range questions {
		for _, w := range []*world{w, w3} {
			p, err := w.ask(msg.MustName(q.name), q.typ).Message.Append(nil, 0)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(p, uint8(i), w == w3, false)
			f.Add(p, uint8(i), w == w3, true)
		}
	}
	// The denial stands in the answer section as well: a set that is genuine, and of the zone above where its name is a zone's.
	m := w.ask(msg.MustName("nope.example."), msg.TypeA).Message
	m.Answer = m.Authority
	p, err := m.Append(nil, 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p, uint8(1), false, false)
	f.Add(p, uint8(1), true, false) // and in a world that has no such set, of the same keys
	// The CNAME that follows from a DNAME is of another class: nothing signs it, and the DNAME is not of that class.
	m = w.ask(msg.MustName("q.dn.example."), msg.TypeA).Message
	for i := range m.Answer {
		if m.Answer[i].Type == msg.TypeCNAME {
			m.Answer[i].Class = msg.ClassCHAOS
		}
	}
	if p, err = m.Append(nil, 0); err != nil {
		f.Fatal(err)
	}
	f.Add(p, uint8(6), false, false)
	anchors := parse(f, w.ds("."))
	f.Fuzz(func(t *testing.T, p []byte, i uint8, hashed, fetch bool) {
		var m msg.Message
		if m.Unpack(p) != nil || m.Rcode != 0 && m.Rcode != msg.RcodeNameError {
			return
		}
		here := *w
		if hashed {
			here = *w3
		}
		if fetch {
			here.edit = func(_ msg.Name, typ msg.Type, own *msg.Message) error {
				if typ == msg.TypeDS {
					*own = m
				}
				return nil
			}
		}
		v, err := New(Config{Source: &here, Anchors: anchors})
		if err != nil {
			t.Fatal(err)
		}
		q := questions[int(i)%len(questions)]
		r := v.Validate(context.Background(), Answer{Question: msg.Question{Name: msg.MustName(q.name), Type: q.typ, Class: 1}, Message: &m}, now)
		if r.Status != Secure {
			return
		}
		for _, set := range msg.RRsets(m.Answer) {
			if !had([]*world{w, w3}, &set) {
				t.Fatalf("%s is secure, and no zone has it:\n%s", describe(&set), &m)
			}
		}
		if len(m.Answer) == 0 {
			genuine := here.ask(msg.MustName(q.name), q.typ).Message
			if len(genuine.Answer) > 0 || genuine.Rcode != m.Rcode {
				t.Fatalf("%s %s is denied, and a zone has it:\n%s", q.name, q.typ, &m)
			}
		}
	})
}

// had reports whether one of the worlds has a set, made of a wildcard or a DNAME or as it stands:
// their zones are signed with the same keys, so that what is of one is secure in the other too.
func had(worlds []*world, set *msg.RRset) bool {
	data := canonicalData(set)
	for _, w := range worlds {
		sets := msg.RRsets(w.ask(set.Name, set.Type).Message.Answer)
		for _, rrs := range w.zones { // at a cut both zones may have one, and the answer has only one of them
			for _, at := range msg.RRsets(pick(rrs, set.Name, set.Name, set.Type)) {
				if len(at.Sigs) > 0 {
					sets = append(sets, at)
				}
			}
		}
		for _, have := range sets {
			if have.Type == set.Type && have.Class == set.Class && have.Name.Equal(set.Name) && slices.Equal(canonicalData(&have), data) {
				return true
			}
		}
	}
	return false
}
