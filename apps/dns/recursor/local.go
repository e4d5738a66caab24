package recursor

import (
	"net/netip"
	"strconv"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/msg"
)

// localZones is the zones of which a resolver says itself that there is nothing in them: names
// that must not get out (RFC 6761, 7686, 8375), and the reverse zones of addresses that mean something else
// everywhere (RFC 6303 §4, 7793).
var localZones = func() map[msg.Name]bool {
	zones := map[msg.Name]bool{}
	for _, s := range []string{
		"invalid", "onion", "test", "local", "home.arpa",
		"0.in-addr.arpa", "10.in-addr.arpa", "127.in-addr.arpa", "254.169.in-addr.arpa", "168.192.in-addr.arpa",
		"2.0.192.in-addr.arpa", "100.51.198.in-addr.arpa", "113.0.203.in-addr.arpa", "255.255.255.255.in-addr.arpa",
		"d.f.ip6.arpa", "8.e.f.ip6.arpa", "9.e.f.ip6.arpa", "a.e.f.ip6.arpa", "b.e.f.ip6.arpa", "8.b.d.0.1.0.0.2.ip6.arpa",
	} {
		zones[msg.MustName(s)] = true
	}
	for n := 16; n < 32; n++ {
		zones[msg.MustName(strconv.Itoa(n)+".172.in-addr.arpa")] = true
	}
	for n := 64; n < 128; n++ {
		zones[msg.MustName(strconv.Itoa(n)+".100.in-addr.arpa")] = true
	}
	return zones
}()

var (
	localhost   = msg.MustName("localhost")
	loopback4   = msg.MustName("1.0.0.127.in-addr.arpa")
	loopback6   = msg.MustName("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa")
	unspecified = msg.MustName("0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa")
)

const localTTL = 10800 // RFC 6303 §3

// local answers the names that a resolver answers itself.
func (r *Resolver) local(name msg.Name, typ msg.Type) (cache.Entry, bool) {
	for _, p := range r.cfg.Public {
		if name.Under(p) {
			return cache.Entry{}, false
		}
	}
	switch {
	case name.Under(localhost): // RFC 6761 §6.3
		switch typ {
		case msg.TypeA:
			return localSet(msg.A(name, localTTL, netip.AddrFrom4([4]byte{127, 0, 0, 1}))), true
		case msg.TypeAAAA:
			return localSet(msg.A(name, localTTL, netip.IPv6Loopback())), true
		}
		return localNone(localhost, name, typ, cache.NoData), true
	case name.Equal(loopback4), name.Equal(loopback6):
		if typ == msg.TypePTR {
			return localSet(msg.PTR(name, localTTL, localhost)), true
		}
		return localNone(name, name, typ, cache.NoData), true
	case name.Equal(unspecified):
		return localNone(name, name, typ, cache.NoData), true
	}
	for n := name.Fold(); n != msg.Root; n = n.Parent() {
		if !localZones[n] {
			continue
		}
		if len(n) == len(name) && typ == msg.TypeDS { // the parent's to say, and validators ask
			return cache.Entry{}, false
		}
		if len(n) == len(name) {
			if typ == msg.TypeSOA {
				return localSet(localSOA(n)), true
			}
			return localNone(n, name, typ, cache.NoData), true
		}
		return localNone(n, name, typ, cache.NXDomain), true
	}
	return cache.Entry{}, false
}

func localSet(rr msg.RR) cache.Entry {
	sets := msg.RRsets([]msg.RR{rr})
	return cache.Entry{Name: rr.Name, Type: rr.Type, TTL: rr.TTL, Original: rr.TTL, Sets: []cache.Set{{RRset: sets[0]}}}
}

func localNone(zone, name msg.Name, typ msg.Type, kind cache.Kind) cache.Entry {
	e := localSet(localSOA(zone))
	e.Sets[0].Section = cache.InAuthority
	e.Name, e.Type, e.Kind = name, typ, kind
	return e
}

// localSOA is the SOA record of an empty zone (RFC 6303 §3).
func localSOA(zone msg.Name) msg.RR {
	soa := msg.SOA{MName: zone, RName: "\x06nobody\x07invalid\x00", Serial: 1, Refresh: 3600, Retry: 1200, Expire: 604800, Minimum: localTTL}
	return msg.NewRR(zone, msg.TypeSOA, localTTL, soa.Data())
}
