package wire

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// The types of neighbor discovery options that are understood (RFC 4861 §4.6, RFC 8106).
const (
	NDPOptionSourceLinkAddr = 1
	NDPOptionTargetLinkAddr = 2
	NDPOptionPrefix         = 3
	NDPOptionRedirected     = 4
	NDPOptionMTU            = 5
	NDPOptionNonce          = 14 // RFC 3971 §5.3.2, used by RFC 7527
	NDPOptionRDNSS          = 25
	NDPOptionDNSSL          = 31
)

// NDPInfinity is the lifetime that never ends (RFC 4861 §4.6.2).
const NDPInfinity = 0xffffffff * time.Second

// NDPOptions walks the options of a neighbor discovery message. Got from a checked
// message's Options, it meets no malformed one.
type NDPOptions struct{ rest []byte }

// NDPOption is one option, type and length included: RFC 4861 §4.6. Its accessors
// report ok false where the option is of another type, or too short for its own.
type NDPOption []byte

// Next returns the next option; ok is false at the end.
func (w *NDPOptions) Next() (o NDPOption, ok bool) {
	if len(w.rest) < 8 || w.rest[1] == 0 {
		return nil, false
	}
	n := int(w.rest[1]) * 8
	if n > len(w.rest) {
		return nil, false
	}
	o, w.rest = NDPOption(w.rest[:n:n]), w.rest[n:]
	return o, true
}

// LinkAddr returns the Ethernet address of the first option of the type: the source's
// (NDPOptionSourceLinkAddr) or the target's (NDPOptionTargetLinkAddr). It does not
// move the walk.
func (w NDPOptions) LinkAddr(kind uint8) (m MAC, ok bool) {
	for {
		o, more := w.Next()
		if !more {
			return MAC{}, false
		}
		if o.Kind() == kind {
			return o.LinkAddr()
		}
	}
}

// Kind returns the option's type.
func (o NDPOption) Kind() uint8 { return o[0] }

// Data returns what follows type and length.
func (o NDPOption) Data() []byte { return o[2:] }

// LinkAddr returns the Ethernet address of a source or target link-layer address option
// (RFC 2464 §6).
func (o NDPOption) LinkAddr() (m MAC, ok bool) {
	if k := o.Kind(); (k != NDPOptionSourceLinkAddr && k != NDPOptionTargetLinkAddr) || len(o) != 8 {
		return MAC{}, false
	}
	return MAC(o[2:8]), true
}

// MTU returns the link's MTU from an MTU option, in octets.
func (o NDPOption) MTU() (mtu int, ok bool) {
	if o.Kind() != NDPOptionMTU || len(o) != 8 {
		return 0, false
	}
	return int(min(binary.BigEndian.Uint32(o[4:]), 1<<31-1)), true
}

// PrefixInfo is a Prefix Information option (RFC 4861 §4.6.2).
type PrefixInfo struct {
	Prefix            netip.Prefix // masked
	OnLink            bool         // the L flag
	Autonomous        bool         // the A flag: addresses may be formed from it (RFC 4862)
	ValidLifetime     time.Duration
	PreferredLifetime time.Duration
}

// PrefixInfo returns the content of a Prefix Information option.
func (o NDPOption) PrefixInfo() (p PrefixInfo, ok bool) {
	if o.Kind() != NDPOptionPrefix || len(o) != 32 || o[2] > 128 {
		return PrefixInfo{}, false
	}
	return PrefixInfo{
		Prefix:            netip.PrefixFrom(netip.AddrFrom16([16]byte(o[16:32])), int(o[2])).Masked(),
		OnLink:            o[3]&0x80 != 0,
		Autonomous:        o[3]&0x40 != 0,
		ValidLifetime:     seconds(o[4:]),
		PreferredLifetime: seconds(o[8:]),
	}, true
}

func seconds(b []byte) time.Duration {
	return time.Duration(binary.BigEndian.Uint32(b)) * time.Second
}

// RDNSS returns the lifetime and the number of servers of a Recursive DNS Server option
// (RFC 8106 §5.1); DNSServer returns each of them.
func (o NDPOption) RDNSS() (lifetime time.Duration, n int, ok bool) {
	if o.Kind() != NDPOptionRDNSS || len(o) < 24 {
		return 0, 0, false
	}
	return seconds(o[4:]), (len(o) - 8) / 16, true
}

// DNSServer returns the i-th server of an option of which RDNSS told the number.
func (o NDPOption) DNSServer(i int) netip.Addr {
	return netip.AddrFrom16([16]byte(o[8+16*i : 24+16*i]))
}
