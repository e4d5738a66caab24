package authority

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/apps/dns/tsig"
	"github.com/weirnet/weir/apps/dns/zone"
)

// Network is where masters are asked and secondaries told. *stack.Stack is one, and so is *net.Dialer.
type Network interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Config is what a set of zones is made with. The zero value is the defaults.
type Config struct {
	// Next answers what is not of any zone here; without it that is REFUSED.
	Next server.Handler

	CacheSlots  int   // packed answers kept for the receive path, rounded up to a power of two; 65536; none below 0
	CacheOctets int64 // their size together; 32 MiB

	UDPSize int // what EDNS says in answers that the receive path gives; 1232

	// What the questions version.bind, version.server, hostname.bind and id.server of class CH are answered
	// with (RFC 4892); REFUSED where empty.
	Version, Hostname string

	Keys tsig.Ring // the keys that requests may be signed with

	JournalDiffs  int // differences kept for IXFR, for each zone; 100
	JournalOctets int // and their size together; 8 MiB
	MaxTransfers  int // transfers out at the same time; 16
	Read          zone.ReadOptions

	// Network reaches secondaries and masters. Without it nobody is told of changes and no zone is fetched.
	Network           Network
	NotifyTries       int           // how often a secondary is told that does not acknowledge; 5
	NotifyTimeout     time.Duration // how long the first acknowledgement is waited for, twice as long each time; 2 s
	QueryTimeout      time.Duration // for the answer to a question for SOA; 5 s
	TransferTimeout   time.Duration // for all of a transfer in; 30 min
	TransferIdle      time.Duration // for the next message of one; 30 s
	MaxTransferOctets int64         // of a transfer in; 4 GiB
	MinRefresh        time.Duration // the shortest time between two questions whatever the SOA record says; 1 s
	MaxRefresh        time.Duration // the longest refresh interval whatever the SOA record says; 4 weeks
	MaxRetry          time.Duration // the longest retry interval; 2 weeks
	MaxExpire         time.Duration // the longest expire interval, which is never less than refresh and retry together; 24 weeks
	FirstRetry        time.Duration // the wait before a zone that was never had is asked for again, doubled each time; 5 s

	// Followed is told of a secondary's zone that it has another version here, or none any more since it expired. It is called
	// by who follows the masters and must be quick. It may be nil.
	Followed func(origin msg.Name)

	Logger *slog.Logger // what happens to zones; slog.Default()
}

const week = 7 * 24 * time.Hour

func positive[T int | int64 | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

func (c Config) withDefaults() Config {
	if c.CacheSlots == 0 {
		c.CacheSlots = 1 << 16
	}
	positive(&c.CacheOctets, 32<<20)
	positive(&c.UDPSize, msg.DefaultSize)
	positive(&c.JournalDiffs, 100)
	positive(&c.JournalOctets, 8<<20)
	positive(&c.MaxTransfers, 16)
	positive(&c.NotifyTries, 5)
	positive(&c.NotifyTimeout, 2*time.Second)
	positive(&c.QueryTimeout, 5*time.Second)
	positive(&c.TransferTimeout, 30*time.Minute)
	positive(&c.TransferIdle, 30*time.Second)
	positive(&c.MaxTransferOctets, 4<<30)
	positive(&c.MinRefresh, time.Second)
	positive(&c.MaxRefresh, 4*week)
	positive(&c.MaxRetry, 2*week)
	positive(&c.MaxExpire, 24*week)
	positive(&c.FirstRetry, 5*time.Second)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// ZoneConfig is what is to be known of one zone beside its content.
type ZoneConfig struct {
	Origin   msg.Name
	File     string // the master file that Load and Reload read
	Transfer ACL    // who may have the zone whole (AXFR) or its changes (IXFR)
	Notify   []Peer // who is told of changes (RFC 1996)

	// Masters are where a secondary has the zone from: asked in turn until one answers. Notices of changes are
	// taken from them, and from whom AllowNotify allows.
	Masters     []Peer
	AllowNotify ACL
}

// Peer is another server of a zone.
type Peer struct {
	Addr netip.AddrPort // port 53 where it is 0
	Key  *tsig.Key      // signs what is sent, and must have signed what comes
}

func (p Peer) address() string {
	a := p.Addr
	if a.Port() == 0 {
		a = netip.AddrPortFrom(a.Addr(), 53)
	}
	return a.String()
}

// ACL says who may do something: whoever has an address within one of the prefixes, where there are any, and signed
// with one of the keys, where there are any. The zero ACL is nobody.
type ACL struct {
	Prefixes []netip.Prefix
	Keys     []msg.Name
}

// Allows reports whether a request from that address, signed with that key or with none (""), may.
func (a ACL) Allows(from netip.Addr, key msg.Name) bool {
	from = from.Unmap().WithZone("")
	in := len(a.Prefixes) == 0
	for _, p := range a.Prefixes {
		in = in || p.Contains(from)
	}
	signed := len(a.Keys) == 0
	for _, k := range a.Keys {
		signed = signed || key != "" && k.Equal(key)
	}
	return in && signed && len(a.Prefixes)+len(a.Keys) > 0
}
