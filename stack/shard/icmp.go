package shard

import (
	"net/netip"
	"sync"
	"syscall"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/icmp"
	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/link/gso"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/wire"
)

// limiter is the rate limit of the ICMP errors we send.
type limiter struct {
	mu sync.Mutex
	*icmp.Limiter
}

func (l *limiter) allow(now clock.Time, dst netip.Addr, k icmp.Kind) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Allow(now, dst, k)
}

// icmp takes a message of ICMP or ICMPv6.
func (r *round) icmp(d destination) {
	h, p := r.h, &r.pkt
	if !icmp.Verify(p) {
		h.counters.icmpBad.Add(1)
		return
	}
	h.counters.icmpIn.Add(1)
	switch typ := p.Payload[0]; {
	case isEchoRequest(p.Version, typ):
		h.counters.echoIn.Add(1)
		// A broadcast or multicast IPv4 request is not answered (RFC 1122 §3.2.2.6
		// allows it), so that nobody makes us part of a flood; IPv6 asks for it.
		switch {
		case p.Version == 4 && h.cfg.EchoIgnoreAll, p.Version == 6 && h.cfg.EchoIgnoreAll6:
		case d == toLocal, d == toMulticast && p.Version == 6:
			r.echoReply(d)
		}
	case isEchoReply(p.Version, typ):
		h.pings.reply(r.now, p)
	default:
		if rep, ok := icmp.ParseError(p); ok {
			r.report(&rep)
		}
	}
}

func isEchoRequest(version, typ uint8) bool {
	return version == 4 && typ == wire.ICMPv4Echo || version == 6 && typ == wire.ICMPv6Echo
}

func isEchoReply(version, typ uint8) bool {
	return version == 4 && typ == wire.ICMPv4EchoReply || version == 6 && typ == wire.ICMPv6EchoReply
}

// echoReply answers an echo request from the address it was sent to.
func (r *round) echoReply(d destination) {
	h, p := r.h, &r.pkt
	src := p.Dst
	if d != toLocal {
		src = netip.Addr{}
	}
	out, err := h.net.Load().pathTo(p.Src, src, h.lo)
	if err != nil {
		h.drops.Add(ip.DropNoRoute)
		return
	}
	f := h.getTx()
	n := icmp.PutEchoReply(f.Buf[payloadAt:], out.src, p)
	if n == 0 { // a code that no echo request has
		h.counters.icmpBad.Add(1)
		h.putTx(f)
		return
	}
	h.counters.echoReplies.Add(1)
	h.sendDatagram(f, &ipHeader{
		src: out.src, dst: p.Src, protocol: p.Protocol, hopLimit: h.hopLimit(p.Version == 4), tos: p.TOS &^ 3,
	}, &out, payloadAt, payloadAt+n)
}

// sendError tells the sender of p what became of it, where it may be told at all.
func (r *round) sendError(p *ip.Packet, k icmp.Kind, arg uint32) {
	h := r.h
	if !icmp.MayError(p, k) {
		return
	}
	if !h.limiter.allow(r.now, p.Src, k) {
		h.counters.icmpLimited.Add(1)
		return
	}
	n := h.net.Load()
	src := netip.Addr{} // the address of the interface it leaves by (RFC 1812 §4.3.2.4)
	if n.classify(p.Dst) == toLocal {
		src = p.Dst
	}
	out, err := n.pathTo(p.Src, src, h.lo)
	if err != nil {
		return
	}
	gso.FinishChecksum(p.Frame) // what is quoted is what a wire would have carried
	f := h.getTx()
	size := icmp.PutError(f.Buf[payloadAt:], out.src, p, k, arg)
	if size == 0 {
		h.putTx(f)
		return
	}
	h.counters.icmpOut.Add(1)
	h.sendDatagram(f, &ipHeader{
		src: out.src, dst: p.Src, protocol: icmpProtocol(p.Version), hopLimit: h.hopLimit(p.Version == 4), tos: icmpErrorTOS,
	}, &out, payloadAt, payloadAt+size)
}

// icmpErrorTOS is the precedence of ICMP errors, "internetwork control" (RFC 1812 §4.3.2.5).
const icmpErrorTOS = 0xc0

// sendProblem sends the parameter problem that p.Problem asks for.
func (r *round) sendProblem(p *ip.Packet) {
	if k, arg, ok := icmp.ForProblem(p); ok {
		r.sendError(p, k, arg)
	}
}

// unknownProtocol answers a packet for a protocol that nobody here speaks.
func (r *round) unknownProtocol() {
	r.h.drops.Add(ip.DropProtocol)
	r.sendError(&r.pkt, icmp.ProtocolUnreachable, uint32(r.pkt.ProtocolOffset))
}

// report takes an ICMP error to what it is about: the path MTU cache, then the
// connection, socket or ping whose packet it quotes.
func (r *round) report(rep *icmp.Report) {
	h := r.h
	if !h.IsLocal(rep.Src) {
		return // not our packet: somebody guesses
	}
	h.raws.report(r, rep)
	local := netip.AddrPortFrom(rep.Src, rep.SrcPort)
	remote := netip.AddrPortFrom(rep.Dst, rep.DstPort)
	switch rep.Protocol {
	case wire.ProtoTCP:
		key := makeFlowKey(local, remote)
		if c := h.conns.get(&key); c != nil {
			c.report(r, rep)
		} else if half := h.halfOpens.get(&key); half != nil {
			half.report(r, rep)
		}
	case wire.ProtoUDP:
		u, _ := h.findUDP(local, remote, r.ifc)
		if u == nil {
			h.counters.icmpIgnored.Add(1) // we never sent that (RFC 8201 §4)
			return
		}
		r.learnMTU(rep)
		u.report(r, rep)
	case wire.ProtoICMP, wire.ProtoICMPv6:
		r.learnMTU(rep)
		h.pings.report(rep)
	}
}

// learnMTU enters the path MTU that a router reported and returns whether it is news.
func (r *round) learnMTU(rep *icmp.Report) bool {
	return rep.Kind == icmp.FragmentationNeeded && r.h.pathMTU.update(r.now, rep)
}

// report gives an ICMP error to the connection, if the sequence number it quotes
// is of data in flight: only who sees our packets knows one (RFC 5927 §4.1).
func (c *TCP) report(r *round, rep *icmp.Report) {
	if !c.lockOr(pendPath) { // what else the message says, it will say again
		return
	}
	defer c.unlock(r.watch)
	if c.heed(r, rep) {
		r.touch(c)
	}
}

// heed is report for a connection that is locked, and says whether the report was heard.
func (c *TCP) heed(r *round, rep *icmp.Report) bool {
	if !rep.HasSeq || !c.conn.InFlight(seq.Value(rep.Seq)) || c.out.ifc == nil {
		r.h.counters.icmpIgnored.Add(1)
		return false
	}
	set := c.conn.Settings()
	switch d := c.PMTUDisc(); {
	case rep.Kind == icmp.FragmentationNeeded && (d == PMTUDiscDont || d == PMTUDiscInterface || d == PMTUDiscOmit):
		c.happened(c.conn.OnICMP(r.now, false, syscall.EMSGSIZE)) // its packets go without DF: it cannot be
	case rep.Kind == icmp.FragmentationNeeded && set.BSDErrors && !c.conn.HeedsPathMTU(rep.Version == 4, int(rep.MTU)):
		r.h.counters.icmpIgnored.Add(1)
	case rep.Kind == icmp.FragmentationNeeded:
		r.learnMTU(rep)
		c.conn.SetPathMSS(r.now, c.pathMSS())
	case set.BSDErrors:
		if errno, hard := rep.Kind.BSDErrno(); errno != 0 {
			c.happened(c.conn.OnICMP(r.now, hard, errno))
		}
	default:
		errno, hard := rep.Kind.Errno(rep.Version)
		hard = hard || r.h.cfg.UnreachableEndsOpen
		c.happened(c.conn.OnICMP(r.now, hard, errno))
	}
	return true
}
