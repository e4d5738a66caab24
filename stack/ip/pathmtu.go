package ip

import (
	"net/netip"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/wire"
)

const (
	// MinPathMTUv4 is the least IPv4 path MTU that is believed. RFC 791 has 68, but
	// datagrams of 68 octets serve nobody but an attacker who wants many packets
	// sent: Linux believes no less than this either (min_pmtu). See MayFragment.
	MinPathMTUv4 = 552
	// MinPathMTUv6 is the least IPv6 path MTU (RFC 8201 §4): less is not believed.
	MinPathMTUv6 = wire.IPv6MinMTU

	// pathMTUAge is how long a path MTU is believed after the last report of it
	// (RFC 1191 §6.3, RFC 8201 §5.3: ten minutes).
	pathMTUAge = 10 * time.Minute
)

// plateaus are the path MTUs to guess at when a router does not say (RFC 1191 §7.1).
var plateaus = [...]int{32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68}

// PathMTU remembers, per destination, path MTUs smaller than the first link's
// (RFC 1191, RFC 8201). It is told the time and is not safe for concurrent use.
type PathMTU struct {
	max         int
	paths       map[netip.Addr]*path
	front, back *path // by the last report, the oldest at the front
}

type path struct {
	dst        netip.Addr
	mtu        int
	fragment   bool
	deadline   clock.Time
	prev, next *path
}

// NewPathMTU returns a cache of at most max destinations; the one that was not reported
// for the longest makes way. A max of 0 means 4,096.
func NewPathMTU(max int) *PathMTU {
	if max <= 0 {
		max = 4096
	}
	return &PathMTU{max: max, paths: make(map[netip.Addr]*path)}
}

// Lookup returns the size in octets of the largest packet to send to dst over a link
// of the given MTU.
func (c *PathMTU) Lookup(dst netip.Addr, linkMTU int) int {
	if len(c.paths) == 0 {
		return linkMTU
	}
	if p := c.paths[dst]; p != nil && p.mtu < linkMTU {
		return p.mtu
	}
	return linkMTU
}

// MayFragment reports whether IPv4 packets to dst should go without the DF flag,
// because a router there has a smaller MTU than MinPathMTUv4.
func (c *PathMTU) MayFragment(dst netip.Addr) bool {
	if len(c.paths) == 0 {
		return false
	}
	p := c.paths[dst]
	return p != nil && p.fragment
}

// Update takes the report of a packet too big for the path to dst. mtu is
// what the report says, 0 where it says nothing, and sent the length of the packet that
// was too big (Report.Length of package icmp). The caller has made sure that the
// report is about something that was really sent (RFC 5927 §4).
//
// It returns the path MTU to use from now on and whether it fell. A report never
// raises it (RFC 1191 §3, RFC 8201 §4).
func (c *PathMTU) Update(now clock.Time, dst netip.Addr, mtu, sent int) (int, bool) {
	mtu, fragment, ok := believable(dst, mtu, sent)
	p := c.paths[dst]
	if !ok || p != nil && mtu > p.mtu {
		if p != nil {
			return p.mtu, false
		}
		return 0, false
	}
	fell := p == nil || mtu < p.mtu
	if p == nil {
		p = c.add(dst)
	} else {
		c.unlink(p)
	}
	p.mtu, p.fragment = mtu, p.fragment || fragment
	p.deadline = now.Add(pathMTUAge)
	c.link(p)
	return mtu, fell
}

// believable turns a report into a path MTU. fragment says that the path is narrower
// than we go along with; ok is false where the report says nothing.
func believable(dst netip.Addr, mtu, sent int) (_ int, fragment, ok bool) {
	if !dst.Is4() {
		// RFC 8201 §4: a report of less than the IPv6 minimum link MTU is discarded.
		return mtu, false, mtu >= MinPathMTUv6
	}
	if mtu == 0 {
		mtu = plateau(sent)
	}
	switch {
	case mtu <= 0:
		return 0, false, false
	case mtu < MinPathMTUv4:
		return MinPathMTUv4, true, true
	}
	return mtu, false, true
}

// plateau returns the largest plateau below the length of a packet that did not pass
// (RFC 1191 §5), or 0.
func plateau(sent int) int {
	for _, n := range plateaus {
		if n < sent {
			return n
		}
	}
	return 0
}

func (c *PathMTU) add(dst netip.Addr) *path {
	if len(c.paths) >= c.max {
		c.remove(c.front)
	}
	p := &path{dst: dst}
	c.paths[dst] = p
	return p
}

func (c *PathMTU) remove(p *path) {
	c.unlink(p)
	delete(c.paths, p.dst)
}

func (c *PathMTU) link(p *path) {
	p.prev, p.next = c.back, nil
	if c.back == nil {
		c.front = p
	} else {
		c.back.next = p
	}
	c.back = p
}

func (c *PathMTU) unlink(p *path) {
	if p.prev == nil {
		c.front = p.next
	} else {
		p.prev.next = p.next
	}
	if p.next == nil {
		c.back = p.prev
	} else {
		p.next.prev = p.prev
	}
}

// Deadline returns when Expire next has something to do.
func (c *PathMTU) Deadline() clock.Time {
	if c.front == nil {
		return clock.Never
	}
	return c.front.deadline
}

// Expire forgets the path MTUs that were not reported for ten minutes; emit, when not
// nil, is called for each destination, whose senders may try larger packets again.
func (c *PathMTU) Expire(now clock.Time, emit func(dst netip.Addr)) {
	for c.front != nil && c.front.deadline.Reached(now) {
		dst := c.front.dst
		c.remove(c.front)
		if emit != nil {
			emit(dst)
		}
	}
}

// Len returns how many destinations are remembered.
func (c *PathMTU) Len() int { return len(c.paths) }
