package dnssec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// world is zones, and an answer to any question as their servers would give it. A denial has every
// NSEC or NSEC3 record of the zone: which of them prove it is the validator's business.
type world struct {
	t     testing.TB
	zones map[msg.Name][]msg.RR
	edit  func(name msg.Name, typ msg.Type, m *msg.Message) error // changes an answer to the validator's own questions
	asked int
}

var errSilent = errors.New("no server answers")

func (w *world) Fetch(_ context.Context, name msg.Name, typ msg.Type) (*msg.Message, error) {
	w.asked++
	m := w.ask(name, typ).Message
	if w.edit != nil {
		if err := w.edit(name, typ, m); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// ask returns the answer to a question.
func (w *world) ask(name msg.Name, typ msg.Type) Answer {
	q := msg.Question{Name: name, Type: typ, Class: msg.ClassINET}
	m := &msg.Message{Question: []msg.Question{q}}
	zone := w.zoneOf(name, typ)
	for range 8 {
		target := w.lookup(zone, name, typ, m)
		if target == "" || !target.Under(zone) {
			break
		}
		name = target
	}
	return Answer{Question: q, Message: m, Zone: zone}
}

// zoneOf returns the zone whose servers know: the parent, for a DS.
func (w *world) zoneOf(name msg.Name, typ msg.Type) msg.Name {
	n := name.Fold()
	if typ == msg.TypeDS && n != msg.Root {
		n = n.Parent()
	}
	for ; w.zones[n] == nil; n = n.Parent() {
		if n == msg.Root {
			w.t.Fatalf("no zone has %s", name)
		}
	}
	return n
}

// lookup adds what a zone has of a name to m, and returns the target of a CNAME.
func (w *world) lookup(zone, name msg.Name, typ msg.Type, m *msg.Message) msg.Name {
	rrs := w.zones[zone]
	for _, d := range rrs {
		if d.Type == msg.TypeDNAME && name.Under(d.Name) && !name.Equal(d.Name) {
			m.Answer = append(m.Answer, pick(rrs, d.Name, d.Name, msg.TypeDNAME)...)
			target := name[:len(name)-len(d.Name)] + d.Target()
			m.Answer = append(m.Answer, msg.CNAME(name, d.TTL, target))
			return target
		}
	}
	owner, exists := name, false
	for _, r := range rrs {
		exists = exists || r.Name.Under(name)
	}
	if !exists {
		owner = wildcardFor(rrs, name)
	}
	if owner != "" {
		if found := pick(rrs, owner, name, typ); len(found) > 0 {
			m.Answer = append(m.Answer, found...)
			if !exists {
				w.deny(zone, m, false)
			}
			return ""
		}
		if found := pick(rrs, owner, name, msg.TypeCNAME); len(found) > 0 {
			m.Answer = append(m.Answer, found...)
			return found[0].Target()
		}
	} else {
		m.Rcode = msg.RcodeNameError
	}
	w.deny(zone, m, true)
	return ""
}

// pick returns the records of owner and their signatures, as those of name.
func pick(rrs []msg.RR, owner, name msg.Name, typ msg.Type) (found []msg.RR) {
	for _, r := range rrs {
		sig, is := r.RRSIG()
		if r.Name.Equal(owner) && (r.Type == typ || is && sig.Covered == typ) {
			r.Name = name
			found = append(found, r)
		}
	}
	return found
}

func wildcardFor(rrs []msg.RR, name msg.Name) msg.Name {
	for e := name.Parent(); ; e = e.Parent() {
		for _, r := range rrs {
			if r.Name.Under(e) {
				wild, _ := e.Wildcard()
				for _, r := range rrs {
					if r.Name.Equal(wild) {
						return wild
					}
				}
				return ""
			}
		}
	}
}

func (w *world) deny(zone msg.Name, m *msg.Message, soa bool) {
	for _, r := range w.zones[zone] {
		typ := r.Type
		if sig, ok := r.RRSIG(); ok {
			typ = sig.Covered
		}
		if typ == msg.TypeNSEC || typ == msg.TypeNSEC3 || typ == msg.TypeSOA && soa {
			m.Authority = append(m.Authority, r)
		}
	}
}

// newWorld has the root, the zone of plainZone, one below it that is signed and one that is not.
func newWorld(t testing.TB, nsec3 *NSEC3Options) (*world, *Validator) {
	w := &world{t: t, zones: map[msg.Name][]msg.RR{}}
	w.sign("a.example.", `
		a.example. 3600 IN SOA ns1.a.example. host.example. 1 3600 600 86400 300
		a.example. 3600 IN NS ns1.a.example.
		ns1.a.example. 3600 IN A 192.0.2.5
		www.a.example. 3600 IN A 192.0.2.55
		out.a.example. 3600 IN CNAME www.b.example.
		`, nsec3, ECDSAP256SHA256)
	w.zones[msg.MustName("b.example.")] = parse(t, `
		b.example. 3600 IN SOA ns1.b.example. host.example. 1 3600 600 86400 300
		b.example. 3600 IN NS ns1.b.example.
		ns1.b.example. 3600 IN A 192.0.2.7
		www.b.example. 3600 IN A 192.0.2.77
		in.b.example. 3600 IN CNAME www.a.example.
		`)
	var plain string
	for _, r := range parse(t, plainZone) {
		if r.Type != msg.TypeDS {
			plain += r.String() + "\n"
		}
	}
	w.sign("example.", plain+w.ds("a.example."), nsec3, ED25519)
	w.sign(".", `
		. 3600 IN SOA a.root. host.root. 1 3600 600 86400 300
		. 3600 IN NS a.root.
		a.root. 3600 IN A 192.0.2.53
		example. 3600 IN NS ns1.example.
		`+w.ds("example."), nsec3, ECDSAP384SHA384)
	v, err := New(Config{Source: w, Anchors: parse(t, w.ds("."))})
	if err != nil {
		t.Fatal(err)
	}
	return w, v
}

func (w *world) sign(zone, lines string, nsec3 *NSEC3Options, algorithm uint8) {
	id := fmt.Sprint(zone, lines, algorithm, nsec3)
	if signedZones[id] == nil {
		signedZones[id] = signed(w.t, lines, zone, SignOptions{NSEC3: nsec3, Keys: both(w.t, zone, algorithm)})
	}
	w.zones[msg.MustName(zone)] = slices.Clone(signedZones[id])
}

// signedZones has what was signed, since the same world is made many times.
var signedZones = map[string][]msg.RR{}

// ds returns the DS record of a zone, as text.
func (w *world) ds(zone string) string {
	for _, r := range w.zones[msg.MustName(zone)] {
		if k, ok := r.DNSKEY(); ok && r.Type == msg.TypeDNSKEY && k.Flags&msg.FlagSEP != 0 {
			ds, _ := NewDS(r.Name, k, DigestSHA256)
			return msg.NewRR(r.Name, msg.TypeDS, 3600, ds.Data()).String() + "\n"
		}
	}
	w.t.Fatalf("%s has no key", zone)
	return ""
}

// judge asks and validates.
func (w *world) judge(v *Validator, name string, typ msg.Type, at time.Time) Result {
	return v.Validate(context.Background(), w.ask(msg.MustName(name), typ), at)
}
