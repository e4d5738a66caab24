package netconn

import "net"

// SetReadBuffer bounds the octets of received datagrams that wait.
func (c *UDPConn) SetReadBuffer(octets int) error {
	c.u.Locker().Lock()
	defer c.u.Locker().Unlock()
	if c.u.Closed() {
		return c.fail("set", net.ErrClosed)
	}
	c.u.Queue().SetLimits(octets, 0)
	return nil
}

// SetWriteBuffer does nothing but for a closed socket: datagrams that are written do not wait in the socket, but
// their writer for the link.
func (c *UDPConn) SetWriteBuffer(int) error {
	c.u.Locker().Lock()
	defer c.u.Locker().Unlock()
	if c.u.Closed() {
		return c.fail("set", net.ErrClosed)
	}
	return nil
}

// ReadFromUDP is ReadFromUDPAddrPort with a *net.UDPAddr.
func (c *UDPConn) ReadFromUDP(p []byte) (int, *net.UDPAddr, error) {
	n, from, err := c.ReadFromUDPAddrPort(p)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// WriteToUDP is WriteTo with a *net.UDPAddr.
func (c *UDPConn) WriteToUDP(p []byte, addr *net.UDPAddr) (int, error) { return c.WriteTo(p, addr) }
