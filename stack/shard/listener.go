package shard

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// ListenOptions say how a port listens.
type ListenOptions struct {
	// Backlog is listen(2)'s: the accept queue is full when it holds more than that many, and
	// as many connections may be half-open, one at least. What is more than
	// Config.MaxBacklog, or less than zero, is Config.MaxBacklog.
	Backlog int
	// AbortOnOverflow answers the last ACK of a handshake with a reset where the accept
	// queue is full; tcp.Settings.AbortOnOverflow says the same for all. Otherwise it is ignored.
	AbortOnOverflow bool
	// RefuseOverflow answers a SYN with a reset where there is no place for the
	// connection. Otherwise it is ignored.
	RefuseOverflow bool
	// DeferAccept is TCP_DEFER_ACCEPT: for so long a connection that has sent no text stays
	// half-open, its last ACK ignored.
	DeferAccept time.Duration
	// OnSYN, where it is not nil, is asked about each SYN before anything is kept of it, and before
	// the backlog is. It is not asked again when a SYN that was accepted comes again. It runs
	// in the receive path, of several queues at a time, and must not block; no lock is held. It is
	// watched as a UserHandler is.
	OnSYN func(*SYN) Verdict
	// Handler, where it is not nil, takes the place of the accept queue: a connection whose
	// handshake is done is its own from then on, beginning with EventConnected, and there is
	// nothing to Take. The backlog bounds the half-open connections only.
	Handler Handler
	// TCP is what accepted connections begin with. Its Interface is the listener's too.
	TCP TCPOptions

	reuse, reusePort bool // the binding's
}

// Listener is a port in LISTEN.
type Listener struct {
	host    *Host
	binding *Binding
	owns    bool // the binding goes when the listener does
	local   netip.AddrPort
	keys    []netip.AddrPort
	device  atomic.Int32 // the interface it is bound to, or 0

	opts atomic.Pointer[ListenOptions] // what is pointed to does not change

	mu       sync.Mutex
	halfOpen int    // how many are in SYN-RECEIVED
	queue    []*TCP // established, not accepted
	admitted int    // of halfOpen, those that are about to enter the queue
	closed   bool
	onReady  func()

	stalls // of OnSYN
}

// Listen puts a port into LISTEN. local's address may be unspecified for any of
// its family; both makes the port answer on any address of both families. Port 0
// asks for a free one. The errors are EADDRINUSE, EADDRNOTAVAIL and net.ErrClosed.
func (h *Host) Listen(local netip.AddrPort, both bool) (*Listener, error) {
	return h.ListenWith(local, both, ListenOptions{})
}

// ListenWith is Listen with options, of which a Backlog of 0 is Config.Backlog.
func (h *Host) ListenWith(local netip.AddrPort, both bool, o ListenOptions) (*Listener, error) {
	if a := local.Addr(); !a.IsUnspecified() && !h.IsLocal(a) {
		return nil, syscall.EADDRNOTAVAIL
	}
	b, err := h.Bind(protoTCP, local, BindOptions{Both: both, ReuseAddr: true})
	if err != nil {
		return nil, err
	}
	if o.Backlog == 0 {
		o.Backlog = h.cfg.Backlog
	}
	l, err := h.listenTCP(b, o)
	if err != nil {
		b.Release()
		return nil, err
	}
	l.owns = true
	return l, nil
}

// ListenTCP puts what b has bound into LISTEN. The binding stays its owner's to release, after
// the listener's Close. The errors are EADDRINUSE, where another that shares the port
// listens there already, and net.ErrClosed.
func (h *Host) ListenTCP(b *Binding, o ListenOptions) (*Listener, error) {
	o.Backlog = h.clampBacklog(o.Backlog)
	return h.listenTCP(b, o)
}

// clampBacklog bounds what listen(2) was given, which it takes for a number without sign.
func (h *Host) clampBacklog(n int) int {
	if n < 0 {
		return h.cfg.MaxBacklog
	}
	return min(n, h.cfg.MaxBacklog)
}

func (h *Host) listenTCP(b *Binding, o ListenOptions) (*Listener, error) {
	if !h.ports.relisten(b) {
		return nil, syscall.EADDRINUSE
	}
	t := b.options()
	o.reuse, o.reusePort = t.reuse, t.reusePort
	if o.TCP.Interface == 0 {
		o.TCP.Interface = t.ifc
	}
	l := &Listener{host: h, binding: b, local: b.Local(), keys: b.keys()}
	l.opts.Store(&o)
	l.device.Store(int32(o.TCP.Interface))
	h.listeners.add(l)
	if h.isClosed() {
		l.Close()
		return nil, net.ErrClosed
	}
	return l, nil
}

// Local returns what the listener is bound to.
func (l *Listener) Local() netip.AddrPort { return l.local }

// Host returns the host the listener belongs to.
func (l *Listener) Host() *Host { return l.host }

// Locker returns the lock that guards the queue.
func (l *Listener) Locker() sync.Locker { return &l.mu }

// SetBacklog is listen(2) on a port that listens already.
func (l *Listener) SetBacklog(n int) {
	l.Configure(func(o *ListenOptions) { o.Backlog = l.host.clampBacklog(n) })
}

// Configure has f change the options, for the connections that come from now on. TCP.Interface
// is the listener's own too.
func (l *Listener) Configure(f func(o *ListenOptions)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := *l.opts.Load()
	f(&o)
	l.opts.Store(&o)
	l.device.Store(int32(o.TCP.Interface))
}

// OnReady sets a function that is called when a connection can be taken and when the
// listener closes. It runs under the listener's lock and the new connection's, so
// it must not block, and neither take nor use a connection itself.
func (l *Listener) OnReady(f func()) {
	l.mu.Lock()
	l.onReady = f
	l.mu.Unlock()
}

// Ready returns how many connections wait to be taken. The listener must be locked by Locker.
func (l *Listener) Ready() int { return len(l.queue) }

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
	l.host.listeners.remove(l)
	l.mu.Lock()
	was := l.closed
	l.closed = true
	orphans := l.queue
	l.queue = nil
	half := l.halfOpen > 0
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
	if half {
		l.abortHalfOpen()
	}
	l.host.ports.silence(l.binding)
	if l.owns {
		l.binding.Release()
	}
}

// abortHalfOpen resets those who are still on their way.
func (l *Listener) abortHalfOpen() {
	for _, half := range l.host.halfOpens.list() {
		if half.parent == l {
			half.abort()
		}
	}
}
