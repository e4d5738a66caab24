package shard

import (
	"sync/atomic"

	"github.com/weirnet/weir/stack/mem"
)

// Counters counts what the driver itself decides, by reason.
type Counters struct {
	_ [0]func() // not comparable, so that no program has code to do so

	forwarded                               atomic.Uint64
	fragmentsIn, fragmentsOut, reassembled  atomic.Uint64
	icmpIn, icmpOut, icmpBad, icmpLimited   atomic.Uint64
	echoIn, echoReplies                     atomic.Uint64
	tcpBadChecksum, tcpMalformed, tcpNoPort atomic.Uint64
	tcpBadOptions, icmpIgnored              atomic.Uint64
	tcpMulticast                            atomic.Uint64
	listenOverflow, accepted                atomic.Uint64
	synQueueFull, listenClosed              atomic.Uint64
	acceptOverflow, abortOnOverflow         atomic.Uint64
	listenRefused, tcpSilent                atomic.Uint64
	synRefused, synUnwanted, halfOpenFull   atomic.Uint64
	handlerStalls, busyDrops                atomic.Uint64
	timeWaitReused, timeWaitOverflow        atomic.Uint64
	rawIn, rawOut, rawFull, rawBadChecksum  atomic.Uint64
}

// linkCounters counts what becomes of an interface's frames that do not just come or go: see linkLane.
type linkCounters struct {
	badVnet, down, closed, failed, malformed, backlogFull, pushedBack, oversize atomic.Uint64
}

// EachCounter calls f with the name and value of every counter and gauge of the
// host. Names read protocol, event, reason: "ip.drop.header_checksum".
func (h *Host) EachCounter(f func(name string, v uint64)) {
	c := &h.counters
	h.drops.Each(f)
	for _, p := range []struct {
		name string
		v    *atomic.Uint64
	}{
		{"ip.forwarded", &c.forwarded}, {"ip.fragments_in", &c.fragmentsIn},
		{"ip.fragments_out", &c.fragmentsOut}, {"ip.reassembled", &c.reassembled},
		{"icmp.in", &c.icmpIn}, {"icmp.errors_out", &c.icmpOut}, {"icmp.drop.malformed", &c.icmpBad},
		{"icmp.drop.rate_limited", &c.icmpLimited}, {"icmp.echo_in", &c.echoIn},
		{"icmp.echo_replies", &c.echoReplies}, {"tcp.drop.checksum", &c.tcpBadChecksum},
		{"tcp.drop.malformed", &c.tcpMalformed}, {"tcp.bad_options", &c.tcpBadOptions},
		{"icmp.drop.unsolicited", &c.icmpIgnored}, {"tcp.drop.not_unicast", &c.tcpMulticast},
		{"tcp.no_port", &c.tcpNoPort}, {"tcp.drop.blackhole", &c.tcpSilent}, {"tcp.drop.listen_overflow", &c.listenOverflow},
		{"tcp.drop.syn_queue_full", &c.synQueueFull}, {"tcp.drop.half_open_full", &c.halfOpenFull}, {"tcp.drop.listen_closed", &c.listenClosed},
		{"tcp.drop.accept_overflow", &c.acceptOverflow}, {"tcp.abort_on_overflow", &c.abortOnOverflow},
		{"tcp.listen_refused", &c.listenRefused}, {"tcp.syn_refused", &c.synRefused}, {"tcp.drop.syn_unwanted", &c.synUnwanted},
		{"tcp.handler_stalls", &c.handlerStalls}, {"tcp.drop.handler_busy", &c.busyDrops},
		{"tcp.accepted", &c.accepted}, {"tcp.timewait_reused", &c.timeWaitReused},
		{"tcp.drop.timewait_overflow", &c.timeWaitOverflow},
		{"raw.in", &c.rawIn}, {"raw.out", &c.rawOut}, {"raw.drop.full", &c.rawFull},
		{"raw.drop.checksum", &c.rawBadChecksum},
	} {
		f(p.name, p.v.Load())
	}
	h.eachLane(f)
	h.eachGauge(f)
	for _, i := range h.Interfaces() {
		i.eachCounter(f)
	}
}

// eachGauge reports what is held at the moment; all but the loopback's own are
// zero on a host that nobody uses.
func (h *Host) eachGauge(f func(name string, v uint64)) {
	h.timerMu.Lock()
	timers := h.wheel.Len() + h.connWheel.Len()
	h.timerMu.Unlock()
	f("held.tcp_connections", uint64(h.conns.len()+h.halfOpens.len()))
	f("held.tcp_half_open", uint64(h.halfOpens.len()))
	f("held.tcp_timewait", uint64(h.timeWaits.len()))
	f("held.tcp_listeners", uint64(h.listeners.len()))
	f("held.udp_sockets", uint64(h.datagrams.len()))
	f("held.raw_sockets", uint64(h.raws.count.Load()))
	f("held.ports", uint64(h.ports.len()))
	f("held.timers", uint64(timers))
	waiting := h.inSlots.Load() // not held for anybody
	f("held.blocks", uint64(max(h.pool.Outstanding()-waiting, 0)))
	f("held.octets", uint64(max(h.pool.InUse()-waiting*mem.FrameBlock, 0)))
	f("held.handlers_stalled", uint64(h.dog.stalled()))
	f("held.frames", uint64(h.txInUse.Load()))
	f("held.reassembly_octets", uint64(h.reassembly.inUse()))
}

func (i *Interface) eachCounter(f func(name string, v uint64)) {
	c := &i.counters
	var sum linkLane
	for n := range i.lanes {
		l := &i.lanes[n]
		sum.framesIn.Add(l.framesIn.Load())
		sum.octetsIn.Add(l.octetsIn.Load())
		sum.sent(int(l.framesOut.Load()), int(l.octetsOut.Load()))
	}
	for _, p := range []struct {
		name string
		v    *atomic.Uint64
	}{
		{"frames_in", &sum.framesIn}, {"octets_in", &sum.octetsIn}, {"frames_out", &sum.framesOut},
		{"octets_out", &sum.octetsOut}, {"drop.vnet_header", &c.badVnet}, {"drop.down", &c.down},
		{"drop.closed", &c.closed}, {"drop.device_error", &c.failed}, {"drop.malformed", &c.malformed},
		{"drop.backlog_full", &c.backlogFull}, {"drop.oversize", &c.oversize}, {"pushed_back", &c.pushedBack},
	} {
		f("link."+i.name+"."+p.name, p.v.Load())
	}
}
