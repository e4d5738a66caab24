package ip

import "github.com/weirnet/weir/stack/wire"

// extensions6 walks the extension headers of b, a whole packet, up to the
// upper-layer header, or to the end of the fragment header where the packet is a part
// of a datagram. What is wrong in the hop-by-hop options drops the packet for
// everybody. What is wrong elsewhere is noted in Problem, for the packet's
// destination only, and hides the payload behind "no next header".
func (p *Packet) extensions6(b []byte) Drop {
	i, err := wire.IPv6(b).Extensions()
	p.Header, p.Payload = b[:i.Offset:i.Offset], b[i.Offset:]
	p.Protocol, p.ProtocolOffset = i.Protocol, i.NextOffset
	if err != nil {
		p.extensionProblem(i.Problem, i.ProblemPointer)
		if i.Protocol == wire.ProtoHopByHop && i.Offset == wire.IPv6Header {
			return DropExtension
		}
		p.Protocol = wire.ProtoNoNext
		return DropNone
	}
	if i.FragOffset == 0 {
		return DropNone
	}
	f := wire.IPv6Fragment(b[i.FragOffset:])
	p.FragID = f.ID()
	if !i.Fragment {
		return DropNone // an atomic fragment is a whole packet (RFC 6946 §4)
	}
	p.Fragment, p.MoreFragments, p.FragOffset = true, f.More(), f.Offset()
	p.fragHeader, p.fragNext = i.FragOffset, fragNext(b, i.FragOffset)
	if p.FragOffset == 0 {
		p.firstFragment(b, i.Protocol, i.Offset)
	}
	return DropNone
}

// fragNext returns the place of the octet that names the header at the offset at.
func fragNext(b []byte, at int) int {
	next, off := 6, wire.IPv6Header
	for off < at {
		n := (int(b[off+1]) + 1) * 8
		if b[next] == wire.ProtoFragment {
			n = wire.IPv6FragmentHeader
		}
		next, off = off, off+n
	}
	return next
}

// extensionProblem translates what the walk found.
func (p *Packet) extensionProblem(w wire.Problem, pointer int) {
	code, due := w.ParameterProblem()
	switch {
	case !due:
		p.problem(ProblemSilent, 0, pointer, DropExtension)
	case w == wire.ProblemOption:
		p.problem(ProblemReport, code, pointer, DropExtension)
	default:
		p.problem(ProblemReportUnicast, code, pointer, DropExtension)
	}
}

// firstFragment holds a first fragment to RFC 7112 §5 and RFC 8200 §4.5: it has all
// headers, the upper-layer header included. What they say is read when the
// datagram is whole. A fragment header inside of a datagram that is in fragments
// itself is refused: no sender makes it, and it would be reassembly without end.
func (p *Packet) firstFragment(b []byte, next uint8, off int) {
	if !wire.IPv6(b).ChainComplete() {
		p.problem(ProblemReportUnicast, wire.ICMPv6CodeIncompleteChain, 0, DropFragmentChain)
		return
	}
	for next == wire.ProtoHopByHop || next == wire.ProtoRouting || next == wire.ProtoDestination {
		next, off = b[off], off+(int(b[off+1])+1)*8
	}
	if next == wire.ProtoFragment {
		p.problem(ProblemSilent, 0, off, DropExtension)
	}
}
