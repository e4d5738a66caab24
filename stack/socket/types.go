package socket

import (
	"encoding/binary"
	"net/netip"
	"syscall"
)

// Sockaddr is struct sockaddr_in or sockaddr_in6.
type Sockaddr struct {
	Family   int        // AF_INET, AF_INET6, AF_UNSPEC
	Addr     netip.Addr // without a zone; an AF_INET6 one may be a mapped IPv4 address; not valid: unspecified
	Port     int
	Flowinfo uint32 // AF_INET6
	ScopeID  uint32 // AF_INET6: the index of the interface
	// Len is the length that a call is told, for those that tell a wrong one; 0 stands
	// for the right one of the family.
	Len int
}

// The lengths of the structures.
const (
	SizeofSockaddrInet4 = 16
	SizeofSockaddrInet6 = 28
	SizeofLinger        = 8
	SizeofTimeval       = 16
	SizeofCmsghdr       = 16
	SizeofSockExtErr    = 16
)

// NewSockaddr returns the address of an IPv4 end as AF_INET, of an IPv6 or mapped one as AF_INET6.
func NewSockaddr(ap netip.AddrPort) *Sockaddr {
	sa := &Sockaddr{Family: AF_INET6, Addr: ap.Addr().WithZone(""), Port: int(ap.Port())}
	if ap.Addr().Is4() {
		sa.Family = AF_INET
	}
	return sa
}

// AddrPort returns the end that the address names.
func (sa *Sockaddr) AddrPort() netip.AddrPort {
	return netip.AddrPortFrom(sa.addr(), uint16(sa.Port))
}

// addr returns the address, the unspecified one of the family where none is given.
func (sa *Sockaddr) addr() netip.Addr {
	switch {
	case sa.Addr.IsValid():
		return sa.Addr
	case sa.Family == AF_INET6:
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// Append writes the structure's octets in C's layout behind b.
func (sa *Sockaddr) Append(b []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(sa.Family))
	b = binary.BigEndian.AppendUint16(b, uint16(sa.Port))
	switch sa.Family {
	case AF_INET6:
		a := sa.addr().As16()
		b = binary.BigEndian.AppendUint32(b, sa.Flowinfo)
		b = append(b, a[:]...)
		return binary.NativeEndian.AppendUint32(b, sa.ScopeID)
	default:
		var a [4]byte
		if u := sa.addr().Unmap(); u.Is4() {
			a = u.As4()
		}
		b = append(b, a[:]...)
		return append(b, make([]byte, 8)...)
	}
}

// ParseSockaddr reads a structure in C's layout. The error is EINVAL where b is too short
// for its family, EAFNOSUPPORT for a family that it does not know.
func ParseSockaddr(b []byte) (*Sockaddr, error) {
	if len(b) < 2 {
		return nil, syscall.EINVAL
	}
	sa := &Sockaddr{Family: int(binary.NativeEndian.Uint16(b))}
	switch sa.Family {
	case AF_INET:
		if len(b) < SizeofSockaddrInet4 {
			return nil, syscall.EINVAL
		}
		sa.Addr = netip.AddrFrom4([4]byte(b[4:8]))
	case AF_INET6:
		if len(b) < SizeofSockaddrInet6-4 { // RFC 2133's had no scope
			return nil, syscall.EINVAL
		}
		sa.Flowinfo = binary.BigEndian.Uint32(b[4:])
		sa.Addr = netip.AddrFrom16([16]byte(b[8:24]))
		if len(b) >= SizeofSockaddrInet6 {
			sa.ScopeID = binary.NativeEndian.Uint32(b[24:])
		}
	case AF_UNSPEC:
		return sa, nil
	default:
		return nil, syscall.EAFNOSUPPORT
	}
	sa.Port = int(binary.BigEndian.Uint16(b[2:]))
	return sa, nil
}

// Msghdr is struct msghdr.
type Msghdr struct {
	// Name is where SendMsg sends to, nil for where the socket is connected to; RecvMsg
	// sets it to where the message came from, nil where there is nothing to say.
	Name *Sockaddr
	Iov  [][]byte
	// Control is ancillary data in C's layout; see AppendCmsg and ParseCmsgs. RecvMsg
	// fills its length and cuts it to what it filled.
	Control []byte
	// Flags is set by RecvMsg: MSG_TRUNC, MSG_CTRUNC, MSG_OOB, MSG_EOR, MSG_ERRQUEUE.
	Flags int

	room int // of Control, while it is filled
}

// PollFD is struct pollfd.
type PollFD struct {
	FD      int
	Events  int // what is asked for
	Revents int // what holds
}

// EpollEvent is struct epoll_event.
type EpollEvent struct {
	Events uint32
	Data   uint64
}

// FDSet is fd_set.
type FDSet [FD_SETSIZE / 64]uint64

// Set puts a descriptor into the set, Clear takes it out, and IsSet reports whether it is
// there. They panic for descriptors outside 0 to FD_SETSIZE-1.
func (s *FDSet) Set(fd int) { s[fd/64] |= 1 << (fd % 64) }

// Clear takes a descriptor out of the set.
func (s *FDSet) Clear(fd int) { s[fd/64] &^= 1 << (fd % 64) }

// IsSet reports whether a descriptor is in the set.
func (s *FDSet) IsSet(fd int) bool { return s[fd/64]&(1<<(fd%64)) != 0 }

// Zero empties the set.
func (s *FDSet) Zero() { *s = FDSet{} }

// Linger is struct linger.
type Linger struct {
	OnOff  int
	Linger int // seconds
}

// Timeval is struct timeval.
type Timeval struct {
	Sec, Usec int64
}

// SockExtErr is struct sock_extended_err, with the address that follows it in the message.
type SockExtErr struct {
	Errno                   syscall.Errno
	Origin, Type, Code, Pad uint8
	Info, Data              uint32
	Offender                *Sockaddr // nil, where no node reported it
}
