package shard

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
)

// sockets finds a UDP socket: connected ones by both ends, others by port and then by what they are
// bound to.
type sockets struct {
	flows flowMap[*UDP]
	mu    sync.RWMutex
	ports map[uint16]*udpPort
	count int
	// changes counts what changes, under mu: what was found is good for one count.
	changes atomic.Uint64
}

// udpPort is the sockets on one port, the latest first. Lists are never changed once they are entered.
type udpPort struct {
	open      []*UDP // receive from anybody
	connected []*UDP
}

func (s *sockets) init() { s.ports = make(map[uint16]*udpPort) }

func (s *sockets) len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.count
}

// enter puts a bound socket into the table, which is locked.
func (s *sockets) enter(u *UDP) {
	p := s.ports[u.port]
	if p == nil {
		p = new(udpPort)
		s.ports[u.port] = p
	}
	s.count++
	s.changes.Add(1)
	if !u.remote.IsValid() {
		p.open = append([]*UDP{u}, p.open...)
		return
	}
	p.connected = append([]*UDP{u}, p.connected...)
	s.flows.set(&u.flow, u)
}

// leave takes a bound socket out of the table, which is locked. Where two were connected alike the
// other one gets what comes now.
func (s *sockets) leave(u *UDP) {
	p := s.ports[u.port]
	if p == nil {
		return
	}
	s.count--
	s.changes.Add(1)
	if u.remote.IsValid() {
		p.connected = removed(p.connected, u)
		if s.flows.remove(&u.flow, u) {
			if i := slices.IndexFunc(p.connected, func(o *UDP) bool { return o.flow == u.flow }); i >= 0 {
				s.flows.set(&u.flow, p.connected[i])
			}
		}
	} else {
		p.open = removed(p.open, u)
	}
	if len(p.open)+len(p.connected) == 0 {
		delete(s.ports, u.port)
	}
}

// removed returns the list without u, and leaves the old one as it is.
func removed(list []*UDP, u *UDP) []*UDP {
	return slices.DeleteFunc(slices.Clone(list), func(o *UDP) bool { return o == u })
}

// findUDP returns the socket for a datagram from remote to local that came in by an interface: the one
// connected to remote, else one bound to the address, else to any; and of those one bound
// to the interface, else to none. Of several the latest has it, or, where they share the
// port by SO_REUSEPORT, the one that a keyed hash of the flow chooses. all says that it is the
// same for every remote, as long as the table does not change.
func (h *Host) findUDP(local, remote netip.AddrPort, i *Interface) (u *UDP, all bool) {
	s := &h.datagrams
	var key flowKey
	if s.flows.len() > 0 {
		key = makeFlowKey(local, remote)
		if u := s.flows.get(&key); u != nil && u.hears(i) {
			return u, false
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := s.ports[local.Port()]
	if p == nil {
		return nil, false
	}
	if len(p.connected) > 0 { // one of them may have been about to be connected anew
		key = makeFlowKey(local, remote)
		if u := s.flows.get(&key); u != nil && u.hears(i) {
			return u, false
		}
	}
	best, most, alike := p.best(local.Addr(), i)
	if alike < 2 || !best.reusePort {
		return best, len(p.connected) == 0
	}
	at := h.spreadOver(alike, local, remote)
	for _, u := range p.open {
		if !u.reusePort || u.score(local.Addr(), i) != most {
			continue
		}
		if at == 0 {
			return u, false
		}
		at--
	}
	return best, false
}

// best returns the latest of the sockets that fit best a datagram to an address, how well that is,
// and how many fit so that share their port. The table is locked.
func (p *udpPort) best(to netip.Addr, i *Interface) (best *UDP, most, alike int) {
	for _, u := range p.open {
		switch n := u.score(to, i); {
		case n > most:
			best, most, alike = u, n, 1
		case n == most && n > 0 && u.reusePort:
			alike++
		}
	}
	return best, most, alike
}

// score tells how well the socket fits a datagram to an address that came in by an interface; 0 is not
// at all. The table is locked.
func (u *UDP) score(to netip.Addr, i *Interface) int {
	n := 0
	for _, a := range u.addrs {
		switch {
		case a == to:
			n = 4
		case n == 0 && a.IsUnspecified() && a.Is4() == to.Is4():
			n = 1
		}
	}
	if device := u.device.Load(); n > 0 && device != 0 {
		if int(device) != i.index {
			return 0
		}
		n += 2
	}
	return n
}

// onPort returns the sockets on a port.
func (s *sockets) onPort(port uint16) (open, connected []*UDP) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if p := s.ports[port]; p != nil {
		return p.open, p.connected
	}
	return nil, nil
}

func (s *sockets) list() (all []*UDP) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, p := range s.ports {
		all = append(append(all, p.open...), p.connected...)
	}
	return all
}

func (s *sockets) closeAll() {
	for _, u := range s.list() {
		u.Close()
	}
}
