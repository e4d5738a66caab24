package icmp

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

// request is an echo request as PutEcho writes it.
func request(t testing.TB, src, dst netip.Addr, n int) []byte {
	b := make([]byte, 8+n)
	if PutEcho(b, src, dst, 0x1234, 7, octets(n)) != len(b) {
		t.Fatal("PutEcho did not fill the buffer")
	}
	if dst.Is4() {
		return packet(wire.ProtoICMP, src, dst, b)
	}
	return packet(wire.ProtoICMPv6, src, dst, b)
}

// RFC 1122 §3.2.2.6, RFC 4443 §4.2: all data come back, identifier and sequence number
// too, from the address that was asked. In place and in a buffer it is the same.
func TestEchoIsAnswered(t *testing.T) {
	for _, a := range [][2]netip.Addr{{src4, dst4}, {src6, dst6}} {
		for _, n := range []int{0, 1, 56, 1472, 60000} {
			p := parsed(t, request(t, a[0], a[1], n), false)
			if !Verify(p) {
				t.Fatal("the request has a bad checksum")
			}
			buf := make([]byte, 8+n)
			if PutEchoReply(buf, a[1], p) != 8+n {
				t.Fatal("PutEchoReply wrote something else")
			}
			f := p.Frame
			if !EchoReply(p, 255, 99) {
				t.Fatal("no reply")
			}
			q := parsed(t, f.Packet(), false)
			e, ok := ParseEcho(q)
			if !ok || !e.Reply || e.ID != 0x1234 || e.Seq != 7 || !bytes.Equal(e.Data, octets(n)) || !Verify(q) {
				t.Errorf("%d octets: reply %+v, %v, checksum %v", n, e.Reply, ok, Verify(q))
			}
			if q.Src != a[1] || q.Dst != a[0] || q.HopLimit != 255 || q.Version == 4 && q.FragID != 99 {
				t.Errorf("%d octets: from %v to %v, hop limit %d, id %d", n, q.Src, q.Dst, q.HopLimit, q.FragID)
			}
			if !bytes.Equal(buf, q.Payload) {
				t.Errorf("%d octets: the two replies differ", n)
			}
		}
	}
}

func TestEchoToMulticastIsAnsweredFromUnicast(t *testing.T) {
	p := parsed(t, request(t, src6, addr("ff02::1"), 8), false)
	if EchoReply(p, 64, 0) {
		t.Error("answered in place, from a multicast address")
	}
	b := make([]byte, 16)
	n := PutEchoReply(b, dst6, p)
	if !Verify(parsed(t, packet(wire.ProtoICMPv6, dst6, src6, b[:n]), false)) {
		t.Error("bad checksum")
	}
}

func TestWhatIsNoEchoRequestIsNotAnswered(t *testing.T) {
	reply := message(src4, dst4, wire.ICMPv4EchoReply, 0, 1, nil)
	code := message(src4, dst4, wire.ICMPv4Echo, 1, 1, nil)
	crossed := message(src4, dst4, wire.ICMPv6Echo, 0, 1, nil)
	short := packet(wire.ProtoICMP, src4, dst4, []byte{8, 0, 0, 0})
	for i, b := range [][]byte{reply, code, crossed, short} {
		p := parsed(t, b, false)
		if EchoReply(p, 64, 0) || PutEchoReply(make([]byte, 100), dst4, p) != 0 || !bytes.Equal(p.Frame.Packet(), b) {
			t.Errorf("%d: answered", i)
		}
	}
	for _, dst := range []string{"255.255.255.255", "224.0.0.1"} {
		if EchoReply(parsed(t, request(t, src4, addr(dst), 8), false), 64, 0) {
			t.Errorf("answered from %s", dst)
		}
	}
	p := parsed(t, request(t, src4, dst4, 8), false)
	p.NoError = true
	if EchoReply(p, 64, 0) || PutEchoReply(make([]byte, 15), dst4, p) != 0 || PutEcho(make([]byte, 15), src4, dst4, 1, 1, octets(8)) != 0 {
		t.Error("answered a broadcast, or wrote to a buffer too short")
	}
}

// A checksum that the device vouches for, or that its sender left unfinished, is not
// verified; the reply's is right nevertheless.
func TestOffloadedChecksums(t *testing.T) {
	for _, a := range [][2]netip.Addr{{src4, dst4}, {src6, dst6}} {
		p := parsed(t, request(t, a[0], a[1], 20), false)
		p.Payload[2] ^= 0x55
		if Verify(p) {
			t.Error("a bad checksum was taken")
		}
		p.Frame.Checksum = link.ChecksumPartial
		if !Verify(p) {
			t.Error("an unfinished checksum was verified")
		}
		f := p.Frame
		if !EchoReply(p, 64, 1) || f.Offload != (link.Offload{}) || !Verify(parsed(t, f.Packet(), false)) {
			t.Error("the reply's checksum is bad")
		}
	}
	p := parsed(t, packet(wire.ProtoUDP, src4, dst4, octets(8)), false)
	if Verify(p) {
		t.Error("UDP passes for ICMP")
	}
}

func TestEchoAllocatesNothing(t *testing.T) {
	p4, p6 := parsed(t, request(t, src4, dst4, 56), false), parsed(t, request(t, src6, dst6, 56), false)
	b := make([]byte, 64)
	if n := testing.AllocsPerRun(100, func() {
		Verify(p4)
		Verify(p6)
		PutEchoReply(b, dst4, p4)
		PutEchoReply(b, dst6, p6)
		EchoReply(p4, 64, 1)
		EchoReply(p6, 64, 1)
		p4.Payload[0], p6.Payload[0] = wire.ICMPv4Echo, wire.ICMPv6Echo
		PutEcho(b, src6, dst6, 1, 1, b[8:])
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
