package netconn

import (
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/weirnet/weir/stack/shard"
)

// Listener is a TCP port in LISTEN as a net.Listener. Its methods are safe for
// concurrent use.
type Listener struct {
	l       *shard.Listener
	network string
	addr    *net.TCPAddr
	ready   gate // under l's lock
	closed  bool // under l's lock
}

var _ net.Listener = (*Listener)(nil)

// ListenTCP listens on local; both asks for the wildcards of both families. The
// error is a *net.OpError around EADDRINUSE or EADDRNOTAVAIL.
func ListenTCP(h *shard.Host, network string, local netip.AddrPort, both bool) (*Listener, error) {
	return ListenTCPWith(h, network, local, both, shard.ListenOptions{})
}

// ListenTCPWith is ListenTCP with options, of which a Backlog of 0 is the host's and Handler is not used.
func ListenTCPWith(h *shard.Host, network string, local netip.AddrPort, both bool, o shard.ListenOptions) (*Listener, error) {
	o.Handler = nil
	l, err := h.ListenWith(local, both, o)
	if err != nil {
		return nil, opError("listen", network, nil, tcpAddr(local), err)
	}
	n := &Listener{l: l, network: network, addr: tcpAddr(l.Local())}
	n.ready.init(l.Locker())
	l.OnReady(n.ready.wake)
	return n, nil
}

// Accept waits for the next connection. It returns net.ErrClosed after Close and
// os.ErrDeadlineExceeded after the deadline.
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// AcceptTCP is Accept with the concrete type.
func (l *Listener) AcceptTCP() (*TCPConn, error) {
	c, err := l.take()
	if err != nil {
		return nil, opError("accept", l.network, nil, l.addr, err)
	}
	t := &TCPConn{network: networkOf(l.network)}
	c.Lock()
	t.attach(c)
	c.Unlock()
	return t, nil
}

func (l *Listener) take() (*shard.TCP, error) {
	l.l.Locker().Lock()
	defer l.l.Locker().Unlock()
	for {
		if l.ready.expired() {
			return nil, os.ErrDeadlineExceeded
		}
		c, closed := l.l.Take()
		switch {
		case closed:
			return nil, net.ErrClosed
		case c != nil:
			return c, nil
		}
		l.ready.wait()
	}
}

// SetDeadline sets the deadline of Accept, also of one that waits now.
func (l *Listener) SetDeadline(at time.Time) error {
	l.l.Locker().Lock()
	defer l.l.Locker().Unlock()
	if l.closed {
		return opError("set", l.network, nil, l.addr, net.ErrClosed)
	}
	l.ready.set(at)
	return nil
}

// Close stops listening. Connections that were not accepted are reset.
func (l *Listener) Close() error {
	l.l.Locker().Lock()
	was := l.closed
	l.closed = true
	l.ready.stop()
	l.l.Locker().Unlock()
	if was {
		return opError("close", l.network, nil, l.addr, net.ErrClosed)
	}
	l.l.Close()
	return nil
}

// Addr returns what the listener is bound to, a *net.TCPAddr.
func (l *Listener) Addr() net.Addr { return l.addr }
