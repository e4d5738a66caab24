package cidr

import "net/netip"

// Scope says how far an address reaches; a greater scope reaches farther. The values are
// those of the field in an IPv6 multicast address (RFC 4291 §2.7).
type Scope uint8

// The scopes that have a name. The others are for administrators to define.
const (
	ScopeInterfaceLocal    Scope = 0x1
	ScopeLinkLocal         Scope = 0x2
	ScopeRealmLocal        Scope = 0x3 // RFC 7346 §2
	ScopeAdminLocal        Scope = 0x4
	ScopeSiteLocal         Scope = 0x5
	ScopeOrganizationLocal Scope = 0x8
	ScopeGlobal            Scope = 0xe
)

// String returns the scope's name, or its number in hexadecimal where it has none.
func (s Scope) String() string {
	switch s {
	case ScopeInterfaceLocal:
		return "interface-local"
	case ScopeLinkLocal:
		return "link-local"
	case ScopeRealmLocal:
		return "realm-local"
	case ScopeAdminLocal:
		return "admin-local"
	case ScopeSiteLocal:
		return "site-local"
	case ScopeOrganizationLocal:
		return "organization-local"
	case ScopeGlobal:
		return "global"
	}
	const hex = "0123456789abcdef"
	return "scope 0x" + string([]byte{hex[s>>4], hex[s&0xf]})
}

// ScopeOf returns the scope of an address: RFC 6724 §3.1 for IPv6, §3.2 for IPv4 unicast,
// RFC 2365 §8 for IPv4 multicast. Loopback counts as link-local (RFC 4007 §4), private
// and unique local addresses as global: they are unambiguous where they are used.
// The unspecified and the limited broadcast address count as link-local, for they
// never leave the link. The scope of an invalid address is 0.
func ScopeOf(addr netip.Addr) Scope {
	switch {
	case !addr.IsValid():
		return 0
	case addr.IsMulticast():
		return multicastScope(addr)
	case addr.IsLinkLocalUnicast(), addr.IsLoopback(), addr.IsUnspecified(), IsLimitedBroadcast(addr):
		return ScopeLinkLocal
	case IsSiteLocal(addr):
		return ScopeSiteLocal
	case addr.Is4In6():
		return ScopeOf(addr.Unmap()) // RFC 6724 §3.2
	}
	return ScopeGlobal
}

func multicastScope(addr netip.Addr) Scope {
	if addr.Is6() && !addr.Is4In6() {
		return Scope(addr.As16()[1] & 0xf)
	}
	a := addr.Unmap().As4()
	switch {
	case a[0] == 224 && a[1] == 0 && a[2] == 0: // 224.0.0.0/24
		return ScopeLinkLocal
	case a[0] == 239 && a[1] == 255: // 239.255.0.0/16, the IPv4 local scope
		return ScopeRealmLocal
	case a[0] == 239 && a[1]&^3 == 192: // 239.192.0.0/14
		return ScopeOrganizationLocal
	}
	return ScopeGlobal
}

// IsSiteLocal reports whether addr is in fec0::/10, which RFC 3879 deprecated and
// RFC 6724 still ranks.
func IsSiteLocal(addr netip.Addr) bool {
	if !addr.Is6() {
		return false
	}
	a := addr.As16()
	return a[0] == 0xfe && a[1]&0xc0 == 0xc0
}
