package shard

import (
	"net/netip"
	"sync"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/icmp"
	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/wheel"
	"github.com/weirnet/weir/stack/wire"
)

// The parts of the network layer that all receive loops share, each with its lock and
// its timer. None of them is touched by an ordinary segment of an open connection.

// reassembly is the host's reassembler.
type reassembly struct {
	mu    sync.Mutex
	r     *ip.Reassembler
	host  *Host
	timer wheel.Entry[expirer]
}

func (a *reassembly) init(h *Host) {
	a.host = h
	a.r = ip.NewReassembler(&h.pool, ip.Limits{Drops: &h.drops})
	a.timer.Value = a
}

func (a *reassembly) input(now clock.Time, p *ip.Packet) (*ip.Datagram, ip.Drop) {
	a.mu.Lock()
	defer a.mu.Unlock()
	d, drop := a.r.Input(now, p)
	if !a.timer.Scheduled() {
		a.host.schedule(&a.timer, a.r.Deadline())
	}
	return d, drop
}

// expire gives up what took too long and tells the senders (RFC 1122 §3.3.2).
func (a *reassembly) expire(now clock.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := round{h: a.host, now: now, ifc: a.host.lo}
	a.r.Expire(now, func(first *ip.Packet) { r.sendError(first, icmp.TimeExceededReassembly, 0) })
	a.host.schedule(&a.timer, a.r.Deadline())
}

func (a *reassembly) inUse() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.r.InUse()
}

func (a *reassembly) release() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.r.Reset()
	a.host.cancel(&a.timer)
}

// pathMTUs is the host's cache of path MTUs.
type pathMTUs struct {
	mu    sync.RWMutex
	cache *ip.PathMTU
	host  *Host
	timer wheel.Entry[expirer]
}

func (m *pathMTUs) init(h *Host) {
	m.host, m.cache = h, ip.NewPathMTU(0)
	m.timer.Value = m
}

func (m *pathMTUs) lookup(dst netip.Addr, linkMTU int) int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.cache.Lookup(dst, linkMTU)
}

// update enters what a packet-too-big report says and returns whether the path MTU fell.
func (m *pathMTUs) update(now clock.Time, rep *icmp.Report) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, fell := m.cache.Update(now, rep.Dst, rep.MTU, rep.Length)
	if !m.timer.Scheduled() {
		m.host.schedule(&m.timer, m.cache.Deadline())
	}
	return fell
}

// expire forgets what was not reported for long; connections to there may try larger
// segments again (RFC 1191 §6.3).
func (m *pathMTUs) expire(now clock.Time) {
	m.mu.Lock()
	var raised []netip.Addr
	m.cache.Expire(now, func(dst netip.Addr) { raised = append(raised, dst) })
	m.host.schedule(&m.timer, m.cache.Deadline())
	m.mu.Unlock()
	if len(raised) == 0 {
		return
	}
	for _, c := range m.host.conns.list() {
		for _, dst := range raised {
			if c.remote.Addr() == dst {
				c.pathGrew(now)
			}
		}
	}
}

// pathGrew has the connection look its path MTU up again.
func (c *TCP) pathGrew(now clock.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out.ifc != nil {
		c.conn.SetPathMSS(now, c.host.pathMSS(&c.out, c.remote.Addr()))
	}
	c.push(now)
}

// idents makes the identifications of packets that may be fragmented.
type idents struct {
	mu sync.Mutex
	*ip.IDs
}

func (g *idents) next(src, dst netip.Addr, protocol uint8) uint32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if dst.Is4() {
		return uint32(g.Next4(src, dst, protocol))
	}
	return g.Next6(src, dst)
}

// icmpProtocol returns the number of the family's ICMP.
func icmpProtocol(version uint8) uint8 {
	if version == 4 {
		return wire.ProtoICMP
	}
	return wire.ProtoICMPv6
}
