package netconn

import (
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/udp"
)

// UDPConn is a UDP socket as a net.PacketConn and, where it is connected, a net.Conn.
// Its methods are safe for concurrent use.
type UDPConn struct {
	u       *shard.UDP
	network string
	local   *net.UDPAddr
	remote  *net.UDPAddr // nil where it is not connected
	rd, wr  gate         // under u's lock
	whole   bool         // under u's lock: see SetWhole
}

var (
	_ net.Conn       = (*UDPConn)(nil)
	_ net.PacketConn = (*UDPConn)(nil)
)

func newUDPConn(u *shard.UDP, network string) *UDPConn {
	c := &UDPConn{u: u, network: network, local: net.UDPAddrFromAddrPort(u.Local())}
	if u.Remote().IsValid() {
		c.remote = net.UDPAddrFromAddrPort(u.Remote())
	}
	c.rd.init(u.Locker())
	c.wr.init(u.Locker())
	u.OnEvent(func() {
		if c.rd.waiting > 0 {
			u.Woke()
			c.rd.wake()
		}
		c.wr.wake()
	})
	return c
}

// DialUDP makes a connected socket: it receives from remote only, and learns by
// ECONNREFUSED that nobody listens there.
func DialUDP(h *shard.Host, network string, local, remote netip.AddrPort) (*UDPConn, error) {
	u, err := h.DialUDP(local, remote)
	if err != nil {
		return nil, opError("dial", network, nil, net.UDPAddrFromAddrPort(remote), err)
	}
	return newUDPConn(u, network), nil
}

// ListenUDP makes a socket that receives from anybody; both asks for the wildcards of both families.
func ListenUDP(h *shard.Host, network string, local netip.AddrPort, both bool) (*UDPConn, error) {
	u, err := h.ListenUDP(local, both)
	if err != nil {
		return nil, opError("listen", network, nil, net.UDPAddrFromAddrPort(local), err)
	}
	return newUDPConn(u, network), nil
}

// ReadFromUDPAddrPort waits for a datagram and copies it to p. What does not fit is
// lost, as with recvfrom(2).
func (c *UDPConn) ReadFromUDPAddrPort(p []byte) (int, netip.AddrPort, error) {
	n, from, _, err := c.ReadPacket(p)
	return n, from, err
}

// ReadPacket is ReadFromUDPAddrPort that also tells the address the datagram was sent
// to. A server on a wildcard address answers from there, by WritePacket: a client takes an
// answer from another address for somebody else's (RFC 1122 §4.1.3.5).
func (c *UDPConn) ReadPacket(p []byte) (n int, from netip.AddrPort, to netip.Addr, err error) {
	var d udp.Datagram
	n, err = c.receive(p, &d)
	return min(n, len(p)), d.From, d.To, c.fail("read", err)
}

// receive waits for a datagram, copies it to p, fills d with what came with it, and returns how long it is.
func (c *UDPConn) receive(p []byte, d *udp.Datagram) (n int, err error) {
	c.u.Locker().Lock()
	defer c.u.Locker().Unlock()
	q := c.u.Queue()
	for {
		switch {
		case c.u.Closed():
			return 0, net.ErrClosed
		case c.rd.expired():
			return 0, os.ErrDeadlineExceeded
		}
		if err := q.TakeError(); err != nil {
			return 0, err
		}
		var ok bool
		if *d, ok = q.Pop(); ok {
			n = len(d.Payload)
			copy(p, d.Payload)
			d.Release()
			return n, nil
		}
		c.rd.wait()
	}
}

// ReadFrom is ReadFromUDPAddrPort with a *net.UDPAddr.
func (c *UDPConn) ReadFrom(p []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromUDP(p)
	if err != nil {
		return n, nil, err // not an address that is nil in an interface that is not
	}
	return n, from, nil
}

// Read waits for a datagram and copies it to p.
func (c *UDPConn) Read(p []byte) (int, error) {
	n, _, err := c.ReadFromUDPAddrPort(p)
	return n, err
}

// WriteToUDPAddrPort sends a datagram to addr, waiting while the link is full. A
// connected socket fails with ErrWriteToConnected. Other errors are EMSGSIZE, ENETUNREACH,
// ECONNREFUSED from an earlier datagram, os.ErrDeadlineExceeded and net.ErrClosed.
func (c *UDPConn) WriteToUDPAddrPort(p []byte, addr netip.AddrPort) (int, error) {
	return c.WritePacket(p, netip.Addr{}, addr)
}

// WritePacket is WriteToUDPAddrPort from a chosen address: the one that ReadPacket
// told, or the zero Addr for the stack's choice. One that is not the stack's own, such
// as a group's, counts as zero.
func (c *UDPConn) WritePacket(p []byte, from netip.Addr, to netip.AddrPort) (int, error) {
	if c.remote != nil {
		return 0, c.fail("write", net.ErrWriteToConnected)
	}
	return c.send(p, netip.AddrPortFrom(to.Addr().Unmap(), to.Port()), shard.SendOptions{From: from})
}

// WriteTo is WriteToUDPAddrPort with a *net.UDPAddr.
func (c *UDPConn) WriteTo(p []byte, addr net.Addr) (int, error) {
	a, ok := addr.(*net.UDPAddr)
	if !ok || a == nil {
		return 0, c.fail("write", syscall.EINVAL)
	}
	to := a.AddrPort()
	if !to.Addr().IsValid() {
		return 0, c.fail("write", syscall.EDESTADDRREQ)
	}
	return c.WriteToUDPAddrPort(p, to)
}

// Write sends a datagram to the peer of a connected socket.
func (c *UDPConn) Write(p []byte) (int, error) {
	if c.remote == nil {
		return 0, c.fail("write", syscall.EDESTADDRREQ)
	}
	return c.send(p, c.u.Remote(), shard.SendOptions{})
}

func (c *UDPConn) send(p []byte, to netip.AddrPort, o shard.SendOptions) (int, error) {
	for {
		rooms, err := c.maySend()
		if err != nil {
			return 0, c.fail("write", err)
		}
		err = c.u.SendTo(p, to, o)
		if err == nil {
			return len(p), nil
		}
		if err != syscall.EAGAIN {
			return 0, c.fail("write", err)
		}
		c.awaitRoom(rooms)
	}
}

// maySend returns why nothing can be sent, and the socket's count of rooms for awaitRoom.
func (c *UDPConn) maySend() (rooms uint64, err error) {
	c.u.Locker().Lock()
	defer c.u.Locker().Unlock()
	switch {
	case c.u.Closed():
		return 0, net.ErrClosed
	case c.wr.expired():
		return 0, os.ErrDeadlineExceeded
	}
	return c.u.Rooms(), c.u.Queue().TakeError()
}

// awaitRoom waits until the link that was full has had room since rooms was counted, or there is an error to tell of.
func (c *UDPConn) awaitRoom(rooms uint64) {
	c.u.Locker().Lock()
	defer c.u.Locker().Unlock()
	for c.u.Rooms() == rooms && !c.u.Queue().Failed() && !c.u.Closed() && !c.wr.expired() {
		c.wr.wait()
	}
}

func (c *UDPConn) fail(op string, err error) error {
	if c.remote == nil {
		return opError(op, c.network, c.local, nil, err)
	}
	return opError(op, c.network, c.local, c.remote, err)
}

// Close closes the socket; operations that wait return net.ErrClosed.
func (c *UDPConn) Close() error {
	c.u.Locker().Lock()
	was := c.u.Closed()
	c.rd.stop()
	c.wr.stop()
	c.u.Locker().Unlock()
	if was {
		return c.fail("close", net.ErrClosed)
	}
	c.u.Close()
	return nil
}

// LocalAddr returns the own address, a *net.UDPAddr.
func (c *UDPConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the peer's address, a *net.UDPAddr, or nil where there is none.
func (c *UDPConn) RemoteAddr() net.Addr {
	if c.remote == nil {
		return nil
	}
	return c.remote
}

// SetDeadline sets both deadlines; the zero time is none.
func (c *UDPConn) SetDeadline(at time.Time) error { return c.setDeadlines(at, &c.rd, &c.wr) }

// SetReadDeadline sets the deadline of reads, also of one that waits now.
func (c *UDPConn) SetReadDeadline(at time.Time) error { return c.setDeadlines(at, &c.rd) }

// SetWriteDeadline sets the deadline of writes, also of one that waits now.
func (c *UDPConn) SetWriteDeadline(at time.Time) error { return c.setDeadlines(at, &c.wr) }

func (c *UDPConn) setDeadlines(at time.Time, gates ...*gate) error {
	c.u.Locker().Lock()
	defer c.u.Locker().Unlock()
	if c.u.Closed() {
		return c.fail("set", net.ErrClosed)
	}
	for _, g := range gates {
		g.set(at)
	}
	return nil
}
