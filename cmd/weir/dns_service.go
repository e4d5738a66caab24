package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/weirnet/weir/apps/dns"
	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/apps/dns/tree"
	"github.com/weirnet/weir/cmd/weir/internal/control"
	"github.com/weirnet/weir/cmd/weir/internal/nametree"
	"github.com/weirnet/weir/cmd/weir/internal/netflag"
)

// nameServer is the name server of a running weir.
type nameServer struct {
	service *dns.Service
	cfg     atomic.Pointer[dnsConfig]
	tree    *nametree.Service // with --tree, in place of a service
	try     string            // a name to ask for
	at      netip.Addr        // and whom

	network  client.Network // what build has of it, beside the flags
	subnets  []netip.Prefix
	retiring sync.WaitGroup // of configurations before
	mu       sync.Mutex     // of reload
	flags    *dnsFlags
	closed   bool
}

// treeDevices are the devices of --tree: weir has every address of the tree, and the host the neighbour's.
func treeDevices(d *netflag.Devices, t *tree.Tree) ([]netflag.Device, error) {
	devices, err := d.ResolveWith(t.Addrs(), nametree.Neighbours(t))
	if err != nil {
		return nil, err
	}
	if len(devices) != 1 || len(devices[0].Addrs) != len(t.Addrs()) {
		return nil, errors.New("--tree has one device, and addresses of its own: leave out --addr")
	}
	return devices, nil
}

// serveNames starts the name server.
func (r *running) serveNames(f *dnsFlags, t *tree.Tree) (err error) {
	n := &nameServer{network: r.node.Stack, flags: f}
	if t != nil {
		if n.tree, err = nametree.Serve(r.node.Stack, t); err != nil {
			return err
		}
		n.try, n.at = "www.weir.example", t.Resolver()[0]
		r.names = n
		return nil
	}
	for _, l := range r.node.Links {
		n.subnets = append(n.subnets, l.Flags.Addrs...)
	}
	cfg, err := f.build(n.network, n.subnets, nil)
	if err != nil {
		return err
	}
	n.cfg.Store(cfg)
	if n.service, err = dns.New(cfg.Config); err != nil {
		n.close()
		return err
	}
	if err := n.service.Listen(r.node.Stack, r.node.Addrs()...); err != nil {
		n.service.Close()
		n.close()
		return err
	}
	n.at, n.try = r.node.Addrs()[0], "example.org"
	if len(cfg.Zones) > 0 {
		n.try = strings.TrimSuffix(cfg.Zones[0].Origin.String(), ".") + " SOA"
	}
	r.names = n
	ctx, cancel := context.WithCancel(context.Background())
	r.stopNames = cancel
	r.done.Go(func() {
		if err := n.service.Serve(ctx); err != nil {
			r.fail(err)
		}
	})
	return nil
}

// close ends what does not end with its context.
func (n *nameServer) close() error {
	if n.tree != nil {
		return n.tree.Close()
	}
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.retiring.Wait()
	cfg := n.cfg.Load()
	cfg.close()
	if cfg.log != nil {
		return cfg.log.Close()
	}
	return nil
}

// cacheOf is the resolver's cache.
func (n *nameServer) cacheOf() (*cache.Cache, error) {
	switch {
	case n.tree != nil:
		return n.tree.Resolver.Cache(), nil
	case n.cfg.Load().cache != nil:
		return n.cfg.Load().cache, nil
	}
	return nil, errors.New("it resolves and forwards nothing, so that it has no cache")
}

// each calls f with the counters, their names as those of the other services.
func (n *nameServer) each(f func(name string, v uint64)) {
	if n.tree != nil {
		n.tree.Each(f)
		n.tree.Resolver.Each(f)
		return
	}
	n.service.Each(f)
}

// writeMetrics writes Prometheus' text.
func (n *nameServer) writeMetrics(w io.Writer) error {
	if n.tree != nil {
		s := n.tree.Snapshot()
		if err := s.WritePrometheus(w); err != nil {
			return err
		}
		return server.WriteCounters(w, n.tree.Resolver.Each)
	}
	return n.service.WritePrometheus(w)
}

// cacheRequest is what weir dns cache asks of a running weir.
type cacheRequest struct {
	Name string `json:"name,omitempty"` // of dump and flush: this name and all below it
}

// maxDump bounds the octets of a dump that is sent over the control socket.
const maxDump = 64 << 20

// handlers answer on the control socket.
func (n *nameServer) handlers() control.Handlers {
	with := func(f func(*cache.Cache, msg.Name) (any, error)) control.Handler {
		return func(arg json.RawMessage) (any, error) {
			var req cacheRequest
			if len(arg) > 0 {
				if err := json.Unmarshal(arg, &req); err != nil {
					return nil, fmt.Errorf("not a request about a cache: %w", err)
				}
			}
			name := msg.Root
			if req.Name != "" {
				var err error
				if name, err = msg.ParseName(req.Name); err != nil {
					return nil, err
				}
			}
			c, err := n.cacheOf()
			if err != nil {
				return nil, err
			}
			return f(c, name)
		}
	}
	return control.Handlers{
		"dns.cache.stats": with(func(c *cache.Cache, _ msg.Name) (any, error) { return c.Stats(), nil }),
		"dns.cache.flush": with(func(c *cache.Cache, name msg.Name) (any, error) { return c.FlushTree(name), nil }),
		"dns.cache.dump": with(func(c *cache.Cache, name msg.Name) (any, error) {
			b := &bounded{left: maxDump}
			err := c.Dump(b, name)
			return b.String(), err
		}),
		"dns.reload": func(json.RawMessage) (any, error) {
			said, err := n.reload()
			if err != nil {
				return nil, errors.New(oneLine(err))
			}
			return said, nil
		},
	}
}

// bounded is text of so many octets at most.
type bounded struct {
	strings.Builder
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, fmt.Errorf("the cache has more than %d MiB of text: dump one zone, with its name", maxDump>>20)
	}
	return b.Builder.Write(p)
}
