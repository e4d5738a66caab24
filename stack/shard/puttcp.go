package shard

import (
	"net/netip"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

// putTCP writes TCP and IP headers before the segment's payload, and says in the
// frame's metadata what is left to the device.
func (f *txFrame) putTCP(local, remote netip.AddrPort, p *path, h *Host) {
	s := &f.seg
	hlen := 20 + s.Options.Len()
	text := payloadAt
	if s.Block != nil {
		f.Buf, text = s.Block.Whole(), s.Block.Ahead()
	}
	at, end := text-hlen, text+len(s.Payload)
	wire.PutTCP(f.Buf[at:end], &wire.TCPFields{
		SrcPort: local.Port(), DstPort: remote.Port(), Seq: uint32(s.Seq), Ack: uint32(s.Ack),
		Flags: s.Flags, Window: s.Window, Urgent: s.Urgent, Options: &s.Options,
	})
	hdr := ipHeader{
		src: local.Addr(), dst: remote.Addr(), protocol: wire.ProtoTCP,
		hopLimit: p.hopLimit, tos: p.tos&^3 | s.ECN, // RFC 3168 §5: the two bits are the segment's
		dontFragment: !p.fragment, flowLabel: h.flowLabel(local, remote),
	}
	if hdr.hopLimit == 0 {
		hdr.hopLimit = h.hopLimit(hdr.dst.Is4())
	}
	if p.fragment { // RFC 6864 §4.1: only what is never fragmented needs no identification
		n := 1
		if s.SegmentSize > 0 {
			n = (len(s.Payload) + s.SegmentSize - 1) / s.SegmentSize
		}
		hdr.id = uint16(h.idents.several(hdr.src, hdr.dst, wire.ProtoTCP, n))
	}
	f.putIP(at, end, &hdr)
	f.setPartial(at, tcpChecksumAt, wire.ProtoTCP, local.Addr(), remote.Addr())
	if s.SegmentSize > 0 && len(s.Payload) > s.SegmentSize {
		f.SegmentSize, f.HeaderLen = uint16(s.SegmentSize), uint16(text-f.Off)
		f.ECN = s.Flags&wire.FlagCWR != 0
	}
	if p.ifc.features&link.FeatureCsum == 0 && f.SegmentSize == 0 {
		f.finishPartial()
	}
}
