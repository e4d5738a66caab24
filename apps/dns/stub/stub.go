package stub

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"

	"github.com/weirnet/weir/apps/dns/client"
)

// Network is what questions go over: a *stack.Stack, or a *net.Dialer for the host's own sockets.
type Network = client.Network

// Config is what a Resolver is made with.
type Config struct {
	// Network is what the servers are asked over. It is needed.
	Network Network
	// ResolvConf and HostsFile are the files to read; empty is none. SystemResolvConf and
	// SystemHosts are the host's own.
	ResolvConf, HostsFile string
	// Conf takes the place of a ResolvConf; nil is the defaults, where that is empty too.
	Conf *Conf
	// Servers take the place of those that ResolvConf or Conf name; for another port than 53.
	Servers []netip.AddrPort
	// Client asks one server one question; nil is a client.Client over Network.
	Client *client.Client
}

// The files of the host.
const (
	SystemResolvConf = "/etc/resolv.conf"
	SystemHosts      = "/etc/hosts"
)

// Resolver looks names up. Its methods are safe for concurrent use, and those of the names of
// net.Resolver's do what those do.
type Resolver struct {
	network Network
	client  *client.Client
	servers []netip.AddrPort
	conf    *file[Conf]
	hosts   *file[*Hosts]
	fixed   *Conf
	first   atomic.Pointer[Conf] // what was read first, for no-reload
	turn    atomic.Uint32        // for rotate
}

// New makes a resolver. It opens nothing: files are read when the first name is looked up.
func New(cfg Config) *Resolver {
	r := &Resolver{network: cfg.Network, client: cfg.Client, servers: cfg.Servers, fixed: cfg.Conf}
	if r.client == nil {
		r.client = &client.Client{Network: cfg.Network}
	}
	if cfg.Conf == nil && cfg.ResolvConf == "" {
		c := DefaultConf()
		c.Search = nil
		r.fixed = &c
	}
	if r.fixed != nil {
		c := *r.fixed // what is not set is as in a file that does not set it
		if c.Timeout <= 0 {
			c.Timeout = defaultTimeout
		}
		if c.Attempts <= 0 {
			c.Attempts = defaultAttempts
		}
		if len(c.Servers) == 0 {
			c.Servers = defaultServers
		}
		r.fixed = &c
	} else {
		r.conf = &file[Conf]{path: cfg.ResolvConf, parse: ParseConf, empty: DefaultConf}
	}
	none := func() *Hosts { return new(Hosts) }
	r.hosts = &file[*Hosts]{path: cfg.HostsFile, parse: ParseHosts, empty: none}
	return r
}

// Close closes the connections to servers that are kept for a while. A lookup under way on one fails.
func (r *Resolver) Close() error {
	r.client.Close()
	return nil
}

// config is what counts for a question that begins now.
func (r *Resolver) config() Conf {
	c := r.fixed
	if c == nil {
		if c = r.first.Load(); c == nil {
			now := r.conf.get()
			if c = &now; now.NoReload {
				r.first.Store(c)
			}
		}
	}
	if len(r.servers) > 0 {
		with := *c
		with.Servers = r.servers
		return with
	}
	return *c
}

// hostsFile is what the hosts file says now.
func (r *Resolver) hostsFile() *Hosts {
	if r.hosts.path == "" {
		return new(Hosts)
	}
	return r.hosts.get()
}

// NetResolver returns package net's own resolver with its questions going over the network, to the
// servers that are configured here. It is for programs that take a *net.Resolver; the search list,
// ndots and hosts file that it honours are the host's.
func (r *Resolver) NetResolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		c := r.config()
		server := c.Servers[int(r.turn.Add(1)-1)%len(c.Servers)]
		if c.TCP {
			network = strings.Replace(network, "udp", "tcp", 1)
		}
		return r.network.DialContext(ctx, network, server.String())
	}}
}
