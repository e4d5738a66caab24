package shard

import (
	"bytes"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/route"
	"github.com/weirnet/weir/stack/wire"
)

// texts returns the text of the segments in a list, which must be in order.
func texts(t testing.TB, list []packet, from uint32) (all []byte) {
	t.Helper()
	for _, p := range list {
		h := p.tcp()
		if len(h.Payload()) > 0 && h.Seq() != from+uint32(len(all)) {
			t.Errorf("segment at %d, want %d", h.Seq()-from, len(all))
		}
		all = append(all, h.Payload()...)
	}
	return all
}

func TestFullDeviceHoldsTheConnectionBack(t *testing.T) {
	w := newWorld(t, Config{})
	c, _, _ := w.dialPeer(0, "", "192.0.2.9:80")
	una := c.conn.Info().SndUna
	w.cables[0].makeRoom(2)
	w.write(c, text(8000))
	if info := c.conn.Info(); !c.holds() || info.SndNxt-una != 3*1460 {
		t.Fatalf("sent %d octets with room for 2,920, held %v", info.SndNxt-una, c.holds())
	}
	c.Lock()
	c.Push() // changes nothing
	c.Unlock()
	w.cables[0].makeRoom(1)
	w.settle()
	w.cables[0].makeRoom(-1)
	w.settle()
	if got := texts(t, w.sent(0), una); !bytes.Equal(got, text(8000)) {
		t.Errorf("%d of 8000 octets were sent, or not in order", len(got))
	}
	w.counted("link.e0.drop.backlog_full", 0)
	w.counted("tcp.retransmit.segments", 0)
	if w.counter("link.e0.pushed_back") < 2 {
		t.Error("the connection was not pushed back")
	}
}

// What has no owner waits in a bounded backlog, and nothing overtakes it.
func TestFullDeviceKeepsABoundedBacklogInOrder(t *testing.T) {
	w := newWorld(t, Config{})
	c, _, _ := w.dialPeer(0, "", "192.0.2.9:80")
	w.cables[0].makeRoom(0)
	w.sent(0)
	for n := range maxBacklog + 10 {
		w.receive(0, echoRequest(addr("192.0.2.9"), addr("192.0.2.1"), string(rune('0'+n%10))))
	}
	w.counted("link.e0.drop.backlog_full", 10)
	w.counted("held.frames", maxBacklog)
	w.write(c, []byte("last"))
	u, err := w.DialUDP(netip.AddrPort{}, ap("192.0.2.9:9"))
	must(t, err)
	wantErr(t, u.Send([]byte("later"), netip.Addr{}, u.Remote()), syscall.EAGAIN)
	told := 0
	u.OnEvent(func() { told++ })
	w.cables[0].makeRoom(100)
	w.settle()
	w.cables[0].makeRoom(-1)
	w.arrive(&w.in, echoRequest(addr("192.0.2.9"), addr("192.0.2.1"), "6")) // there is room, but others were before
	w.settle()
	list := w.sent(0)
	if len(list) != maxBacklog+2 {
		t.Fatalf("%d packets, want the backlog of %d, an echo and a segment", len(list), maxBacklog)
	}
	for n, p := range list[:maxBacklog+1] {
		if p.proto != wire.ProtoICMP || p.body[8] != '0'+byte(n%10) {
			t.Fatalf("packet %d is %v", n, p)
		}
	}
	if p := list[maxBacklog+1]; string(p.tcp().Payload()) != "last" {
		t.Errorf("the last is %v", p)
	}
	if told != 1 || u.Rooms() != 1 {
		t.Errorf("the datagram's writer was told of room %d times", told)
	}
	must(t, u.Send([]byte("later"), netip.Addr{}, u.Remote()))
	w.one(0)
	w.counted("held.frames", 0)
}

// roomBetween is a device that finds itself full and has room again before the writer can
// have got in line: the call comes before WriteFrames returns.
type roomBetween struct {
	cable
	times int
}

func (d *roomBetween) WriteFrames(q int, frames [][]byte) (int, error) {
	if d.times > 0 {
		d.times--
		d.writable()
		return 0, nil
	}
	return d.cable.WriteFrames(q, frames)
}

func TestRoomThatComesBeforeTheWaitIsNotMissed(t *testing.T) {
	w := newWorld(t, Config{})
	d := &roomBetween{cable: cable{name: "e2", mtu: 1500, room: -1, keep: true}}
	_, err := w.AddInterface("", d, []netip.Prefix{netip.MustParsePrefix("10.0.0.1/8")})
	must(t, err)
	d.times = 1
	_, err = w.DialTCP(netip.AddrPort{}, ap("10.0.0.9:80"), nil)
	must(t, err)
	d.times = 1
	_, err = w.Ping(addr("10.0.0.9"), 1, 1, 0, func(EchoResult) {})
	must(t, err)
	u, err := w.DialUDP(netip.AddrPort{}, ap("10.0.0.9:9"))
	must(t, err)
	d.times = 1
	rooms := u.Rooms()
	if err := u.Send(nil, netip.Addr{}, u.Remote()); err != syscall.EAGAIN || u.Rooms() == rooms {
		t.Errorf("%v, and the writer would wait for room that has come", err)
	}
	w.settle()
	if len(d.out) != 2 {
		t.Errorf("%d frames were sent, want the SYN and the echo request", len(d.out))
	}
	w.counted("held.frames", 0)
}

func TestSocketStandsInLineOnce(t *testing.T) {
	w := newWorld(t, Config{})
	u, err := w.DialUDP(netip.AddrPort{}, ap("192.0.2.9:9"))
	must(t, err)
	w.cables[0].makeRoom(0)
	for _, size := range []int{10, 5000} { // whole and in fragments
		for range 50 {
			wantErr(t, u.Send(text(size), netip.Addr{}, u.Remote()), syscall.EAGAIN)
			if size > 1500 { // the first one's fragments are in the backlog
				break
			}
		}
		if size == 10 {
			if n := len(w.ifcs[0].line); n != 1 {
				t.Errorf("the socket stands in line %d times", n)
			}
			w.ifcs[0].enqueue(w.getTx(), w.ifcs[0].rooms.Load())
		}
	}
}

// A datagram larger than the MTU is held back like any other.
func TestFragmentsAreHeldBack(t *testing.T) {
	w := newWorld(t, Config{})
	u, err := w.DialUDP(netip.AddrPort{}, ap("192.0.2.9:9"))
	must(t, err)
	w.cables[0].makeRoom(2)
	sent := 0
	for range 10 {
		if u.Send(text(5000), netip.Addr{}, u.Remote()) == nil {
			sent++
		}
	}
	w.cables[0].makeRoom(-1)
	w.settle()
	if got := joined(t, w.sent(0), 1500); sent != 1 || len(got) != 5008 {
		t.Errorf("%d datagrams were taken, %d octets were sent; want one datagram and its 5,008 octets", sent, len(got))
	}
	w.counted("link.e0.drop.backlog_full", 0)
}

func TestClosedInterfaceLetsThoseGoWhoWait(t *testing.T) {
	w := newWorld(t, Config{})
	must(t, w.AddRoute(route.Route{Dst: netip.MustParsePrefix("0.0.0.0/0"), Interface: w.ifcs[1].Index()}))
	c, _, _ := w.dialPeer(0, "198.51.100.1:0", "192.0.2.9:80")
	una := c.conn.Info().SndUna
	u, err := w.DialUDP(netip.AddrPort{}, ap("192.0.2.9:9"))
	must(t, err)
	w.cables[0].makeRoom(0)
	w.write(c, text(3000))
	wantErr(t, u.Send(nil, netip.Addr{}, u.Remote()), syscall.EAGAIN)
	w.receive(0, echoRequest(addr("192.0.2.9"), addr("192.0.2.1"), "x"))
	must(t, w.ifcs[0].Close())
	w.settle()
	w.counted("link.e1.drop.oversize", 1) // the segment that waited was cut for another link
	if got := texts(t, w.sent(1), una); !bytes.Equal(got, text(3000)) {
		t.Errorf("%d of 3000 octets went the other way", len(got))
	}
	if u.Rooms() != 1 {
		t.Error("the datagram's writer still waits")
	}
	w.counted("held.frames", 0)
	if err := w.ifcs[0].Close(); err == nil {
		t.Error("an interface was closed twice")
	}
}

func TestRouteChangeMovesAConnectionThatWaits(t *testing.T) {
	w := newWorld(t, Config{})
	c, _, _ := w.dialPeer(0, "", "192.0.2.9:80")
	una := c.conn.Info().SndUna
	w.cables[0].makeRoom(0) // for ever
	w.write(c, text(3000))
	must(t, w.AddRoute(route.Route{Dst: netip.MustParsePrefix("192.0.2.9/32"), Interface: w.ifcs[1].Index()}))
	w.pass(2 * time.Second)
	list := w.sent(1)
	if len(list) == 0 || list[0].tcp().Seq() != una {
		t.Errorf("%v went by the new route", list)
	}
}

func TestDeviceErrorsAreCountedByReason(t *testing.T) {
	w := newWorld(t, Config{})
	ping := func() { w.receive(0, echoRequest(addr("192.0.2.9"), addr("192.0.2.1"), "x")) }
	w.cables[0].err = syscall.ENETDOWN
	ping()
	w.counted("link.e0.drop.down", 1)
	w.cables[0].err = syscall.EIO
	ping()
	w.counted("link.e0.drop.device_error", 1)
	w.cables[0].err = nil
	ping()
	w.one(0)
	s := &slots{host: w.Host}
	s.fill(0)
	clear(s.bufs[0][:link.VnetLen])
	s.bufs[0][0], s.sizes[0] = 1, link.VnetLen+1 // a checksum outside the packet
	(&round{h: w.Host, ifc: w.ifcs[0]}).deliver(s, 0)
	w.counted("link.e0.drop.vnet_header", 1)
	w.counted("held.frames", 0)
}
