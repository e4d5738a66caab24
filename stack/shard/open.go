package shard

import (
	"net/netip"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/tcp"
)

// newTCP returns a connection that is in no table yet.
func (h *Host) newTCP(local, remote netip.AddrPort) *TCP {
	c := &TCP{host: h, local: local, remote: remote, key: makeFlowKey(local, remote), armed: clock.Never, userAt: clock.Never}
	c.timer.Value = c
	return c
}

// maxSoftwareSegments bounds what is built to be cut here: what a device does not take of it when it fills
// up halfway has room in the interface's backlog.
const maxSoftwareSegments = maxBacklog / 2

// maxSegment returns the largest payload worth building at once: a super-segment
// where the device cuts, or where we are to (tcp.Settings.SoftwareGSO), else one segment.
func (c *TCP) maxSegment(pathMSS int) int {
	bit := link.FeatureHostTSO6
	if c.remote.Addr().Is4() {
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
func (r *round) listen(l *Listener, local, remote netip.AddrPort, minISS *seq.Value) {
	f := r.h.getTx()
	switch r.h.cfg.TCP.Listen(&r.seg, &f.seg) {
	case tcp.ListenReply:
		r.h.sendSegment(f, local, remote, r.queue)
	case tcp.ListenAccept:
		r.h.putTx(f)
		r.accept(l, local, remote, minISS)
	default:
		r.h.putTx(f)
	}
}

// accept makes the connection that a SYN asks for.
func (r *round) accept(l *Listener, local, remote netip.AddrPort, minISS *seq.Value) {
	h := r.h
	o := l.options()
	if o.OnSYN != nil && !r.decide(o.OnSYN, local, remote) {
		return
	}
	if !l.room() {
		if o.RefuseOverflow {
			h.counters.listenRefused.Add(1)
			r.refuse(local, remote)
		}
		return
	}
	c := h.newTCP(local, remote)
	o.TCP.apply(c)
	c.reuse, c.reusePort = o.reuse, o.reusePort
	c.mu.Lock()
	defer c.unlock(r.watch)
	if c.route(h.net.Load()) != nil {
		h.drops.Add(ip.DropNoRoute)
		return
	}
	if !l.reserve(c) {
		return
	}
	c.parent, c.queue = l, r.queue
	if !c.enter() { // another queue's loop has just done the same
		l.progress(c, tcp.EventClosed)
		return
	}
	cfg := h.tcpConfig(c, r.now, &o.TCP)
	cfg.DeferAccept = o.DeferAccept
	if minISS != nil && cfg.ISS.Less(*minISS) {
		cfg.ISS = *minISS
	}
	ev := c.conn.Accept(r.now, &cfg, &r.seg)
	if o.TCP.Setup != nil {
		o.TCP.Setup(&c.conn)
	}
	c.happened(ev)
	r.touch(c)
}
