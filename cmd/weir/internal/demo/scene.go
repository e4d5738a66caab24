package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/weirnet/weir/apps/dns/tree"
	"github.com/weirnet/weir/apps/echo"
	"github.com/weirnet/weir/cmd/weir/internal/nametree"
	"github.com/weirnet/weir/cmd/weir/internal/netflag"
	"github.com/weirnet/weir/cmd/weir/internal/node"
	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/link/pipe"
)

// The addresses of the demo: TEST-NET-1 (RFC 5737) and documentation (RFC 3849).
var (
	weirAddrs = []netip.Prefix{netip.MustParsePrefix("192.0.2.2/24"), netip.MustParsePrefix("2001:db8:77::2/64")}
	farAddrs  = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("2001:db8:77::1/64")}
)

// nameTree is the names of the demo, each of its servers at an address of its own on the same stack.
var nameTree = func() *tree.Tree {
	t, err := tree.New(tree.Options{})
	if err != nil {
		panic(err) // its options are the defaults
	}
	return t
}()

const mtu = 1500

// peer is who speaks to the stack.
type peer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
	// Ping sends one echo request with so many octets of data, and returns when
	// the answer to it is there and has the same data.
	Ping(ctx context.Context, dst netip.Addr, seq uint16, size int) (time.Duration, error)
	Close() error
}

// scene is a stack that runs echo, and its far end.
type scene struct {
	about, near, far string // for the heading
	note             string // what is not as it should be
	addrs            []netip.Addr
	peer             peer
	names            *nametree.Service
	closers          []func() error // in the order of closing
}

// openTUN puts the stack on a TUN device, with the kernel of this namespace as far end.
func openTUN() (*scene, error) {
	if err := loopbackUp(); err != nil {
		return nil, err
	}
	n, err := node.Open(node.Config{Devices: []netflag.Device{{
		Name: "weir0", Addrs: append(weirAddrs, nameTree.Addrs()...), HostAddrs: append(farAddrs, nametree.Neighbours(nameTree)...), MTU: mtu, Offload: netflag.OffloadAuto, Queues: 1,
	}}})
	if err != nil {
		return nil, err
	}
	kernel, err := newKernel()
	if err != nil {
		return nil, errors.Join(err, n.Close())
	}
	dev := n.Links[0].Device
	s := &scene{
		about: "the Linux kernel talks to weir's own stack",
		near:  fmt.Sprintf("weir on the TUN device %s (%s, MTU %d): %s", dev.Name(), dev.Backend(), dev.MTU(), addresses(weirAddrs)),
		far:   "the Linux kernel, in a network namespace of its own: " + addresses(farAddrs),
		peer:  kernel,
	}
	return s.serve(n.Stack, n.Close)
}

// openMemory joins the stack by a link in memory to a second one as far end.
func openMemory(why string) (*scene, error) {
	a, b := pipe.New(pipe.Options{MTU: mtu, Offload: true})
	near, err := newStack(a, append(weirAddrs, nameTree.Addrs()...))
	if err != nil {
		return nil, err
	}
	far, err := newStack(b, append(farAddrs, nametree.Neighbours(nameTree)...))
	if err != nil {
		return nil, errors.Join(err, near.Close())
	}
	s := &scene{
		about: "two of weir's own stacks talk to each other",
		near:  fmt.Sprintf("weir on a link in memory (MTU %d): %s", mtu, addresses(weirAddrs)),
		far:   "a second weir stack: " + addresses(farAddrs),
		peer:  memory{far},
	}
	if why != "" {
		s.note = "No TUN device here: " + why + ".\nThe same demo runs over a link in memory instead, with a second weir as the far end."
	}
	return s.serve(near, near.Close)
}

func newStack(d stack.Device, addrs []netip.Prefix) (*stack.Stack, error) {
	st, err := stack.New(stack.Config{})
	if err != nil {
		return nil, err
	}
	if _, err := st.AddInterface(d, stack.InterfaceConfig{Addresses: addrs}); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return st, nil
}

// serve runs echo on the stack. From here on the scene's close takes all of it down.
func (s *scene) serve(st *stack.Stack, closeStack func() error) (*scene, error) {
	for _, p := range weirAddrs {
		s.addrs = append(s.addrs, p.Addr())
	}
	server, err := echo.Service().Listen(st, s.addrs...)
	if err != nil {
		return nil, errors.Join(err, s.peer.Close(), closeStack())
	}
	if s.names, err = nametree.Serve(st, nameTree); err != nil {
		server.Close()
		return nil, errors.Join(err, s.peer.Close(), closeStack())
	}
	ctx, cancel := context.WithCancel(context.Background())
	var served error
	var wg sync.WaitGroup
	wg.Go(func() { served = server.Serve(ctx) })
	stop := func() error {
		cancel()
		wg.Wait()
		return served
	}
	s.closers = []func() error{stop, s.names.Close, s.peer.Close, closeStack}
	return s, nil
}

func (s *scene) close() error {
	var errs []error
	for _, f := range s.closers {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

func addresses(ps []netip.Prefix) string { return fmt.Sprintf("%s and %s", ps[0].Addr(), ps[1].Addr()) }

// isNoDevice reports whether err says that /dev/net/tun has no driver behind it.
func isNoDevice(err error) bool {
	return errors.Is(err, syscall.ENODEV) || errors.Is(err, syscall.ENXIO)
}

// memory is a second weir stack as far end.
type memory struct{ *stack.Stack }

func (m memory) Ping(ctx context.Context, dst netip.Addr, seq uint16, size int) (time.Duration, error) {
	r, err := m.Stack.Ping(ctx, dst, stack.PingOptions{Seq: seq, Size: size})
	if err == nil && r.Size != size {
		err = fmt.Errorf("%d octets sent, %d came back", size, r.Size)
	}
	return r.RTT, err
}
