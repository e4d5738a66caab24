package netconn

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"

	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/udp"
)

// The lengths of struct in_pktinfo and struct in6_pktinfo.
const (
	pktInfo4Len = 12
	pktInfo6Len = 20
)

// ReadMsgUDPAddrPort is ReadFromUDPAddrPort that also fills oob with control messages as Linux lays them out, which
// golang.org/x/net/ipv4 and ipv6 read: the interface and the address that the datagram came to (IP_PKTINFO, IPV6_PKTINFO),
// its TOS octet or traffic class, with the ECN bits (IP_TOS, IPV6_TCLASS), and its TTL or hop limit
// (IP_TTL, IPV6_HOPLIMIT), in that order. There are no options to switch them on: who has room for them gets them.
// flags have MSG_TRUNC where p, and MSG_CTRUNC where oob was too small, unless it is empty.
func (c *UDPConn) ReadMsgUDPAddrPort(p, oob []byte) (n, oobn, flags int, addr netip.AddrPort, err error) {
	var d udp.Datagram
	if n, err = c.receive(p, &d); err != nil {
		return 0, 0, 0, netip.AddrPort{}, c.fail("read", err)
	}
	if n > len(p) {
		n, flags = len(p), syscall.MSG_TRUNC
	}
	if len(oob) > 0 {
		w := controlWriter{b: oob}
		w.describe(&d, c.u.Host().SpecificDestination(d.To, d.Interface))
		if oobn = w.n; w.cut {
			flags |= syscall.MSG_CTRUNC
		}
	}
	return n, oobn, flags, d.From, nil
}

// ReadMsgUDP is ReadMsgUDPAddrPort with a *net.UDPAddr.
func (c *UDPConn) ReadMsgUDP(p, oob []byte) (n, oobn, flags int, addr *net.UDPAddr, err error) {
	n, oobn, flags, from, err := c.ReadMsgUDPAddrPort(p, oob)
	if err != nil {
		return n, oobn, flags, nil, err
	}
	return n, oobn, flags, net.UDPAddrFromAddrPort(from), nil
}

// controlWriter fills b with control messages, as long as they fit whole.
type controlWriter struct {
	b   []byte
	n   int
	cut bool // one did not
}

// describe writes what is known of a datagram; specific is the host's address that it came to.
func (w *controlWriter) describe(d *udp.Datagram, specific netip.Addr) {
	var ifc, hops, class [4]byte
	binary.NativeEndian.PutUint32(ifc[:], uint32(d.Interface))
	binary.NativeEndian.PutUint32(hops[:], uint32(d.HopLimit))
	binary.NativeEndian.PutUint32(class[:], uint32(d.TOS))
	if d.To.Is4() {
		s, t := specific.As4(), d.To.As4()
		w.put(syscall.IPPROTO_IP, syscall.IP_PKTINFO, ifc[:], s[:], t[:])
		w.put(syscall.IPPROTO_IP, syscall.IP_TOS, []byte{d.TOS})
		w.put(syscall.IPPROTO_IP, syscall.IP_TTL, hops[:])
		return
	}
	t := d.To.As16()
	w.put(syscall.IPPROTO_IPV6, syscall.IPV6_PKTINFO, t[:], ifc[:])
	w.put(syscall.IPPROTO_IPV6, syscall.IPV6_TCLASS, class[:])
	w.put(syscall.IPPROTO_IPV6, syscall.IPV6_HOPLIMIT, hops[:])
}

// put writes a message: struct cmsghdr, which begins with a size_t, and its data.
func (w *controlWriter) put(level, typ uint32, data ...[]byte) {
	n := 0
	for _, d := range data {
		n += len(d)
	}
	if w.cut = w.cut || w.n+syscall.CmsgSpace(n) > len(w.b); w.cut {
		return
	}
	b := w.b[w.n : w.n : w.n+syscall.CmsgSpace(n)]
	if syscall.SizeofCmsghdr == 16 {
		b = binary.NativeEndian.AppendUint64(b, uint64(syscall.CmsgLen(n)))
	} else {
		b = binary.NativeEndian.AppendUint32(b, uint32(syscall.CmsgLen(n)))
	}
	b = binary.NativeEndian.AppendUint32(b, level)
	b = binary.NativeEndian.AppendUint32(b, typ)
	for _, d := range data {
		b = append(b, d...)
	}
	clear(b[len(b):cap(b)])
	w.n += cap(b)
}

// WriteMsgUDPAddrPort is WriteToUDPAddrPort, or on a connected socket, with the zero addr, Write, that takes control
// messages for the one datagram: those that ReadMsgUDPAddrPort gives, so that what it gave sends an answer from where the
// question was sent to. Of IP_PKTINFO the source counts, not the address that a datagram came to; one that is not the
// stack's own counts as none. Messages of the other family do not count; others, as a value
// that cannot be, are EINVAL, and an interface that is not there is ENODEV. oobn is len(oob) where it was sent.
func (c *UDPConn) WriteMsgUDPAddrPort(p, oob []byte, addr netip.AddrPort) (n, oobn int, err error) {
	to := netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	switch {
	case c.remote == nil && !to.IsValid():
		err = syscall.EDESTADDRREQ
	case c.remote != nil && to.IsValid():
		err = net.ErrWriteToConnected
	case c.remote != nil:
		to = c.u.Remote()
	}
	var o shard.SendOptions
	if err == nil {
		o, err = parseControl(oob, to.Addr().Is4())
	}
	if err != nil {
		return 0, 0, c.fail("write", err)
	}
	if n, err = c.send(p, to, o); err != nil {
		return n, 0, err
	}
	return n, len(oob), nil
}

// WriteMsgUDP is WriteMsgUDPAddrPort with a *net.UDPAddr, nil for a connected socket's peer.
func (c *UDPConn) WriteMsgUDP(p, oob []byte, addr *net.UDPAddr) (n, oobn int, err error) {
	if addr == nil {
		return c.WriteMsgUDPAddrPort(p, oob, netip.AddrPort{})
	}
	return c.WriteMsgUDPAddrPort(p, oob, addr.AddrPort())
}

// parseControl reads control messages for a datagram of a family.
func parseControl(oob []byte, is4 bool) (o shard.SendOptions, err error) {
	if len(oob) == 0 {
		return o, nil
	}
	list, err := syscall.ParseSocketControlMessage(oob)
	for i := 0; i < len(list) && err == nil; i++ {
		m := &list[i]
		switch h := m.Header; {
		case h.Level == syscall.IPPROTO_IP && is4:
			err = control(&o, m.Data, h.Type, syscall.IP_PKTINFO, syscall.IP_TOS, syscall.IP_TTL)
		case h.Level == syscall.IPPROTO_IPV6 && !is4:
			err = control(&o, m.Data, h.Type, syscall.IPV6_PKTINFO, syscall.IPV6_TCLASS, syscall.IPV6_HOPLIMIT)
		case h.Level != syscall.IPPROTO_IP && h.Level != syscall.IPPROTO_IPV6:
			err = syscall.EINVAL
		}
	}
	return o, err
}

// control carries one message to the options, given its family's numbers.
func control(o *shard.SendOptions, b []byte, typ, pktInfo, tos, hops int32) error {
	switch {
	case typ == pktInfo && len(b) == pktInfo4Len && pktInfo == syscall.IP_PKTINFO:
		o.Interface, o.From = int(int32(binary.NativeEndian.Uint32(b))), netip.AddrFrom4([4]byte(b[4:8]))
	case typ == pktInfo && len(b) == pktInfo6Len && pktInfo == syscall.IPV6_PKTINFO:
		o.From, o.Interface = netip.AddrFrom16([16]byte(b)), int(int32(binary.NativeEndian.Uint32(b[16:])))
	case typ == tos && len(b) == 1 && tos == syscall.IP_TOS:
		o.TrafficClass, o.HasTrafficClass = b[0], true
	case len(b) != 4 || typ != tos && typ != hops:
		return syscall.EINVAL
	default:
		v := binary.NativeEndian.Uint32(b)
		if int32(v) == -1 && pktInfo == syscall.IPV6_PKTINFO {
			return nil // the socket's own (RFC 3542 §6.3, §6.5)
		}
		if v > 255 || typ == hops && v == 0 {
			return syscall.EINVAL
		}
		if typ == hops {
			o.HopLimit = uint8(v)
		} else {
			o.TrafficClass, o.HasTrafficClass = uint8(v), true
		}
	}
	return nil
}
