package stack

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/weirnet/weir/stack/netconn"
)

// The times of Happy Eyeballs, which RFC 8305 §8 recommends.
const (
	// attemptDelay is what an attempt to connect has for itself before the next address is tried.
	attemptDelay = 250 * time.Millisecond
	// resolutionDelay is how long IPv4 addresses wait for the IPv6 ones of the same name.
	resolutionDelay = 50 * time.Millisecond
)

// dialName connects to a host by its name. For TCP every address has its chance, one a little
// after the other, and the first connection wins (RFC 8305); for UDP, where nobody
// answers a connect, the first address that there is a way to is taken.
func (s *Stack) dialName(ctx context.Context, network string, local netip.AddrPort, host string, port uint16) (net.Conn, error) {
	resolver := s.resolver.Load()
	if resolver == nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: errNoResolver(host)}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &race{s: s, resolver: *resolver, network: network, local: local, host: host, port: port, tried: map[netip.Addr]bool{}}
	if network[:3] == "udp" {
		return r.datagrams(ctx)
	}
	return r.run(ctx, cancel)
}

// race is a dial by name on its way.
type race struct {
	s        *Stack
	resolver Resolver
	network  string
	local    netip.AddrPort
	host     string
	port     uint16

	untried []netip.Addr // in the order in which they are tried
	tried   map[netip.Addr]bool
	began   netip.Addr // the first that was tried
	last4   bool       // the family of the last attempt
	first   error      // of the first attempt that failed
	running int
}

// attempt is how a connection went.
type attempt struct {
	c   net.Conn
	err error
}

// run connects. Whatever it began is over when it returns.
func (r *race) run(ctx context.Context, cancel context.CancelFunc) (net.Conn, error) {
	news, ends := lookup(ctx, r.resolver, r.network, r.host), make(chan attempt)
	timer := time.NewTimer(time.Hour) // until the next attempt may begin
	defer timer.Stop()
	timer.Stop()
	defer func() { // the losers
		cancel()
		for ; r.running > 0; r.running-- {
			if a := <-ends; a.c != nil {
				a.c.Close()
			}
		}
	}()
	var lookupErr error
	waiting := false // the timer runs
	for {
		if len(r.untried) > 0 && !waiting {
			r.start(ctx, ends)
			timer.Reset(attemptDelay)
			waiting = true
		}
		if news == nil && r.running == 0 && len(r.untried) == 0 {
			return nil, r.failure(ctx, lookupErr)
		}
		select {
		case f := <-news:
			begun := len(r.tried) > 0
			r.add(f.addrs)
			if f.over {
				news, lookupErr = nil, f.err
			}
			// "If a positive A response is received first due to reordering, the client SHOULD
			// wait a short time for the AAAA response" (RFC 8305 §3).
			only4 := !slices.ContainsFunc(r.untried, netip.Addr.Is6)
			switch {
			case begun || len(r.untried) == 0:
			case news != nil && only4 && r.wants6():
				timer.Reset(resolutionDelay)
				waiting = true
			default:
				waiting = false
			}
		case <-timer.C:
			waiting = false
		case a := <-ends:
			r.running--
			if a.err == nil {
				return a.c, nil
			}
			if r.first == nil {
				r.first = a.err
			}
			waiting = false // the next need not wait for one that has failed
		case <-ctx.Done():
			return nil, r.failure(ctx, ctx.Err())
		}
	}
}

// wants6 reports whether IPv6 addresses may still come.
func (r *race) wants6() bool {
	local := r.local.Addr()
	return r.network == "tcp" && (!local.IsValid() || local.IsUnspecified() || local.Is6())
}

// add takes what a lookup found among what is not tried yet, and orders that anew: whose
// turn it is is the other family than the last attempt's.
func (r *race) add(addrs []netip.Addr) {
	for _, a := range fits(addrs, r.network, r.local.Addr()) {
		if !r.tried[a] && !slices.Contains(r.untried, a) && len(r.untried)+len(r.tried) < maxAddresses {
			r.untried = append(r.untried, a)
		}
	}
	list := r.s.sorted(r.untried)
	if i := slices.IndexFunc(list, func(a netip.Addr) bool { return a.Is4() != r.last4 }); len(r.tried) > 0 && i > 0 {
		first := list[i]
		list = slices.Insert(slices.Delete(list, i, i+1), 0, first)
	}
	r.untried = interleaved(list)
}

// start begins an attempt at the next address.
func (r *race) start(ctx context.Context, ends chan<- attempt) {
	addr := r.untried[0]
	r.untried = r.untried[1:]
	if len(r.tried) == 0 {
		r.began = addr
	}
	r.tried[addr] = true
	r.last4 = addr.Is4()
	r.running++
	go func() {
		c, err := netconn.DialTCP(ctx, r.s.h, r.network, r.local, netip.AddrPortFrom(addr, r.port))
		if err != nil {
			ends <- attempt{err: err}
			return
		}
		ends <- attempt{c: c}
	}()
}

// failure is the error of a dial that reached nobody: the context's where that has ended, that of
// the first attempt that failed, or the lookup's.
func (r *race) failure(ctx context.Context, lookupErr error) error {
	switch {
	case ctx.Err() != nil && r.began.IsValid():
		_, err := netconn.DialTCP(ctx, r.s.h, r.network, r.local, netip.AddrPortFrom(r.began, r.port))
		return err
	case r.first != nil:
		return r.first
	}
	return &net.OpError{Op: "dial", Net: r.network, Err: lookupError(ctx, r.host, lookupErr)}
}

// datagrams connects a UDP socket to the first address that there is a way to.
func (r *race) datagrams(ctx context.Context) (net.Conn, error) {
	news := lookup(ctx, r.resolver, r.network, r.host)
	var lookupErr error
	for news != nil {
		select {
		case f := <-news:
			r.add(f.addrs)
			if f.over {
				news, lookupErr = nil, f.err
			}
		case <-ctx.Done():
			return nil, r.failure(ctx, nil)
		}
	}
	for _, a := range r.s.sorted(r.untried) {
		c, err := netconn.DialUDP(r.s.h, r.network, r.local, netip.AddrPortFrom(a, r.port))
		if err == nil {
			return c, nil
		}
		if r.first == nil {
			r.first = err
		}
	}
	return nil, r.failure(ctx, lookupErr)
}
