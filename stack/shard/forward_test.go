package shard

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

// across are ends behind e0 and behind e1, for a router to join.
var across = [][2]string{{"192.0.2.9:1000", "198.51.100.9:2000"}, {"[2001:db8::9]:1000", "[2001:db8:1::9]:2000"}}

func text(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(b)
	return b
}

func TestForwardingTakesOneFromTheHopLimit(t *testing.T) { // RFC 1812 §5.3.1, RFC 8200 §3
	w := newWorld(t, Config{Forward: true})
	for _, ends := range across {
		in := udpPacket(ap(ends[0]), ap(ends[1]), text(100))
		w.receive(0, in)
		p := w.one(1)
		if p.ttl != 63 || p.src != ap(ends[0]).Addr() || p.dst != ap(ends[1]).Addr() || !bytes.Equal(p.body[8:], text(100)) {
			t.Errorf("%v", p)
		}
	}
	w.counted("ip.forwarded", 2)
}

func TestHostIsNoRouter(t *testing.T) { // RFC 1122 §3.3.1.1
	w := newWorld(t, Config{})
	for _, ends := range across {
		w.receive(0, udpPacket(ap(ends[0]), ap(ends[1]), nil))
	}
	w.none()
	w.counted("ip.drop.not_local", 2)
}

// wantError fails unless p is an ICMP error of the type and code about the packet in.
func wantError(t testing.TB, p packet, in []byte, typ, code uint8) (rest uint32) {
	t.Helper()
	gotType, gotCode, rest, body := p.icmp()
	if p.proto != icmpOf(p.dst) || gotType != typ || gotCode != code {
		t.Fatalf("got %v, want the ICMP error %d code %d", p, typ, code)
	}
	limit := 576
	if p.dst.Is6() {
		limit = 1280
	}
	if len(p.raw) > limit || len(p.raw) < min(limit, len(p.raw)-len(body)+len(in)) || len(body) < 28 {
		t.Errorf("an error of %d octets about %d", len(p.raw), len(in)) // RFC 1812 §4.3.2.3, RFC 4443 §2.4(c)
	}
	ports := 24 // checksums after that need not be what they were
	if p.dst.Is6() {
		ports = 44
	}
	if !bytes.Equal(body[:ports], in[:ports]) { // as it arrived, hop limit and all (RFC 1812 §4.3.2.3)
		t.Errorf("the error quotes %x, not %x", body[:ports], in[:ports])
	}
	return rest
}

func TestUsedUpHopLimitIsTimeExceeded(t *testing.T) {
	w := newWorld(t, Config{Forward: true})
	for n, ends := range across {
		for _, ttl := range []uint8{1, 255} {
			src, dst := ap(ends[0]), ap(ends[1])
			in := ipPacket(src.Addr(), dst.Addr(), wire.ProtoUDP, udpMessage(src, dst, text(900)), ipOptions{ttl: ttl})
			w.receive(0, in)
			if ttl == 255 {
				w.one(1)
				continue
			}
			p := w.one(0)
			wantError(t, p, in, []uint8{11, 3}[n], 0)
			if p.src != ownAddrs[n] {
				t.Errorf("%v, want the source to be the interface's that it leaves by", p)
			}
		}
	}
	w.counted("ip.drop.forward.hop_limit", 2)
}

func TestRouterWithoutARouteSaysSo(t *testing.T) { // RFC 1812 §5.2.7.1, RFC 4443 §3.1
	w := newWorld(t, Config{Forward: true})
	in := udpPacket(ap("192.0.2.9:1"), ap("203.0.113.9:2"), nil)
	w.receive(0, in)
	wantError(t, w.one(0), in, 3, 0)
	in = udpPacket(ap("[2001:db8::9]:1"), ap("[2a00::9]:2"), nil)
	w.receive(0, in)
	wantError(t, w.one(0), in, 1, 0)
	w.counted("ip.drop.no_route", 2)
}

func TestTooBigForTheNextLinkTellsItsMTU(t *testing.T) { // RFC 1191 §4, RFC 4443 §3.2
	w := newWorld(t, Config{Forward: true})
	for n, ends := range across {
		src, dst := ap(ends[0]), ap(ends[1])
		for _, size := range []int{1280, 1281, 1500} {
			in := ipPacket(src.Addr(), dst.Addr(), wire.ProtoUDP, udpMessage(src, dst, text(size-8-[]int{20, 40}[n])), ipOptions{df: true})
			if len(in) != size {
				t.Fatal(len(in))
			}
			w.receive(0, in)
			if size == 1280 {
				w.one(1)
				continue
			}
			if rest := wantError(t, w.one(0), in, []uint8{3, 2}[n], []uint8{4, 0}[n]); rest != 1280 {
				t.Errorf("the error says %d, want the next link's MTU", rest)
			}
		}
	}
	w.counted("ip.drop.too_big", 4)
	w.none()
}

func TestTooBigWithoutDFIsFragmented(t *testing.T) { // RFC 791 §3.2
	w := newWorld(t, Config{Forward: true})
	src, dst := ap(across[0][0]), ap(across[0][1])
	in := ipPacket(src.Addr(), dst.Addr(), wire.ProtoUDP, udpMessage(src, dst, text(1472)), ipOptions{id: 99})
	w.receive(0, in)
	if got := joined(t, w.sent(1), 1280); !bytes.Equal(got, in[20:]) {
		t.Errorf("the fragments hold %d octets, or not those that came", len(got))
	}
	w.counted("ip.fragments_out", 2)
	w.none()
}

// joined puts fragments, in order, together again.
func joined(t testing.TB, list []packet, mtu int) (all []byte) {
	t.Helper()
	for i, p := range list {
		if len(p.raw) > mtu || p.offset != len(all) || p.more != (i < len(list)-1) || p.df {
			t.Errorf("fragment %d is %d octets at %d, more %v, DF %v", i, len(p.raw), p.offset, p.more, p.df)
		}
		all = append(all, p.body...)
	}
	return all
}

// superSegment is a TCP packet of 20,000 octets of text that is to be cut into pieces of size.
func superSegment(src, dst string, df bool, size uint16) ([]byte, link.Offload) {
	b := tcpPacket(ap(src), ap(dst), wire.TCPFields{Seq: 7, Flags: ack}, text(20_000))
	start := len(b) - 20_020
	sum := wire.PseudoHeaderSum(wire.ProtoTCP, ap(src).Addr(), ap(dst).Addr(), 20_020)
	wire.TCP(b[start:]).SetChecksum(sum)
	if !df && ap(src).Addr().Is4() {
		wire.IPv4(b).SetFragment(0, false, false)
		wire.IPv4(b).UpdateChecksum()
	}
	return b, link.Offload{Checksum: link.ChecksumPartial, ChecksumStart: uint16(start), ChecksumOffset: 16, SegmentSize: size}
}

func TestSuperSegmentIsForwardedWhole(t *testing.T) {
	w := newWorld(t, Config{Forward: true})
	w.ifcs[1].features = offloads
	for _, ends := range across {
		b, o := superSegment(ends[0], ends[1], true, 1200)
		w.receiveWith(0, b, o)
		p := w.one(1)
		if p.SegmentSize != 1200 || p.Checksum != link.ChecksumPartial || p.headers != len(b)-20_000 || !bytes.Equal(p.tcp().Payload(), text(20_000)) {
			t.Errorf("%+v: %v", p.Offload, p)
		}
	}
}

func TestSuperSegmentIsCutForALinkThatCannot(t *testing.T) {
	for _, room := range []int{-1, 5} { // with room for all, and with a full device in between
		w := newWorld(t, Config{Forward: true})
		for _, ends := range across {
			w.cables[1].room = room
			b, o := superSegment(ends[0], ends[1], true, 1200)
			w.receiveWith(0, b, o)
			w.cables[1].makeRoom(-1)
			w.settle()
			var got []byte
			for _, p := range w.sent(1) {
				if p.SegmentSize != 0 || p.Checksum != link.ChecksumInPacket || len(p.raw) > 1280 || p.tcp().Seq() != 7+uint32(len(got)) {
					t.Fatalf("room %d: %+v: %v", room, p.Offload, p)
				}
				got = append(got, p.tcp().Payload()...)
			}
			if !bytes.Equal(got, text(20_000)) {
				t.Errorf("room %d: %d octets arrived, or not in order", room, len(got))
			}
		}
		w.counted("held.frames", 0)
	}
}

func TestSegmentsTooBigForTheNextLink(t *testing.T) {
	w := newWorld(t, Config{Forward: true})
	w.ifcs[1].features = offloads
	for n, ends := range across { // 1,460 and 1,440 octets of text are too many for an MTU of 1,280
		b, o := superSegment(ends[0], ends[1], true, 1440)
		w.receiveWith(0, b, o)
		if rest := wantError(t, w.one(0), b, []uint8{3, 2}[n], []uint8{4, 0}[n]); rest != 1280 {
			t.Errorf("the error says %d, want the next link's MTU", rest)
		}
	}
	b, o := superSegment(across[0][0], across[0][1], false, 1440)
	w.receiveWith(0, b, o)
	if n := len(w.sent(1)); n != 28 { // 13 segments of two fragments, and a last of 1,280 octets and 20
		t.Errorf("%d fragments, want two for each of 14 segments", n)
	}
	w.none()
}

func TestUnfinishedChecksumIsFinishedForALinkThatCannot(t *testing.T) {
	w := newWorld(t, Config{Forward: true})
	for _, ends := range across {
		_, o := superSegment(ends[0], ends[1], true, 0)
		src, dst := ap(ends[0]), ap(ends[1])
		in := tcpPacket(src, dst, wire.TCPFields{Flags: ack}, text(1000))
		start := len(in) - 1020
		wire.TCP(in[start:]).SetChecksum(wire.PseudoHeaderSum(wire.ProtoTCP, src.Addr(), dst.Addr(), 1020))
		o.ChecksumStart = uint16(start)
		w.receiveWith(0, in, o)
		if p := w.one(1); p.Checksum != link.ChecksumInPacket { // one checks the sum
			t.Errorf("%+v: %v", p.Offload, p)
		}
	}
}
