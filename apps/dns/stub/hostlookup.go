package stub

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/weirnet/weir/apps/dns/msg"
)

// LookupHost returns the addresses of a host as text: of the hosts file where it stands there,
// otherwise what the servers say.
func (r *Resolver) LookupHost(ctx context.Context, host string) ([]string, error) {
	if _, err := netip.ParseAddr(host); err == nil {
		return []string{host}, nil
	}
	addrs, err := r.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	list := make([]string, len(addrs))
	for i, a := range addrs {
		list[i] = a.String()
	}
	return list, nil
}

// LookupNetIP returns the addresses of a host on the network "ip", "ip4" or "ip6", the
// best first (RFC 6724) where the network of the configuration can tell.
func (r *Resolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	var all []netip.Addr
	_, err := r.addrs(ctx, network, host, func(a []netip.Addr) { all = append(all, a...) })
	if err != nil {
		return nil, err
	}
	if s, ok := r.network.(sorter); ok {
		s.SortAddrs(all)
	}
	return all, nil
}

// sorter is a network that knows from where it would reach each of some addresses, as a
// *stack.Stack does.
type sorter interface{ SortAddrs(addrs []netip.Addr) }

// LookupEager is LookupNetIP that gives the addresses of each family as soon as they are known; see
// stack.EagerResolver. found is called by one goroutine at a time, and not after the return.
func (r *Resolver) LookupEager(ctx context.Context, network, host string, found func([]netip.Addr)) error {
	_, err := r.addrs(ctx, network, host, found)
	return err
}

// LookupCNAME returns the name at the end of the chain of aliases that begins with host.
func (r *Resolver) LookupCNAME(ctx context.Context, host string) (string, error) {
	if host == "" {
		return "", notFound(host, "")
	}
	name, err := r.addrs(ctx, "CNAME", host, func([]netip.Addr) {})
	if err != nil {
		return "", err
	}
	if !isHostName(name) {
		return "", &net.DNSError{Err: badRecords, Name: host}
	}
	return name, nil
}

// typesOf is what is asked for, for a network. "CNAME" is that of LookupCNAME.
func typesOf(network string) ([]msg.Type, error) {
	switch network {
	case "ip":
		return []msg.Type{msg.TypeA, msg.TypeAAAA}, nil
	case "ip4":
		return []msg.Type{msg.TypeA}, nil
	case "ip6":
		return []msg.Type{msg.TypeAAAA}, nil
	case "CNAME":
		return []msg.Type{msg.TypeA, msg.TypeAAAA, msg.TypeCNAME}, nil
	}
	return nil, net.UnknownNetworkError(network)
}

// addrs finds addresses of a host, tells of each family's as they come, and returns the host's canonical name.
func (r *Resolver) addrs(ctx context.Context, network, host string, found func([]netip.Addr)) (string, error) {
	types, err := typesOf(network)
	if err != nil {
		return "", err
	}
	fits := func(a netip.Addr) bool { return network != "ip4" && network != "ip6" || a.Is4() == (network == "ip4") }
	tell := func(addrs []netip.Addr) error {
		all := len(addrs)
		if addrs = slices.DeleteFunc(addrs, func(a netip.Addr) bool { return !fits(a) }); len(addrs) == 0 && all > 0 {
			return &net.AddrError{Err: "no suitable address found", Addr: host}
		}
		found(addrs)
		return nil
	}
	if a, err := netip.ParseAddr(host); err == nil && network != "CNAME" {
		return host, tell([]netip.Addr{a.Unmap()})
	}
	if addrs, canonical := r.hostsFile().Addrs(host); len(addrs) > 0 {
		return canonical, tell(addrs)
	}
	if !isHostName(host) {
		return "", notFound(host, "")
	}
	return r.addrsByDNS(ctx, host, types, found)
}

// addrsByDNS asks for each of the names that host may be short for, until one has addresses.
func (r *Resolver) addrsByDNS(ctx context.Context, host string, types []msg.Type, found func([]netip.Addr)) (string, error) {
	c := r.config()
	var last error
	for _, full := range c.names(host) {
		name, err := r.addrsOf(ctx, &c, full, types, found)
		if name != "" {
			return name, nil
		}
		if last == nil || full == host+"." { // what is wrong with the name as it was asked tells most
			last = err
		}
	}
	if last == nil {
		last = notFound(host, "")
	}
	return "", named(last, host)
}

// outcome is the answer for one type.
type outcome struct {
	answer
	err error
}

// addrsOf asks for the types of one name, at once or one after the other, and tells of the addresses. The
// name is empty where there were none.
func (r *Resolver) addrsOf(ctx context.Context, c *Conf, full string, types []msg.Type, found func([]netip.Addr)) (canonical string, err error) {
	outcomes := make(chan outcome, len(types))
	each := func(typ msg.Type) {
		a, err := r.askOne(ctx, c, full, typ)
		outcomes <- outcome{a, err}
	}
	for _, typ := range types {
		if c.SingleRequest {
			each(typ)
		} else {
			go each(typ)
		}
	}
	for range types {
		o := <-outcomes
		if o.err != nil {
			err = worse(err, o.err)
			continue
		}
		addrs, name, alias := addrsIn(o.rrs)
		if canonical == "" || len(addrs) > 0 && !strings.EqualFold(canonical, name) {
			canonical = name
			if canonical == "" {
				canonical = alias
			}
		}
		if len(addrs) > 0 {
			found(addrs)
		}
	}
	return canonical, err
}

// worse returns of two errors the one that says more: one that is not "no such host".
func worse(a, b error) error {
	if d, ok := a.(*net.DNSError); ok && !d.IsNotFound {
		return a
	}
	return b
}

// addrsIn returns the addresses of an answer, the name that has them, and the last alias before.
func addrsIn(rrs []msg.RR) (addrs []netip.Addr, owner, alias string) {
	for _, rr := range rrs {
		switch rr.Type {
		case msg.TypeA, msg.TypeAAAA:
			if a := rr.Addr(); a.IsValid() {
				addrs = append(addrs, a.Unmap())
				if owner == "" {
					owner = rr.Name.String()
				}
			}
		case msg.TypeCNAME:
			if alias == "" {
				alias = rr.Target().String()
			}
		}
	}
	return addrs, owner, alias
}
