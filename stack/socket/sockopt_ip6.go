package socket

import (
	"encoding/binary"
	"net/netip"
	"syscall"
)

func setIPv6Option(e endpoint, name int, value []byte) error {
	b, o := e.base(), e.ipOptions()
	switch name {
	case IPV6_ADD_MEMBERSHIP, IPV6_DROP_MEMBERSHIP:
		return setMembership6(e, name, value)
	case MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP:
		return joinGroupReq(e, name == MCAST_JOIN_GROUP, value)
	case MCAST_JOIN_SOURCE_GROUP, MCAST_LEAVE_SOURCE_GROUP, MCAST_BLOCK_SOURCE, MCAST_UNBLOCK_SOURCE:
		return sourceGroupReq(e, name, value)
	}
	if _, known := ipv6Ints[name]; !known {
		return syscall.ENOPROTOOPT
	}
	if b.typ == SOCK_STREAM && (name == IPV6_MULTICAST_HOPS || name == IPV6_MULTICAST_IF) {
		return syscall.ENOPROTOOPT
	}
	if len(value) < 4 && name == IPV6_DONTFRAG { // Linux forgets to ask how much there is
		value = make([]byte, 4)
	}
	if len(value) < 4 {
		return syscall.EINVAL
	}
	v := intOf(value)
	if flag := o.flag6(name); flag != nil {
		*flag = v != 0
		return nil
	}
	switch name {
	case IPV6_V6ONLY:
		if e.isBound() {
			return syscall.EINVAL
		}
		o.v6only = v != 0
	case IPV6_UNICAST_HOPS:
		return assign(&o.hops, v, -1, 255)
	case IPV6_MULTICAST_HOPS:
		if v == -1 {
			v = 1
		}
		return assign(&o.multicastHops, v, 0, 255)
	case IPV6_MULTICAST_LOOP:
		return assignBool(&o.multicastLoop6, v)
	case IPV6_MULTICAST_ALL:
		o.multicastAll6 = v != 0
	case IPV6_MULTICAST_IF:
		return b.setMulticastInterface6(v)
	case IPV6_MTU_DISCOVER:
		return assign(&o.pmtudisc6, v, IPV6_PMTUDISC_DONT, IPV6_PMTUDISC_OMIT)
	case IPV6_TCLASS:
		if err := within(v, -1, 255); err != nil {
			return err
		}
		o.tclass = max(v, 0)
		if b.typ == SOCK_STREAM {
			o.tclass &^= 3
		}
	}
	return nil
}

// ipv6Ints is the options that are an int.
var ipv6Ints = map[int]bool{
	IPV6_V6ONLY: true, IPV6_UNICAST_HOPS: true, IPV6_MULTICAST_HOPS: true, IPV6_MULTICAST_LOOP: true, IPV6_MULTICAST_ALL: true,
	IPV6_MULTICAST_IF: true, IPV6_MTU_DISCOVER: true, IPV6_TCLASS: true,
	IPV6_RECVERR: true, IPV6_RECVPKTINFO: true, IPV6_RECVHOPLIMIT: true, IPV6_RECVTCLASS: true, IPV6_DONTFRAG: true,
}

// flag6 returns the option that is on or off, or nil.
func (o *ipOptions) flag6(name int) *bool {
	switch name {
	case IPV6_RECVERR:
		return &o.recvErr6
	case IPV6_RECVPKTINFO:
		return &o.recvPktInfo
	case IPV6_RECVHOPLIMIT:
		return &o.recvHops
	case IPV6_RECVTCLASS:
		return &o.recvTclass
	case IPV6_DONTFRAG:
		return &o.dontFrag
	}
	return nil
}

func (s *socket) setMulticastInterface6(index int) error {
	if index != 0 {
		if _, ok := s.sys.interfaceName(index); !ok {
			return syscall.ENODEV
		}
		if s.opt.device != 0 && s.opt.device != index {
			return syscall.EINVAL
		}
	}
	s.ip.multicastIf6 = index
	return nil
}

// setMembership6 reads a struct ipv6_mreq.
func setMembership6(e endpoint, name int, value []byte) error {
	if len(value) < 20 {
		return syscall.EINVAL
	}
	if e.base().typ == SOCK_STREAM {
		return syscall.EPROTO
	}
	group := netip.AddrFrom16([16]byte(value))
	ifc := int(binary.NativeEndian.Uint32(value[16:]))
	return joinOrLeave(e, name == IPV6_ADD_MEMBERSHIP, group, ifc)
}

func getIPv6Option(e endpoint, name int, value []byte) (int, error) {
	o := e.ipOptions()
	if flag := o.flag6(name); flag != nil {
		return putBool(value, *flag)
	}
	switch name {
	case IPV6_V6ONLY:
		return putBool(value, o.v6only)
	case IPV6_UNICAST_HOPS:
		if o.hops == -1 {
			return putInt(value, defaultTTL)
		}
		return putInt(value, o.hops)
	case IPV6_MULTICAST_HOPS:
		return putInt(value, o.multicastHops)
	case IPV6_MULTICAST_LOOP:
		return putBool(value, o.multicastLoop6)
	case IPV6_MULTICAST_ALL:
		return putBool(value, o.multicastAll6)
	case IPV6_MULTICAST_IF:
		return putInt(value, o.multicastIf6)
	case IPV6_MTU_DISCOVER:
		return putInt(value, o.pmtudisc6)
	case IPV6_MTU:
		mtu, err := pathMTU(e)
		if err != nil {
			return 0, err
		}
		return putInt(value, mtu)
	case IPV6_TCLASS:
		return putInt(value, o.tclass)
	}
	return 0, syscall.ENOPROTOOPT
}
