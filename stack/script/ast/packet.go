package ast

// Direction says which way a packet goes.
type Direction uint8

const (
	In  Direction = iota // <: the script sends it to the stack
	Out                  // >: the stack is expected to send it
)

// Maybe is a number that may be left out.
type Maybe struct {
	Set   bool
	Value uint32
}

// Just returns a number that is there.
func Just(v uint32) Maybe { return Maybe{Set: true, Value: v} }

// Packet is one packet. Exactly one of TCP, UDP, ICMP and Unsupported is set.
type Packet struct {
	Pos       Pos
	Direction Direction
	Path      string  // Multipath TCP's addresses, as addr[a] > addr[b], or ""
	Layers    []Layer // what the packet is wrapped in, outermost first
	IP        IP      // the header that belongs to the transport
	TCP       *TCP
	UDP       *UDP
	ICMP      *ICMP
	// Unsupported is a packet that the language can say and weir does not speak.
	Unsupported *Unsupported
	// Fuzz is the text of {mut …}, the request to damage the packet, or "".
	Fuzz string
}

// ECN is what a packet says of the two bits for congestion (RFC 3168 §5).
type ECN uint8

const (
	ECNAbsent ECN = iota // nothing is said of the bits
	NotECT               // noecn
	ECT0                 // ect0
	ECT1                 // ect1
	CE                   // ce
	ECT01                // ect01: ECT(0) or ECT(1); only of packets out
)

// IP is what a packet says of its IP header. What is not set is not compared, and has its
// default in a packet in.
type IP struct {
	Pos       Pos
	ECN       ECN
	TOS       Maybe // the whole octet: tos, class
	DSCP      Maybe // its upper six bits, as a number below 64
	FlowLabel Maybe
	TTL       Maybe // ttl, hlim
}

// LayerKind is the kind of an encapsulation.
type LayerKind uint8

const (
	LayerIPv4 LayerKind = iota
	LayerIPv6
	LayerGRE
	LayerMPLS
	LayerPSP          // Google's PSP, in a tunnel: psp spi 12:
	LayerPSPTransport // PSP in place of the transport: encap psp spi 12
)

// Layer is one header that a packet is wrapped in.
type Layer struct {
	Pos      Pos
	Kind     LayerKind
	IP       IP     // of LayerIPv4 and LayerIPv6
	Src, Dst string // of LayerIPv4 and LayerIPv6
	Text     string // the fields of a GRE or PSP header as written, or ""
	MPLS     []Label
}

// Label is one entry of an MPLS stack (RFC 3032 §2.1).
type Label struct {
	Pos    Pos
	Label  uint32
	TC     uint8
	Bottom bool
	TTL    uint8
}

// Ports is a pair of ports.
type Ports struct {
	Pos      Pos
	Src, Dst uint16
}

// UDP is a datagram of Len octets.
type UDP struct {
	Pos   Pos
	Ports *Ports // nil: the connection's
	Len   uint16
}

// ICMP is an ICMP message of either family. Type and code are names as scripts spell them
// (unreachable frag_needed), or numbers.
type ICMP struct {
	Pos    Pos
	Type   string
	Code   string // or ""
	MTU    Maybe
	ID     Maybe // of an echo
	Quoted *Quoted
}

// QuotedKind is the protocol of the packet that an ICMP message quotes.
type QuotedKind uint8

const (
	QuotedTCP     QuotedKind = iota // [1:1001(1000)]
	QuotedUDP                       // [udp (100)]
	QuotedRaw                       // [raw (100)]
	QuotedUDPLite                   // [udplite (100,8)]
	QuotedSCTP                      // [sctp (1)]
)

// Quoted is the packet that an ICMP message quotes.
type Quoted struct {
	Pos      Pos
	Kind     QuotedKind
	Seq      Seq    // of QuotedTCP
	Len      uint16 // of QuotedUDP, QuotedRaw and QuotedUDPLite
	Coverage uint16 // of QuotedUDPLite
	Tag      uint32 // of QuotedSCTP
	Encap    *Ports // the ports of the UDP datagram around it, or nil
}

// Unsupported is a packet of a protocol that weir does not speak.
type Unsupported struct {
	Pos      Pos
	Protocol string // sctp, udplite
	Text     string // the rest of the packet, its tokens parted by blanks
}
