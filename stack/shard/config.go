package shard

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/icmp"
	"github.com/weirnet/weir/stack/tcp"
)

// Config is what a Host is made with. The zero value is a host on the machine's
// clock, with fresh secrets and default settings. SetSysctl changes it by Linux's names.
type Config struct {
	// Clock tells the time; nil is the machine's monotonic clock.
	Clock clock.Clock
	// Secret seeds everything that must be unpredictable to others: initial
	// sequence numbers, ports, timestamps, fragment identifications. All zero asks
	// for a random one; a test that must replay sets it.
	Secret [32]byte
	// Forward makes the host a router: packets for others go on by the routing table.
	Forward bool
	// TCP holds the settings of TCP; nil is tcp.DefaultSettings.
	TCP *tcp.Settings
	// ReceiveBuffer and SendBuffer bound the octets that a TCP connection holds for
	// its user and for its peer; zero is what TCP has (tcp.Settings.ReceiveSizes): 2 MiB, which grows to 16
	// by what the user reads in a round trip, and 4 MiB, or where TCP behaves like a kernel that
	// kernel's. A ReceiveBuffer that is set grows only there. Memory is attached only while there is data.
	ReceiveBuffer, SendBuffer int
	// DatagramBuffer bounds the octets that a UDP or raw socket queues; zero is 1 MiB.
	DatagramBuffer int
	// Backlog is how many connections a listener that was not told otherwise keeps for
	// accept, and how many half-open ones beside; zero is 4096.
	Backlog int
	// MaxBacklog bounds the backlog that ListenTCP and SetBacklog are given; zero is 4096.
	MaxBacklog int
	// MaxSynBacklog bounds a listener's half-open connections whatever its backlog is;
	// zero is 4096.
	MaxSynBacklog int
	// MaxHalfOpen bounds the half-open connections of all listeners together; zero is 65,536.
	MaxHalfOpen int

	// HopLimit4 is the TTL of IPv4 packets and HopLimit6 the hop limit of IPv6 packets that
	// are not told otherwise; zero is 64.
	HopLimit4, HopLimit6 uint8
	// FirstPort and LastPort are the range that ports are chosen from; zero is 32768 and
	// 65535 (RFC 6056 §3.2: as many as can be).
	FirstPort, LastPort uint16
	// NoPMTUDisc has IPv4 packets go without DF where their socket was not told otherwise.
	NoPMTUDisc bool
	// BindV6Only is what sockets' IPV6_V6ONLY begins with. The host itself does not ask it.
	BindV6Only bool
	// ReceiveDefault, ReceiveMax, SendDefault and SendMax are what a layer of sockets bounds
	// SO_RCVBUF and SO_SNDBUF by; zero is 212,992 octets. The host itself does not ask them.
	ReceiveDefault, ReceiveMax, SendDefault, SendMax int

	// EchoIgnoreAll and EchoIgnoreAll6 have echo requests over IPv4 and IPv6 not answered.
	EchoIgnoreAll, EchoIgnoreAll6 bool
	// ICMPInterval is the least time, on average, between two ICMP errors to one
	// destination; zero is 100 ms, less than zero is no bound. ICMPPerSecond and
	// ICMPBurst bound the errors to all; zero is 1,000 and 50, less than zero no bound.
	ICMPInterval             time.Duration
	ICMPPerSecond, ICMPBurst int

	// Logger is told what somebody should know who looks after the program: a UserHandler that does
	// not return. It is called at most once a second, in a goroutine of its own; nil is nobody.
	Logger Logger

	// UnreachableEndsOpen makes any destination-unreachable message end a connection in
	// SYN-SENT, as Linux has it. Otherwise those that RFC 1122 §4.2.3.9 calls soft do not.
	UnreachableEndsOpen bool
}

// Logger takes warnings. A *slog.Logger is one.
type Logger interface {
	Warn(msg string, args ...any)
}

const (
	defaultBuffer         = 4 << 20
	defaultDatagramBuffer = 1 << 20
	defaultBacklog        = 4096
	defaultSocketBuffer   = 212992
	maxBuffer             = 1 << 30 // RFC 7323 §2.3: the largest window
)

// withDefaults returns the configuration with every zero filled in.
func (c Config) withDefaults() Config {
	if c.Clock == nil {
		c.Clock = newMonotonic()
	}
	if c.Secret == ([32]byte{}) {
		c.Secret = randomSecret()
	}
	if c.TCP == nil {
		s := tcp.DefaultSettings()
		c.TCP = &s
	}
	c.DatagramBuffer = orDefault(c.DatagramBuffer, defaultDatagramBuffer, maxBuffer)
	c.Backlog = orDefault(c.Backlog, defaultBacklog, 1<<16)
	c.MaxBacklog = orDefault(c.MaxBacklog, defaultBacklog, 1<<16)
	c.MaxSynBacklog = orDefault(c.MaxSynBacklog, defaultBacklog, 1<<16)
	c.MaxHalfOpen = orDefault(c.MaxHalfOpen, defaultMaxHalfOpen, 1<<24)
	for _, v := range []*int{&c.ReceiveDefault, &c.ReceiveMax, &c.SendDefault, &c.SendMax} {
		*v = orDefault(*v, defaultSocketBuffer, maxBuffer)
	}
	c.HopLimit4 = uint8(orDefault(int(c.HopLimit4), defaultHopLimit, 255))
	c.HopLimit6 = uint8(orDefault(int(c.HopLimit6), defaultHopLimit, 255))
	if c.FirstPort == 0 || c.LastPort < c.FirstPort {
		c.FirstPort, c.LastPort = firstEphemeral, 65535
	}
	return c
}

func orDefault(v, def, limit int) int {
	if v <= 0 {
		return def
	}
	return min(v, limit)
}

// TCPBuffers returns how many octets a connection may queue in each direction at first, where it was
// not told otherwise.
func (h *Host) TCPBuffers() (recv, send int) {
	recv, send = defaultBuffer, defaultBuffer
	if s := h.cfg.TCP; s.InitialBuffers {
		recv, send = orDefault(s.ReceiveSizes[1], recv, maxBuffer), orDefault(s.SendSizes[1], send, maxBuffer)
	}
	return orDefault(h.cfg.ReceiveBuffer, recv, maxBuffer), orDefault(h.cfg.SendBuffer, send, maxBuffer)
}

// hopLimit is the hop limit of a packet that is not told otherwise.
func (h *Host) hopLimit(is4 bool) uint8 {
	if is4 {
		return h.cfg.HopLimit4
	}
	return h.cfg.HopLimit6
}

// limiter returns the bound on ICMP errors.
func (c *Config) limiter() icmp.LimiterConfig {
	l := icmp.LimiterConfig{Seed: c.Secret, Rate: c.ICMPPerSecond, Burst: max(c.ICMPBurst, 0)}
	switch d := c.ICMPInterval; {
	case d < 0:
		l.HostRate = -1
	case d > 0:
		l.HostInterval = d
	}
	return l
}
