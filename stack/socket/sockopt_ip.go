package socket

import (
	"net/netip"
	"syscall"

	"github.com/weirnet/weir/stack/shard"
)

// shortInt reads an option at SOL_IP, which may be an int or a single octet; ok is false where
// there is nothing, which counts as 0 where the option does not mind.
func shortInt(value []byte) (v int, ok bool) {
	switch {
	case len(value) >= 4:
		return intOf(value), true
	case len(value) >= 1:
		return int(value[0]), true
	}
	return 0, false
}

func setIPOption(e endpoint, name int, value []byte) error {
	b, o := e.base(), e.ipOptions()
	v, given := shortInt(value)
	if flag := o.flag4(name); flag != nil {
		*flag = v != 0
		return nil
	}
	switch name {
	case IP_TOS:
		o.tos = v & 0xff
		if b.typ == SOCK_STREAM {
			o.tos &^= 3 // ECN's bits are TCP's
		}
	case IP_MTU_DISCOVER:
		return assign(&o.pmtudisc, v, IP_PMTUDISC_DONT, IP_PMTUDISC_OMIT)
	case IP_HDRINCL:
		if b.typ != SOCK_RAW {
			return syscall.ENOPROTOOPT
		}
		o.hdrincl = v != 0
	case IP_TTL, IP_MULTICAST_TTL, IP_MULTICAST_LOOP, IP_MULTICAST_ALL:
		if !given {
			return syscall.EINVAL
		}
		return setIPOptionGiven(e, name, v)
	case IP_LOCAL_PORT_RANGE:
		return setPortRange(o, value)
	case IP_UNICAST_IF:
		return syscall.ENOPROTOOPT
	default:
		return setMembership4(e, name, value)
	}
	return nil
}

// setPortRange reads the first port in the lower half and the last one in the upper.
func setPortRange(o *ipOptions, value []byte) error {
	if len(value) != 4 {
		return syscall.EINVAL
	}
	v := uint32(intOf(value))
	r := shard.PortRange{First: uint16(v), Last: uint16(v >> 16)}
	if r.First != 0 && r.Last != 0 && r.First > r.Last {
		return syscall.EINVAL
	}
	o.ports = r
	return nil
}

// setIPOptionGiven is setIPOption for those that want a value of one octet at least.
func setIPOptionGiven(e endpoint, name, v int) error {
	b, o := e.base(), e.ipOptions()
	switch name {
	case IP_TTL:
		if v != -1 && within(v, 1, 255) != nil {
			return syscall.EINVAL
		}
		o.ttl = v
	case IP_MULTICAST_TTL:
		if b.typ == SOCK_STREAM {
			return syscall.EINVAL
		}
		if v == -1 {
			v = 1
		}
		return assign(&o.multicastTTL, v, 0, 255)
	case IP_MULTICAST_LOOP:
		o.multicastLoop = v != 0
	case IP_MULTICAST_ALL:
		if v != 0 && v != 1 {
			return syscall.EINVAL
		}
		o.multicastAll = v == 1
	default:
		return syscall.ENOPROTOOPT
	}
	return nil
}

// setMembership4 is what concerns groups: IP_MULTICAST_IF and the joins.
func setMembership4(e endpoint, name int, value []byte) error {
	b := e.base()
	switch name {
	case IP_MULTICAST_IF:
		if b.typ == SOCK_STREAM || len(value) < 4 {
			return syscall.EINVAL
		}
		return b.setMulticastInterface(value)
	case IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP:
		if b.typ == SOCK_STREAM {
			return syscall.EPROTO
		}
		if len(value) < 8 {
			return syscall.EINVAL
		}
		ifc, err := b.mreqInterface(value[4:])
		if err != nil {
			return err
		}
		return joinOrLeave(e, name == IP_ADD_MEMBERSHIP, netip.AddrFrom4([4]byte(value)), ifc)
	case IP_ADD_SOURCE_MEMBERSHIP, IP_DROP_SOURCE_MEMBERSHIP, IP_BLOCK_SOURCE, IP_UNBLOCK_SOURCE:
		if b.typ == SOCK_STREAM {
			return syscall.EPROTO
		}
		if len(value) != 12 { // struct ip_mreq_source: group, interface, source
			return syscall.EINVAL
		}
		ifc, err := b.mreqInterface(value[4:8])
		if err != nil {
			return err
		}
		return changeSource(e, name, netip.AddrFrom4([4]byte(value)), netip.AddrFrom4([4]byte(value[8:])), ifc)
	case MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP:
		return joinGroupReq(e, name == MCAST_JOIN_GROUP, value)
	case MCAST_JOIN_SOURCE_GROUP, MCAST_LEAVE_SOURCE_GROUP, MCAST_BLOCK_SOURCE, MCAST_UNBLOCK_SOURCE:
		return sourceGroupReq(e, name, value)
	}
	return syscall.ENOPROTOOPT
}

// mreqInterface reads what follows the group in struct ip_mreq and ip_mreqn: an address of the
// interface, and its index, which goes before.
func (s *socket) mreqInterface(b []byte) (int, error) {
	if len(b) >= 8 {
		if i := intOf(b[4:]); i != 0 {
			if _, ok := s.sys.interfaceName(i); !ok {
				return 0, syscall.ENODEV
			}
			return i, nil
		}
	}
	a := netip.AddrFrom4([4]byte(b))
	if a.IsUnspecified() {
		return 0, nil
	}
	if i := s.sys.interfaceOf(a); i != 0 {
		return i, nil
	}
	return 0, syscall.ENODEV
}

// interfaceOf returns the index of the interface that has the address, or 0.
func (s *System) interfaceOf(a netip.Addr) int {
	for _, i := range s.host.Interfaces() {
		for _, p := range i.Addresses() {
			if p.Addr() == a {
				return i.Index()
			}
		}
	}
	return 0
}

// setMulticastInterface reads a struct in_addr, ip_mreq or ip_mreqn: where groups are sent to.
func (s *socket) setMulticastInterface(value []byte) error {
	at := value[:4]
	index := 0
	if len(value) >= 8 {
		at = value[4:8]
	}
	if len(value) >= 12 {
		index = intOf(value[8:])
	}
	a := netip.AddrFrom4([4]byte(at))
	switch {
	case index == 0 && a.IsUnspecified():
		s.ip.multicastIf, s.ip.multicastAddr = 0, netip.Addr{}
		return nil
	case index == 0:
		if index = s.sys.interfaceOf(a); index == 0 {
			return syscall.EADDRNOTAVAIL
		}
	default:
		if _, ok := s.sys.interfaceName(index); !ok {
			return syscall.EADDRNOTAVAIL
		}
	}
	if s.opt.device != 0 && s.opt.device != index {
		return syscall.EINVAL
	}
	s.ip.multicastIf, s.ip.multicastAddr = index, netip.Addr{}
	if !a.IsUnspecified() {
		s.ip.multicastAddr = a
	}
	return nil
}

// flag4 returns the option that is on or off, or nil.
func (o *ipOptions) flag4(name int) *bool {
	switch name {
	case IP_RECVERR:
		return &o.recvErr
	case IP_PKTINFO:
		return &o.pktInfo
	case IP_RECVTTL:
		return &o.recvTTL
	case IP_RECVTOS:
		return &o.recvTOS
	case IP_RECVORIGDSTADDR:
		return &o.recvOrigDst
	case IP_BIND_ADDRESS_NO_PORT:
		return &o.bindNoPort
	}
	return nil
}

func getIPOption(e endpoint, name int, value []byte) (int, error) {
	o := e.ipOptions()
	if flag := o.flag4(name); flag != nil {
		return putShort(value, boolInt(*flag))
	}
	switch name {
	case IP_TOS:
		return putShort(value, o.tos)
	case IP_TTL:
		if o.ttl == -1 {
			return putShort(value, defaultTTL)
		}
		return putShort(value, o.ttl)
	case IP_LOCAL_PORT_RANGE:
		return putShort(value, int(int32(uint32(o.ports.First)|uint32(o.ports.Last)<<16)))
	case IP_HDRINCL:
		return putShort(value, boolInt(o.hdrincl))
	case IP_MTU_DISCOVER:
		return putShort(value, o.pmtudisc)
	case IP_MTU:
		mtu, err := pathMTU(e)
		if err != nil {
			return 0, err
		}
		return putShort(value, min(mtu, 65535)) // more than an IPv4 packet can be
	case IP_MULTICAST_TTL:
		return putShort(value, o.multicastTTL)
	case IP_MULTICAST_LOOP:
		return putShort(value, boolInt(o.multicastLoop))
	case IP_MULTICAST_ALL:
		return putShort(value, boolInt(o.multicastAll))
	case IP_MULTICAST_IF:
		a := [4]byte{}
		if o.multicastAddr.IsValid() {
			a = o.multicastAddr.As4()
		}
		return put(value, a[:])
	}
	return 0, syscall.ENOPROTOOPT
}

// defaultTTL is the hop limit where nobody has set one (RFC 1700).
const defaultTTL = 64

// pathMTU is IP_MTU and IPV6_MTU: of the path to the peer.
func pathMTU(e endpoint) (int, error) {
	switch s := e.(type) {
	case *stream:
		if s.live == nil || s.live.state() == TCP_CLOSE {
			return 0, syscall.ENOTCONN
		}
		s.live.c.Lock()
		defer s.live.c.Unlock()
		return s.live.c.PathMTU(), nil
	case *datagram:
		to, err := s.peer()
		if err != nil {
			return 0, err
		}
		mtu, err := s.sys.host.PathMTU(to.Addr())
		return mtu, errno(err)
	}
	return 0, syscall.ENOTCONN
}
