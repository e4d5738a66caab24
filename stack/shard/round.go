package shard

import (
	"net/netip"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/wire"
)

// round is one receive loop's working state: what it needs to take a batch of
// frames through the stack without allocating.
type round struct {
	h       *Host
	ifc     *Interface
	queue   int
	now     clock.Time
	pkt     ip.Packet
	seg     tcp.Segment
	touched []*TCP
	last    *TCP       // what the last round was for
	alone   uint8      // rounds in a row that were for last alone
	awake   bool       // the loop looks for frames and does not sleep
	woke    bool       // goroutines wait for the processor that this one has
	pushed  int        // how many of touched flush has taken
	watch   *watch     // nil on a stepped host
	lent    mem.Block  // stands for text that is lent to a handler
	asked   SYN        // what a listener's user is asked about
	block   *mem.Block // what the frame lies in, where it may be given away; see receive
	// datagrams is made with the first one.
	datagrams *udpRound
}

// Deliver takes one frame that a device of the host received through the stack, for
// a host that is stepped rather than started. The frame is lent for the call.
func (h *Host) Deliver(i *Interface, f *link.Frame) {
	r, _ := h.rounds.Get().(*round)
	if r == nil {
		r = &round{h: h}
	}
	r.ifc, r.now = i, h.Now()
	r.input(f)
	r.flush()
	h.rounds.Put(r)
}

// flush sends what handlers of datagrams have answered, and pushes every connection that the round touched.
func (r *round) flush() {
	r.flushUDP()
	r.countAlone()
	for r.pushed < len(r.touched) {
		c := r.touched[r.pushed]
		r.touched[r.pushed] = nil
		r.pushed++
		if c.lockOr(pendPush) {
			c.touched, c.alone = false, r.alone
			if !c.owe(r.now) {
				c.push(r.now)
			}
			r.woke = r.woke || c.woke
			c.woke = false
			c.unlock(r.watch)
		}
	}
	r.touched, r.pushed = r.touched[:0], 0
}

// input takes one frame from the network header up.
func (r *round) input(f *link.Frame) {
	l := &r.ifc.lanes[r.queue]
	l.framesIn.Add(1)
	l.octetsIn.Add(uint64(f.Len()))
	p := &r.pkt
	var drop ip.Drop
	if r.ifc.loop {
		drop = ip.ParseLoopback(f, p)
	} else {
		drop = ip.Parse(f, p)
	}
	if drop != ip.DropNone {
		r.h.drops.Add(drop)
		r.problem()
		return
	}
	n := r.h.net.Load()
	if n.ours(p.Src) && !r.ifc.loop { // nobody else has our address (RFC 1122 §3.2.1.3)
		r.h.drops.Add(ip.DropMartianSource)
		return
	}
	switch d := n.classify(p.Dst); d {
	case toOther:
		r.forward(n)
	case toMulticast:
		if !r.h.inGroup(n, r.ifc, p.Dst) {
			r.h.drops.Add(ip.DropNoGroup)
			return
		}
		r.local(d)
	default:
		p.NoError = d == toBroadcast || p.NoError
		r.local(d)
	}
}

// problem sends the parameter problem that a dropped packet's sender is due. A host has
// no say about what is not for it, and nobody about a broadcast (RFC 1122 §3.2.2).
func (r *round) problem() {
	p := &r.pkt
	if p.Problem.Kind == ip.ProblemNone {
		return
	}
	switch r.h.net.Load().classify(p.Dst) {
	case toOther:
		if !r.h.cfg.Forward {
			return
		}
	case toBroadcast:
		p.NoError = true
	}
	r.sendProblem(p)
}

// badSource reports, and counts, a packet that claims to come from a broadcast address of the
// host's subnets: what answers it would go to all (RFC 1122 §3.2.1.3, §4.2.3.10). A
// segment of an open connection is never such a one and need not be asked.
func (r *round) badSource() bool {
	if !r.h.net.Load().broadcast[r.pkt.Src] {
		return false
	}
	r.h.drops.Add(ip.DropMartianSource)
	return true
}

// local takes a packet that is for this host.
func (r *round) local(d destination) {
	p := &r.pkt
	if drop := p.CheckLocal(); drop != ip.DropNone {
		r.h.drops.Add(drop)
		r.problem()
		return
	}
	if p.Fragment {
		r.fragment(d)
		return
	}
	r.transport(d)
}

// fragment gives a fragment to reassembly and takes the datagram on when it is whole.
func (r *round) fragment(d destination) {
	h := r.h
	h.counters.fragmentsIn.Add(1)
	whole, drop := h.reassembly.input(r.now, &r.pkt)
	h.drops.Add(drop)
	if whole == nil {
		if drop != ip.DropNone {
			r.problem()
		}
		return
	}
	defer whole.Release()
	h.counters.reassembled.Add(1)
	if drop := ip.Parse(&whole.Frame, &r.pkt); drop != ip.DropNone {
		h.drops.Add(drop)
		r.problem()
		return
	}
	if drop := r.pkt.CheckLocal(); drop != ip.DropNone {
		h.drops.Add(drop)
		r.problem()
		return
	}
	if !r.pkt.Fragment {
		r.transport(d)
	}
}

// transport hands the packet to the protocol it names.
func (r *round) transport(d destination) {
	raw := r.h.raws.count.Load() > 0 && r.raw(d)
	switch p := &r.pkt; p.Protocol {
	case wire.ProtoTCP:
		if d != toLocal { // RFC 9293 §3.9.2.3: silently discard
			r.h.counters.tcpMulticast.Add(1)
			return
		}
		if r.busyUDP() {
			r.flushUDP() // nothing of it waits for a connection's handler
		}
		r.tcp()
		return
	case wire.ProtoNoNext:
		return
	}
	if r.badSource() {
		return
	}
	switch p := &r.pkt; p.Protocol {
	case wire.ProtoUDP:
		r.udp(d)
	case wire.ProtoICMP, wire.ProtoICMPv6:
		if (p.Protocol == wire.ProtoICMP) != (p.Version == 4) {
			if !raw {
				r.unknownProtocol()
			}
			return
		}
		r.icmp(d)
	default:
		if !raw {
			r.unknownProtocol()
		}
	}
}

// tcp takes a segment to its connection, its TIME-WAIT record, a listener, or a reset.
func (r *round) tcp() {
	h, p := r.h, &r.pkt
	v, err := wire.ParseTCP(p.Payload)
	if err != nil {
		h.counters.tcpMalformed.Add(1)
		return
	}
	if p.Frame.Checksum == link.ChecksumInPacket && !v.ChecksumOK(p.Src, p.Dst) {
		h.counters.tcpBadChecksum.Add(1)
		return
	}
	if tcp.ParseSegment(v, &r.seg) != nil {
		h.counters.tcpBadOptions.Add(1) // what parsed counts; the segment goes on
	}
	r.seg.SegmentSize, r.seg.ECN = int(p.Frame.SegmentSize), p.TOS&3
	local := netip.AddrPortFrom(p.Dst, v.DstPort())
	remote := netip.AddrPortFrom(p.Src, v.SrcPort())
	key := makeFlowKey(local, remote)
	if c := h.conns.get(&key); c != nil && c.takes(r.ifc) {
		r.feed(c)
		return
	}
	r.tcpNoConnection(&key, local, remote)
}

// feed gives the segment to its connection, and with it the frame's block, where the segment
// lies in that and not in a datagram put together from fragments.
func (r *round) feed(c *TCP) {
	lent := r.lend()
	c.input(r, &r.seg)
	if lent {
		r.block = r.seg.Block
	}
}

// feedHalf is feed for a half-open connection, and reports false where that is none any more.
func (r *round) feedHalf(half *halfOpen) bool {
	lent := r.lend()
	ok := half.input(r)
	if lent {
		r.block = r.seg.Block
	}
	return ok
}

// lend offers the frame's block with the segment, and reports whether there is one.
func (r *round) lend() bool {
	if r.block == nil || &r.pkt.Frame.Buf[0] != &r.block.B[0] {
		return false
	}
	r.seg.Block = r.block
	return true
}

func (r *round) tcpNoConnection(key *flowKey, local, remote netip.AddrPort) {
	h := r.h
	if r.badSource() || r.tcpHalfOpen(key) {
		return
	}
	l := h.findListener(local, remote, r.ifc.index)
	if t := h.timeWaits.get(key); t != nil {
		iss, reuse := t.input(r, l != nil)
		if reuse {
			h.counters.timeWaitReused.Add(1)
			r.listen(l, key, &iss)
		}
		return
	}
	if l != nil {
		r.listen(l, key, nil)
		return
	}
	if r.silent() {
		h.counters.tcpSilent.Add(1)
		return
	}
	h.counters.tcpNoPort.Add(1)
	r.refuse(local, remote)
}

// tcpHalfOpen gives the segment to the half-open connection that it is for, and reports whether there is
// one, or the connection that has come of it.
func (r *round) tcpHalfOpen(key *flowKey) bool {
	h := r.h
	if h.halfOpens.len() > 0 {
		if half := h.halfOpens.get(key); half != nil && half.takes(r.ifc) && r.feedHalf(half) {
			return true
		}
	}
	if r.seg.Flags&(wire.FlagSYN|wire.FlagACK) != wire.FlagACK {
		return false
	}
	// What another queue's loop has just made of one is in the other table by now.
	if c := h.conns.get(key); c != nil && c.takes(r.ifc) {
		r.feed(c)
		return true
	}
	return false
}

// silent reports whether a segment to a closed port is not answered (tcp.Settings.Blackhole).
func (r *round) silent() bool {
	switch level := r.h.cfg.TCP.Blackhole; {
	case level < 3 && r.h.IsLocal(r.pkt.Src):
		return false
	case level == 1:
		return r.seg.Flags&wire.FlagSYN != 0
	default:
		return level > 1
	}
}

// refuse answers a segment that has no connection (RFC 9293 §3.10.7.1).
func (r *round) refuse(local, remote netip.AddrPort) {
	f := r.h.getTx()
	if !r.h.cfg.TCP.Refuse(&r.seg, &f.seg, r.h.IsLocal(remote.Addr())) {
		r.h.putTx(f)
		return
	}
	r.h.sendSegment(f, local, remote, r.queue)
}

// sendSegment sends a segment that belongs to no connection.
func (h *Host) sendSegment(f *txFrame, local, remote netip.AddrPort, queue int) {
	p, err := h.net.Load().pathTo(remote.Addr(), local.Addr(), h.lo)
	if err != nil {
		h.drops.Add(ip.DropNoRoute)
		h.putTx(f)
		return
	}
	f.seg.Payload = nil
	f.putTCP(local, remote, &p, h)
	p.ifc.sendOrQueue(f, queue)
}
