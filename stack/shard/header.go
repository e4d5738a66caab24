package shard

import (
	"encoding/binary"
	"net/netip"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/link/gso"
	"github.com/weirnet/weir/stack/wire"
)

// defaultHopLimit is the TTL and hop limit of what we send unless told otherwise (RFC 1700: 64).
const defaultHopLimit = 64

// Where the checksum field stands in its transport header.
const (
	tcpChecksumAt = 16
	udpChecksumAt = 6
)

// ipHeader is what the IP header of a packet we send is made from.
type ipHeader struct {
	src, dst     netip.Addr
	protocol     uint8
	hopLimit     uint8
	tos          uint8
	id           uint16
	flowLabel    uint32
	dontFragment bool
}

// flowLabel returns the IPv6 flow label of a flow: a hash of it, so that routers
// that spread load keep it on one path (RFC 6437 §3).
func (h *Host) flowLabel(local, remote netip.AddrPort) uint32 {
	if local.Addr().Is4() {
		return 0
	}
	k := makeFlowKey(local, remote)
	return uint32(k.bucket(1 << 20))
}

// setPartial puts the pseudo-header's sum into the checksum field at offset in the
// transport header at f.Buf[at], and leaves the rest to whoever sends the frame.
func (f *txFrame) setPartial(at, offset int, protocol uint8, src, dst netip.Addr) {
	sum := wire.PseudoHeaderSum(protocol, src, dst, f.End-at)
	binary.BigEndian.PutUint16(f.Buf[at+offset:], sum)
	f.Checksum = link.ChecksumPartial
	f.ChecksumStart, f.ChecksumOffset = uint16(at-f.Off), uint16(offset)
}

// finishPartial computes the checksum that setPartial left.
func (f *txFrame) finishPartial() { gso.FinishChecksum(&f.Frame) }

// sendDatagram sends the transport message f.Buf[at:end], whose checksum is done, in
// one packet or in fragments of the path's MTU, and takes f back.
func (h *Host) sendDatagram(f *txFrame, hdr *ipHeader, p *path, at, end int) {
	mtu, _ := h.pathMTU.lookup(hdr.dst, p.ifc.MTU())
	id := h.idents.next(hdr.src, hdr.dst, hdr.protocol)
	hdr.id = uint16(id)
	f.putIP(at, end, hdr)
	if f.Len() > mtu {
		p.ifc.sendFragments(f, mtu, id)
		return
	}
	p.ifc.sendOrQueue(f, 0)
}
