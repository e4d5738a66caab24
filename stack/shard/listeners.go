package shard

import (
	"net/netip"
	"slices"
	"sync"
)

// listeners finds a listener by local address and port. Several share one by SO_REUSEPORT, or
// are bound to an interface each; a list is never changed once it is entered.
type listeners struct {
	mu    sync.RWMutex
	m     map[netip.AddrPort][]*Listener
	count int
}

func (l *listeners) init() { l.m = make(map[netip.AddrPort][]*Listener) }

func (l *listeners) len() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.count
}

func (l *listeners) add(f *Listener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range f.keys {
		l.m[k] = append(slices.Clip(l.m[k]), f)
		l.count++
	}
}

func (l *listeners) remove(f *Listener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range f.keys {
		i := slices.Index(l.m[k], f)
		if i < 0 {
			continue
		}
		l.count--
		if list := slices.Delete(slices.Clone(l.m[k]), i, i+1); len(list) > 0 {
			l.m[k] = list
		} else {
			delete(l.m, k)
		}
	}
}

// find returns the listener for a segment from remote to local that came in by an interface: one
// bound to the address, else to any, and of those one bound to the interface, else to
// none. Where there are several, a keyed hash of the flow spreads over them.
func (h *Host) findListener(local, remote netip.AddrPort, ifc int) *Listener {
	l := &h.listeners
	l.mu.RLock()
	exact, any := l.m[local], l.m[netip.AddrPortFrom(unspecified(local.Addr()), local.Port())]
	l.mu.RUnlock()
	if f := h.pickListener(exact, local, remote, ifc); f != nil {
		return f
	}
	return h.pickListener(any, local, remote, ifc)
}

func (h *Host) pickListener(list []*Listener, local, remote netip.AddrPort, ifc int) *Listener {
	if len(list) == 1 && list[0].device.Load() == 0 {
		return list[0]
	}
	for _, device := range [2]int32{int32(ifc), 0} {
		n := 0
		for _, f := range list {
			if f.device.Load() == device {
				n++
			}
		}
		if n == 0 {
			continue
		}
		at := h.spreadOver(n, local, remote)
		for _, f := range list {
			if f.device.Load() != device {
				continue
			}
			if at == 0 {
				return f
			}
			at--
		}
	}
	return nil
}

// spreadOver chooses one of n sockets that share a port for a flow.
func (h *Host) spreadOver(n int, local, remote netip.AddrPort) int {
	if n == 1 {
		return 0
	}
	return int(uint64(h.spread.TSOffset(local, remote)) * uint64(n) >> 32)
}

func (l *listeners) closeAll() {
	l.mu.RLock()
	var all []*Listener
	for _, list := range l.m {
		all = append(all, list...)
	}
	l.mu.RUnlock()
	for _, f := range all {
		f.Close()
	}
}

func unspecified(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}
