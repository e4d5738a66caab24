package shard

import (
	"net"
	"net/netip"
	"sync"
	"syscall"

	"github.com/weirnet/weir/stack/tcp"
)

// Listener is a port in LISTEN.
type Listener struct {
	host    *Host
	local   netip.AddrPort
	keys    []netip.AddrPort
	backlog int

	mu       sync.Mutex
	halfOpen map[*TCP]struct{} // in SYN-RECEIVED
	queue    []*TCP            // established, not accepted
	closed   bool
	onReady  func()
}

// listeners finds a listener by local address and port.
type listeners struct {
	mu sync.RWMutex
	m  map[netip.AddrPort]*Listener
}

func (l *listeners) init() { l.m = make(map[netip.AddrPort]*Listener) }

func (l *listeners) len() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return len(l.m)
}

// find returns the listener for a segment to local: one bound to the address, else to any.
func (l *listeners) find(local netip.AddrPort) *Listener {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if f := l.m[local]; f != nil {
		return f
	}
	return l.m[netip.AddrPortFrom(unspecified(local.Addr()), local.Port())]
}

func (l *listeners) closeAll() {
	l.mu.RLock()
	var all []*Listener
	for _, f := range l.m {
		all = append(all, f)
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

// Listen puts a port into LISTEN. local's address may be unspecified for any of
// its family; both makes the port answer on any address of both families. Port 0
// asks for a free one. The errors are EADDRINUSE, EADDRNOTAVAIL and net.ErrClosed.
func (h *Host) Listen(local netip.AddrPort, both bool) (*Listener, error) {
	if a := local.Addr(); !a.IsUnspecified() && !h.IsLocal(a) {
		return nil, syscall.EADDRNOTAVAIL
	}
	b, err := h.bind(protoTCP, local, both)
	if err != nil {
		return nil, err
	}
	l := &Listener{host: h, local: b.local, keys: b.keys, backlog: h.cfg.Backlog, halfOpen: map[*TCP]struct{}{}}
	h.listeners.mu.Lock()
	for _, k := range b.keys {
		h.listeners.m[k] = l
	}
	h.listeners.mu.Unlock()
	if h.isClosed() {
		l.Close()
		return nil, net.ErrClosed
	}
	return l, nil
}

// Local returns what the listener is bound to.
func (l *Listener) Local() netip.AddrPort { return l.local }

// Locker returns the lock that guards the queue.
func (l *Listener) Locker() sync.Locker { return &l.mu }

// OnReady sets a function that is called when a connection can be taken and when the
// listener closes. It runs under the listener's lock and the new connection's, so
// it must not block, and neither take nor use a connection itself.
func (l *Listener) OnReady(f func()) {
	l.mu.Lock()
	l.onReady = f
	l.mu.Unlock()
}

// Take returns the next established connection, or nil. The listener must be
// locked by Locker. closed reports whether there is none to come.
func (l *Listener) Take() (c *TCP, closed bool) {
	if len(l.queue) == 0 {
		return nil, l.closed
	}
	c = l.queue[0]
	l.queue[0] = nil
	if l.queue = l.queue[1:]; len(l.queue) == 0 {
		l.queue = nil
	}
	return c, l.closed
}

// Accept returns the next established connection, or nil.
func (l *Listener) Accept() *TCP {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, _ := l.Take()
	return c
}

// Close leaves LISTEN. Connections that nobody has accepted are reset.
func (l *Listener) Close() {
	l.host.listeners.mu.Lock()
	for _, k := range l.keys {
		if l.host.listeners.m[k] == l {
			delete(l.host.listeners.m, k)
		}
	}
	l.host.listeners.mu.Unlock()
	l.mu.Lock()
	was := l.closed
	l.closed = true
	orphans := l.queue
	l.queue = nil
	for c := range l.halfOpen {
		orphans = append(orphans, c)
	}
	if l.onReady != nil {
		l.onReady()
	}
	l.mu.Unlock()
	if was {
		return
	}
	for _, c := range orphans {
		c.Abort()
	}
	l.host.unbind(protoTCP, l.keys)
}

// reserve takes a place for one more half-open connection.
func (l *Listener) reserve(c *TCP) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.halfOpen)+len(l.queue) >= l.backlog {
		return false
	}
	l.halfOpen[c] = struct{}{}
	return true
}

// progress moves a connection from half-open to the accept queue, or forgets it.
// c is locked. One that is reset while it waits in the queue stays there: accept
// returns it and its first read fails, as the kernel's does.
func (l *Listener) progress(c *TCP, ev tcp.Events) {
	l.mu.Lock()
	delete(l.halfOpen, c)
	up := ev&tcp.EventConnected != 0 && !l.closed
	if up {
		l.queue = append(l.queue, c)
		if l.onReady != nil {
			l.onReady()
		}
	}
	l.mu.Unlock()
	c.parent = nil
	if !up {
		c.detached = true // nobody will ever close it
		return
	}
	l.host.counters.accepted.Add(1)
}
