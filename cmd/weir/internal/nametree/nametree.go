// Package nametree runs the demonstration tree of apps/dns/tree: its servers and a resolver on a stack, for the commands
// that show how names are found. [Open] makes two stacks on the ends of a cable in memory, so that it needs neither
// root nor a network; [Serve] serves it on a stack that is there.
package nametree

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/apps/dns/tree"
	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/link/pipe"
)

const port = 53

// Service is a tree that is served on a stack, with a recursive resolver at the addresses that the tree has for one.
type Service struct {
	Tree     *tree.Tree
	Resolver *recursor.Resolver

	served *tree.Served
	server *server.Server
	trace  atomic.Pointer[func(recursor.Event)]
	cancel context.CancelFunc
	wg     sync.WaitGroup
	err    error
}

// Serve serves the tree on a stack that has its addresses.
func Serve(st *stack.Stack, t *tree.Tree) (*Service, error) {
	s := &Service{Tree: t}
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(context.Background())
	if err := s.open(st); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.wg.Go(func() { s.err = s.server.Serve(ctx) })
	return s, nil
}

func (s *Service) open(st *stack.Stack) (err error) {
	if s.served, err = s.Tree.Serve(st); err != nil {
		return err
	}
	if s.Resolver, err = NewResolver(st, s.Tree, s.event); err != nil {
		return err
	}
	hits := func() (hits, misses uint64) { t := s.Resolver.Cache().Stats(); return t.Hits, t.Misses }
	s.server = server.New(s.Resolver, server.Config{RateLimit: s.Tree.RateLimit(), Cache: hits})
	for _, a := range s.Tree.Resolver() {
		for _, network := range []string{"udp", "tcp"} {
			if _, err := s.server.Listen(st, network, net.JoinHostPort(a.String(), "53")); err != nil {
				return err
			}
		}
	}
	return nil
}

// NewResolver makes a resolver that begins at the tree's root; trace is told of its steps, where it is not nil.
func NewResolver(st *stack.Stack, t *tree.Tree, trace func(recursor.Event)) (*recursor.Resolver, error) {
	return recursor.New(ResolverConfig(st, t, trace))
}

// ResolverConfig is what NewResolver makes its resolver of.
func ResolverConfig(st *stack.Stack, t *tree.Tree, trace func(recursor.Event)) recursor.Config {
	return recursor.Config{
		Network: st, Hints: t.Hints, Anchors: t.Anchors, Trace: trace,
		Public: []msg.Name{msg.Root}, // the tree's names are such as are not to be looked for elsewhere
	}
}

// Trace has f told of each step of the resolver's, until the function that it returns is called.
func (s *Service) Trace(f func(recursor.Event)) (undo func()) {
	s.trace.Store(&f)
	return func() { s.trace.Store(nil) }
}

func (s *Service) event(e recursor.Event) {
	if f := s.trace.Load(); f != nil {
		(*f)(e)
	}
}

// Snapshot returns what the resolver's server has counted.
func (s *Service) Snapshot() server.Snapshot { return s.server.Snapshot() }

// Each calls f with the name and value of each counter, those of all the servers together.
func (s *Service) Each(f func(name string, value uint64)) {
	sums := map[string]uint64{}
	add := func(name string, v uint64) { sums[name] += v }
	s.served.Each(add)
	snap := s.server.Snapshot()
	snap.Each(add)
	for name, v := range sums {
		f(name, v)
	}
}

// Close ends the servers and the resolver.
func (s *Service) Close() error {
	s.cancel()
	s.wg.Wait()
	if s.server != nil { // it may not have come to serve
		s.server.Close()
	}
	if s.Resolver != nil {
		s.Resolver.Close()
	}
	if s.served != nil {
		return errors.Join(s.err, s.served.Close())
	}
	return s.err
}

// Net is a tree in memory.
type Net struct {
	Near    *stack.Stack // who asks
	Far     *stack.Stack // who has the tree
	Service *Service
}

// Open makes a tree in memory.
func Open() (*Net, error) {
	t, err := tree.New(tree.Options{})
	if err != nil {
		return nil, err
	}
	n := &Net{}
	a, b := pipe.New(pipe.Options{})
	if n.Near, err = newStack(a, Neighbours(t)); err != nil {
		return nil, err
	}
	if n.Far, err = newStack(b, t.Addrs()); err == nil {
		n.Service, err = Serve(n.Far, t)
	}
	if err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

func newStack(dev stack.Device, addrs []netip.Prefix) (*stack.Stack, error) {
	st, err := stack.New(stack.Config{})
	if err != nil {
		return nil, err
	}
	if _, err := st.AddInterface(dev, stack.InterfaceConfig{Addresses: addrs}); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return st, nil
}

// Close takes both stacks down.
func (n *Net) Close() error {
	var errs []error
	if n.Service != nil {
		errs = append(errs, n.Service.Close())
	}
	for _, st := range []*stack.Stack{n.Near, n.Far} {
		if st != nil {
			errs = append(errs, st.Close())
		}
	}
	return errors.Join(errs...)
}

// Neighbours are the addresses of the other side of the tree's link, with the lengths of their subnets.
func Neighbours(t *tree.Tree) (list []netip.Prefix) {
	for i, a := range t.Neighbour() {
		list = append(list, netip.PrefixFrom(a, t.Prefixes()[i].Bits()))
	}
	return list
}

// Resolver is where the resolver of a tree with the usual addresses is.
func Resolver() netip.AddrPort {
	t, err := tree.New(tree.Options{})
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(t.Resolver()[0], port)
}
