package shard

import (
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/wire"
)

func TestSegmentForNobodyIsReset(t *testing.T) { // RFC 9293 §3.10.7.1
	w := newWorld(t, Config{})
	for _, ends := range [][2]string{{"192.0.2.9:999", "192.0.2.1:7"}, {"[2001:db8::9]:999", "[2001:db8::1]:7"}} {
		for _, c := range []struct {
			flags, want wire.TCPFlags
			seq, ack    uint32
		}{
			{syn, rst | ack, 0, 51 + 4}, {ack, rst, 77, 0}, {finAck, rst, 77, 0}, {fin, rst | ack, 0, 51 + 4}, {rst, 0, 0, 0}, {rst | ack, 0, 0, 0},
		} {
			w.receive(0, tcpPacket(ap(ends[0]), ap(ends[1]), wire.TCPFields{Seq: 50, Ack: 77, Flags: c.flags}, []byte("text")))
			if c.want == 0 {
				w.none()
				continue
			}
			if h := w.one(0).tcp(); h.Flags() != c.want || h.Seq() != c.seq || h.Ack() != c.ack || h.SrcPort() != 7 || h.DstPort() != 999 {
				t.Errorf("%v is answered with %v seq %d ack %d, want %v %d %d", c.flags, h.Flags(), h.Seq(), h.Ack(), c.want, c.seq, c.ack)
			}
		}
	}
	w.counted("tcp.no_port", 12)
	w.nothingHeld()
}

// A segment is for its connection, else for a TIME-WAIT record, else for the listener bound to
// the address, else for the one bound to any, else it is refused.
func TestSegmentGoesToTheMostSpecificTaker(t *testing.T) {
	w := newWorld(t, Config{})
	any := w.listen("0.0.0.0:7")
	p := w.peer(0, "192.0.2.9:999", "192.0.2.1:7").connect()
	c := any.Accept()
	if c == nil || c.Local() != p.host || c.Remote() != p.at {
		t.Fatalf("accepted %v", c)
	}
	p.send(ack, "hello")
	p.got(ack)
	if n := c.conn.Readable(); n != 5 {
		t.Errorf("%d octets to read, want 5", n)
	}
	p.send(syn, "") // a connection that there is, is not opened again: RFC 5961 §4
	p.got(ack)
	any.Close()
	p.connectRefused("192.0.2.9:1000", "192.0.2.1:7")
	bound := w.listen("192.0.2.1:7")
	w.peer(0, "192.0.2.9:1000", "192.0.2.1:7").connect()
	p.connectRefused("192.0.2.9:1001", "198.51.100.1:7")
	p.connectRefused("[2001:db8::9]:1001", "[2001:db8::1]:7")
	if bound.Accept() == nil || any.Accept() != nil {
		t.Error("not accepted by the listener bound to the address")
	}
}

func (w *world) connectRefused(from, to string) {
	w.Helper()
	p := w.peer(0, from, to)
	p.send(syn, "")
	if h := p.got(rst | ack); h.Ack() != 1001 {
		w.Errorf("the reset acknowledges %d", h.Ack())
	}
}

func TestBadSegmentsAreCountedAndNotAnswered(t *testing.T) {
	w := newWorld(t, Config{})
	b := tcpPacket(ap("192.0.2.9:999"), ap("192.0.2.1:7"), wire.TCPFields{Flags: syn}, nil)
	b[len(b)-1] ^= 1
	w.receive(0, b)
	w.counted("tcp.drop.checksum", 1)
	w.receive(0, ipPacket(addr("192.0.2.9"), addr("192.0.2.1"), wire.ProtoTCP, text(19), ipOptions{}))
	w.counted("tcp.drop.malformed", 1)
	w.receive(0, tcpPacket(ap("192.0.2.9:999"), ap("192.0.2.255:7"), wire.TCPFields{Flags: syn}, nil))
	w.receive(0, tcpPacket(ap("[2001:db8::9]:999"), ap("[ff02::1]:7"), wire.TCPFields{Flags: syn}, nil))
	w.counted("tcp.drop.not_unicast", 2) // RFC 9293 §3.9.2.3
	w.none()
	w.nothingHeld()
}

func TestFloodOfSYNsHoldsNoMoreThanTheBacklog(t *testing.T) {
	w := newWorld(t, Config{Backlog: 100})
	l := w.listen("[::]:7")
	for n := range 10_000 {
		w.receive(0, tcpPacket(netip.AddrPortFrom(addr("192.0.2.9"), uint16(1024+n)), ap("192.0.2.1:7"), wire.TCPFields{Flags: syn}, nil))
	}
	w.counted("held.tcp_connections", 100)
	w.counted("held.octets", 0)
	w.sent(0)
	l.Close()
	w.pass(time.Hour)
	w.nothingHeld()
}

func TestDialIsRefusedOrFails(t *testing.T) {
	w := newWorld(t, Config{})
	dial := func() (*TCP, *peer, *events) {
		e := new(events)
		c, err := w.DialTCP(netip.AddrPort{}, ap("192.0.2.9:80"), e)
		must(t, err)
		p := &peer{world: w, at: c.Remote(), host: c.Local(), seq: 9}
		p.got(syn)
		return c, p, e
	}
	c, p, e := dial()
	p.send(rst|ack, "")
	if e.all&tcp.EventError == 0 || c.conn.Err() != syscall.ECONNREFUSED {
		t.Errorf("%v after a reset: %v", c.conn.State(), c.conn.Err())
	}
	// A port unreachable, or a protocol unreachable, ends a connection in the making
	// (RFC 9293 §3.9.2.2, RFC 5927 §5.2), a net unreachable does not.
	for _, code := range []uint8{0, 3} {
		c, _, _ = dial()
		quote := tcpPacket(c.Local(), c.Remote(), wire.TCPFields{Seq: c.conn.Info().SndUna, Flags: syn}, nil)
		w.receive(0, icmpPacket(addr("192.0.2.9"), addr("192.0.2.1"), 3, code, 0, quote))
		if failed := c.conn.State() == tcp.StateClosed; failed != (code == 3) || failed && c.conn.Err() != syscall.ECONNREFUSED {
			t.Errorf("code %d: %v %v", code, c.conn.State(), c.conn.Err())
		}
		c.Abort()
	}
	c, _, e = dial()
	w.pass(time.Hour)
	if e.all&tcp.EventError == 0 || c.conn.Err() != syscall.ETIMEDOUT {
		t.Errorf("after an hour without an answer: %v %v", c.conn.State(), c.conn.Err())
	}
	c.Close()
	for _, dst := range []string{"224.0.0.1:80", "192.0.2.255:80", "255.255.255.255:80", "[ff02::1]:80"} {
		_, err := w.DialTCP(netip.AddrPort{}, ap(dst), nil) // RFC 9293 §3.9.2.3, MUST-63
		wantErr(t, err, syscall.ENETUNREACH)
	}
	w.sent(0)
	w.nothingHeld()
}

// An ICMP error counts where it quotes a sequence number in flight; others are guesses
// (RFC 5927 §4.1).
func TestForgedICMPErrorIsIgnored(t *testing.T) {
	w := newWorld(t, Config{})
	c, _, _ := w.dialPeer(0, "", "192.0.2.9:80")
	w.write(c, text(500))
	una := c.conn.Info().SndUna
	w.sent(0)
	tooBig := func(seq uint32, to string) {
		quote := tcpPacket(c.Local(), ap(to), wire.TCPFields{Seq: seq, Flags: ack}, text(500))
		w.receive(0, icmpPacket(addr("192.0.2.254"), addr("192.0.2.1"), 3, 4, 600, quote))
	}
	for _, seq := range []uint32{una - 1, una + 500, una + 1<<31} {
		tooBig(seq, "192.0.2.9:80")
	}
	tooBig(una, "192.0.2.9:81")
	w.counted("icmp.drop.unsolicited", 3)
	if mtu, _ := w.pathMTU.lookup(addr("192.0.2.9"), 1500); mtu != 1500 {
		t.Errorf("the path MTU is %d after forged reports", mtu)
	}
	tooBig(una+499, "192.0.2.9:80")
	if mtu, _ := w.pathMTU.lookup(addr("192.0.2.9"), 1500); mtu != 600 {
		t.Errorf("the path MTU is %d after an honest report of 600", mtu)
	}
}
