package shard

import (
	"net/netip"
	"slices"
	"sync"

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

// ports knows the bindings on each port.
type ports struct {
	mu     sync.RWMutex
	m      map[portKey][]*Binding
	count  int // addresses bound
	serial uint32
}

func (p *ports) init() { p.m = make(map[portKey][]*Binding) }

func (p *ports) len() int {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.count
}

// next counts on, so that two sockets to one destination get different ports.
func (p *ports) next() uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.serial++
	return p.serial
}

// bound reports whether somebody other than b has bound the port.
func (p *ports) bound(k portKey, b *Binding) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	list := p.m[k]
	return len(list) > 1 || len(list) == 1 && list[0] != b
}

// taker is what a port is taken with: the part of a binding, of a connection or of a
// TIME-WAIT record that decides whether another may have the port too.
type taker struct {
	addrs            []netip.Addr
	ifc              int // 0: any
	reuse, reusePort bool
	listening        bool
}

// meets reports whether the two would get the same packets: they have an address in common,
// or a wildcard of one's family meets the other, on one interface.
func (t *taker) meets(o *taker) bool {
	if t.ifc != 0 && o.ifc != 0 && t.ifc != o.ifc {
		return false
	}
	for _, a := range t.addrs {
		for _, b := range o.addrs {
			if a == b || a.Is4() == b.Is4() && (a.IsUnspecified() || b.IsUnspecified()) {
				return true
			}
		}
	}
	return false
}

// forbids reports whether old keeps t from a port that t asks for by its number. For TCP
// SO_REUSEADDR on both lets them share it as long as old does not listen, for UDP always;
// SO_REUSEPORT on both always does (socket(7), and Linux's rules where that is vague).
func (t *taker) forbids(protocol uint8, old *taker) bool {
	switch {
	case !t.meets(old):
		return false
	case t.reusePort && old.reusePort:
		return false
	case protocol == protoTCP:
		return !t.reuse || !old.reuse || old.listening
	}
	return !t.reuse || !old.reuse
}

// take enters b on a port, unless a binding there forbids it. A port that was not asked for by
// its number (chosen) is not shared, whatever the options say.
func (p *ports) take(b *Binding, port uint16, chosen bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := portKey{b.protocol, port}
	for _, old := range p.m[k] {
		if b.forbids(b.protocol, &old.taker) || chosen && b.meets(&old.taker) {
			return false
		}
	}
	b.local = netip.AddrPortFrom(b.addrs[0], port)
	p.m[k] = append(p.m[k], b)
	p.count += len(b.addrs)
	return true
}

// relisten marks b as listening, unless another binding on its port forbids that.
func (p *ports) relisten(b *Binding) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, old := range p.m[b.key()] {
		if old != b && b.forbids(b.protocol, &old.taker) {
			return false
		}
	}
	b.listening = true
	return true
}

// silence says that b does not listen any more.
func (p *ports) silence(b *Binding) {
	p.mu.Lock()
	b.listening = false
	p.mu.Unlock()
}

// leave gives b's port back.
func (p *ports) leave(b *Binding) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := b.key()
	list := p.m[k]
	i := slices.Index(list, b)
	if i < 0 {
		return
	}
	p.count -= len(b.addrs)
	if list = slices.Delete(list, i, i+1); len(list) == 0 {
		delete(p.m, k)
	} else {
		p.m[k] = list
	}
}
