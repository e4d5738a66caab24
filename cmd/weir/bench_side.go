package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/weirnet/weir/apps/bench"
	"github.com/weirnet/weir/apps/serve"
	"github.com/weirnet/weir/cmd/weir/internal/node"
	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/tun"
)

// benchSide is what a side of weir bench runs on: a stack of its own, or the host's sockets.
type benchSide struct {
	client clientFlags
	kernel bool
}

func (f *benchSide) register(fs *pflag.FlagSet) {
	fs.BoolVarP(&f.kernel, "kernel", "k", false, "use the sockets of the host, not a stack on a device")
	f.client.register(fs)
}

// network is a side that is open.
type network interface {
	bench.Dialer
	serve.Network
	where() string // the addresses to reach it at
	Close() error
}

func (f *benchSide) open(v4, v6 bool) (network, error) {
	if !f.kernel {
		n, err := f.client.open(v4, v6)
		if err != nil {
			return nil, err
		}
		return stackNetwork{n.Stack, n}, nil
	}
	for _, name := range []string{"tun", "addr", "host-addr", "mtu", "offload", "queues", "pcap"} {
		if f.client.flags.Changed(name) {
			return nil, fmt.Errorf("--%s is about a stack's device, and --kernel uses none", name)
		}
	}
	if f.client.netns == "" {
		return &hostNetwork{}, nil
	}
	ns, err := tun.OpenNamespace(f.client.netns)
	if err != nil {
		return nil, err
	}
	return &hostNetwork{ns: ns}, nil
}

// hint says what may help where the server was not reached.
func (f *benchSide) hint(err error, host netip.Addr) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "; is weir bench server running there, at that port?"
	case f.kernel || !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded):
		return ""
	}
	return f.client.hint(host)
}

// stackNetwork is weir's stack on a device.
type stackNetwork struct {
	*stack.Stack
	node *node.Node
}

func (n stackNetwork) Close() error  { return n.node.Close() }
func (n stackNetwork) where() string { return strings.Trim(fmt.Sprint(n.node.Addrs()), "[]") }

// hostNetwork is the host's sockets, in a namespace where ns is set.
type hostNetwork struct {
	net.Dialer
	ns *tun.Namespace
}

func (n *hostNetwork) where() string { return "every address of the host" }

func (n *hostNetwork) Close() error {
	if n.ns == nil {
		return nil
	}
	return n.ns.Close()
}

// do runs fn where the sockets are to be.
func (n *hostNetwork) do(fn func() error) error {
	if n.ns == nil {
		return fn()
	}
	return n.ns.Do(fn)
}

func (n *hostNetwork) DialContext(ctx context.Context, network, address string) (c net.Conn, err error) {
	err = n.do(func() (err error) { c, err = n.Dialer.DialContext(ctx, network, address); return err })
	return c, err
}

func (n *hostNetwork) Listen(network, address string) (ln net.Listener, err error) {
	err = n.do(func() (err error) { ln, err = net.Listen(network, address); return err })
	return ln, err
}

func (n *hostNetwork) ListenPacket(network, address string) (pc net.PacketConn, err error) {
	err = n.do(func() (err error) { pc, err = net.ListenPacket(network, address); return err })
	return pc, err
}
