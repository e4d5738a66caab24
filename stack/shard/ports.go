package shard

import (
	"net/netip"
	"sync"
	"syscall"

	"github.com/weirnet/weir/stack/wire"
)

// Ports that a socket without one is given (RFC 6056 §3.2: as many as can be).
const (
	firstEphemeral = 32768
	ephemeralPorts = 65536 - firstEphemeral
)

const (
	protoTCP = wire.ProtoTCP
	protoUDP = wire.ProtoUDP
)

// portKey is a port of one protocol.
type portKey struct {
	protocol uint8
	port     uint16
}

// ports knows which addresses are bound on which port.
type ports struct {
	mu     sync.Mutex
	m      map[portKey][]netip.Addr
	count  int
	serial uint32
}

func (p *ports) init() { p.m = make(map[portKey][]netip.Addr) }

func (p *ports) len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// next counts on, so that two sockets to one destination get different ports.
func (p *ports) next() uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.serial++
	return p.serial
}

// binding is what a socket is bound to.
type binding struct {
	local netip.AddrPort
	keys  []netip.AddrPort // one, or the wildcards of both families
}

// bind takes local's port for a socket. Port 0 asks for one that is free; both
// takes it for every address of both families.
func (h *Host) bind(protocol uint8, local netip.AddrPort, both bool) (binding, error) {
	addrs := []netip.Addr{local.Addr()}
	if both {
		addrs = []netip.Addr{netip.IPv6Unspecified(), netip.IPv4Unspecified()}
	}
	if local.Port() != 0 {
		if !h.ports.take(portKey{protocol, local.Port()}, addrs) {
			return binding{}, syscall.EADDRINUSE
		}
		return makeBinding(addrs, local.Port()), nil
	}
	at := h.secret.PortOffset(local.Addr(), netip.AddrPort{}) + h.ports.next()*7919
	for i := range uint32(ephemeralPorts) {
		port := firstEphemeral + uint16((at+i)%ephemeralPorts)
		if h.ports.take(portKey{protocol, port}, addrs) {
			return makeBinding(addrs, port), nil
		}
	}
	return binding{}, syscall.EADDRINUSE
}

func makeBinding(addrs []netip.Addr, port uint16) binding {
	b := binding{local: netip.AddrPortFrom(addrs[0], port)}
	for _, a := range addrs {
		b.keys = append(b.keys, netip.AddrPortFrom(a, port))
	}
	return b
}

// take binds the addresses on the port, unless one of them is bound already or meets a
// wildcard of its family.
func (p *ports) take(k portKey, addrs []netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, old := range p.m[k] {
		for _, a := range addrs {
			if old == a || old.Is4() == a.Is4() && (old.IsUnspecified() || a.IsUnspecified()) {
				return false
			}
		}
	}
	p.m[k] = append(p.m[k], addrs...)
	p.count += len(addrs)
	return true
}

// unbind gives the port back.
func (h *Host) unbind(protocol uint8, keys []netip.AddrPort) {
	p := &h.ports
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, key := range keys {
		k := portKey{protocol, key.Port()}
		list := p.m[k]
		for i, a := range list {
			if a == key.Addr() {
				list = append(list[:i], list[i+1:]...)
				p.count--
				break
			}
		}
		if p.m[k] = list; len(list) == 0 {
			delete(p.m, k)
		}
	}
}
