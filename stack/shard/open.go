package shard

import (
	"net/netip"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/tcp"
)

// newTCP returns a connection that is in no table yet.
func (h *Host) newTCP(local, remote netip.AddrPort) *TCP {
	return &TCP{host: h, key: makeFlowKey(local, remote), armed: clock.Never, out: &noPath}
}

// maxSoftwareSegments bounds what is built to be cut here: what a device does not take of it when it fills
// up halfway has room in the interface's backlog.
const maxSoftwareSegments = maxBacklog / 2

// maxSegment returns the largest payload worth building at once: a super-segment
// where the device cuts, or where we are to (tcp.Settings.SoftwareGSO), else one segment.
func (c *TCP) maxSegment(pathMSS int) int {
	if c.out.ifc == nil {
		return min(pathMSS, maxPayload)
	}
	bit := link.FeatureHostTSO6
	if c.key.is4() {
		bit = link.FeatureHostTSO4
	}
	switch {
	case c.out.ifc.features&bit != 0:
		return maxPayload
	case c.softwareGSO:
		return min(maxSoftwareSegments*pathMSS, maxPayload)
	}
	return min(pathMSS, maxPayload)
}

// listen is LISTEN meeting a segment (RFC 9293 §3.10.7.2): a SYN makes a connection in
// SYN-RECEIVED, an ACK is answered by a reset, all else is dropped. minISS is the least
// initial sequence number to use, where an old connection of the same ends asks for one.
func (r *round) listen(l *Listener, key *flowKey, minISS *seq.Value) {
	f := r.h.getTx()
	switch r.h.cfg.TCP.Listen(&r.seg, &f.seg) {
	case tcp.ListenReply:
		local, remote := key.ends()
		r.h.sendSegment(f, local, remote, r.queue)
	case tcp.ListenAccept:
		r.h.putTx(f)
		r.accept(l, key, minISS)
	default:
		r.h.putTx(f)
	}
}
