package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/pflag"

	"github.com/weirnet/weir/apps/dns/authority"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/apps/dns/tsig"
)

// dnsFlags are what a name server is to do: the flags of weir dns serve, and of weir up beside its own.
type dnsFlags struct {
	zones, secondary []string
	recursive        bool
	hints, anchor    string
	resolve          []string
	forward          []string
	allow, transfer  []string
	keys, notify     []string
	reverse          []string
	log              string
	logSample        int
	cache            string
	stale            seconds
	prefetch         int
	tree, signed     bool
	config           string
	rate             int
	maxUDP, maxConns int
	nsid             string
	cookieSecret     []string

	set   *pflag.FlagSet // which of them are on the command line
	given *dnsFlags      // they alone, without the file of --config
}

// register adds the flags. forward is what that of zones is called, for --forward is another thing to weir up.
func (f *dnsFlags) register(fs *pflag.FlagSet, forward string) {
	f.set = fs
	fs.StringVar(&f.config, "config", "", "take what is to be served from `FILE`, in TOML, by the names of these flags")
	fs.StringArrayVar(&f.zones, "zone", nil, "serve the zone ORIGIN from its master file, as `ORIGIN=FILE` (repeatable)")
	fs.StringArrayVar(&f.secondary, "secondary", nil, "fetch a zone from its primary and serve it, as `ZONE=ADDR[@KEY]` (repeatable)")
	fs.StringArrayVar(&f.reverse, "reverse", nil, "serve a reverse zone for `PREFIX`, made of the addresses in the zones (repeatable)")
	fs.BoolVar(&f.recursive, "recursive", false, "resolve other names, from the root down: the public one, where --hints names no other")
	fs.StringVar(&f.hints, "hints", "", "begin at the root that `FILE` names the servers of; without it at the public one, and validate by its keys")
	fs.StringVar(&f.anchor, "anchor", "", "validate what is resolved, with the trust anchors in `FILE`: DS or DNSKEY records, as a master file has them; for the public root its keys 20326 and 38696 are built in, and where no anchor matches all is SERVFAIL with the extended error 9")
	fs.StringArrayVar(&f.resolve, "resolve", nil, "resolve names below `ZONE` although a resolver answers them itself, such as test or a private reverse zone (repeatable)")
	fs.StringArrayVar(&f.forward, forward, nil, "have other servers asked for the names of a zone, as `ZONE=SERVER[,SERVER]`; a SERVER is ADDR[:PORT], tcp://ADDR or tls://ADDR#NAME, the zone . every other name (repeatable)")
	fs.StringArrayVar(&f.allow, "allow", nil, "resolve and forward for clients in `PREFIX`; without it for those nearby (repeatable)")
	fs.StringArrayVar(&f.transfer, "allow-transfer", nil, "let who has an address in one of the prefixes, and signs with one of the keys where any is named, have whole zones: `PREFIX|key:NAME` (repeatable)")
	fs.StringArrayVar(&f.notify, "notify", nil, "tell the secondary at `ADDR[@KEY]` of changes (repeatable)")
	fs.StringArrayVar(&f.keys, "key", nil, "a TSIG key, as `[ALGORITHM:]NAME:SECRET` with the secret in base64, or @FILE with one a line (repeatable)")
	fs.StringVar(&f.cache, "cache-size", "64MiB", "how much memory the cache may take: `N[KiB|MiB|GiB]`")
	fs.Var(&f.stale, "serve-stale", "where nobody answers, answer with what expired up to so many `SECONDS` ago (RFC 8767)")
	fs.IntVar(&f.prefetch, "prefetch", 10, "fetch anew what is asked for when only so many `PERCENT` of its time are left; 0 is never")
	fs.StringVar(&f.log, "log", "", "log queries to `FILE`, or to standard error with -")
	fs.IntVar(&f.logSample, "log-sample", 1, "log one query in `N`")
	fs.IntVar(&f.rate, "rate-limit", server.DefaultPerSecond, "send a network of strangers at most `N` answers of a kind in a second over UDP (RRL); -1 is no limit")
	fs.IntVar(&f.maxUDP, "max-udp", server.DefaultMaxUDP, "send answers of at most so many `OCTETS` over UDP")
	fs.IntVar(&f.maxConns, "max-connections", server.DefaultMaxConns, "have at most `N` TCP and TLS connections")
	fs.StringVar(&f.nsid, "nsid", "", "tell clients that ask which server they have reached the `TEXT` (RFC 5001)")
	fs.StringArrayVar(&f.cookieSecret, "cookie-secret", nil, "the secret of DNS cookies (RFC 9018) that several servers share, as 32 `HEX` digits or @FILE; one more is taken while they change it (repeatable)")
	fs.BoolVar(&f.tree, "tree", false, "serve the demonstration tree, with a resolver for it")
	fs.BoolVar(&f.signed, "signed", false, "sign the zones of the tree, and validate")
}

// said reports whether there is anything said for a name server to do.
func (f *dnsFlags) said() bool { return f.config != "" || f.serves() }

// serves reports whether there is, when the file of --config has been read.
func (f *dnsFlags) serves() bool {
	return f.tree || f.recursive || len(f.zones)+len(f.secondary)+len(f.forward)+len(f.reverse) > 0
}

func (f *dnsFlags) check() error {
	if err := f.checkLimits(); err != nil {
		return err
	}
	switch {
	case !f.serves():
		return errors.New("nothing to serve: give --zone, --secondary, --recursive, --forward, --config or --tree")
	case f.tree && (f.recursive || len(f.zones)+len(f.secondary)+len(f.forward)+len(f.reverse) > 0):
		return errors.New("--tree serves its own zones and a resolver, and no others: leave the rest out")
	case f.signed && !f.tree:
		return errors.New("--signed is for --tree: zones of files are served as they are signed")
	case f.hints != "" && !f.recursive, f.anchor != "" && !f.recursive && len(f.forward) == 0:
		return errors.New("--hints and --anchor are for --recursive")
	case f.prefetch < 0 || f.prefetch > 99:
		return fmt.Errorf("--prefetch %d: must be between 0 and 99", f.prefetch)
	case f.logSample < 1:
		return fmt.Errorf("--log-sample %d: must be 1 or more", f.logSample)
	}
	return nil
}

// assignment takes ZONE=REST apart.
func assignment(flag, s string) (zone msg.Name, rest string, err error) {
	left, rest, ok := strings.Cut(s, "=")
	if !ok || left == "" || rest == "" {
		return "", "", fmt.Errorf("--%s %s: must be ZONE=…, as in %s", flag, s, map[string]string{
			"zone": "example.org=example.org.zone", "secondary": "example.org=192.0.2.1", "forward": "example.org=192.0.2.1",
		}[flag])
	}
	if zone, err = msg.ParseName(left); err != nil {
		return "", "", fmt.Errorf("--%s %s: %w", flag, s, err)
	}
	return zone, rest, nil
}

// peer reads ADDR[:PORT][@KEY].
func peer(flag, s string, keys map[msg.Name]tsig.Key) (authority.Peer, error) {
	addr, name, signed := strings.Cut(s, "@")
	a, err := parseServer(addr, dnsPort)
	if err != nil {
		return authority.Peer{}, fmt.Errorf("--%s %s: %w", flag, s, err)
	}
	if !signed {
		return authority.Peer{Addr: a}, nil
	}
	n, err := msg.ParseName(name)
	if err != nil {
		return authority.Peer{}, fmt.Errorf("--%s %s: %w", flag, s, err)
	}
	k, ok := keys[n.Fold()]
	if !ok {
		return authority.Peer{}, fmt.Errorf("--%s %s: there is no --key of the name %s", flag, s, name)
	}
	return authority.Peer{Addr: a, Key: &k}, nil
}

// acl reads prefixes, addresses and key:NAME.
func acl(flag string, list []string) (a authority.ACL, err error) {
	for _, s := range list {
		if name, ok := strings.CutPrefix(s, "key:"); ok {
			n, err := msg.ParseName(name)
			if err != nil {
				return a, fmt.Errorf("--%s %s: %w", flag, s, err)
			}
			a.Keys = append(a.Keys, n.Fold())
			continue
		}
		p, err := parsePrefix(flag, s)
		if err != nil {
			return a, err
		}
		a.Prefixes = append(a.Prefixes, p)
	}
	return a, nil
}

// parsePrefix reads a prefix, or an address that is one by itself.
func parsePrefix(flag, s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("--%s %s: must be a prefix or an address, as in 192.0.2.0/24", flag, s)
	}
	return p.Masked(), nil
}

func prefixes(flag string, list []string) (ps []netip.Prefix, err error) {
	for _, s := range list {
		p, err := parsePrefix(flag, s)
		if err != nil {
			return nil, err
		}
		ps = append(ps, p)
	}
	return ps, nil
}
