package event

import (
	"context"
	"fmt"
	"net/netip"
	"sync/atomic"
	"syscall"

	"github.com/weirnet/weir/stack/shard"
)

// SYN is what is known of somebody who wants to connect, and Verdict what becomes of it.
type (
	SYN     = shard.SYN
	Verdict = shard.Verdict
)

// What Options.OnSYN returns.
const (
	AcceptSYN = shard.AcceptSYN // the handshake goes on
	RefuseSYN = shard.RefuseSYN // it is answered by a reset, as if nobody listened
	DropSYN   = shard.DropSYN   // it is not answered
)

// Options say how a port listens. The zero value is as good as any.
type Options struct {
	// OnSYN, where it is not nil, is asked about each SYN before anything is kept of it: who is
	// not wanted costs no memory and, with DropSYN, no answer. It runs in the receive
	// path, of several queues at a time, and must not block: while it does, SYNs for the port are
	// dropped. s is lent for the call.
	OnSYN func(s *SYN) Verdict
	// Backlog is how many connections may be half-open; zero is stack.Config.Backlog. There is no
	// accept queue: a connection is its handler's as soon as it is open.
	Backlog int
}

// errNoHandler says it before a packet finds out in the receive path.
var errNoHandler = fmt.Errorf("no handler is given: %w", syscall.EINVAL)

// Listener is a TCP port in LISTEN whose connections go to a Handler.
type Listener struct {
	l    *shard.Listener
	open atomic.Int64 // connections that have not had OnClose
}

// Listen puts a port of a host into LISTEN; both asks for the wildcards of both families. It is what
// stack.ListenEvents calls. The error is a syscall.Errno, or wraps EINVAL where h is nil.
func Listen(host *shard.Host, local netip.AddrPort, both bool, h Handler, o Options) (*Listener, error) {
	if h == nil {
		return nil, errNoHandler
	}
	l := new(Listener)
	sl, err := host.ListenWith(local, both, shard.ListenOptions{
		Backlog: max(o.Backlog, 0), OnSYN: o.OnSYN, Handler: &face{h: h, listener: l},
	})
	if err != nil {
		return nil, err
	}
	l.l = sl
	return l, nil
}

// Addr returns what the listener is bound to.
func (l *Listener) Addr() netip.AddrPort { return l.l.Local() }

// Open returns how many of its connections have had OnOpen and not OnClose.
func (l *Listener) Open() int { return int(l.open.Load()) }

// Each has f run for every open connection of the listener, as by Conn.Post. It looks through all connections
// of the stack.
func (l *Listener) Each(f func(c *Conn)) {
	for _, t := range l.l.Host().TCPs() {
		if !t.InPlace() {
			continue
		}
		(*Conn)(t).Post(func(c *Conn) {
			if face := c.face(); face != nil && face.listener == l && !c.Closed() {
				f(c)
			}
		})
	}
}

// Close stops listening. Half-open connections are reset; open ones go on.
func (l *Listener) Close() { l.l.Close() }

// Dial opens a connection of a host to remote and sends its SYN. h is told how it goes on. It is what
// stack.DialEvents calls. The error is a syscall.Errno or the context's, or wraps EINVAL where h is nil.
func Dial(ctx context.Context, host *shard.Host, remote netip.AddrPort, h Handler, o DialOptions) (*Conn, error) {
	if h == nil {
		return nil, errNoHandler
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := host.DialTCPWith(o.Local, remote, &shard.TCPOptions{Value: o.Value}, &face{h: h})
	if err != nil {
		return nil, err
	}
	if ctx.Done() != nil {
		(*Conn)(c).Post(func(c *Conn) { c.openBy(ctx) })
	}
	return (*Conn)(c), nil
}

// openBy has a connection that is not open when the context ends given up.
func (c *Conn) openBy(ctx context.Context) {
	if c.has(opened | over) {
		return
	}
	c.face().forget = context.AfterFunc(ctx, func() {
		c.Post(func(c *Conn) {
			if !c.has(opened | over) {
				c.Abort()
			}
		})
	})
}

// DialOptions say how a connection is dialled. The zero value is as good as any.
type DialOptions struct {
	// Local is the address and port to dial from; either may be zero.
	Local netip.AddrPort
	// Value is what Conn.Value returns from the first call on.
	Value any
}
