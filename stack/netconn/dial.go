package netconn

import (
	"context"
	"net"
	"net/netip"

	"github.com/weirnet/weir/stack/shard"
)

// DialTCP connects to remote and waits until the handshake is done, refused or the
// context ends. local may be the zero AddrPort. The error is a *net.OpError around
// ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL or the context's.
func DialTCP(ctx context.Context, h *shard.Host, network string, local, remote netip.AddrPort) (*TCPConn, error) {
	fail := func(err error) (*TCPConn, error) {
		var source net.Addr
		if local.IsValid() {
			source = tcpAddr(local)
		}
		return nil, opError("dial", network, source, tcpAddr(remote), err)
	}
	if err := ctx.Err(); err != nil {
		return fail(dialError{err})
	}
	t := &TCPConn{network: networkOf(network), dialed: make(chan struct{})}
	c, err := h.DialTCP(local, remote, t)
	if err != nil {
		return fail(err)
	}
	c.Lock()
	t.attach(c)
	c.Unlock()
	select {
	case <-t.dialed:
	case <-ctx.Done():
		c.Abort()
		return fail(dialError{ctx.Err()})
	}
	c.Lock()
	err = c.Conn().Err()
	c.Unlock()
	if err != nil {
		c.Close()
		return fail(err)
	}
	return t, nil
}
