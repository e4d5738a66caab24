package tree

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/weirnet/weir/apps/dns/server"
)

// Served is a tree that is being served.
type Served struct {
	servers []*server.Server
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	mu      sync.Mutex
	err     error
}

// Serve serves the tree on a network that has all its addresses: every server on its own, for the zones that it has and no
// others, over UDP and TCP, as if each were on a machine of its own.
func (t *Tree) Serve(nw server.Network) (*Served, error) {
	s := &Served{}
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(context.Background())
	for _, each := range t.Servers {
		h, err := t.Handler(each)
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		srv := server.New(h, server.Config{RateLimit: t.RateLimit()})
		s.servers = append(s.servers, srv)
		for _, a := range each.Addrs {
			family := "6"
			if a.Is4() {
				family = "4"
			}
			for _, network := range []string{"udp", "tcp"} {
				if _, err := srv.Listen(nw, network+family, net.JoinHostPort(a.String(), "53")); err != nil {
					return nil, errors.Join(fmt.Errorf("serve the name tree: %w", err), s.Close())
				}
			}
		}
	}
	for _, srv := range s.servers {
		s.wg.Go(func() {
			if err := srv.Serve(ctx); err != nil {
				s.mu.Lock()
				s.err = errors.Join(s.err, err)
				s.mu.Unlock()
			}
		})
	}
	return s, nil
}

// RateLimit is what the tree's servers have: none for who is on the link with them, which is the neighbour and the tree's own
// resolver. They are one network to a limit of answers, and each would use up the other's.
func (t *Tree) RateLimit() server.RateLimit { return server.RateLimit{Exempt: t.Prefixes()} }

// Close ends the servers and returns what went wrong with them.
func (s *Served) Close() error {
	s.cancel()
	s.wg.Wait()
	for _, srv := range s.servers { // those that did not come to serve
		srv.Close()
	}
	return s.err
}

// Each calls f with the name and value of each counter of each server.
func (s *Served) Each(f func(name string, value uint64)) {
	for _, srv := range s.servers {
		snap := srv.Snapshot()
		snap.Each(f)
	}
}
