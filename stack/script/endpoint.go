package script

import (
	"encoding/binary"
	"net/netip"

	"github.com/weirnet/weir/stack/script/ast"
	"github.com/weirnet/weir/stack/socket"
	"github.com/weirnet/weir/stack/wire"
)

// phase is how far a socket is, as far as scripts must know to tell which packets are its own.
type phase uint8

const (
	phaseNew       phase = iota
	phaseListening       // listen() was called
	phaseReceived        // its first packet came in
	phaseSynAckSent
	phaseSynAckAcked
	phaseConnecting // connect() was called
	phaseSynSent    // the script has shown its SYN
	phaseSynAcked   // the SYN,ACK came in
)

// endpoint is a socket as the runner follows it: its descriptors, its addresses, and where the script's
// numbers and the stack's part ways.
//
// A script writes the numbers of segments with SYN as they are and all others relative to
// the SYN's. The runner chooses the remote side's numbers, so there the script's initial
// number is the live one; the stack chooses its own.
type endpoint struct {
	phase            phase
	family, typ      int
	protocol         int
	scriptFD, liveFD int // -1: not accepted yet
	closed           bool

	local, remote             netip.AddrPort // live; local invalid until known
	scriptLocal, scriptRemote uint32         // initial numbers in the script
	liveLocal, liveRemote     uint32         // and on the wire

	// The timestamps that the stack sent, by what the script has for them, and the first of each.
	stamps                  map[uint32]uint32
	haveStamp               bool
	firstScript, firstStamp uint32

	lastSYN uint32 // the number of the SYN that came in last
	haveSYN bool

	labelScript, labelLive uint32 // the flow label last agreed on
}

func newEndpoint() *endpoint {
	return &endpoint{scriptFD: -1, liveFD: -1, stamps: map[uint32]uint32{}}
}

// remoteOffset is what is added to a scripted number of the remote side.
func (e *endpoint) remoteOffset(syn bool) uint32 {
	if syn {
		return 0
	}
	return e.liveRemote
}

// localOffset is what is added to a scripted number of the stack's side.
func (e *endpoint) localOffset(syn bool) uint32 {
	if syn {
		return e.liveLocal - e.scriptLocal
	}
	return e.liveLocal
}

// speaks reports whether packets of a protocol can be the socket's.
func (e *endpoint) speaks(p *ast.Packet) bool {
	switch e.protocol {
	case socket.IPPROTO_TCP:
		return p.TCP != nil || p.ICMP != nil
	case socket.IPPROTO_UDP:
		return p.UDP != nil || p.ICMP != nil
	case socket.IPPROTO_ICMP, socket.IPPROTO_ICMPV6:
		return p.ICMP != nil
	}
	return true // a raw socket
}

// owns reports whether a packet that the stack sent goes between the socket's ends. A connecting
// socket learns its own end by it.
func (e *endpoint) owns(p *packet, script *ast.Packet) bool {
	if p.isICMP() {
		return script.ICMP != nil && p.dst.Addr() == e.remote.Addr()
	}
	if (p.protocol == wire.ProtoTCP) != (script.TCP != nil) || (p.protocol == wire.ProtoUDP) != (script.UDP != nil) {
		if p.protocol != uint8(e.protocol) { // of another protocol than the socket
			return false
		}
	}
	if p.dst != e.remote {
		return namesPorts(script) && p.dst.Addr() == e.remote.Addr()
	}
	bound := p.src == e.local
	syn := p.protocol == wire.ProtoTCP && p.flags&(wire.FlagSYN|wire.FlagACK) == wire.FlagSYN
	switch {
	case e.phase == phaseSynSent && syn && e.protocol == socket.IPPROTO_TCP && (bound || e.local.Port() == 0 || e.liveLocal == 0):
		e.local, e.liveLocal = p.src, p.seq
		return true
	case e.phase == phaseConnecting && p.protocol == wire.ProtoUDP && e.protocol == socket.IPPROTO_UDP:
		e.local = p.src
		return true
	}
	return bound || namesPorts(script)
}

// namesPorts reports whether a packet of a script names a port of its own.
func namesPorts(p *ast.Packet) bool {
	return p.TCP != nil && p.TCP.Ports != nil || p.UDP != nil && p.UDP.Ports != nil
}

// toLive turns the script's numbers of a packet in into those that the stack is to see.
// ecr maps a scripted echo of a timestamp.
func (e *endpoint) toLive(p *packet, script *ast.Packet, ecr func(uint32) (uint32, error)) error {
	if p.isICMP() {
		e.quoteToLive(p, script.ICMP.Quoted)
		return nil
	}
	if p.protocol != wire.ProtoTCP {
		return nil
	}
	syn := p.flags.Has(wire.FlagSYN)
	if !script.TCP.Seq.Absolute {
		p.seq += e.remoteOffset(syn)
	}
	ack := e.localOffset(syn)
	if p.flags.Has(wire.FlagACK) {
		p.ack += ack
	}
	p.shiftSACK(ack)
	ts := p.timestamps()
	if ts == nil || !p.flags.Has(wire.FlagACK) || echoAbsolute(script.TCP) {
		return nil
	}
	live, err := ecr(binary.BigEndian.Uint32(ts[4:]))
	if err == nil {
		binary.BigEndian.PutUint32(ts[4:], live)
	}
	return err
}

func echoAbsolute(t *ast.TCP) bool {
	for _, o := range t.Options {
		if o.Kind == ast.OptTS && o.EcrAbsolute {
			return true
		}
	}
	return false
}

// quoteToLive maps the sequence number in what an ICMP message quotes.
func (e *endpoint) quoteToLive(p *packet, q *ast.Quoted) {
	if q == nil || q.Kind != ast.QuotedTCP || len(p.payload) < 8 || q.Seq.Absolute {
		return
	}
	at := p.payload[len(p.payload)-4:]
	binary.BigEndian.PutUint32(at, binary.BigEndian.Uint32(at)+e.localOffset(false))
}

// toScript turns the numbers of a segment that the stack sent into the script's. Its
// timestamps are mapped apart, for that needs the scripted segment.
func (e *endpoint) toScript(p *packet) {
	if p.protocol != wire.ProtoTCP {
		return
	}
	syn := p.flags.Has(wire.FlagSYN)
	p.seq -= e.localOffset(syn)
	ack := e.remoteOffset(syn)
	if p.flags.Has(wire.FlagACK) {
		p.ack -= ack
	}
	p.shiftSACK(-ack)
}

// shiftSACK adds n to every edge of the SACK blocks.
func (p *packet) shiftSACK(n uint32) {
	be := binary.BigEndian
	for _, o := range p.options {
		if o.kind != wire.TCPOptionSACK || len(o.data)%8 != 0 {
			continue
		}
		for b := o.data; len(b) > 0; b = b[4:] {
			be.PutUint32(b, be.Uint32(b)+n)
		}
	}
}

// learnStamp notes that the stack sent the timestamp of actual where the script has that of
// want, and makes actual's relative to the script's first.
func (e *endpoint) learnStamp(want, actual *packet) {
	w, a := want.timestamps(), actual.timestamps()
	if w == nil || a == nil {
		return
	}
	script, live := binary.BigEndian.Uint32(w), binary.BigEndian.Uint32(a)
	e.stamps[script] = live
	if !e.haveStamp {
		e.haveStamp, e.firstScript, e.firstStamp = true, script, live
	}
	binary.BigEndian.PutUint32(a, e.scriptStamp(live))
}

// scriptStamp is a timestamp that the stack sent as the script would have it.
func (e *endpoint) scriptStamp(live uint32) uint32 {
	if !e.haveStamp {
		return live
	}
	return e.firstScript + (live - e.firstStamp)
}

// reborn returns the endpoint of another connection between the same ends (RFC 9293 §3.6.1), where
// that is what got shows: the stack answers a SYN on an old connection with one of its own. Else it is e.
func (e *endpoint) reborn(want, got *packet) *endpoint {
	const both = wire.FlagSYN | wire.FlagACK
	switch {
	case e.phase != phaseSynAckAcked && e.phase != phaseSynAcked || !e.haveSYN,
		!want.flags.Has(both) || !got.flags.Has(both), got.ack != e.lastSYN+1 || got.seq == e.liveLocal:
		return e
	}
	n := newEndpoint()
	n.phase, n.family, n.typ, n.protocol = phaseSynAckSent, e.family, e.typ, e.protocol
	n.local, n.remote = e.local, e.remote
	n.scriptRemote, n.liveRemote = e.lastSYN, e.lastSYN
	n.scriptLocal, n.liveLocal = want.seq, got.seq
	return n
}

// shown maps all of a packet that the stack sent, for a person to read.
func (e *endpoint) shown(p *packet) *packet {
	q := p.clone()
	e.toScript(q)
	if ts := q.timestamps(); ts != nil {
		binary.BigEndian.PutUint32(ts, e.scriptStamp(binary.BigEndian.Uint32(ts)))
	}
	return q
}
