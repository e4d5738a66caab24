package tree

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/weirnet/weir/apps/dns/msg"
)

// builder puts a tree together. It keeps the first error.
type builder struct {
	t    *Tree
	ttl  uint32
	zone *Zone
	err  error
}

// soaTTL and nsTTL are long, as such records' are; minimum is how long "no such name" is remembered.
const (
	soaTTL  = 3600
	nsTTL   = 86400
	minimum = 60
	serial  = 2026010101
)

// build makes the zones, parents first, and lists their servers.
func (b *builder) build() {
	b.server("a.roots.test.", rootA, ".")
	b.server("b.roots.test.", rootB, ".")
	b.server("ns.tld.example.", tldExample, "example.")
	b.server("ns.tld.test.", tldTest, "test.")
	b.server("ns.arpa.", arpa, "arpa.")
	b.server("ns1.weir.example.", weir1, "weir.example.", b.reverse4(), b.reverse6())
	b.server("ns2.weir.example.", weir2, "weir.example.", b.reverse4(), b.reverse6())
	b.server("ns.host.test.", hostTest, "host.test.", "shop.example.")
	b.server("ns.lab.weir.example.", lab, "lab.weir.example.")

	b.begin(".", "a.roots.test.", "a.roots.test.", "b.roots.test.")
	b.glue("a.roots.test.", rootA)
	b.glue("b.roots.test.", rootB)
	b.delegate("example.", "ns.tld.example.")
	b.delegate("test.", "ns.tld.test.")
	b.delegate("arpa.", "ns.arpa.")
	b.glue("ns.tld.example.", tldExample)
	b.glue("ns.tld.test.", tldTest)
	b.glue("ns.arpa.", arpa)
	b.hints()

	b.begin("example.", "ns.tld.example.", "ns.tld.example.")
	b.host("ns.tld.example.", tldExample)
	b.delegate("weir.example.", "ns1.weir.example.", "ns2.weir.example.")
	b.glue("ns1.weir.example.", weir1)
	b.glue("ns2.weir.example.", weir2)
	b.delegate("shop.example.", "ns.host.test.") // whose address is in another tree

	b.begin("test.", "ns.tld.test.", "ns.tld.test.")
	b.host("ns.tld.test.", tldTest)
	b.host("a.roots.test.", rootA)
	b.host("b.roots.test.", rootB)
	b.delegate("host.test.", "ns.host.test.")
	b.glue("ns.host.test.", hostTest)

	b.begin("arpa.", "ns.arpa.", "ns.arpa.")
	b.host("ns.arpa.", arpa)
	b.delegate(b.reverse4(), "ns1.weir.example.", "ns2.weir.example.")
	b.delegate(b.reverse6(), "ns1.weir.example.", "ns2.weir.example.")

	b.weirExample()
	b.others()
	b.reverseZones()
}

// server lists a server.
func (b *builder) server(name string, n byte, zones ...string) {
	s := Server{Name: b.name(name), Addrs: b.t.both(n)}
	for _, z := range zones {
		s.Zones = append(s.Zones, b.name(z))
	}
	b.t.Servers = append(b.t.Servers, s)
}

func (b *builder) name(s string) msg.Name {
	n, err := msg.ParseName(s)
	b.keep(err)
	return n
}

func (b *builder) keep(err error) {
	if err != nil && b.err == nil {
		b.err = fmt.Errorf("make the name tree: %w", err)
	}
}

// begin begins a zone, with its SOA and its NS records.
func (b *builder) begin(origin, primary string, servers ...string) {
	b.t.Zones = append(b.t.Zones, Zone{Origin: b.name(origin)})
	b.zone = &b.t.Zones[len(b.t.Zones)-1]
	b.rr(origin, soaTTL, "SOA", fmt.Sprintf("%s hostmaster.weir.example. %d 3600 600 604800 %d", primary, serial, minimum))
	b.delegate(origin, servers...)
}

// rr adds a record; its names are absolute.
func (b *builder) rr(name string, ttl uint32, typ, data string) {
	r, err := msg.ParseRR(fmt.Sprintf("%s %d IN %s %s", name, ttl, typ, data))
	b.keep(err)
	b.zone.Records = append(b.zone.Records, r)
}

// delegate adds NS records.
func (b *builder) delegate(zone string, servers ...string) {
	for _, s := range servers {
		b.rr(zone, nsTTL, "NS", s)
	}
}

// glue adds the addresses of a server, and host those of a host.
func (b *builder) glue(name string, n byte) { b.addrs(name, nsTTL, n) }
func (b *builder) host(name string, n byte) { b.addrs(name, b.ttl, n) }

func (b *builder) addrs(name string, ttl uint32, n byte) {
	for _, a := range b.t.both(n) {
		b.zone.Records = append(b.zone.Records, msg.A(b.name(name), ttl, a))
	}
}

// hints lists what a resolver must know to begin.
func (b *builder) hints() {
	for _, rr := range b.zone.Records {
		if rr.Type == msg.TypeNS && rr.Name == msg.Root {
			b.t.Hints = append(b.t.Hints, rr)
		}
	}
	for _, s := range b.t.Servers[:2] {
		for _, a := range s.Addrs {
			b.t.Hints = append(b.t.Hints, msg.A(s.Name, nsTTL, a))
		}
	}
}

// reverse4 and reverse6 are the names of the reverse zones of the first /24 and /64 of the prefixes.
func (b *builder) reverse4() string { return b.reverseZone(b.t.addr4(0), 1) }
func (b *builder) reverse6() string { return b.reverseZone(b.t.addr6(0), 16) }

// reverseZone is an address's name without so many labels.
func (b *builder) reverseZone(a netip.Addr, without int) string {
	labels := strings.SplitAfter(msg.ReverseName(a).String(), ".")
	return strings.Join(labels[without:], "")
}

// reverseZones name every address that a zone built so far gives to a host of its own.
func (b *builder) reverseZones() {
	var hosts []msg.RR
	for _, z := range b.t.Zones {
		for _, rr := range z.Records {
			if rr.Addr().IsValid() && rr.Name.Under(z.Origin) && !rr.Name.IsWildcard() && authoritative(z, rr.Name) {
				hosts = append(hosts, rr)
			}
		}
	}
	for _, origin := range []string{b.reverse4(), b.reverse6()} {
		b.begin(origin, "ns1.weir.example.", "ns1.weir.example.", "ns2.weir.example.")
		for _, rr := range hosts {
			if name := msg.ReverseName(rr.Addr()); name.Under(b.zone.Origin) {
				b.zone.Records = append(b.zone.Records, msg.PTR(name, b.ttl, rr.Name))
			}
		}
	}
}

// authoritative reports whether a name is the zone's own, and not glue.
func authoritative(z Zone, name msg.Name) bool {
	for _, rr := range z.Records {
		if rr.Type == msg.TypeNS && !rr.Name.Equal(z.Origin) && name.Under(rr.Name) {
			return false
		}
	}
	return true
}
