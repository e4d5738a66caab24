package shard

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/icmp"
	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/wire"
)

// Echo is an echo request that waits for its reply.
type Echo struct {
	host *Host
	id   uint16
	dst  netip.Addr
	sent clock.Time
	done func(EchoResult)
}

// EchoResult is what became of an echo request.
type EchoResult struct {
	From     netip.Addr   // who answered, or who sent the error
	At       clock.Time   // when the answer came
	Sent     clock.Time   // when the request went out
	HopLimit uint8        // of the answer, as it arrived
	Size     int          // octets of data in the answer
	Matches  bool         // the data came back as it was sent
	Err      *icmp.Report // the error, where it was one
	Closed   bool         // the host was closed
}

// pings knows the echo requests that wait, by identifier.
type pings struct {
	mu sync.Mutex
	m  map[uint16]*Echo
	id uint16
}

func (p *pings) init() { p.m = make(map[uint16]*Echo) }

// Ping sends one ICMP echo request with size octets of data. done is called once
// at most, from the receive path, unless Cancel comes first. hopLimit 0 is the default.
func (h *Host) Ping(dst netip.Addr, seq uint16, size int, hopLimit uint8, done func(EchoResult)) (*Echo, error) {
	out, err := h.net.Load().pathTo(dst, netip.Addr{}, h.lo)
	if err != nil {
		return nil, err
	}
	if hopLimit == 0 {
		hopLimit = h.hopLimit(dst.Is4())
	}
	e := &Echo{host: h, dst: dst.WithZone(""), sent: h.Now(), done: done}
	if !h.pings.enter(e) {
		return nil, syscall.ENOBUFS
	}
	if h.isClosed() {
		e.Cancel()
		return nil, net.ErrClosed
	}
	f := h.getTx()
	data := f.Buf[payloadAt+wire.ICMPHeader:][:min(max(size, 0), maxEcho)]
	fillEcho(data)
	version := uint8(4)
	if dst.Is6() {
		version = 6
	}
	n := icmp.PutEcho(f.Buf[payloadAt:], out.src, e.dst, e.id, seq, data)
	h.sendDatagram(f, &ipHeader{
		src: out.src, dst: e.dst, protocol: icmpProtocol(version), hopLimit: hopLimit,
	}, &out, payloadAt, payloadAt+n)
	return e, nil
}

// maxEcho is the most data that an echo request carries over IPv4.
const maxEcho = 65535 - 20 - 8

// fillEcho writes a pattern in which no two neighbours are equal.
func fillEcho(b []byte) {
	for i := range b {
		b[i] = byte(i)
	}
}

func intact(b []byte) bool {
	for i := range b {
		if b[i] != byte(i) {
			return false
		}
	}
	return true
}

func (p *pings) enter(e *Echo) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range 1 << 16 {
		p.id++
		if p.m[p.id] == nil {
			e.id = p.id
			p.m[p.id] = e
			return true
		}
	}
	return false
}

// Cancel forgets the request: done will not be called any more.
func (e *Echo) Cancel() { e.host.pings.take(e.id, e) }

func (p *pings) take(id uint16, e *Echo) *Echo {
	p.mu.Lock()
	defer p.mu.Unlock()
	got := p.m[id]
	if got == nil || e != nil && got != e {
		return nil
	}
	delete(p.m, id)
	return got
}

func (p *pings) peek(id uint16) *Echo {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.m[id]
}

// reply takes an echo reply to who waits for it.
func (p *pings) reply(now clock.Time, pkt *ip.Packet) {
	id := binary.BigEndian.Uint16(pkt.Payload[4:])
	e := p.peek(id)
	if e == nil || e.dst != pkt.Src && !e.dst.IsMulticast() || p.take(id, e) == nil {
		return
	}
	data := pkt.Payload[wire.ICMPHeader:]
	e.done(EchoResult{From: pkt.Src, At: now, Sent: e.sent, HopLimit: pkt.HopLimit, Size: len(data), Matches: intact(data)})
}

// report takes an ICMP error to the request that it quotes.
func (p *pings) report(rep *icmp.Report) {
	e := p.peek(rep.SrcPort) // the identifier, of an echo request
	if e == nil || e.dst != rep.Dst || p.take(e.id, e) == nil {
		return
	}
	e.done(EchoResult{From: rep.From, At: e.host.Now(), Sent: e.sent, Err: rep})
}

func (p *pings) closeAll() {
	p.mu.Lock()
	all := p.m
	p.m = make(map[uint16]*Echo)
	p.mu.Unlock()
	for _, e := range all {
		e.done(EchoResult{Closed: true})
	}
}
