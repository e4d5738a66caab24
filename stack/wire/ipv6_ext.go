package wire

// The bounds of the extension header walk. RFC 8504 §5.3 lets a host set them, RFC
// 8883 names the errors. A header that is in use has a handful of each.
const (
	MaxExtensionHeaders = 16   // headers in a chain
	MaxExtensionOctets  = 4096 // length of the chain, in octets
	MaxExtensionOptions = 64   // options in one header, padding included
)

// The options of Hop-by-Hop and Destination Options headers that are understood.
const (
	IPv6OptionPad1        = 0 // RFC 8200 §4.2
	IPv6OptionPadN        = 1 // RFC 8200 §4.2
	IPv6OptionRouterAlert = 5 // RFC 2711 §2.1
)

// ExtInfo is what a walk over an IPv6 packet's extension headers found. All offsets
// count octets from the first octet of the IPv6 header.
type ExtInfo struct {
	// Protocol is the first header that is not an extension header weir knows. It
	// is ProtoNoNext for none; it may be one that nobody handles, for which a
	// Parameter Problem with code 1 and NextOffset as its pointer is due.
	Protocol uint8
	// Offset is where that header begins. For a fragment that is not its datagram's
	// whole it is the first octet after the Fragment header.
	Offset int
	// NextOffset is the place of the Next Header field that says Protocol.
	NextOffset int
	// FragOffset is the place of the Fragment header; 0 where there is none.
	FragOffset int
	// Fragment says that the packet is a part of a datagram: it has a Fragment header
	// with an offset or with the M flag. A Fragment header with neither is an atomic
	// fragment (RFC 6946) and the walk went on beyond it.
	Fragment bool
	// RouterAlert says that a Hop-by-Hop Options header held a Router Alert.
	RouterAlert bool
	// Unfragmentable is the length of what every fragment repeats ("Per-Fragment
	// headers", RFC 8200 §4.5): the fixed header up to and with the Routing header, or
	// else the Hop-by-Hop Options header. UnfragmentableNext is the place of its
	// last Next Header field, which a Fragment header's insertion changes.
	Unfragmentable, UnfragmentableNext int
	// Headers is how many extension headers were looked at, a faulty one included.
	Headers int
	// Problem is what ended the walk early; ProblemPointer is the octet to point
	// a Parameter Problem at.
	Problem        Problem
	ProblemPointer int
}

// Extensions walks the extension headers as their destination does, in order (RFC
// 8200 §4), up to the first header of another kind, a fragment's payload or a problem.
// Options and routing headers are judged on the way. The error is the Problem, or nil;
// the rest of ExtInfo then says how far the walk came.
//
// The walk is bounded by MaxExtensionHeaders, MaxExtensionOctets and MaxExtensionOptions.
func (h IPv6) Extensions() (ExtInfo, error) {
	i := ExtInfo{
		Protocol: h.NextHeader(), Offset: IPv6Header, NextOffset: 6,
		Unfragmentable: IPv6Header, UnfragmentableNext: 6,
	}
	for h.extStep(&i) {
	}
	return i, i.Problem.err()
}

// HopByHop is Extensions for a node on the way, which looks at the Hop-by-Hop Options
// header and nothing behind it (RFC 8200 §4).
func (h IPv6) HopByHop() (ExtInfo, error) {
	i := ExtInfo{
		Protocol: h.NextHeader(), Offset: IPv6Header, NextOffset: 6,
		Unfragmentable: IPv6Header, UnfragmentableNext: 6,
	}
	if i.Protocol == ProtoHopByHop {
		h.extStep(&i)
	}
	return i, i.Problem.err()
}

// extStep walks one extension header; it reports whether there may be another.
func (h IPv6) extStep(i *ExtInfo) bool {
	kind, at := i.Protocol, i.Offset
	if !isExtension(kind) {
		return false
	}
	if kind == ProtoHopByHop && at != IPv6Header {
		// RFC 8200 §4.1: zero elsewhere than in the IPv6 header is not recognized.
		return i.fail(ProblemNextHeader, i.NextOffset)
	}
	if i.Headers == MaxExtensionHeaders {
		return i.fail(ProblemTooManyHeaders, at)
	}
	n := h.extLen(kind, at)
	if n == 0 {
		return i.fail(ProblemTruncated, at)
	}
	if at+n-IPv6Header > MaxExtensionOctets {
		return i.fail(ProblemChainTooLong, at)
	}
	i.Headers++
	switch kind {
	case ProtoHopByHop, ProtoDestination:
		if !i.options(h[at:at+n], at) {
			return false
		}
	case ProtoRouting:
		// RFC 8200 §4.4: no routing type is known, so segments that are left are
		// an error (for type 0 too, RFC 5095 §3), and none left means go on.
		if h[at+3] != 0 {
			return i.fail(ProblemHeaderField, at+2)
		}
	}
	i.Protocol, i.NextOffset, i.Offset = h[at], at, at+n
	switch kind {
	case ProtoHopByHop, ProtoRouting:
		if i.FragOffset == 0 {
			i.Unfragmentable, i.UnfragmentableNext = at+n, at
		}
	case ProtoFragment:
		i.FragOffset = at
		// What follows the header of a real fragment is for after reassembly.
		f := IPv6Fragment(h[at : at+n])
		i.Fragment = f.Offset() != 0 || f.More()
		return !i.Fragment
	}
	return true
}

// fail notes a problem and ends the walk.
func (i *ExtInfo) fail(p Problem, pointer int) bool {
	i.Problem, i.ProblemPointer = p, pointer
	return false
}

// extLen returns the length of the extension header at the offset, 0 where the packet
// ends before it does.
func (h IPv6) extLen(kind uint8, at int) int {
	if len(h)-at < 8 {
		return 0
	}
	n := IPv6FragmentHeader
	if kind != ProtoFragment {
		n = (int(h[at+1]) + 1) * 8
	}
	if n > len(h)-at {
		return 0
	}
	return n
}

// options judges the options of the header b, which is at the offset at (RFC 8200 §4.2).
func (i *ExtInfo) options(b []byte, at int) bool {
	count := 0
	for p := 2; p < len(b); {
		if count++; count > MaxExtensionOptions {
			return i.fail(ProblemTooManyOptions, at+p)
		}
		if b[p] == IPv6OptionPad1 {
			p++
			continue
		}
		if p+1 == len(b) {
			return i.fail(ProblemHeaderField, at+p)
		}
		end := p + 2 + int(b[p+1])
		if end > len(b) {
			return i.fail(ProblemHeaderField, at+p+1)
		}
		switch b[p] {
		case IPv6OptionPadN:
		case IPv6OptionRouterAlert:
			if b[p+1] != 2 {
				return i.fail(ProblemHeaderField, at+p+1)
			}
			i.RouterAlert = true
		default:
			if pr := unknownOption(b[p]); pr != ProblemNone {
				return i.fail(pr, at+p)
			}
		}
		p = end
	}
	return true
}

// unknownOption returns what the two highest bits of an unrecognized option's type
// demand (RFC 8200 §4.2).
func unknownOption(kind uint8) Problem {
	switch kind >> 6 {
	case 0:
		return ProblemNone
	case 1:
		return ProblemOptionDiscard
	case 2:
		return ProblemOption
	}
	return ProblemOptionUnicast
}

// isExtension reports whether the walk steps over headers of this kind. ESP and AH are
// not among them: weir has no keys, so they end the walk like any protocol unknown.
func isExtension(kind uint8) bool {
	switch kind {
	case ProtoHopByHop, ProtoRouting, ProtoFragment, ProtoDestination:
		return true
	}
	return false
}

// UpperLayer returns the upper-layer protocol and the offset of its header, judging
// nothing on the way: for quoted packets, flow hashes and descriptions. ok is false
// where the packet ends first, is a fragment other than the first, or has more
// extension headers than MaxExtensionHeaders.
func (h IPv6) UpperLayer() (proto uint8, off int, ok bool) {
	proto, off = h.NextHeader(), IPv6Header
	for range MaxExtensionHeaders + 1 {
		if !isExtension(proto) {
			return proto, off, true
		}
		n := h.extLen(proto, off)
		if n == 0 {
			return proto, off, false
		}
		if proto == ProtoFragment && IPv6Fragment(h[off:off+n]).Offset() != 0 {
			return h[off], off + n, false
		}
		proto, off = h[off], off+n
	}
	return proto, off, false
}

// ChainComplete reports whether the packet holds every header up to and with the
// upper-layer header. A first fragment that does not is discarded, and a Parameter
// Problem with ICMPv6CodeIncompleteChain may be sent (RFC 7112 §5).
func (h IPv6) ChainComplete() bool {
	proto, off, ok := h.UpperLayer()
	if !ok {
		return false
	}
	rest := h[off:]
	switch proto {
	case ProtoTCP:
		return len(rest) >= TCPMinHeader && len(rest) >= TCP(rest).DataOffset()
	case ProtoUDP:
		return len(rest) >= UDPHeader
	case ProtoICMPv6:
		return len(rest) >= ICMPHeader
	}
	return true
}
