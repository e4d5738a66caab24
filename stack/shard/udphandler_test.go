package shard

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/link/gso"
	"github.com/weirnet/weir/stack/route"
	"github.com/weirnet/weir/stack/wire"
)

const uso = offloads | link.FeatureGuestUSO4 | link.FeatureGuestUSO6 | link.FeatureHostUSO

// packetFunc is a handler made of a function.
type packetFunc func(c *PacketCall, p []byte, m *PacketMeta)

func (f packetFunc) OnPacket(c *PacketCall, p []byte, m *PacketMeta) { f(c, p, m) }

// trainFunc is a handler that takes super-segments whole.
type trainFunc struct {
	packetFunc
	train func(c *PacketCall, p []byte, size int)
}

func (f trainFunc) OnTrain(c *PacketCall, p []byte, size int, _ *PacketMeta) { f.train(c, p, size) }

// echoPackets answers a datagram with itself.
func echoPackets(c *PacketCall, p []byte, _ *PacketMeta) { c.Reply(p) }

// handle binds a port for a handler, on both families.
func (w *world) handle(port uint16, h PacketHandler) *UDP {
	w.Helper()
	u, err := w.ListenUDPHandler(netip.AddrPortFrom(netip.IPv6Unspecified(), port), true, func(*UDP) PacketHandler { return h })
	must(w, err)
	return u
}

// burst has interface n receive packets in one round, each in a block that the round may give away.
func (w *world) burst(n int, packets ...[]byte) {
	r := round{h: w.Host, ifc: w.ifcs[n], now: w.clock.Now()}
	var blocks []func()
	for _, p := range packets {
		block := w.pool.Get(link.FrameSize)
		f := link.Frame{Buf: block.B, Off: link.Headroom}
		f.End = f.Off + copy(f.Buf[f.Off:], p)
		r.block = block
		r.input(&f)
		if r.block != nil {
			blocks = append(blocks, block.Release)
		}
	}
	r.flush()
	for _, release := range blocks {
		release()
	}
	w.settle()
}

// answers returns what was sent by interface n as datagrams "peer:text", super-segments cut, and how
// many frames that were.
func (w *world) answers(n int) (list []string, frames int) {
	w.Helper()
	scratch := link.Frame{Buf: make([]byte, link.FrameSize)}
	for _, b := range w.cables[n].out {
		var f link.Frame
		must(w, f.SetWire(b))
		frames++
		must(w, gso.Cut(&f, &scratch, func(g *link.Frame) error {
			p := parse(w, g.Wire())
			list = append(list, fmt.Sprintf("%d:%s", wire.UDP(p.body).DstPort(), wire.UDP(p.body).Payload()))
			return nil
		}))
	}
	w.cables[n].out = nil
	return list, frames
}

func TestHandlerAnswersFromTheAddressThatWasAsked(t *testing.T) { // RFC 1122 §4.1.3.5
	w := newWorld(t, Config{})
	var meta PacketMeta
	w.handle(7, packetFunc(func(c *PacketCall, p []byte, m *PacketMeta) {
		meta = *m
		if err := c.Reply(append(p, '!')); err != nil {
			t.Error(err)
		}
	}))
	for _, c := range []struct{ from, to, answered string }{
		{"192.0.2.9:999", "192.0.2.1:7", "192.0.2.1"},
		{"192.0.2.9:999", "198.51.100.1:7", "198.51.100.1"}, // another interface's: any is ours on any
		{"[2001:db8::9]:999", "[2001:db8:1::1]:7", "2001:db8:1::1"},
		{"192.0.2.9:999", "192.0.2.255:7", "192.0.2.1"},
	} {
		w.receive(0, udpPacket(ap(c.from), ap(c.to), []byte("hello")))
		p := w.one(0)
		if p.src != addr(c.answered) || p.dst != ap(c.from).Addr() || wire.UDP(p.body).DstPort() != 999 || wire.UDP(p.body).SrcPort() != 7 || string(wire.UDP(p.body).Payload()) != "hello!" {
			t.Errorf("%v: answered by %v", c, p)
		}
		if meta.From != ap(c.from) || meta.To != ap(c.to) || meta.Interface != w.ifcs[0].Index() || meta.HopLimit != 64 {
			t.Errorf("%v: %+v", c, meta)
		}
	}
}

// What handlers send in a round leaves together: datagrams of one size to one peer as a super-segment
// where the device cuts it, and all frames in one call.
func TestAnswersOfARoundLeaveTogether(t *testing.T) {
	a, b := ap("192.0.2.9:1"), ap("192.0.2.9:2")
	for _, c := range []struct {
		name     string
		features uint64
		sent     string // "1aa 1bb 2cc": peer and text
		frames   int
	}{
		{"one size", uso, "1aa 1bb 1cc", 1},
		{"one size, no device to cut", offloads, "1aa 1bb 1cc", 3},
		{"one size, no offloads", 0, "1aa 1bb 1cc", 3},
		{"two peers", uso, "1aa 2bb 1cc 2dd", 2},
		{"the last is shorter", uso, "1aa 1bb 1c", 1},
		{"one after a shorter one", uso, "1aa 1b 1cc 1dd", 2},
		{"a longer one", uso, "1aa 1bbb 1ccc", 2},
		{"an empty one", uso, "1aa 1 1bb", 3},
		{"one", uso, "1aa", 1},
	} {
		w := newWorld(t, Config{})
		w.ifcs[0].features = c.features
		w.handle(7, packetFunc(echoPackets))
		var packets [][]byte
		want := map[byte][]string{}
		for _, s := range strings.Fields(c.sent) {
			from := a
			if s[0] == '2' {
				from = b
			}
			packets = append(packets, udpPacket(from, ap("192.0.2.1:7"), []byte(s[1:])))
			want[s[0]] = append(want[s[0]], s[:1]+":"+s[1:])
		}
		calls := w.cables[0].calls
		w.burst(0, packets...)
		if got := w.cables[0].calls - calls; got != 1 {
			t.Errorf("%s: %d calls of the device, want one", c.name, got)
		}
		list, frames := w.answers(0)
		got := map[byte][]string{}
		for _, s := range list {
			got[s[0]] = append(got[s[0]], s)
		}
		if frames != c.frames || !slices.Equal(got['1'], want['1']) || !slices.Equal(got['2'], want['2']) {
			t.Errorf("%s: %q in %d frames, want %q in %d", c.name, list, frames, want, c.frames)
		}
		w.counted("udp.in", uint64(len(packets)))
		w.counted("udp.out", uint64(len(packets)))
		w.counted("held.blocks", 0)
		w.counted("held.frames", 0)
	}
}

func TestMoreAnswersThanAnOutletHoldsAllLeave(t *testing.T) {
	for _, features := range []uint64{0, uso} {
		w := newWorld(t, Config{})
		w.ifcs[0].features = features
		w.handle(7, packetFunc(func(c *PacketCall, p []byte, _ *PacketMeta) {
			for n := range 200 {
				c.Reply([]byte{byte('a' + n%2)})
			}
		}))
		w.burst(0, udpPacket(ap("192.0.2.9:1"), ap("192.0.2.1:7"), nil))
		list, frames := w.answers(0)
		if len(list) != 200 || list[0] != "1:a" || list[199] != "1:b" || features != 0 && frames != 4 {
			t.Errorf("%d answers in %d frames", len(list), frames)
		}
	}
}

// A large datagram, and a super-segment, leave in the block that they came in.
func TestLargeAnswerLeavesInTheFrameThatItCameIn(t *testing.T) {
	for _, ends := range [][2]string{{"192.0.2.9:999", "192.0.2.1:7"}, {"[2001:db8::9]:999", "[2001:db8::1]:7"}} {
		for _, whole := range []bool{true, false} {
			w := newWorld(t, Config{})
			w.ifcs[0].features = uso
			var h PacketHandler = packetFunc(echoPackets)
			if whole {
				h = trainFunc{packetFunc(echoPackets), func(c *PacketCall, p []byte, size int) {
					if len(p) != 30000 || size != 1000 {
						t.Errorf("%d octets of %d each", len(p), size)
					}
					c.ReplyTrain(p, size)
					if c.r.block != nil {
						t.Error("the block is still the receive loop's")
					}
					c.ReplyTrain(p[:1500], size) // and a copy of a part
				}}
			}
			w.handle(7, h)
			r := round{h: w.Host, ifc: w.ifcs[0], now: w.clock.Now(), block: w.pool.Get(link.FrameSize)}
			f := link.Frame{Buf: r.block.B, Off: link.Headroom, Offload: link.Offload{UDP: true, SegmentSize: 1000, Checksum: link.ChecksumVerified}}
			f.End = f.Off + copy(f.Buf[f.Off:], udpPacket(ap(ends[0]), ap(ends[1]), text(30000)))
			r.input(&f)
			r.flush()
			if r.block != nil {
				r.block.Release()
			}
			var got []byte
			list, frames := w.answers(0)
			for _, s := range list {
				got = append(got, s[len("999:"):]...)
			}
			want := text(30000)
			if whole {
				want = append(want, text(30000)[:1500]...)
			}
			if !bytes.Equal(got, want) || frames != map[bool]int{true: 2, false: 1}[whole] {
				t.Errorf("whole %v: %d octets in %d frames", whole, len(got), frames)
			}
			w.counted("udp.in", 30)
			w.counted("udp.out", uint64(len(list)))
			w.counted("held.blocks", 0)
			w.counted("held.frames", 0)
		}
	}
}

// A device that cannot cut gets the datagrams of a train one by one.
func TestTrainForADeviceThatCannotCut(t *testing.T) {
	w := newWorld(t, Config{})
	w.handle(7, packetFunc(func(c *PacketCall, p []byte, _ *PacketMeta) {
		must(t, c.ReplyTrain([]byte("aabbc"), 2))
		wantErr(t, c.ReplyTrain([]byte("aa"), 0), syscall.EINVAL)
		wantErr(t, c.WriteTo(nil, ap("192.0.2.9:0")), syscall.EINVAL)
		wantErr(t, c.WriteTo(nil, ap("203.0.113.9:1")), syscall.ENETUNREACH)
		wantErr(t, c.WriteTo(text(65508), ap("192.0.2.9:1")), syscall.EMSGSIZE)
		must(t, c.WriteTo([]byte("x"), ap("192.0.2.8:2")))
	}))
	w.burst(0, udpPacket(ap("192.0.2.9:1"), ap("192.0.2.1:7"), nil))
	if list, frames := w.answers(0); frames != 4 || !slices.Equal(list, []string{"1:aa", "1:bb", "1:c", "2:x"}) {
		t.Errorf("%q in %d frames", list, frames)
	}
}

// What a full device does not take waits, in order, and leaves when there is room.
func TestAnswersWaitForAFullDevice(t *testing.T) {
	w := newWorld(t, Config{})
	w.handle(7, packetFunc(echoPackets))
	w.cables[0].makeRoom(1)
	var packets [][]byte
	for n := range 4 {
		packets = append(packets, udpPacket(ap("192.0.2.9:1"), ap("192.0.2.1:7"), []byte{byte('a' + n)}))
	}
	w.burst(0, packets...)
	list, _ := w.answers(0)
	w.cables[0].makeRoom(-1)
	w.settle()
	rest, _ := w.answers(0)
	if list = append(list, rest...); !slices.Equal(list, []string{"1:a", "1:b", "1:c", "1:d"}) || len(rest) != 3 {
		t.Errorf("%q, %d of them later", list, len(rest))
	}
	w.counted("udp.out", 4)
	w.counted("held.frames", 0)
}

// By which way a socket sends is remembered only as long as nothing has changed.
func TestWayIsFoundAnewWhenSomethingChanges(t *testing.T) {
	w := newWorld(t, Config{})
	r := round{h: w.Host, ifc: w.ifcs[0]}
	var err error
	u := w.handle(7, packetFunc(func(c *PacketCall, p []byte, _ *PacketMeta) { err = c.Reply(p) }))
	v, verr := w.ListenUDP(ap("192.0.2.1:8"), false)
	must(t, verr)
	ask := func() error {
		f := link.Frame{Buf: make([]byte, link.FrameSize), Off: link.Headroom}
		f.End = f.Off + copy(f.Buf[f.Off:], udpPacket(ap("203.0.113.9:999"), ap("192.0.2.1:7"), text(700)))
		r.input(&f)
		r.flush()
		if e := v.Send(text(700), netip.Addr{}, ap("203.0.113.9:999")); e != err {
			t.Errorf("a handler is told %v, a socket %v", err, e)
		}
		return err
	}
	sentBy := func(n, each int, tos uint8) {
		t.Helper()
		must(t, ask())
		list := w.sent(n)
		if len(list) != 2*each || list[0].tos() != tos || list[2*each-1].tos() != tos {
			t.Errorf("interface %d sent %v", n, list)
		}
	}
	wantErr(t, ask(), syscall.ENETUNREACH)
	through := func(n int) route.Route {
		return route.Route{Dst: netip.MustParsePrefix("203.0.113.0/24"), Interface: w.ifcs[n].Index()}
	}
	must(t, w.AddRoute(through(0)))
	sentBy(0, 1, 0)
	must(t, w.RemoveRoute(through(0)))
	must(t, w.AddRoute(through(1)))
	sentBy(1, 1, 0)
	for _, s := range []*UDP{u, v} {
		s.Configure(func(o *DatagramOptions) { o.V4.TrafficClass = 0x10 })
	}
	sentBy(1, 1, 0x10)
	w.cables[1].mtu = 600
	sentBy(1, 2, 0x10)
	w.cables[1].mtu = 1280
	must(t, ask())
	w.tooBig(1, w.sent(1)[0], 600)
	sentBy(1, 2, 0x10)
	u.Close()
	v.Close()
	for _, held := range []string{"held.udp_sockets", "held.ports", "held.blocks", "held.frames"} {
		w.counted(held, 0)
	}
}

// A handler's answers, and the wake-ups of other sockets, do not wait for another socket's handler.
func TestNothingWaitsForAnotherHandler(t *testing.T) {
	w := newWorld(t, Config{})
	w.handle(7, packetFunc(echoPackets))
	plain, err := w.ListenUDP(ap("192.0.2.1:9"), false)
	must(t, err)
	told := 0
	plain.OnEvent(func() { told++ })
	w.handle(8, packetFunc(func(c *PacketCall, _ []byte, _ *PacketMeta) {
		if list, _ := w.answers(0); len(list) != 2 || told != 1 {
			t.Errorf("before the next handler %q have left, and a reader was told %d times", list, told)
		}
	}))
	from := ap("192.0.2.9:1")
	w.burst(0, udpPacket(from, ap("192.0.2.1:7"), []byte("a")), udpPacket(from, ap("192.0.2.1:9"), nil), udpPacket(from, ap("192.0.2.1:9"), nil),
		udpPacket(from, ap("192.0.2.1:7"), []byte("b")), udpPacket(from, ap("192.0.2.1:8"), nil))
	if told != 1 {
		t.Errorf("a reader was told %d times", told)
	}
}
