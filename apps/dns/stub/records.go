package stub

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/weirnet/weir/apps/dns/msg"
)

// LookupAddr returns the names of an address, of the hosts file or of the reverse tree.
func (r *Resolver) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return nil, &net.DNSError{Err: "unrecognized address", Name: addr}
	}
	if names := r.hostsFile().Names(a); len(names) > 0 {
		return names, nil
	}
	arpa := msg.ReverseName(a).String()
	found, err := r.ask(ctx, arpa, msg.TypePTR)
	if err != nil {
		return nil, err
	}
	return wholesome(addr, found.rrs, msg.TypePTR, func(rr msg.RR) (string, string) {
		name := rr.Target().String()
		return name, name
	})
}

// LookupNS returns the name servers of a zone.
func (r *Resolver) LookupNS(ctx context.Context, name string) ([]*net.NS, error) {
	found, err := r.ask(ctx, name, msg.TypeNS)
	if err != nil {
		return nil, err
	}
	return wholesome(name, found.rrs, msg.TypeNS, func(rr msg.RR) (*net.NS, string) {
		host := rr.Target().String()
		return &net.NS{Host: host}, host
	})
}

// LookupMX returns the mail exchangers of a domain, the most preferred first, and equals in a random order (RFC 5321 §5.1).
func (r *Resolver) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	found, err := r.ask(ctx, name, msg.TypeMX)
	if err != nil {
		return nil, err
	}
	list, err := wholesome(name, found.rrs, msg.TypeMX, func(rr msg.RR) (*net.MX, string) {
		mx, _ := rr.MX()
		host := mx.Exchange.String()
		if a, err := netip.ParseAddr(strings.TrimSuffix(host, ".")); err == nil && a.Zone() == "" {
			return &net.MX{Host: host, Pref: mx.Preference}, "." // wrong, and used
		}
		return &net.MX{Host: host, Pref: mx.Preference}, host
	})
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	slices.SortStableFunc(list, func(a, b *net.MX) int { return int(a.Pref) - int(b.Pref) })
	return list, err
}

// LookupSRV returns the servers of a service, sorted by priority and, within one, at random by weight
// (RFC 2782), and the name that they were found at. With no service and no proto, name is looked up as it is.
func (r *Resolver) LookupSRV(ctx context.Context, service, proto, name string) (cname string, servers []*net.SRV, err error) {
	target := name
	if service != "" || proto != "" {
		target = "_" + service + "._" + proto + "." + name
	}
	found, err := r.ask(ctx, target, msg.TypeSRV)
	if err != nil {
		return "", nil, err
	}
	for _, rr := range found.rrs {
		if rr.Type == msg.TypeSRV && cname == "" {
			cname = rr.Name.String()
		}
	}
	if !isHostName(cname) {
		return "", nil, &net.DNSError{Err: "SRV header name is invalid", Name: name}
	}
	servers, err = wholesome(name, found.rrs, msg.TypeSRV, func(rr msg.RR) (*net.SRV, string) {
		s, _ := rr.SRV()
		host := s.Target.String()
		return &net.SRV{Target: host, Port: s.Port, Priority: s.Priority, Weight: s.Weight}, host
	})
	sortServers(servers)
	return cname, servers, err
}

// LookupTXT returns the texts of a name, the strings of each record put together.
func (r *Resolver) LookupTXT(ctx context.Context, name string) ([]string, error) {
	found, err := r.ask(ctx, name, msg.TypeTXT)
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, rr := range found.rrs {
		if t, ok := rr.TXT(); ok && rr.Type == msg.TypeTXT {
			texts = append(texts, strings.Join(t, ""))
		}
	}
	return texts, nil
}

// wholesome makes something of each record of a type, and leaves out those whose name is no host's,
// with an error beside the others that says so.
func wholesome[T any](name string, rrs []msg.RR, typ msg.Type, of func(msg.RR) (T, string)) ([]T, error) {
	list := []T{}
	var err error
	for _, rr := range rrs {
		if rr.Type != typ {
			continue
		}
		v, host := of(rr)
		if !isHostName(host) {
			err = &net.DNSError{Err: badRecords, Name: name}
			continue
		}
		list = append(list, v)
	}
	return list, err
}

// sortServers sorts by priority, and draws lots by weight among equals (RFC 2782).
func sortServers(list []*net.SRV) {
	slices.SortStableFunc(list, func(a, b *net.SRV) int {
		if a.Priority != b.Priority {
			return int(a.Priority) - int(b.Priority)
		}
		return int(a.Weight) - int(b.Weight) // "arranged in any order, except that all those with weight 0 are placed at the beginning"
	})
	for len(list) > 0 {
		end := slices.IndexFunc(list, func(s *net.SRV) bool { return s.Priority != list[0].Priority })
		if end < 0 {
			end = len(list)
		}
		draw(list[:end])
		list = list[end:]
	}
}

// draw brings servers of one priority into the order in which lots fall to their weights.
func draw(list []*net.SRV) {
	sum := 0
	for _, s := range list {
		sum += int(s.Weight)
	}
	for ; len(list) > 1 && sum > 0; list = list[1:] {
		at, i := rand.IntN(sum+1), 0
		for at -= int(list[0].Weight); at > 0; at -= int(list[i].Weight) {
			i++
		}
		won := list[i]
		copy(list[1:i+1], list[:i])
		list[0] = won
		sum -= int(won.Weight)
	}
}
