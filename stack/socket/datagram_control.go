package socket

import (
	"encoding/binary"
	"net/netip"
	"syscall"

	"github.com/weirnet/weir/stack/shard"
)

// parseControl reads the control messages of sendmsg(2): those of the family that the datagram is
// sent over count.
func (d *datagram) parseControl(b []byte, is4 bool, p *corked) error {
	list, err := ParseCmsgs(b)
	if err != nil {
		return err
	}
	for _, c := range list {
		switch {
		case c.Level == SOL_SOCKET:
			err = controlSocket(c)
		case c.Level == SOL_UDP && d.udp != nil:
			err = p.controlUDP(c)
		case c.Level == SOL_IP && is4:
			err = d.control4(c, &p.o)
		case c.Level == SOL_IPV6 && (!is4 || c.Type == IPV6_PKTINFO && d.domain == AF_INET6):
			err = d.control6(c, &p.o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// controlSocket takes what any socket takes and the stack has no use for.
func controlSocket(c Cmsg) error {
	if c.Type == SO_MARK && len(c.Data) == 4 {
		return nil
	}
	return syscall.EINVAL
}

// controlUDP takes UDP_SEGMENT for one call.
func (p *corked) controlUDP(c Cmsg) error {
	if c.Type != UDP_SEGMENT || len(c.Data) != 2 {
		return syscall.EINVAL
	}
	p.segment = int(binary.NativeEndian.Uint16(c.Data))
	return nil
}

func (d *datagram) control4(c Cmsg, o *shard.SendOptions) error {
	switch c.Type {
	case IP_PKTINFO:
		if len(c.Data) != 12 {
			return syscall.EINVAL
		}
		if i := intOf(c.Data); i != 0 {
			o.Interface = i
		}
		if a := netip.AddrFrom4([4]byte(c.Data[4:8])); !a.IsUnspecified() {
			o.From = a
		}
	case IP_TTL:
		if len(c.Data) != 4 || within(intOf(c.Data), 1, 255) != nil {
			return syscall.EINVAL
		}
		o.HopLimit = uint8(intOf(c.Data))
	case IP_TOS:
		v := -1
		switch len(c.Data) {
		case 4:
			v = intOf(c.Data)
		case 1:
			v = int(c.Data[0])
		}
		if within(v, 0, 255) != nil {
			return syscall.EINVAL
		}
		o.TrafficClass, o.HasTrafficClass = uint8(v), true
	default:
		return syscall.EINVAL
	}
	return nil
}

func (d *datagram) control6(c Cmsg, o *shard.SendOptions) error {
	switch c.Type {
	case IPV6_PKTINFO:
		if len(c.Data) < 20 {
			return syscall.EINVAL
		}
		if i := int(binary.NativeEndian.Uint32(c.Data[16:])); i != 0 {
			if _, ok := d.sys.interfaceName(i); !ok {
				return syscall.ENODEV
			}
			o.Interface = i
		}
		if a := netip.AddrFrom16([16]byte(c.Data)); !a.IsUnspecified() {
			if !d.sys.host.IsLocal(a.Unmap()) {
				return syscall.EINVAL
			}
			o.From = a.Unmap()
		}
	case IPV6_HOPLIMIT:
		if len(c.Data) != 4 || within(intOf(c.Data), -1, 255) != nil {
			return syscall.EINVAL
		}
		o.HopLimit = uint8(max(intOf(c.Data), 0))
	case IPV6_TCLASS:
		if len(c.Data) != 4 || within(intOf(c.Data), -1, 255) != nil {
			return syscall.EINVAL
		}
		o.TrafficClass, o.HasTrafficClass = uint8(max(intOf(c.Data), 0)), true
	case IPV6_DONTFRAG:
		if len(c.Data) != 4 || within(intOf(c.Data), 0, 1) != nil {
			return syscall.EINVAL
		}
		o.DontFragment = intOf(c.Data) == 1
	default:
		return syscall.EINVAL
	}
	return nil
}
