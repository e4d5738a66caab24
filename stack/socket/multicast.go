package socket

import (
	"encoding/binary"
	"net/netip"
	"syscall"
)

// joinOrLeave is a membership in a group that hears all sources.
func joinOrLeave(e endpoint, join bool, group netip.Addr, ifc int) error {
	d, ok := e.(*datagram)
	if !ok {
		return syscall.EPROTO
	}
	if join {
		return errno(d.p.JoinGroup(group, ifc))
	}
	return errno(d.p.LeaveGroup(group, ifc))
}

// changeSource is a membership as far as one source is concerned.
func changeSource(e endpoint, name int, group, source netip.Addr, ifc int) error {
	d, ok := e.(*datagram)
	if !ok {
		return syscall.EPROTO
	}
	switch name {
	case IP_ADD_SOURCE_MEMBERSHIP, MCAST_JOIN_SOURCE_GROUP:
		return errno(d.p.JoinSource(group, source, ifc))
	case IP_DROP_SOURCE_MEMBERSHIP, MCAST_LEAVE_SOURCE_GROUP:
		return errno(d.p.LeaveSource(group, source, ifc))
	case IP_BLOCK_SOURCE, MCAST_BLOCK_SOURCE:
		return errno(d.p.BlockSource(group, source, ifc))
	}
	return errno(d.p.UnblockSource(group, source, ifc))
}

// sizeofStorage is the length of struct sockaddr_storage.
const sizeofStorage = 128

// joinGroupReq reads a struct group_req: the interface, and behind it the group.
func joinGroupReq(e endpoint, join bool, value []byte) error {
	if len(value) < 8+sizeofStorage {
		return syscall.EINVAL
	}
	group, err := groupAddr(e, value[8:])
	if err != nil {
		return err
	}
	return joinOrLeave(e, join, group, int(binary.NativeEndian.Uint32(value)))
}

// sourceGroupReq reads a struct group_source_req.
func sourceGroupReq(e endpoint, name int, value []byte) error {
	if len(value) < 8+2*sizeofStorage {
		return syscall.EINVAL
	}
	group, err := groupAddr(e, value[8:])
	if err != nil {
		return err
	}
	source, err := groupAddr(e, value[8+sizeofStorage:])
	if err != nil {
		return err
	}
	return changeSource(e, name, group, source, int(binary.NativeEndian.Uint32(value)))
}

// groupAddr reads a struct sockaddr_storage of the family that the level of the option is of.
func groupAddr(e endpoint, b []byte) (netip.Addr, error) {
	sa, err := ParseSockaddr(b[:SizeofSockaddrInet6])
	if err != nil || sa.Family != e.base().domain {
		return netip.Addr{}, syscall.EADDRNOTAVAIL
	}
	return sa.addr(), nil
}
