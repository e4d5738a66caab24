package wire

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// The lengths of the neighbor discovery messages without their options, ICMPv6 header
// included, in octets (RFC 4861 §4).
const (
	RouterSolicitLen   = 8
	RouterAdvertLen    = 16
	NeighborSolicitLen = 24
	NeighborAdvertLen  = 24
	RedirectLen        = 40
)

// NDPHopLimit is the Hop Limit that every neighbor discovery message must arrive with,
// which proves that no router passed it on (RFC 4861 §3.1).
const NDPHopLimit = 255

// checkNDP checks what RFC 4861 §6.1 and §7.1 ask of every message: type, code 0,
// length, and options of which none is empty. Checksum, hop limit and addresses are for the
// caller, who has them.
func checkNDP(b []byte, typ uint8, n int) error {
	if len(b) < n {
		return ErrTruncated
	}
	if b[0] != typ || b[1] != 0 {
		return ErrICMPType
	}
	for o := b[n:]; len(o) > 0; {
		if len(o) < 8 || o[1] == 0 || int(o[1])*8 > len(o) {
			return ErrNDPOption
		}
		o = o[int(o[1])*8:]
	}
	return nil
}

// NeighborSolicit is a view of a Neighbor Solicitation (RFC 4861 §4.3), from the first
// octet of the ICMPv6 header.
type NeighborSolicit []byte

// ParseNeighborSolicit checks type, code, length, target and options.
//
// Errors: ErrTruncated, ErrICMPType, ErrNDPOption, ErrNDPTarget.
func ParseNeighborSolicit(b []byte) (NeighborSolicit, error) {
	if err := checkNDP(b, ICMPv6NeighborSolicit, NeighborSolicitLen); err != nil {
		return nil, err
	}
	if b[8] == 0xff {
		return nil, ErrNDPTarget
	}
	return NeighborSolicit(b), nil
}

// Target returns the address that is asked for.
func (m NeighborSolicit) Target() netip.Addr { return netip.AddrFrom16([16]byte(m[8:24])) }

// Options returns a walk over the message's options.
func (m NeighborSolicit) Options() NDPOptions { return NDPOptions{m[NeighborSolicitLen:]} }

// NeighborAdvert is a view of a Neighbor Advertisement (RFC 4861 §4.4), from the first
// octet of the ICMPv6 header.
type NeighborAdvert []byte

// ParseNeighborAdvert checks type, code, length, target and options.
//
// Errors: ErrTruncated, ErrICMPType, ErrNDPOption, ErrNDPTarget.
func ParseNeighborAdvert(b []byte) (NeighborAdvert, error) {
	if err := checkNDP(b, ICMPv6NeighborAdvert, NeighborAdvertLen); err != nil {
		return nil, err
	}
	if b[8] == 0xff {
		return nil, ErrNDPTarget
	}
	return NeighborAdvert(b), nil
}

// Router reports whether the sender is a router (the R flag).
func (m NeighborAdvert) Router() bool { return m[4]&0x80 != 0 }

// Solicited reports whether the message answers a solicitation (the S flag).
func (m NeighborAdvert) Solicited() bool { return m[4]&0x40 != 0 }

// Override reports whether it is to replace a cached address (the O flag).
func (m NeighborAdvert) Override() bool { return m[4]&0x20 != 0 }

// Target returns the address that is advertised.
func (m NeighborAdvert) Target() netip.Addr { return netip.AddrFrom16([16]byte(m[8:24])) }

// Options returns a walk over the message's options.
func (m NeighborAdvert) Options() NDPOptions { return NDPOptions{m[NeighborAdvertLen:]} }

// RouterSolicit is a view of a Router Solicitation (RFC 4861 §4.1), from the first octet
// of the ICMPv6 header.
type RouterSolicit []byte

// ParseRouterSolicit checks type, code, length and options.
//
// Errors: ErrTruncated, ErrICMPType, ErrNDPOption.
func ParseRouterSolicit(b []byte) (RouterSolicit, error) {
	if err := checkNDP(b, ICMPv6RouterSolicit, RouterSolicitLen); err != nil {
		return nil, err
	}
	return RouterSolicit(b), nil
}

// Options returns a walk over the message's options.
func (m RouterSolicit) Options() NDPOptions { return NDPOptions{m[RouterSolicitLen:]} }

// RouterAdvert is a view of a Router Advertisement (RFC 4861 §4.2), from the first octet
// of the ICMPv6 header.
type RouterAdvert []byte

// ParseRouterAdvert checks type, code, length and options.
//
// Errors: ErrTruncated, ErrICMPType, ErrNDPOption.
func ParseRouterAdvert(b []byte) (RouterAdvert, error) {
	if err := checkNDP(b, ICMPv6RouterAdvert, RouterAdvertLen); err != nil {
		return nil, err
	}
	return RouterAdvert(b), nil
}

// HopLimit returns the hop limit that hosts are to send with; 0 is unspecified.
func (m RouterAdvert) HopLimit() uint8 { return m[4] }

// Managed reports whether addresses come by DHCPv6 (the M flag).
func (m RouterAdvert) Managed() bool { return m[5]&0x80 != 0 }

// OtherConfig reports whether other settings come by DHCPv6 (the O flag).
func (m RouterAdvert) OtherConfig() bool { return m[5]&0x40 != 0 }

// Preference returns the router's preference: 1 high, 0 medium, -1 low. The reserved
// value counts as medium (RFC 4191 §2.2).
func (m RouterAdvert) Preference() int { return routePreference(m[5]) }

func routePreference(b uint8) int {
	switch b >> 3 & 3 {
	case 1:
		return 1
	case 3:
		return -1
	}
	return 0
}

// Lifetime returns how long the router is a default router; 0 says that it is none.
func (m RouterAdvert) Lifetime() time.Duration {
	return time.Duration(binary.BigEndian.Uint16(m[6:])) * time.Second
}

// ReachableTime returns how long a neighbor counts as reachable; 0 is unspecified.
func (m RouterAdvert) ReachableTime() time.Duration {
	return time.Duration(binary.BigEndian.Uint32(m[8:])) * time.Millisecond
}

// RetransTimer returns the time between solicitations; 0 is unspecified.
func (m RouterAdvert) RetransTimer() time.Duration {
	return time.Duration(binary.BigEndian.Uint32(m[12:])) * time.Millisecond
}

// Options returns a walk over the message's options.
func (m RouterAdvert) Options() NDPOptions { return NDPOptions{m[RouterAdvertLen:]} }

// Redirect is a view of a Redirect (RFC 4861 §4.5), from the first octet of the ICMPv6
// header.
type Redirect []byte

// ParseRedirect checks type, code, length, destination and options.
//
// Errors: ErrTruncated, ErrICMPType, ErrNDPOption, ErrNDPTarget.
func ParseRedirect(b []byte) (Redirect, error) {
	if err := checkNDP(b, ICMPv6Redirect, RedirectLen); err != nil {
		return nil, err
	}
	if b[24] == 0xff { // RFC 4861 §8.1: the destination is not multicast
		return nil, ErrNDPTarget
	}
	return Redirect(b), nil
}

// Target returns the better first hop.
func (m Redirect) Target() netip.Addr { return netip.AddrFrom16([16]byte(m[8:24])) }

// Destination returns the address that it is a better first hop for.
func (m Redirect) Destination() netip.Addr { return netip.AddrFrom16([16]byte(m[24:40])) }

// Options returns a walk over the message's options.
func (m Redirect) Options() NDPOptions { return NDPOptions{m[RedirectLen:]} }
