package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"
)

// Network is where a server listens. *stack.Stack is one. Where it has ListenPacketEvents as well, as a
// *stack.Stack has, datagrams are answered in its receive path.
type Network interface {
	Listen(network, address string) (net.Listener, error)
	ListenPacket(network, address string) (net.PacketConn, error)
}

// Config says how a server behaves. The zero value is a server with the defaults.
type Config struct {
	// MaxUDP is the most octets that an answer over UDP has, whatever the client says that it takes; its own
	// limit, or 512 without EDNS, may be less. 0 is DefaultMaxUDP; less than 512 is 512.
	MaxUDP int
	// MaxAmplification is how many times as long as the query an answer over UDP may be where the source is not
	// proven by a cookie; what is longer is truncated. 0 is no such bound: MaxUDP is then all there is. An answer
	// that is truncated to its question is never longer than the query by more than a cookie.
	MaxAmplification float64
	// Workers is how many queries handlers may be at. When that many are, others are dropped, or refused
	// with SERVFAIL where BusyServfail is set. 0 is DefaultWorkers.
	Workers      int
	BusyServfail bool

	// NSID is told to clients that ask which of several servers they have reached (RFC 5001), at most MaxNSID octets; nothing is
	// told where it is empty.
	NSID string

	Cookies   Cookies
	RateLimit RateLimit
	QueryLog  QueryLog
	Streams   Streams

	// TLS is what DNS over TLS is served with, where it is listened for.
	TLS *tls.Config
	// Cache, where it is not nil, says how often the handler's cache had an answer and how often not, for Snapshot.
	Cache func() (hits, misses uint64)
	// Logger is told what goes wrong: a handler that panics. nil is slog.Default.
	Logger *slog.Logger
}

// Cookies says how DNS cookies (RFC 7873) are used. A client that sends one always gets one.
type Cookies struct {
	// Secret is the 16 octets that cookies are made with, where several servers share an address. Without it
	// there is a random one, which is replaced every Rotate.
	Secret []byte
	// Other is a second secret, whose cookies are taken too: the next or the one before while servers that share an address are given a
	// new one in turn (RFC 9018 §5). Each gets it as Other first; when all have it, as Secret with the old one as Other; and when
	// the old one's cookies are an hour old it is forgotten.
	Other []byte
	// Rotate is how long a random secret is used, 0 is DefaultRotate; what is less than two hours is two hours, for
	// cookies are valid for one.
	Rotate time.Duration
	// Require has only those queries over UDP answered that have a valid cookie. Others are told to come again: with the
	// cookie that is enclosed (BADCOOKIE), or by TCP. Without it that happens to who is above the rate limit.
	Require bool
	// Disable has cookies ignored.
	Disable bool
}

// Streams bounds what connections may use: TCP (RFC 7766) and TLS (RFC 7858).
type Streams struct {
	// MaxConns is how many connections there may be. When there are as many, the one that is idle the longest has to
	// go; where none is idle the new one is refused. 0 is DefaultMaxConns.
	MaxConns int
	// MaxPerPrefix is how many of them one network may have: see RateLimit.Prefix4. 0 is DefaultMaxPerPrefix.
	MaxPerPrefix int
	// Pipeline is how many queries of a connection may be worked at; those behind them wait to be read. 0 is
	// DefaultPipeline.
	Pipeline int
	// Idle is how long a connection may have nothing to do, and how long a query may take to arrive. It is told to
	// clients that ask (edns-tcp-keepalive, RFC 7828). 0 is DefaultIdle.
	Idle time.Duration
	// Stall is how long a client may take nothing of what it is sent. 0 is DefaultStall.
	Stall time.Duration
	// MaxUntaken is how many octets of answers all clients together may leave lying, beyond the 256 KiB that each of
	// them may. A connection that would make it more is closed. 0 is DefaultMaxUntaken.
	MaxUntaken int64
}

// Defaults of Config, Cookies and Streams.
const (
	DefaultMaxUDP       = 1232
	DefaultWorkers      = 4096
	DefaultRotate       = 24 * time.Hour
	DefaultMaxConns     = 1024
	DefaultMaxPerPrefix = 256
	DefaultPipeline     = 128
	DefaultIdle         = 30 * time.Second
	DefaultStall        = 10 * time.Second
	DefaultMaxUntaken   = 64 << 20

	// MaxNSID is the octets of the longest Config.NSID.
	MaxNSID = 128

	minUDP     = 512 // RFC 1035 §4.2.1
	maxMessage = 65535
)

// Check says what is wrong with the configuration: a secret that has not 16 octets, an NSID that is too long.
func (c Config) Check() error {
	for _, secret := range [][]byte{c.Cookies.Secret, c.Cookies.Other} {
		if n := len(secret); n != 0 && n != cookieSecret {
			return fmt.Errorf("dns: a secret of cookies has %d octets, it must have %d", n, cookieSecret)
		}
	}
	switch {
	case len(c.Cookies.Other) > 0 && len(c.Cookies.Secret) == 0:
		return errors.New("dns: a second secret of cookies needs a first, which they are made with")
	case len(c.NSID) > MaxNSID:
		return fmt.Errorf("dns: an NSID of %d octets, it may have %d", len(c.NSID), MaxNSID)
	}
	return nil
}

func (c Config) withDefaults() Config {
	c.MaxUDP = min(max(orDefault(c.MaxUDP, DefaultMaxUDP), minUDP), maxMessage)
	c.Workers = max(1, orDefault(c.Workers, DefaultWorkers))
	if c.Cookies.Rotate == 0 {
		c.Cookies.Rotate = DefaultRotate
	}
	c.Cookies.Rotate = max(c.Cookies.Rotate, 2*time.Hour)
	c.RateLimit.Prefix4 = orDefault(c.RateLimit.Prefix4, DefaultPrefix4)
	c.RateLimit.Prefix6 = orDefault(c.RateLimit.Prefix6, DefaultPrefix6)
	s := &c.Streams
	s.MaxConns = max(1, orDefault(s.MaxConns, DefaultMaxConns))
	s.MaxPerPrefix = max(1, orDefault(s.MaxPerPrefix, DefaultMaxPerPrefix))
	s.Pipeline = max(1, orDefault(s.Pipeline, DefaultPipeline))
	if s.Idle <= 0 {
		s.Idle = DefaultIdle
	}
	if s.MaxUntaken <= 0 {
		s.MaxUntaken = DefaultMaxUntaken
	}
	if s.Stall <= 0 {
		s.Stall = DefaultStall
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}
