package serve

import "net/netip"

// Refusal says why a datagram is not answered.
type Refusal uint8

const (
	// Answerable: the source is one that a client may have.
	Answerable Refusal = iota
	// RefusedService: the source port is that of a service that would answer the
	// answer, so that two servers could be set to talk to each other for ever,
	// or of one that a forged source is meant to hit.
	RefusedService
	// RefusedSource: the source address is no single host's.
	RefusedSource
)

// Refuse says whether a datagram that came from the address and port is left
// unanswered by a service on the local port. Whoever forges a datagram's source
// decides where the answer goes; these are the places where it would do harm and
// where no honest client is:
//
//   - the ports below 1024 of services that answer whatever comes (see
//     answersAnything), and our own port, which may be the same service elsewhere;
//   - port 0, which says that no answer is expected (RFC 768);
//   - multicast, broadcast and unspecified addresses, where one forged datagram would
//     be answered to many (RFC 1122 §3.2.1.3: such an address is never a source).
func Refuse(from netip.AddrPort, local uint16) Refusal {
	addr := from.Addr().Unmap()
	if !addr.IsValid() || addr.IsUnspecified() || addr.IsMulticast() || addr == limitedBroadcast {
		return RefusedSource
	}
	if from.Port() == 0 || from.Port() == local || answersAnything(from.Port()) {
		return RefusedService
	}
	return Answerable
}

// limitedBroadcast is RFC 1122 §3.2.1.3 (c). The broadcast addresses of subnets
// are for the stack to refuse: only it knows the masks.
var limitedBroadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// answersAnything reports whether a port below 1024 is that of a UDP service
// that answers datagrams it did not ask for. No client has cause to use one of
// them as its own port.
func answersAnything(port uint16) bool {
	switch port {
	case 7, // echo: sends back everything, the loop itself (RFC 862)
		9,   // discard: answers nothing, but nobody asks from there: only a flood aimed at it (RFC 863)
		11,  // systat: a list of users to any datagram (RFC 866)
		13,  // daytime: the time to any datagram (RFC 867)
		17,  // qotd: a quotation to any datagram (RFC 865)
		18,  // message send: an acknowledgement or an error to any datagram (RFC 1312)
		19,  // chargen: up to 512 octets to any datagram (RFC 864)
		37,  // time: four octets to any datagram (RFC 868)
		53,  // DNS: an answer to any query, FORMERR to much else
		67,  // DHCP and BOOTP server
		69,  // TFTP: an error to any datagram that is no request (RFC 1350)
		111, // portmapper: answers calls many times their size
		123, // NTP: an answer to any request; control queries amplify
		137, // NetBIOS name service: a status answer many times the question
		161, // SNMP: answers get-bulk many times its size
		177, // XDMCP: declines to any query
		389, // connectionless LDAP: answers a search many times its size
		427, // SLP: answers many times the question
		464, // kpasswd: an error answer to any datagram, also to another's error answer
		500, // IKE: retransmits its answers
		520, // RIP: the whole table to any request (RFC 2453)
		521, // RIPng: the same (RFC 2080)
		623: // RMCP/IPMI: a pong to any ping
		return true
	}
	return false
}
