package shard

import (
	"net/netip"

	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/wire"
)

// peer is the far end of a TCP connection, played by hand. It announces its MSS and has no
// other options.
type peer struct {
	*world
	ifc      int
	at, host netip.AddrPort
	seq, ack uint32
	window   uint16
	stamp    uint32 // the last timestamp; 0: it knows none
}

func (w *world) peer(ifc int, at, host string) *peer {
	return &peer{world: w, ifc: ifc, at: ap(at), host: ap(host), seq: 1000, window: 65535}
}

// send sends a segment with the peer's numbers.
func (p *peer) send(flags wire.TCPFlags, text string) {
	var o wire.TCPOptions
	if flags&syn != 0 {
		o.MSS = uint16(mss(1500, p.at.Addr().Is4()))
	}
	if p.stamp != 0 {
		p.stamp++
		o.HasTimestamps, o.TSVal = true, p.stamp
	}
	p.receive(p.ifc, tcpPacket(p.at, p.host, wire.TCPFields{Seq: p.seq, Ack: p.ack, Flags: flags, Window: p.window, Options: &o}, []byte(text)))
	p.seq += uint32(len(text))
	if flags&(wire.FlagSYN|wire.FlagFIN) != 0 {
		p.seq++
	}
}

// got returns the one segment that the host has sent, which must be the peer's, and
// acknowledges it with the next.
func (p *peer) got(flags wire.TCPFlags) wire.TCP {
	p.Helper()
	k := p.one(p.ifc)
	h := k.tcp()
	if k.proto != wire.ProtoTCP || netip.AddrPortFrom(k.dst, h.DstPort()) != p.at || h.Flags()&^wire.FlagPSH != flags {
		p.Fatalf("got %v, want a segment to %v with %v", k, p.at, flags)
	}
	p.take(h)
	return h
}

func (p *peer) take(h wire.TCP) {
	p.ack = h.Seq() + uint32(len(h.Payload()))
	if h.Flags()&(wire.FlagSYN|wire.FlagFIN) != 0 {
		p.ack++
	}
}

const (
	ack    = wire.FlagACK
	syn    = wire.FlagSYN
	fin    = wire.FlagFIN
	rst    = wire.FlagRST
	synAck = wire.FlagSYN | wire.FlagACK
	finAck = wire.FlagFIN | wire.FlagACK
)

// connect opens the connection from the peer's side.
func (p *peer) connect() *peer {
	p.Helper()
	p.send(syn, "")
	p.got(synAck)
	p.send(ack, "")
	p.none()
	return p
}

// events is a Handler that remembers what happened.
type events struct{ all tcp.Events }

func (e *events) OnEvent(_ *TCP, ev tcp.Events) { e.all |= ev }

// dialPeer opens a connection from the host's side to a peer on interface ifc.
func (w *world) dialPeer(ifc int, local, remote string) (*TCP, *peer, *events) {
	w.Helper()
	e := new(events)
	from := netip.AddrPort{}
	if local != "" {
		from = ap(local)
	}
	c, err := w.DialTCP(from, ap(remote), e)
	if err != nil {
		w.Fatal(err)
	}
	p := &peer{world: w, ifc: ifc, at: c.Remote(), host: c.Local(), seq: 1000, window: 65535}
	p.got(syn)
	p.send(synAck, "")
	p.got(ack)
	if c.conn.State() != tcp.StateEstablished {
		w.Fatalf("the connection is in %v", c.conn.State())
	}
	return c, p, e
}

// write queues text on a connection and sends what may be sent.
func (w *world) write(c *TCP, text []byte) {
	w.Helper()
	c.Lock()
	if n := c.conn.Write(w.clock.Now(), text); n != len(text) {
		w.Fatalf("%d of %d octets written", n, len(text))
	}
	c.Push()
	c.Unlock()
	w.settle()
}

// listen listens on an address.
func (w *world) listen(at string) *Listener {
	w.Helper()
	l, err := w.Listen(ap(at), at[0] == '[' && ap(at).Addr().IsUnspecified())
	if err != nil {
		w.Fatal(err)
	}
	return l
}

// fieldsOf returns the fields of a segment with these flags.
func fieldsOf(flags wire.TCPFlags) wire.TCPFields { return wire.TCPFields{Flags: flags} }
