package shard

import (
	"net/netip"
	"slices"
	"sync"
	"syscall"
)

// groupKey is a multicast group on an interface.
type groupKey struct {
	ifc   int
	group netip.Addr
}

// groups counts the sockets of the host that are in each group, by interface. What is sent to a
// group in which nobody is, is not for this host.
//
// Nobody is told of it by IGMP or MLD: on a link to one other end there is nobody to tell.
type groups struct {
	mu sync.RWMutex
	m  map[groupKey]int
}

func (g *groups) init() { g.m = make(map[groupKey]int) }

func (g *groups) join(ifc int, group netip.Addr) {
	g.mu.Lock()
	g.m[groupKey{ifc, group}]++
	g.mu.Unlock()
}

func (g *groups) leave(ifc int, group netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	k := groupKey{ifc, group}
	if g.m[k]--; g.m[k] <= 0 {
		delete(g.m, k)
	}
}

// member reports whether the host is in the group on the interface. Every host is in the groups of
// all hosts (RFC 1112 §4, RFC 4291 §2.8).
func (g *groups) member(ifc int, group netip.Addr) bool {
	switch group {
	case allHosts4, allNodesLink, allNodesInterface:
		return true
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.m[groupKey{ifc, group}] > 0
}

var (
	allHosts4         = netip.AddrFrom4([4]byte{224, 0, 0, 1})
	allNodesLink      = netip.MustParseAddr("ff02::1")
	allNodesInterface = netip.MustParseAddr("ff01::1")
	solicitedNode     = netip.MustParsePrefix("ff02::1:ff00:0/104")
)

// inGroup reports whether what is sent to the group is for this host when it comes in by i.
func (h *Host) inGroup(n *network, i *Interface, group netip.Addr) bool {
	if h.groups.member(i.index, group) {
		return true
	}
	if !solicitedNode.Contains(group) { // of each address (RFC 4291 §2.7.1)
		return false
	}
	low := group.As16()
	return slices.ContainsFunc(n.addresses, func(a address) bool {
		own := a.prefix.Addr().As16()
		return a.prefix.Addr().Is6() && [3]byte(own[13:]) == [3]byte(low[13:])
	})
}

// membership is one group that a socket has joined, and from which sources it hears it.
type membership struct {
	group   netip.Addr
	ifc     int
	exclude bool         // sources are those not heard; otherwise those heard
	sources []netip.Addr // sorted by nothing, bounded
}

// Bounds on what one socket joins: Linux's igmp_max_memberships and igmp_max_msf for IPv4.
const (
	maxMemberships4 = 20
	maxMemberships6 = 64
	maxSources      = 10
)

// allows reports whether what src sent to a group, and came in by an interface, is for the
// socket (RFC 3376 §3, RFC 3810 §3). What went to a broadcast address always is. u is locked.
func (u *datagramSocket) allows(group, src netip.Addr, ifc int) bool {
	if !group.IsMulticast() {
		return true
	}
	for i := range u.members {
		m := &u.members[i]
		if m.group == group && m.ifc == ifc {
			return slices.Contains(m.sources, src) != m.exclude
		}
	}
	return u.opts.family(group.Is4()).MulticastAll
}

// groupInterface returns the index of the interface that a membership is on: the one asked for, or
// the one by which packets to the group leave.
func (u *datagramSocket) groupInterface(group netip.Addr, ifc int) (int, error) {
	n := u.host.net.Load()
	if !group.IsMulticast() {
		return 0, syscall.EINVAL
	}
	if ifc == 0 {
		r, ok := n.routes.Lookup(group)
		if ok {
			ifc = r.Interface
		}
	}
	if n.byIndex(ifc) == nil {
		return 0, syscall.ENODEV
	}
	return ifc, nil
}

// member returns the socket's membership, or nil. u is locked.
func (u *datagramSocket) member(group netip.Addr, ifc int) *membership {
	for i := range u.members {
		if m := &u.members[i]; m.group == group && m.ifc == ifc {
			return m
		}
	}
	return nil
}

// enterGroup makes a new membership. u is locked.
func (u *datagramSocket) enterGroup(m membership) error {
	most, n := maxMemberships6, 0
	if m.group.Is4() {
		most = maxMemberships4
	}
	for i := range u.members {
		if u.members[i].group.Is4() == m.group.Is4() {
			n++
		}
	}
	if n >= most {
		return syscall.ENOBUFS
	}
	u.members = append(u.members, m)
	u.host.groups.join(m.ifc, m.group)
	return nil
}

// leaveGroup ends the membership m. u is locked.
func (u *datagramSocket) leaveGroup(m *membership) {
	u.host.groups.leave(m.ifc, m.group)
	u.members = slices.DeleteFunc(u.members, func(o membership) bool { return o.group == m.group && o.ifc == m.ifc })
}

// JoinGroup has the socket hear a multicast group on an interface, 0 being the route's, from every
// source. The errors are EINVAL (no group), ENODEV, EADDRINUSE (joined already), ENOBUFS.
func (u *datagramSocket) JoinGroup(group netip.Addr, ifc int) error {
	return u.withGroup(group, ifc, func(m *membership, ifc int) error {
		if m != nil {
			return syscall.EADDRINUSE
		}
		return u.enterGroup(membership{group: group, ifc: ifc, exclude: true})
	})
}

// LeaveGroup ends a membership, whatever its sources. EADDRNOTAVAIL: there is none.
func (u *datagramSocket) LeaveGroup(group netip.Addr, ifc int) error {
	return u.withGroup(group, ifc, func(m *membership, _ int) error {
		if m == nil {
			return syscall.EADDRNOTAVAIL
		}
		u.leaveGroup(m)
		return nil
	})
}

// withGroup calls f, with the socket locked, with its membership or nil.
func (u *datagramSocket) withGroup(group netip.Addr, ifc int, f func(m *membership, ifc int) error) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	ifc, err := u.groupInterface(group, ifc)
	if err != nil {
		return err
	}
	return f(u.member(group, ifc), ifc)
}
