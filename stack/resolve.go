package stack

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"

	"github.com/weirnet/weir/stack/route"
)

// Resolver looks host names up for DialContext. A *net.Resolver is one, and so is what
// apps/dns/stub makes, which asks over the stack itself. network is "ip", "ip4" or "ip6". Where
// the name is not there the error is a *net.DNSError with IsNotFound.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// EagerResolver is a Resolver that gives the addresses of each family as soon as it has them, so
// that a connection need not wait for the slower answer (RFC 8305 §3). found is called for each
// family that has addresses, by one goroutine at a time, and not after LookupEager has returned.
type EagerResolver interface {
	Resolver
	LookupEager(ctx context.Context, network, host string, found func([]netip.Addr)) error
}

// maxAddresses bounds the addresses of one name that are tried. Who answers for the name
// could else have us knock at every door that it lists.
const maxAddresses = 32

// found is news of a lookup: addresses, or that it is over.
type found struct {
	addrs []netip.Addr
	err   error
	over  bool
}

// lookup looks host up in a goroutine that ends with ctx, and tells on the channel.
func lookup(ctx context.Context, resolver Resolver, network, host string) <-chan found {
	news := make(chan found, 1)
	tell := func(f found) {
		select {
		case news <- f:
		case <-ctx.Done():
		}
	}
	ipNetwork := "ip" + network[len(strings.TrimRight(network, "46")):]
	go func() {
		if eager, ok := resolver.(EagerResolver); ok {
			err := eager.LookupEager(ctx, ipNetwork, host, func(a []netip.Addr) { tell(found{addrs: a}) })
			tell(found{err: err, over: true})
			return
		}
		addrs, err := resolver.LookupNetIP(ctx, ipNetwork, host)
		tell(found{addrs, err, true})
	}()
	return news
}

// errNoResolver says what to do about a name that nobody looks up.
func errNoResolver(host string) error {
	return &net.DNSError{
		Err:  "the stack has nobody to look names up: set its Config.Resolver, as apps/dns/stub makes one, or give an address",
		Name: host, IsNotFound: true,
	}
}

// lookupError is what a dial fails with where the lookup did: a *net.DNSError, as package net has it.
func lookupError(ctx context.Context, host string, err error) error {
	if cause := ctx.Err(); cause != nil {
		return &net.DNSError{
			Err: textOf(cause), Name: host, UnwrapErr: cause,
			IsTimeout: errors.Is(cause, context.DeadlineExceeded), IsTemporary: true,
		}
	}
	if err == nil {
		return &net.AddrError{Err: "no suitable address found", Addr: host}
	}
	return err
}

func textOf(cause error) string {
	if errors.Is(cause, context.DeadlineExceeded) {
		return "i/o timeout"
	}
	return "operation was canceled"
}

// fits returns those of the addresses that the network's family and the local address allow.
func fits(addrs []netip.Addr, network string, local netip.Addr) (list []netip.Addr) {
	for _, a := range addrs {
		a = a.Unmap()
		switch {
		case !a.IsValid(), strings.HasSuffix(network, "4") && !a.Is4(), strings.HasSuffix(network, "6") && a.Is4():
		case local.IsValid() && !local.IsUnspecified() && local.Unmap().Is4() != a.Is4():
		default:
			list = append(list, a)
		}
	}
	return list
}

// SortAddrs brings addresses of one host into the order in which they are best tried from this
// stack (RFC 6724 §6).
func (s *Stack) SortAddrs(addrs []netip.Addr) { copy(addrs, s.sorted(addrs)) }

// sorted returns the addresses as RFC 6724 §6 has them tried from this stack.
func (s *Stack) sorted(addrs []netip.Addr) []netip.Addr {
	list := make([]route.Destination, len(addrs))
	for i, a := range addrs {
		list[i] = route.Destination{Addr: a, Source: s.h.SourceTo(a)}
	}
	route.SortDestinations(list, nil)
	out := make([]netip.Addr, len(list))
	for i, d := range list {
		out[i] = d.Addr
	}
	return out
}

// interleaved lets the families take turns, each in its order, beginning with the first
// address's family (RFC 8305 §4).
func interleaved(addrs []netip.Addr) []netip.Addr {
	if len(addrs) == 0 {
		return addrs
	}
	var first, second []netip.Addr
	for _, a := range addrs {
		if a.Is4() == addrs[0].Is4() {
			first = append(first, a)
		} else {
			second = append(second, a)
		}
	}
	out := make([]netip.Addr, 0, len(addrs))
	for i := range max(len(first), len(second)) {
		if i < len(first) {
			out = append(out, first[i])
		}
		if i < len(second) {
			out = append(out, second[i])
		}
	}
	return out
}
