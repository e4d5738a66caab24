package udp

import "sync/atomic"

// Counters count for all sockets of a stack. The zero value is ready, and it is safe
// for concurrent use.
type Counters struct {
	In          atomic.Uint64 // datagrams delivered to a socket
	Out         atomic.Uint64 // datagrams sent
	InOctets    atomic.Uint64 // payload of those delivered
	OutOctets   atomic.Uint64 // payload of those sent
	Unreachable atomic.Uint64 // ICMP errors passed on to a socket

	drop [drops]atomic.Uint64
}

// Drop counts a datagram dropped for that reason; DropNone is not counted.
func (c *Counters) Drop(d Drop) { c.DropMany(d, 1) }

// DropMany counts n datagrams dropped for that reason.
func (c *Counters) DropMany(d Drop, n int) {
	if d != DropNone && d < drops {
		c.drop[d].Add(uint64(n))
	}
}

// Dropped returns how many datagrams were dropped for that reason.
func (c *Counters) Dropped(d Drop) uint64 {
	if d < drops {
		return c.drop[d].Load()
	}
	return 0
}

// Each calls f with each counter's name and value, always in the same order.
func (c *Counters) Each(f func(name string, v uint64)) {
	f("udp.in", c.In.Load())
	f("udp.in.octets", c.InOctets.Load())
	f("udp.out", c.Out.Load())
	f("udp.out.octets", c.OutOctets.Load())
	f("udp.unreachable", c.Unreachable.Load())
	for d := DropNone + 1; d < drops; d++ {
		f(d.String(), c.drop[d].Load())
	}
}
