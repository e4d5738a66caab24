// Package wire reads and writes packets: Ethernet, ARP, IPv4, IPv6 and its extension
// headers, ICMP of both families, neighbor discovery, UDP, TCP and its options, and the
// checksum that most of them share. It keeps no state, takes no time and allocates
// nothing, Describe, String and Error apart.
//
// # Views
//
// A view (IPv4, TCP, …) is a []byte with methods: it copies nothing and holds nothing but
// the packet. Accessors decode a field each time they are called; setters write it in
// place. Integers are in host order, lengths and offsets in octets whatever unit the
// field has.
//
// # The panic contract
//
// Octets from the network go to a Parse function and to nothing else. It looks at every
// length that the accessors rely on, once, and returns an error instead of a view where
// one is wrong. After that
//
//   - no accessor of the view panics, and no slice that it returns reaches outside the
//     packet;
//   - this holds for as long as the octets that hold lengths are not changed behind the
//     view: IPv4's first octet, TCP's data offset, the VLAN tags of an Ethernet header,
//     the option lengths of neighbor discovery. No setter here changes one of them.
//     SetTotalLen, SetPayloadLen and SetLength change what a later Parse will say, not the
//     view in hand, whose end is the end of its slice;
//   - a view made by conversion, IPv4(b), promises nothing: its accessors panic like
//     any index out of range. That is for packets that weir itself has built.
//
// Where a view trims the packet to the length that it states, the view's capacity is
// trimmed with it, so that no append reaches the octets behind.
//
// A Put function writes a header into a buffer that its caller has made large enough;
// it panics where the buffer is too short, since that is a fault of the program and
// never of a packet. The caller writes the payload, then calls UpdateChecksum or leaves
// PseudoHeaderSum in the field for a device to finish. PutIPv4 alone is complete at
// once: IPv4's checksum does not cover the payload.
//
// # What is not judged
//
// A Parse function says whether a packet can be read, not whether it should be obeyed.
// Checksums, addresses, hop limits and options are judged by methods of their own
// (ChecksumOK, CheckOptions, Extensions), called by the package that counts what it
// drops. Those that may call for a Parameter Problem return a Problem and the octet to
// point at.
//
// # The way of a packet
//
// In: link hands up a frame. Where it is Ethernet, ParseEthernet finds the payload; ip
// calls ParseIPv4 and CheckOptions, or ParseIPv6 and Extensions; the transport calls
// ParseTCP, ParseUDP or ParseICMPv4 on the payload and checks its sum with the two
// addresses. Out, the other way round: the transport's Put function, then PutIPv4 or
// PutIPv6 in the headroom before it, then PutEthernet before that.
//
// # The checksum
//
// Sum adds eight octets at a time in two independent carry chains; the words are added in
// the machine's order and swapped once at the end. Sums of pieces are joined by
// Combine, or SumAt where a piece has an odd length. A change of a field corrects the
// checksum by RFC 1624 (UpdateChecksum16 and its kin), never by computing it afresh,
// so that a packet that was damaged stays detectably so.
package wire
