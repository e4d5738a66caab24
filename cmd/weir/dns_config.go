package main

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/weirnet/weir/apps/dns"
	"github.com/weirnet/weir/apps/dns/authority"
	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/dnssec"
	"github.com/weirnet/weir/apps/dns/forward"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
	"github.com/weirnet/weir/apps/dns/tsig"
)

// dnsConfig is a name server as the flags describe it.
type dnsConfig struct {
	dns.Config
	cache   *cache.Cache
	anchors []msg.RR // by which what is in the cache was validated
	hints   []msg.RR // from which it was found
	log     *os.File // of queries; nil where there is none, or it is standard error
	closers []func() // of all but the log
}

// build reads the flags. network is where others are asked; clients in subnets, which are those of the server's own
// addresses, may have recursion. Where there is a configuration before, its cache and its log go on.
func (f *dnsFlags) build(network client.Network, subnets []netip.Prefix, before *dnsConfig) (c *dnsConfig, err error) {
	c = &dnsConfig{Config: dns.Config{Network: network}}
	opened := c // for c is nil where an error is returned
	defer func() {
		if err != nil {
			opened.close()
		}
	}()
	keys, err := f.ring()
	if err != nil {
		return nil, err
	}
	c.Authority.Keys = func(name msg.Name) (tsig.Key, bool) { k, ok := keys[name]; return k, ok }
	if err := f.limits(c); err != nil {
		return nil, err
	}
	c.Authority.Version = "weir " + versionString()
	if err := f.ownZones(c, keys); err != nil {
		return nil, err
	}
	if c.Reverse, err = prefixes("reverse", f.reverse); err != nil {
		return nil, err
	}
	c.Allow = dns.DefaultAllow(subnets...)
	if len(f.allow) > 0 {
		if c.Allow, err = prefixes("allow", f.allow); err != nil {
			return nil, err
		}
	}
	if before != nil {
		c.cache, c.log = before.cache, before.log
	}
	if err := f.others(c); err != nil {
		return nil, err
	}
	if before == nil {
		err = f.queryLog(c)
	}
	return c, err
}

// close closes what the configuration has opened, but for the log.
func (c *dnsConfig) close() {
	for _, f := range c.closers {
		f()
	}
}

// ring reads the keys, by their names in small letters.
func (f *dnsFlags) ring() (map[msg.Name]tsig.Key, error) {
	keys := map[msg.Name]tsig.Key{}
	for _, s := range f.keys {
		lines := []string{s}
		if path, ok := strings.CutPrefix(s, "@"); ok {
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, fmt.Errorf("--key: %w", err)
			}
			lines = strings.Fields(string(text))
		}
		for _, line := range lines {
			k, err := tsig.ParseKey(line)
			if err != nil {
				return nil, fmt.Errorf("--key: %w", err) // which does not tell the secret
			}
			keys[k.Name.Fold()] = k
		}
	}
	return keys, nil
}

// ownZones are those of files and those of other servers.
func (f *dnsFlags) ownZones(c *dnsConfig, keys map[msg.Name]tsig.Key) error {
	transfer, err := acl("allow-transfer", f.transfer)
	if err != nil {
		return err
	}
	for _, name := range transfer.Keys {
		if _, ok := keys[name]; !ok {
			return fmt.Errorf("--allow-transfer key:%v: there is no --key of that name", name)
		}
	}
	var tell []authority.Peer
	for _, s := range f.notify {
		p, err := peer("notify", s, keys)
		if err != nil {
			return err
		}
		tell = append(tell, p)
	}
	for _, s := range f.zones {
		origin, file, err := assignment("zone", s)
		if err != nil {
			return err
		}
		c.Zones = append(c.Zones, authority.ZoneConfig{Origin: origin, File: file, Transfer: transfer, Notify: tell})
	}
	for _, s := range f.secondary {
		origin, list, err := assignment("secondary", s)
		if err != nil {
			return err
		}
		z := authority.ZoneConfig{Origin: origin, Transfer: transfer, Notify: tell}
		for one := range strings.SplitSeq(list, ",") {
			p, err := peer("secondary", one, keys)
			if err != nil {
				return err
			}
			z.Masters = append(z.Masters, p)
		}
		c.Zones = append(c.Zones, z)
	}
	return once(c.Zones)
}

// once says which zone is given twice, of which one would go unnoticed.
func once(zones []authority.ZoneConfig) error {
	seen := map[msg.Name]bool{}
	for _, z := range zones {
		if seen[z.Origin.Fold()] {
			return fmt.Errorf("zone %v is given twice, by --zone, --secondary or in the file of --config: leave one of them out", z.Origin)
		}
		seen[z.Origin.Fold()] = true
	}
	return nil
}

// others is what is resolved and forwarded, with one cache for both.
func (f *dnsFlags) others(c *dnsConfig) error {
	size, err := parseSize(f.cache)
	if err != nil {
		return fmt.Errorf("--cache-size %s: %w", f.cache, err)
	}
	if !f.recursive && len(f.forward) == 0 {
		c.cache = nil
		return nil
	}
	if c.cache == nil {
		c.cache = cache.New(cache.Config{MaxOctets: size, Stale: time.Duration(f.stale)})
	}
	c.Server.Cache = func() (hits, misses uint64) { t := c.cache.Stats(); return t.Hits, t.Misses }
	rc := recursor.Config{Network: c.Network, Cache: c.cache, Prefetch: f.prefetch, ServeStale: f.stale > 0, Logger: slog.Default()}
	if f.anchor != "" {
		if rc.Anchors, err = readAnchors(f.anchor); err != nil {
			return err
		}
		c.anchors = rc.Anchors
	}
	for _, s := range f.resolve {
		n, err := msg.ParseName(s)
		if err != nil {
			return fmt.Errorf("--resolve %s: %w", s, err)
		}
		rc.Public = append(rc.Public, n)
	}
	if f.recursive {
		own := rc
		if f.hints == "" {
			own.Hints = recursor.RootHints()
			if f.anchor == "" {
				own.Anchors = dnssec.RootAnchors()
			}
		} else if own.Hints, err = readHints(f.hints); err != nil {
			return err
		}
		c.Recursion, c.anchors, c.hints = &own, own.Anchors, own.Hints
	}
	return f.forwarder(c, rc)
}

// forwarder is a resolver of the zones that are forwarded.
func (f *dnsFlags) forwarder(c *dnsConfig, rc recursor.Config) error {
	var zones []forward.Zone
	for _, s := range f.forward {
		name, list, err := assignment("forward", s)
		if err != nil {
			return err
		}
		z := forward.Zone{Name: name}
		for one := range strings.SplitSeq(list, ",") {
			to, err := parseUpstream(one)
			if err != nil {
				return fmt.Errorf("--forward %s: %w", s, err)
			}
			z.Servers = append(z.Servers, to)
		}
		zones = append(zones, z)
		rc.Public = append(rc.Public, name)
	}
	if len(zones) == 0 {
		return nil
	}
	r, err := forward.New(rc, zones...)
	if err != nil {
		return err
	}
	c.closers = append(c.closers, r.Close)
	for _, z := range zones {
		c.Forward = append(c.Forward, dns.Forward{Zone: z.Name, To: r})
	}
	if c.Recursion == nil {
		return nil
	}
	return besides(c.Recursion, zones, f.anchor != "")
}

// besides has a resolver from the root down ask whom the zones are forwarded to as well, for an alias may lead there: the public servers'
// answer would be in the cache for all. What is not validated where it is forwarded is not here.
func besides(rc *recursor.Config, zones []forward.Zone, validated bool) error {
	cl := &client.Client{Network: rc.Network}
	u, err := forward.NewUpstreams(cl, zones...)
	if err != nil {
		return err
	}
	rc.Client, rc.OwnClient, rc.Upstream = cl, true, u
	for _, z := range zones {
		rc.Public = append(slices.Clip(rc.Public), z.Name)
		if !validated {
			rc.Untrusted = append(rc.Untrusted, z.Name)
		}
	}
	return nil
}

// parseUpstream reads ADDR[:PORT], tcp://ADDR[:PORT] or tls://ADDR[:PORT][#NAME].
func parseUpstream(s string) (u forward.Server, err error) {
	port := uint16(dnsPort)
	rest, tls := strings.CutPrefix(s, "tls://")
	switch {
	case tls:
		u.Transport, port = client.TLS, dns.TLSPort
		rest, u.Name, _ = strings.Cut(rest, "#")
	case strings.HasPrefix(s, "tcp://"):
		u.Transport, rest = client.TCP, strings.TrimPrefix(s, "tcp://")
	}
	u.Addr, err = parseServer(rest, port)
	return u, err
}

// queryLog opens the file of the log.
func (f *dnsFlags) queryLog(c *dnsConfig) error {
	c.Server.QueryLog.Sample = f.logSample
	switch f.log {
	case "":
	case "-":
		c.Server.QueryLog.Writer = os.Stderr
	default:
		file, err := os.OpenFile(f.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
		if err != nil {
			return fmt.Errorf("--log: %w", err)
		}
		c.Server.QueryLog.Writer, c.log = file, file
	}
	return nil
}
