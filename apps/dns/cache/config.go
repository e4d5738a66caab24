package cache

import "time"

// Config is what may be set of a cache. The zero value is a usable one.
type Config struct {
	// MaxOctets bounds the memory of entries and index. Zero is 64 MiB; the least is 256 KiB.
	MaxOctets int64
	// MaxTTL and MaxNegativeTTL cap what servers ask for. Zero is a day (RFC 8767 §4 would allow a week) and
	// an hour (RFC 2308 §5 suggests one to three).
	MaxTTL, MaxNegativeTTL time.Duration
	// MinTTL is how long data is kept at least, whatever its TTL; zero, as the RFCs want it, keeps data as long
	// as it says. Data with a TTL of zero is not kept then.
	MinTTL time.Duration
	// Stale is how long data is kept after it has expired, to be used when nobody answers (RFC 8767). Zero: not at all.
	Stale time.Duration
	// MaxFailureTTL caps how long a failure is remembered that comes again and again: each time twice as long as before. Zero is
	// 30 s; RFC 9520 §3.2 allows 1 s to 5 min, and what is beyond is taken for that.
	MaxFailureTTL time.Duration
	// MaxBogusTTL caps how long data that did not validate is kept. Zero is one minute.
	MaxBogusTTL time.Duration
	// MaxSpans bounds how many NSEC and NSEC3 records are kept in order for denial without asking. Zero is 65,536;
	// negative is none.
	MaxSpans int
}

const (
	day         = 24 * time.Hour
	leastOctets = 256 << 10
)

func (c *Config) fill() {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	if c.MaxOctets <= 0 {
		c.MaxOctets = 64 << 20
	}
	c.MaxOctets = max(c.MaxOctets, leastOctets)
	def(&c.MaxTTL, day)
	def(&c.MaxNegativeTTL, time.Hour)
	def(&c.MaxFailureTTL, 30*time.Second)
	c.MaxFailureTTL = min(max(c.MaxFailureTTL, time.Second), 5*time.Minute)
	def(&c.MaxBogusTTL, time.Minute)
	if c.MaxSpans == 0 {
		c.MaxSpans = 65536
	}
}

func seconds(d time.Duration) uint32 { return uint32(d / time.Second) }
