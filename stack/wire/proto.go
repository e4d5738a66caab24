package wire

import "strconv"

// Protocol numbers, as IPv4's Protocol and IPv6's Next Header carry them (IANA
// "Assigned Internet Protocol Numbers").
const (
	ProtoHopByHop    = 0  // IPv6 Hop-by-Hop Options (RFC 8200 §4.3)
	ProtoICMP        = 1  // ICMP for IPv4 (RFC 792)
	ProtoIGMP        = 2  // IGMP (RFC 3376)
	ProtoIPv4        = 4  // IPv4 in IP (RFC 2003)
	ProtoTCP         = 6  // TCP (RFC 9293)
	ProtoUDP         = 17 // UDP (RFC 768)
	ProtoIPv6        = 41 // IPv6 in IP (RFC 2473)
	ProtoRouting     = 43 // IPv6 Routing header (RFC 8200 §4.4)
	ProtoFragment    = 44 // IPv6 Fragment header (RFC 8200 §4.5)
	ProtoESP         = 50 // Encapsulating Security Payload (RFC 4303)
	ProtoAH          = 51 // Authentication Header (RFC 4302)
	ProtoICMPv6      = 58 // ICMPv6 (RFC 4443)
	ProtoNoNext      = 59 // no next header (RFC 8200 §4.7)
	ProtoDestination = 60 // IPv6 Destination Options (RFC 8200 §4.6)
)

// ProtocolName returns the usual name of a protocol number, or the number itself.
func ProtocolName(proto uint8) string {
	switch proto {
	case ProtoHopByHop:
		return "HopByHop"
	case ProtoICMP:
		return "ICMP"
	case ProtoIGMP:
		return "IGMP"
	case ProtoIPv4:
		return "IPv4"
	case ProtoTCP:
		return "TCP"
	case ProtoUDP:
		return "UDP"
	case ProtoIPv6:
		return "IPv6"
	case ProtoRouting:
		return "Routing"
	case ProtoFragment:
		return "Fragment"
	case ProtoESP:
		return "ESP"
	case ProtoAH:
		return "AH"
	case ProtoICMPv6:
		return "ICMPv6"
	case ProtoNoNext:
		return "NoNext"
	case ProtoDestination:
		return "Destination"
	}
	return "protocol " + strconv.Itoa(int(proto))
}
