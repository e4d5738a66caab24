package shard

import (
	"crypto/rand"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/tcp"
)

// Config is what a Host is made with. The zero value is a host on the machine's
// clock, with fresh secrets and default settings.
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
	// its user and for its peer; zero is 4 MiB for each. Memory is attached only while
	// there is data.
	ReceiveBuffer, SendBuffer int
	// DatagramBuffer bounds the octets that a UDP socket queues; zero is 1 MiB.
	DatagramBuffer int
	// Backlog is how many connections a listener keeps that are not accepted yet,
	// half-open ones included; zero is 4096.
	Backlog int
}

const (
	defaultBuffer         = 4 << 20
	defaultDatagramBuffer = 1 << 20
	defaultBacklog        = 4096
	maxBuffer             = 1 << 30 // RFC 7323 §2.3: the largest window
)

// withDefaults returns the configuration with every zero filled in.
func (c Config) withDefaults() Config {
	if c.Clock == nil {
		c.Clock = newMonotonic()
	}
	if c.Secret == ([32]byte{}) {
		rand.Read(c.Secret[:]) // never fails: it ends the program first
	}
	if c.TCP == nil {
		s := tcp.DefaultSettings()
		c.TCP = &s
	}
	c.ReceiveBuffer = orDefault(c.ReceiveBuffer, defaultBuffer, maxBuffer)
	c.SendBuffer = orDefault(c.SendBuffer, defaultBuffer, maxBuffer)
	c.DatagramBuffer = orDefault(c.DatagramBuffer, defaultDatagramBuffer, maxBuffer)
	c.Backlog = orDefault(c.Backlog, defaultBacklog, 1<<16)
	return c
}

func orDefault(v, def, limit int) int {
	if v <= 0 {
		return def
	}
	return min(v, limit)
}
