package shard

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/icmp"
	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/wheel"
	"github.com/weirnet/weir/stack/wire"
)

// The parts of the network layer that all receive loops share, each with its lock and
// its timer. None of them is touched by an ordinary segment of an open connection.

// alarm is the wheel's entry of one of these parts, under its lock.
type alarm struct {
	entry wheel.Entry[expirer]
	at    clock.Time // what the entry is set to, or Never
}

func (a *alarm) init(e expirer) { a.entry.Value, a.at = e, clock.Never }

// set makes the alarm go off at a time. One that is earlier already stays: it will look.
func (a *alarm) set(h *Host, at clock.Time) {
	if at < a.at {
		a.at = at
		h.schedule(&a.entry, at)
	}
}

// off says that the alarm has gone off.
func (a *alarm) off() { a.at = clock.Never }

// reassembly is the host's reassembler.
type reassembly struct {
	mu    sync.Mutex
	r     *ip.Reassembler
	host  *Host
	alarm alarm
}

func (a *reassembly) init(h *Host) {
	a.host = h
	a.r = ip.NewReassembler(&h.pool, ip.Limits{Drops: &h.drops})
	a.alarm.init(a)
}

func (a *reassembly) input(now clock.Time, p *ip.Packet) (*ip.Datagram, ip.Drop) {
	a.mu.Lock()
	defer a.mu.Unlock()
	d, drop := a.r.Input(now, p)
	a.alarm.set(a.host, a.r.Deadline())
	return d, drop
}

// expire gives up what took too long and tells the senders (RFC 1122 §3.3.2).
func (a *reassembly) expire(now clock.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.alarm.off()
	r := round{h: a.host, now: now, ifc: a.host.lo}
	a.r.Expire(now, func(first *ip.Packet) { r.sendError(first, icmp.TimeExceededReassembly, 0) })
	a.alarm.set(a.host, a.r.Deadline())
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
	a.alarm.off()
	a.host.cancel(&a.alarm.entry)
}

// pathMTUs is the host's cache of path MTUs.
type pathMTUs struct {
	mu    sync.RWMutex
	cache *ip.PathMTU
	host  *Host
	alarm alarm
	// changes counts, under mu, what changes in the cache: what was looked up is good for one count.
	changes atomic.Uint64
}

func (m *pathMTUs) init(h *Host) {
	m.host, m.cache = h, ip.NewPathMTU(0)
	m.alarm.init(m)
}

// lookup returns the path MTU, and whether packets may be fragmented on the way because
// that is larger than what the path takes whole.
func (m *pathMTUs) lookup(dst netip.Addr, linkMTU int) (mtu int, fragment bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.cache.Lookup(dst, linkMTU), m.cache.MayFragment(dst)
}

// PathMTU returns the path MTU to dst as known at the moment, in octets, by the route of a socket
// that is bound to nothing. The error is ENETUNREACH or EADDRNOTAVAIL.
func (h *Host) PathMTU(dst netip.Addr) (int, error) {
	p, err := h.net.Load().pathTo(dst, netip.Addr{}, h.lo)
	if err != nil {
		return 0, err
	}
	mtu, _ := h.pathMTU.lookup(dst.WithZone(""), p.ifc.MTU())
	return mtu, nil
}

// update enters what a packet-too-big report says and returns whether the path MTU fell.
func (m *pathMTUs) update(now clock.Time, rep *icmp.Report) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, fell := m.cache.Update(now, rep.Dst, rep.MTU, rep.Length)
	m.changes.Add(1)
	m.alarm.set(m.host, m.cache.Deadline())
	return fell
}

// expire forgets what was not reported for long; connections to there may try larger
// segments again (RFC 1191 §6.3).
func (m *pathMTUs) expire(now clock.Time) {
	m.mu.Lock()
	m.alarm.off()
	var raised []netip.Addr
	m.cache.Expire(now, func(dst netip.Addr) { raised = append(raised, dst) })
	m.changes.Add(1)
	m.alarm.set(m.host, m.cache.Deadline())
	m.mu.Unlock()
	if len(raised) == 0 {
		return
	}
	for _, c := range m.host.conns.list() {
		for _, dst := range raised {
			if c.Remote().Addr() == dst {
				c.pathGrew(now)
			}
		}
	}
}

// pathGrew has the connection look its path MTU up again.
func (c *TCP) pathGrew(now clock.Time) {
	if !c.lockOr(pendPath) {
		return
	}
	defer c.unlockAside()
	if c.out.ifc != nil {
		c.conn.SetPathMSS(now, c.pathMSS())
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
	return g.one(src, dst, protocol)
}

// several returns the first of n identifications in a row, for a packet to be cut into n.
func (g *idents) several(src, dst netip.Addr, protocol uint8, n int) uint32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := g.one(src, dst, protocol)
	for range n - 1 {
		g.one(src, dst, protocol)
	}
	return first
}

func (g *idents) one(src, dst netip.Addr, protocol uint8) uint32 {
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
