package icmp

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// LimiterConfig bounds the ICMP errors that are sent. A zero field stands for its
// default; a negative rate means no bound.
type LimiterConfig struct {
	// Rate and Burst bound all errors of the stack: 1,000 in a second, 50 at once.
	Rate, Burst int
	// HostRate and HostBurst bound the errors to one destination: 10 in a second, 20 at
	// once, so that a traceroute's volley gets its answers.
	HostRate, HostBurst int
	// HostInterval, where it is more than 0, takes the place of HostRate: the time in which
	// one token comes.
	HostInterval time.Duration
	// Hosts is how many destinations are kept apart: 1,024. The one that was told
	// nothing for the longest makes way.
	Hosts int
	// Seed is where the small random part of the stack's bound comes from. Without
	// that, whoever sees the bound reached can count another host's errors and so
	// find its open ports (CVE-2020-25705). It is to be random and secret.
	Seed [32]byte
}

func (c LimiterConfig) withDefaults() LimiterConfig {
	set := func(v *int, def int) {
		if *v == 0 {
			*v = def
		}
	}
	set(&c.Rate, 1000)
	set(&c.Burst, 50)
	set(&c.HostRate, 10)
	set(&c.HostBurst, 20)
	c.Hosts = max(c.Hosts, 0)
	set(&c.Hosts, 1024)
	if c.HostInterval <= 0 && c.HostRate > 0 {
		c.HostInterval = time.Second / time.Duration(c.HostRate)
	}
	return c
}

// Limiter keeps the rate of ICMP errors down with token buckets, one for the stack and
// one for each destination (RFC 1812 §4.3.2.8, RFC 4443 §2.4(f)). Echo replies are not its
// business. It is told the time and is not safe for concurrent use.
type Limiter struct {
	config LimiterConfig
	random *rand.ChaCha8
	all    bucket
	hosts  map[netip.Addr]*host
	ring   host // ring.next was told something last, ring.prev the longest ago
}

type host struct {
	addr       netip.Addr
	tokens     bucket
	prev, next *host
}

// NewLimiter returns a Limiter with full buckets.
func NewLimiter(c LimiterConfig) *Limiter {
	c = c.withDefaults()
	l := &Limiter{config: c, random: rand.NewChaCha8(c.Seed), hosts: make(map[netip.Addr]*host)}
	l.ring.prev, l.ring.next = &l.ring, &l.ring
	if c.Rate > 0 {
		l.all = full(0, time.Second/time.Duration(c.Rate), c.Burst)
	}
	return l
}

// Allow reports whether an error of the kind may go to dst now, and counts it as sent
// if so. A FragmentationNeeded is bound by the stack's bucket only: path MTU
// discovery hangs on it, and it is sent once for each of many connections.
func (l *Limiter) Allow(now clock.Time, dst netip.Addr, k Kind) bool {
	if l.config.HostInterval > 0 && k != FragmentationNeeded {
		if !l.host(now, dst).tokens.take(now, l.config.HostInterval, l.config.HostBurst) {
			return false
		}
	}
	if l.config.Rate < 0 {
		return true
	}
	token := time.Second / time.Duration(l.config.Rate)
	if !l.all.take(now, token, l.config.Burst) {
		return false
	}
	if l.random.Uint64()%8 == 0 {
		l.all.take(now, token, l.config.Burst)
	}
	return true
}

// host returns the bucket of a destination, and makes it the latest.
func (l *Limiter) host(now clock.Time, dst netip.Addr) *host {
	h := l.hosts[dst]
	switch {
	case h != nil:
		h.unlink()
	case len(l.hosts) < l.config.Hosts:
		h = new(host)
	default:
		h = l.ring.prev
		h.unlink()
		delete(l.hosts, h.addr)
	}
	if h.addr != dst {
		h.addr = dst
		h.tokens = full(now, l.config.HostInterval, l.config.HostBurst)
		l.hosts[dst] = h
	}
	h.prev, h.next = &l.ring, l.ring.next
	h.prev.next, h.next.prev = h, h
	return h
}

func (h *host) unlink() { h.prev.next, h.next.prev = h.next, h.prev }

// bucket is a token bucket. Its level is in nanoseconds of filling: a token is
// as many as pass between two at the given rate.
type bucket struct {
	level time.Duration
	last  clock.Time
}

// full returns a full bucket.
func full(now clock.Time, token time.Duration, burst int) bucket {
	return bucket{level: token * time.Duration(burst), last: now}
}

// take takes a token, one of which comes in each time token and burst of which stay.
func (b *bucket) take(now clock.Time, token time.Duration, burst int) bool {
	if most := token * time.Duration(burst); now.After(b.last) {
		b.level = min(most, b.level+min(most, now.Sub(b.last)))
		b.last = now
	}
	if b.level < token {
		return false
	}
	b.level -= token
	return true
}
