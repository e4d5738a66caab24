package socket

import (
	"net/netip"
	"strconv"
	"syscall"
)

// AddrInfo is struct addrinfo.
type AddrInfo struct {
	Flags, Family, SockType, Protocol int
	Addr                              Sockaddr
	CanonName                         string // of the first, where AI_CANONNAME asked for it
}

// AddrInfoError is what getaddrinfo(3) returns: EAI_NONAME and so on.
type AddrInfoError int

var addrInfoErrors = map[AddrInfoError]string{
	EAI_BADFLAGS: "bad value for ai_flags", EAI_NONAME: "name or service not known", EAI_AGAIN: "temporary failure in name resolution",
	EAI_FAIL: "non-recoverable failure in name resolution", EAI_FAMILY: "ai_family not supported", EAI_SOCKTYPE: "ai_socktype not supported",
	EAI_SERVICE: "service not supported for ai_socktype", EAI_SYSTEM: "system error",
}

// Error describes the error as gai_strerror(3) does.
func (e AddrInfoError) Error() string {
	if s, ok := addrInfoErrors[e]; ok {
		return s
	}
	return "getaddrinfo error " + strconv.Itoa(int(e))
}

// services is what of /etc/services the stack's programs use; names of RFC 6335's registry.
var services = map[string]uint16{
	"echo": 7, "discard": 9, "daytime": 13, "qotd": 17, "chargen": 19, "ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23,
	"smtp": 25, "time": 37, "domain": 53, "tftp": 69, "gopher": 70, "finger": 79, "http": 80, "kerberos": 88, "pop3": 110,
	"sunrpc": 111, "ntp": 123, "imap": 143, "snmp": 161, "bgp": 179, "irc": 194, "ldap": 389, "https": 443, "submission": 587,
	"ldaps": 636, "imaps": 993, "pop3s": 995, "mdns": 5353,
}

// kinds is what getaddrinfo(3) returns for each address, where nothing narrower is asked.
var kinds = []AddrInfo{
	{SockType: SOCK_STREAM, Protocol: IPPROTO_TCP}, {SockType: SOCK_DGRAM, Protocol: IPPROTO_UDP}, {SockType: SOCK_RAW},
}

const addrInfoFlags = AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_V4MAPPED | AI_ALL | AI_ADDRCONFIG | AI_NUMERICSERV

// Getaddrinfo is getaddrinfo(3). node and service may be empty for none; hints may be nil. The
// error is nil or an AddrInfoError. Names are localhost, Config.Hostname and what
// Config.Resolver knows.
func (s *System) Getaddrinfo(node, service string, hints *AddrInfo) ([]AddrInfo, error) {
	var h AddrInfo
	if hints != nil {
		h = *hints
	}
	switch {
	case h.Flags&^addrInfoFlags != 0, h.Flags&AI_CANONNAME != 0 && node == "":
		return nil, AddrInfoError(EAI_BADFLAGS)
	case h.Family != AF_UNSPEC && h.Family != AF_INET && h.Family != AF_INET6:
		return nil, AddrInfoError(EAI_FAMILY)
	case node == "" && service == "":
		return nil, AddrInfoError(EAI_NONAME)
	}
	wanted := h.kinds()
	if len(wanted) == 0 {
		return nil, AddrInfoError(EAI_SOCKTYPE)
	}
	port, err := servicePort(service, h.Flags, wanted)
	if err != nil {
		return nil, err
	}
	addrs, err := s.addresses(node, &h)
	if err != nil {
		return nil, err
	}
	var list []AddrInfo
	for _, a := range addrs {
		sa := *NewSockaddr(netip.AddrPortFrom(a.WithZone(""), port))
		if i := s.host.InterfaceByName(a.Zone()); a.Zone() != "" && i != nil {
			sa.ScopeID = uint32(i.Index())
		}
		for _, k := range wanted {
			list = append(list, AddrInfo{Flags: h.Flags, Family: sa.Family, SockType: k.SockType, Protocol: k.Protocol, Addr: sa})
		}
	}
	if h.Flags&AI_CANONNAME != 0 {
		list[0].CanonName = node
	}
	return list, nil
}

// kinds returns the types of socket that the hints ask for.
func (h *AddrInfo) kinds() (list []AddrInfo) {
	for _, k := range kinds {
		if k.SockType == SOCK_RAW {
			k.Protocol = h.Protocol
		}
		if (h.SockType == 0 || h.SockType == k.SockType) && (h.Protocol == 0 || h.Protocol == k.Protocol) {
			list = append(list, k)
		}
	}
	return list
}

func servicePort(service string, flags int, wanted []AddrInfo) (uint16, error) {
	if service == "" {
		return 0, nil
	}
	if n, err := strconv.ParseUint(service, 10, 16); err == nil {
		return uint16(n), nil
	}
	port, ok := services[service]
	switch {
	case flags&AI_NUMERICSERV != 0:
		return 0, AddrInfoError(EAI_NONAME)
	case !ok, len(wanted) == 1 && wanted[0].SockType == SOCK_RAW:
		return 0, AddrInfoError(EAI_SERVICE)
	}
	return port, nil
}

// addresses returns what a name stands for, in the family that was asked for.
func (s *System) addresses(node string, h *AddrInfo) ([]netip.Addr, error) {
	all, err := s.lookUp(node, h)
	if err != nil {
		return nil, err
	}
	var fit, v4 []netip.Addr
	for _, a := range all {
		a = a.Unmap()
		if a.Is4() {
			v4 = append(v4, a)
		}
		if h.Family == AF_UNSPEC || (h.Family == AF_INET) == a.Is4() {
			fit = append(fit, a)
		}
	}
	if h.Family == AF_INET6 && h.Flags&AI_V4MAPPED != 0 && (len(fit) == 0 || h.Flags&AI_ALL != 0) {
		for _, a := range v4 {
			fit = append(fit, netip.AddrFrom16(a.As16()))
		}
	}
	if len(fit) == 0 {
		return nil, AddrInfoError(EAI_NONAME)
	}
	return fit, nil
}

func (s *System) lookUp(node string, h *AddrInfo) ([]netip.Addr, error) {
	local := []netip.Addr{netip.IPv6Loopback(), loopbackOf(netip.IPv4Unspecified())}
	switch {
	case node == "" && h.Flags&AI_PASSIVE != 0:
		return []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}, nil
	case node == "":
		return local, nil
	}
	if a, err := netip.ParseAddr(node); err == nil {
		return []netip.Addr{a}, nil
	}
	switch {
	case h.Flags&AI_NUMERICHOST != 0:
		return nil, AddrInfoError(EAI_NONAME)
	case node == "localhost", node == s.cfg.Hostname:
		return local, nil
	case s.cfg.Resolver == nil:
		return nil, AddrInfoError(EAI_NONAME)
	}
	list, err := s.cfg.Resolver(node)
	if err != nil {
		if e, ok := err.(AddrInfoError); ok {
			return nil, e
		}
		return nil, AddrInfoError(EAI_AGAIN)
	}
	return list, nil
}

// Gethostname is gethostname(2): it fills name and returns how long the name is. ENAMETOOLONG where it
// does not fit with the zero behind it.
func (s *System) Gethostname(name []byte) (int, error) {
	n := copy(name, s.cfg.Hostname)
	if n < len(s.cfg.Hostname) || n == len(name) {
		return -1, syscall.ENAMETOOLONG
	}
	name[n] = 0
	return n, nil
}
