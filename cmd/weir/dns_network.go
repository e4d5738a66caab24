package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/spf13/pflag"

	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/stub"
	"github.com/weirnet/weir/cmd/weir/internal/nametree"
)

// dnsNetwork are the flags that say over what questions go: a stack on a device of its own, the host's sockets,
// or the name tree in memory.
type dnsNetwork struct {
	client clientFlags
	kernel bool
	tree   bool
}

func (f *dnsNetwork) register(fs *pflag.FlagSet) {
	fs.BoolVar(&f.kernel, "kernel", false, "ask over the host's own sockets: no device, and no root")
	fs.BoolVar(&f.tree, "tree", false, "ask in the demonstration tree, in memory: no device, and no root")
	f.client.register(fs)
}

// check says which flags contradict each other.
func (f *dnsNetwork) check() error {
	device := ""
	for _, name := range []string{"tun", "addr", "host-addr", "mtu", "offload", "queues", "netns", "pcap"} {
		if f.client.flags.Changed(name) {
			device = name
		}
	}
	switch {
	case f.kernel && f.tree:
		return errors.New("--kernel and --tree contradict each other")
	case device != "" && (f.kernel || f.tree):
		return fmt.Errorf("--%s is about a device, and there is none with --kernel or --tree", device)
	}
	return nil
}

// openNetwork is what questions go over, until close.
type openNetwork struct {
	client.Network
	close func() error
	hint  func(netip.Addr) string // why somebody may not have been reached
	tree  *nametree.Net           // with --tree
}

// open opens the network to reach servers of the families.
func (f *dnsNetwork) open(v4, v6 bool) (*openNetwork, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	none := func(netip.Addr) string { return "" }
	switch {
	case f.kernel:
		return &openNetwork{&net.Dialer{}, func() error { return nil }, none, nil}, nil
	case f.tree:
		n, err := nametree.Open()
		if err != nil {
			return nil, err
		}
		return &openNetwork{n.Near, n.Close, none, n}, nil
	}
	n, err := f.client.open(v4, v6)
	if err != nil {
		return nil, err
	}
	return &openNetwork{n.Stack, n.Close, f.client.hint, nil}, nil
}

// defaultServer is who is asked where nobody is named: the resolver of the tree, or the host's first.
func (f *dnsNetwork) defaultServer() (netip.AddrPort, error) {
	if f.tree {
		return nametree.Resolver(), nil
	}
	file, err := os.Open(stub.SystemResolvConf)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("no server: %w; name one with --server", err)
	}
	defer file.Close()
	conf, err := stub.ParseConf(file)
	if err != nil {
		return netip.AddrPort{}, err
	}
	server := conf.Servers[0]
	if server.Addr().IsLoopback() && !f.kernel {
		return server, fmt.Errorf("the host's server %s is on its loopback, where only its own sockets reach it: say --kernel, or name another with --server", server.Addr())
	}
	return server, nil
}

// exchange asks one server, and says in one line why that failed.
func (n *openNetwork) exchange(ctx context.Context, c *client.Client, q question, o client.Options) (*answer, error) {
	m := q.message()
	reply, r, err := c.Exchange(ctx, m, q.server, o)
	if err != nil {
		if ctx.Err() != nil {
			return nil, errors.New("interrupted")
		}
		return nil, fmt.Errorf("%w%s", err, n.hint(q.server.Addr()))
	}
	return &answer{q, reply, r}, nil
}
