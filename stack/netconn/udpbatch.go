package netconn

import (
	"net"
	"net/netip"
	"os"
	"syscall"

	"github.com/weirnet/weir/stack/shard"
)

// Packet is a datagram of a batch, without an address to allocate. What ReadPackets has filled
// WritePackets sends back as it is: to where it came from, from the address that it was sent to.
type Packet = shard.Packet

// Message is a datagram of a batch, with the fields of golang.org/x/net/ipv4.Message and their meaning.
type Message struct {
	// Buffers are where the payload is put, one after the other, or taken from.
	Buffers [][]byte
	// OOB is left alone: there are no control messages.
	OOB []byte
	// Addr is where it came from, or goes to; nil stands for the peer of a connected socket.
	Addr net.Addr
	// N is how many octets were received, or sent.
	N int
	// NN is always zero: no octets of OOB.
	NN int
	// Flags are syscall.MSG_TRUNC where Buffers were too small, else zero.
	Flags int
}

// ReadPackets waits for a datagram and fills ps with as many as are there; each Buf is room for one. It
// returns how many came. It allocates nothing.
func (c *UDPConn) ReadPackets(ps []Packet) (n int, err error) {
	if len(ps) == 0 {
		return 0, nil
	}
	n, err = c.receiveBatch(ps, true)
	return n, c.fail("read", err)
}

func (c *UDPConn) receiveBatch(ps []Packet, wait bool) (n int, err error) {
	c.u.Locker().Lock()
	defer c.u.Locker().Unlock()
	for {
		switch {
		case c.u.Closed():
			return 0, net.ErrClosed
		case c.rd.expired():
			return 0, os.ErrDeadlineExceeded
		}
		if err := c.u.Queue().TakeError(); err != nil {
			return 0, err
		}
		if n := c.u.ReceiveBatch(ps, c.whole); n > 0 {
			return n, nil
		}
		if !wait {
			return 0, syscall.EAGAIN
		}
		c.rd.wait()
	}
}

// WritePackets sends the datagrams ps[i].Buf[:ps[i].N] in order, waiting while the link is full, and
// returns how many were sent: fewer than all with an error only, which is that of the next. What goes
// to one peer in datagrams of one size leaves as a super-segment where the device takes that (USO), as
// does a Packet with a Size. On a connected socket Peer must be zero or the peer. The errors are those of
// WriteToUDPAddrPort. It allocates nothing.
func (c *UDPConn) WritePackets(ps []Packet) (n int, err error) {
	if c.remote != nil {
		for i := range ps {
			if p := ps[i].Peer; p.IsValid() && p != c.u.Remote() {
				return 0, c.fail("write", net.ErrWriteToConnected)
			}
		}
	}
	for n < len(ps) {
		rooms, err := c.maySend()
		if err != nil {
			return n, c.fail("write", err)
		}
		k, err := c.u.SendBatch(ps[n:])
		n += k
		switch {
		case err == syscall.EAGAIN:
			c.awaitRoom(rooms)
		case err != nil:
			return n, c.fail("write", err)
		}
	}
	return n, nil
}

// SetWhole has ReadPackets return datagrams that came as one super-segment as one Packet with a Size,
// where its Buf has room for all of them. It is what UDP_GRO is to the kernel's sockets; a socket begins
// without.
func (c *UDPConn) SetWhole(on bool) {
	c.u.Locker().Lock()
	c.whole = on
	c.u.Locker().Unlock()
}

// batchOf bounds how many messages are moved at once.
const batchOf = 16

// ReadBatch waits for a datagram and fills ms with as many as are there, as ReadBatch of
// golang.org/x/net/ipv4.PacketConn does; it returns how many came. flags are 0, or syscall.MSG_DONTWAIT
// to fail with EAGAIN rather than wait. A Message of more than one buffer costs a copy,
// and each source an address: ReadPackets is without either.
func (c *UDPConn) ReadBatch(ms []Message, flags int) (n int, err error) {
	if flags&^syscall.MSG_DONTWAIT != 0 {
		return 0, c.fail("read", syscall.EOPNOTSUPP)
	}
	var ps [batchOf]Packet
	wait := flags == 0
	for n < len(ms) {
		part := ms[n:min(len(ms), n+batchOf)]
		for i := range part {
			ps[i] = Packet{Buf: joined(part[i].Buffers)}
		}
		k, err := c.receiveBatch(ps[:len(part)], wait)
		if err != nil && n == 0 {
			return 0, c.fail("read", err)
		}
		for i := range part[:k] {
			part[i].received(&ps[i], ms[:n+i])
		}
		if n += k; k < len(part) {
			break
		}
		wait = false
	}
	return n, nil
}

// joined returns a buffer as long as all of bs: the only one, or another.
func joined(bs [][]byte) []byte {
	if len(bs) == 1 {
		return bs[0]
	}
	n := 0
	for _, b := range bs {
		n += len(b)
	}
	return make([]byte, n)
}

// received notes in the message what was received. before are the messages before it, one of which may
// have the address already.
func (m *Message) received(p *Packet, before []Message) {
	m.N, m.NN, m.Flags = p.N, 0, 0
	if p.Truncated {
		m.Flags = syscall.MSG_TRUNC
	}
	if len(m.Buffers) != 1 {
		rest := p.Buf[:p.N]
		for _, b := range m.Buffers {
			rest = rest[copy(b, rest):]
		}
	}
	if len(before) > 0 {
		if a, ok := before[len(before)-1].Addr.(*net.UDPAddr); ok && a.AddrPort() == p.Peer {
			m.Addr = a
			return
		}
	}
	m.Addr = net.UDPAddrFromAddrPort(p.Peer)
}

// WriteBatch sends the messages in order, as WriteBatch of golang.org/x/net/ipv4.PacketConn does, but
// waits until all are sent, and returns how many were: see WritePackets. flags must be 0.
func (c *UDPConn) WriteBatch(ms []Message, flags int) (n int, err error) {
	if flags != 0 {
		return 0, c.fail("write", syscall.EOPNOTSUPP)
	}
	var ps [batchOf]Packet
	for n < len(ms) {
		part := ms[n:min(len(ms), n+batchOf)]
		k, bad := 0, error(nil)
		for k < len(part) {
			if ps[k], bad = part[k].packet(); bad != nil {
				break
			}
			k++
		}
		sent, err := c.WritePackets(ps[:k])
		for i := range part[:sent] {
			part[i].N, part[i].NN = ps[i].N, 0
		}
		if n += sent; err == nil && bad != nil {
			err = c.fail("write", bad)
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// packet returns the packet that a message is.
func (m *Message) packet() (p Packet, err error) {
	if m.Addr != nil {
		a, ok := m.Addr.(*net.UDPAddr)
		if !ok || a == nil {
			return p, syscall.EINVAL
		}
		to := a.AddrPort()
		p.Peer = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	}
	p.Buf = joined(m.Buffers)
	if len(m.Buffers) != 1 {
		rest := p.Buf
		for _, b := range m.Buffers {
			rest = rest[copy(rest, b):]
		}
	}
	p.N = len(p.Buf)
	return p, nil
}
