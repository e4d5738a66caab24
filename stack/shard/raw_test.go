package shard

import (
	"bytes"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"github.com/weirnet/weir/stack/udp"
	"github.com/weirnet/weir/stack/wire"
)

func (w *world) raw(is4 bool, protocol uint8) *Raw {
	w.Helper()
	s, err := w.OpenRaw(is4, protocol)
	must(w, err)
	return s
}

func popRaw(s *Raw) (udp.Datagram, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue.Pop()
}

// Every packet of its protocol is copied to a raw socket and goes on: over IPv4 with its header, over IPv6 without.
func TestRawSocketsGetCopies(t *testing.T) {
	w := newWorld(t, Config{})
	s4, s6, other := w.raw(true, wire.ProtoICMP), w.raw(false, wire.ProtoICMPv6), w.raw(true, 99)
	in4, in6 := echoRequest(addr("192.0.2.9"), addr("192.0.2.1"), "x"), echoRequest(addr("2001:db8::9"), addr("2001:db8::1"), "x")
	w.receive(0, in4)
	w.receive(0, in6)
	if len(w.sent(0)) != 2 {
		t.Error("the echo requests are not answered")
	}
	d, ok := popRaw(s4)
	if !ok || !bytes.Equal(d.Payload, in4) || d.From != ap("192.0.2.9:0") || d.To != addr("192.0.2.1") || d.HopLimit != 64 {
		t.Errorf("%+v %v", d, ok)
	}
	if d, ok = popRaw(s6); !ok || !bytes.Equal(d.Payload, in6[40:]) {
		t.Errorf("%+v %v", d, ok)
	}
	unknown := ipPacket(addr("192.0.2.9"), addr("192.0.2.1"), 99, text(16), ipOptions{})
	w.receive(0, unknown)
	w.none() // somebody speaks it after all
	if d, ok = popRaw(other); !ok || !bytes.Equal(d.Payload, unknown) {
		t.Errorf("%+v %v", d, ok)
	}
	// After reassembly.
	whole := udpMessage(ap("192.0.2.9:9"), ap("192.0.2.1:53"), text(100))
	u := w.raw(true, wire.ProtoUDP)
	w.receive(0, ipPacket(addr("192.0.2.9"), addr("192.0.2.1"), wire.ProtoUDP, whole[:64], ipOptions{id: 1, more: true}))
	w.receive(0, ipPacket(addr("192.0.2.9"), addr("192.0.2.1"), wire.ProtoUDP, whole[64:], ipOptions{id: 1, offset: 64}))
	if d, ok = popRaw(u); !ok || len(d.Payload) != 20+len(whole) || !bytes.Equal(d.Payload[20:], whole) {
		t.Errorf("%d octets %v", len(d.Payload), ok)
	}
	w.one(0) // port unreachable all the same
	other.Close()
	w.receive(0, unknown)
	w.one(0)
	bad := bytes.Clone(in6)
	bad[len(bad)-1] ^= 1
	w.receive(0, bad)
	if _, ok = popRaw(s6); ok {
		t.Error("a wrong ICMPv6 checksum passes")
	}
	w.counted("raw.drop.checksum", 1)
}

func TestRawSocketsChoose(t *testing.T) {
	w := newWorld(t, Config{})
	filtered, bound, connected, onOther := w.raw(true, 1), w.raw(true, 1), w.raw(true, 1), w.raw(true, 1)
	filtered.SetFilter4(1 << wire.ICMPv4Echo)
	must(t, bound.Bind(addr("198.51.100.1")))
	must(t, connected.Connect(addr("192.0.2.8")))
	onOther.SetInterface(w.ifcs[1].Index())
	w.receive(0, echoRequest(addr("192.0.2.9"), addr("192.0.2.1"), "x"))
	for n, s := range []*Raw{filtered, bound, connected, onOther} {
		if _, ok := popRaw(s); ok {
			t.Errorf("socket %d gets what is not for it", n)
		}
	}
	w.receive(1, echoRequest(addr("192.0.2.8"), addr("198.51.100.1"), "x"))
	w.receive(0, echoRequest(addr("192.0.2.8"), addr("192.0.2.1"), "x"))
	w.receive(0, icmpPacket(addr("192.0.2.8"), addr("192.0.2.1"), wire.ICMPv4EchoReply, 0, 0, nil))
	for n, want := range map[*Raw]int{filtered: 1, bound: 1, connected: 2, onOther: 1} {
		if n.queue.Len() != want {
			t.Errorf("%d packets, want %d", n.queue.Len(), want)
		}
	}
	f6 := w.raw(false, wire.ProtoICMPv6)
	f6.SetFilter6([8]uint32{4: 1 << 0}) // type 128, echo request
	w.receive(0, echoRequest(addr("2001:db8::9"), addr("2001:db8::1"), "x"))
	w.receive(0, icmpPacket(addr("2001:db8::9"), addr("2001:db8::1"), 129, 0, 0, nil))
	if d, ok := popRaw(f6); !ok || d.Payload[0] != 129 {
		t.Errorf("%+v %v", d, ok)
	}
	wantErr(t, bound.Bind(addr("203.0.113.1")), syscall.EADDRNOTAVAIL)
	wantErr(t, bound.Bind(addr("2001:db8::1")), syscall.EAFNOSUPPORT)
	_, err := w.OpenRaw(true, 0)
	wantErr(t, err, syscall.EPROTONOSUPPORT)
}

func TestRawSocketsSend(t *testing.T) {
	w := newWorld(t, Config{})
	s := w.raw(true, 99)
	wantErr(t, s.SendTo(text(10), netip.Addr{}, SendOptions{}), syscall.EDESTADDRREQ)
	wantErr(t, s.SendTo(text(10), addr("192.0.2.255"), SendOptions{}), syscall.EACCES)
	must(t, s.SendTo(text(10), addr("192.0.2.9"), SendOptions{HopLimit: 3}))
	if p := w.one(0); p.proto != 99 || p.ttl != 3 || p.src != addr("192.0.2.1") || !bytes.Equal(p.body, text(10)) {
		t.Errorf("%v", p)
	}
	must(t, s.SendTo(text(3000), addr("192.0.2.9"), SendOptions{}))
	if got := joined(t, w.sent(0), 1500); !bytes.Equal(got, text(3000)) {
		t.Errorf("%d octets", len(got))
	}
	wantErr(t, s.SendTo(make([]byte, 65516), addr("192.0.2.9"), SendOptions{}), syscall.EMSGSIZE)

	ping := w.raw(false, wire.ProtoICMPv6) // the checksum is filled in
	m := icmpMessage(addr("2001:db8::1"), addr("2001:db8::9"), 128, 0, 0, []byte("x"))
	want := bytes.Clone(m)
	m[2], m[3] = 0, 0
	must(t, ping.SendTo(m, addr("2001:db8::9"), SendOptions{}))
	if p := w.one(0); !bytes.Equal(p.body, want) {
		t.Errorf("%v", p)
	}
	wantErr(t, ping.SetChecksum(4), syscall.EINVAL)
	own := w.raw(false, 99)
	must(t, own.SetChecksum(4))
	wantErr(t, own.SetChecksum(3), syscall.EINVAL)
	wantErr(t, own.SendTo(text(5), addr("2001:db8::9"), SendOptions{}), syscall.EINVAL)
	must(t, own.SendTo(make([]byte, 6), addr("2001:db8::9"), SendOptions{}))
	if p := w.one(0); wire.Sum(p.body, wire.PseudoHeaderSum(99, p.src, p.dst, 6)) != 0xffff {
		t.Errorf("%v", p)
	}
	s.Close()
	wantErr(t, s.SendTo(text(10), addr("192.0.2.9"), SendOptions{}), net.ErrClosed)
}

// IP_HDRINCL: length and checksum are filled in, identification and source where they are zero.
func TestRawSocketsSendWithTheHeaderIncluded(t *testing.T) {
	w := newWorld(t, Config{})
	s := w.raw(true, protoRaw)
	b := ipPacket(addr("0.0.0.0"), addr("192.0.2.9"), 99, text(10), ipOptions{ttl: 77})
	b[2], b[3], b[10] = 9, 9, 9
	must(t, s.SendTo(b, addr("192.0.2.9"), SendOptions{}))
	p := w.one(0)
	if p.proto != 99 || p.ttl != 77 || p.src != addr("192.0.2.1") || wire.IPv4(p.raw).ID() == 0 || !bytes.Equal(p.body, text(10)) {
		t.Errorf("%v", p)
	}
	b = ipPacket(addr("203.0.113.5"), addr("203.0.113.9"), 99, text(10), ipOptions{id: 7}) // whatever it says
	must(t, s.SendTo(b, addr("192.0.2.9"), SendOptions{}))
	if p = w.one(0); p.src != addr("203.0.113.5") || wire.IPv4(p.raw).ID() != 7 {
		t.Errorf("%v", p)
	}
	for _, bad := range [][]byte{nil, text(19), append([]byte{0x4f}, text(30)...), append([]byte{0x65}, text(30)...)} {
		wantErr(t, s.SendTo(bad, addr("192.0.2.9"), SendOptions{}), syscall.EINVAL)
	}
	wantErr(t, s.SendTo(make([]byte, 1501), addr("192.0.2.9"), SendOptions{}), syscall.EMSGSIZE)
	w.none()
}

func TestRawSocketsErrors(t *testing.T) {
	w := newWorld(t, Config{})
	asked, connected, neither := w.raw(true, 99), w.raw(true, 99), w.raw(true, 99)
	asked.Configure(func(o *DatagramOptions) { o.V4.RecvErr = true })
	must(t, connected.Connect(addr("192.0.2.9")))
	must(t, neither.SendTo(text(10), addr("192.0.2.9"), SendOptions{}))
	w.receive(0, icmpPacket(addr("192.0.2.9"), addr("192.0.2.1"), 3, 2, 0, w.one(0).raw))
	e, ok := asked.errs.Pop()
	if !ok || e.Errno != syscall.ENOPROTOOPT || e.Offender != addr("192.0.2.9") || !bytes.Equal(e.Payload, text(10)) {
		t.Errorf("%+v %v", e, ok)
	}
	for s, want := range map[*Raw]error{asked: syscall.ENOPROTOOPT, connected: syscall.ENOPROTOOPT, neither: nil} {
		if err := s.queue.TakeError(); err != want {
			t.Errorf("%v, want %v", err, want)
		}
	}
	w.Close()
	w.nothingHeld()
}
