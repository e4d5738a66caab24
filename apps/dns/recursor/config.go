package recursor

import (
	"log/slog"
	"time"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/msg"
)

// Config is what a Resolver is made of. Network and Hints are needed.
type Config struct {
	// Network is what servers are asked over.
	Network client.Network
	// Hints is the root zone's NS records and the addresses of its servers (RFC 8109).
	Hints []msg.RR
	// Upstream is asked about the names of its zones. With one, there need be no Hints: nothing else is resolved then.
	Upstream Upstream
	// Anchors is DS or DNSKEY records of the zones where trust begins. None: nothing is validated.
	Anchors []msg.RR
	// Untrusted is negative trust anchors (RFC 7646): zones that are taken as unsigned.
	Untrusted []msg.Name
	// Cache may be shared with others that believe the same servers. Nil: one of its own, with its defaults.
	Cache *cache.Cache
	// Client asks; nil: one over Network with its defaults. Close closes it where it is the resolver's own.
	Client    *client.Client
	OwnClient bool
	// Port is the servers' port: 53.
	Port uint16
	// NoMinimisation asks every server for the whole name (RFC 9156 is not followed).
	NoMinimisation bool
	// NoIPv4 and NoIPv6 leave servers' addresses of a family aside.
	NoIPv4, NoIPv6 bool
	// ServeStale answers from what has expired when nobody answers (RFC 8767). The cache must keep such data: see
	// cache.Config.Stale.
	ServeStale bool
	// StaleAfter is how long a client waits at most before it gets stale data: 1.8 s (RFC 8767 §5).
	StaleAfter time.Duration
	// Prefetch is the percentage of its TTL at which data that is asked for is fetched anew in the background. Zero: never.
	Prefetch int
	// Public is names that are resolved although they are of the zones that a resolver answers itself (RFC 6303, 6761):
	// zones of a private network that the hints lead to. Root is all of them.
	Public []msg.Name
	Limits Limits
	// Logger is told of trust anchors that do not fit their zones' keys, once in an hour. It may be nil.
	Logger *slog.Logger
	// Trace is told of every step, from the goroutines that take them. It must be quick.
	Trace func(Event)
}

// Limits bounds the work for one question of a client, all that it takes to find servers and validate included.
type Limits struct {
	Queries  int           // sent: 100
	Depth    int           // of names of servers that are looked up to ask servers that …: 6
	Chain    int           // CNAMEs and DNAMEs followed: 12
	Names    int           // names of servers without an address that are looked up: 10 (NXNSAttack)
	Fetch    int           // of them for one zone before one of its servers has been asked: 3
	Servers  int           // that are considered of one zone: 26
	Tries    int           // of one server in a row: 3
	Time     time.Duration // 8 s
	Try      time.Duration // the longest wait for one server: 2 s
	InFlight int           // questions worked on at once, others are refused: 4096
}

func (l *Limits) fill() {
	for _, v := range []struct {
		p   *int
		def int
	}{
		{&l.Queries, 100}, {&l.Depth, 6}, {&l.Chain, 12}, {&l.Names, 10}, {&l.Fetch, 3}, {&l.Servers, 26},
		{&l.Tries, 3}, {&l.InFlight, 4096},
	} {
		if *v.p <= 0 {
			*v.p = v.def
		}
	}
	if l.Time <= 0 {
		l.Time = 8 * time.Second
	}
	if l.Try <= 0 {
		l.Try = 2 * time.Second
	}
}
