package shard

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/wire"
)

// tooBig has a router tell the host that a packet it sent was too big.
func (w *world) tooBig(ifc int, sent packet, mtu uint32) {
	if sent.src.Is4() {
		w.receive(ifc, icmpPacket(addr("192.0.2.254"), sent.src, 3, 4, mtu, sent.raw[:min(len(sent.raw), 500)]))
		return
	}
	w.receive(ifc, icmpPacket(addr("2001:db8::fe"), sent.src, 2, 0, mtu, sent.raw[:min(len(sent.raw), 1000)]))
}

// largest returns the length of the largest packet of a list.
func largest(list []packet) (n int) {
	for _, p := range list {
		n = max(n, len(p.raw))
	}
	return n
}

func TestReportedPathMTUCutsSegments(t *testing.T) { // RFC 1191 §6.5, RFC 8201 §5.4
	w := newWorld(t, Config{})
	for _, remote := range []string{"192.0.2.9:80", "[2001:db8::9]:80"} {
		c, p, _ := w.dialPeer(0, "", remote)
		una := c.conn.Info().SndUna
		w.write(c, text(4000))
		list := w.sent(0)
		if n := largest(list); n != 1500 || !list[0].df && list[0].src.Is4() {
			t.Fatalf("segments in packets of %d, DF %v", n, list[0].df)
		}
		w.tooBig(0, list[0], 1300)
		list0 := list[:1]
		list = w.sent(0)
		// The third packet was small enough: it is not sent again.
		big := 2 * len(texts(t, list0, una))
		if got := texts(t, list, una); largest(list) != 1300 || !bytes.Equal(got, text(4000)[:big]) {
			t.Errorf("sent again in packets of up to %d, %d octets", largest(list), len(got))
		}
		p.ack += 4000
		p.send(ack, "")
		// Others to the same host know it from the beginning.
		c2, _, _ := w.dialPeer(0, "", remote)
		w.write(c2, text(4000))
		if n := largest(w.sent(0)); n != 1300 {
			t.Errorf("another connection sends packets of %d", n)
		}
		c2.Abort()
		w.sent(0)
		// "PMTU information older than 10 minutes" is forgotten (RFC 1191 §6.3).
		w.pass(10*time.Minute - time.Second)
		w.write(c, text(4000))
		if n := largest(w.sent(0)); n != 1300 {
			t.Errorf("after almost ten minutes: packets of %d", n)
		}
		p.ack += 4000
		p.send(ack, "")
		w.pass(2 * time.Second)
		w.write(c, text(4000))
		if n := largest(w.sent(0)); n != 1500 {
			t.Errorf("after more than ten minutes: packets of %d", n)
		}
		c.Abort()
		w.sent(0)
	}
	w.nothingHeld()
}

func TestReportedPathMTUFragmentsDatagrams(t *testing.T) { // RFC 1122 §3.3.3, RFC 8201 §5.2
	w := newWorld(t, Config{})
	for _, remote := range []string{"192.0.2.9:53", "[2001:db8::9]:53"} {
		u, err := w.DialUDP(netip.AddrPort{}, ap(remote))
		must(t, err)
		send := func() []packet {
			must(t, u.Send(text(1400), netip.Addr{}, u.Remote()))
			return w.sent(0)
		}
		list := send()
		w.tooBig(0, list[0], 1300)
		if mtu, err := w.PathMTU(ap(remote).Addr()); mtu != 1300 || err != nil {
			t.Errorf("a path MTU of %d, %v", mtu, err)
		}
		if got := joined(t, send(), 1300); len(got) != 1408 {
			t.Errorf("%d octets in fragments, want 1408", len(got))
		}
		w.pass(10*time.Minute + time.Second)
		if list = send(); len(list) != 1 {
			t.Errorf("%d packets after ten minutes, want one", len(list))
		}
		u.Close()
		w.tooBig(0, list[0], 1280) // nobody has that socket any more
		if mtu, _ := w.pathMTU.lookup(ap(remote).Addr(), 1500); mtu != 1500 {
			t.Errorf("the path MTU is %d after a report about nobody's datagram", mtu)
		}
	}
	w.nothingHeld()
}

// Where a path is narrower than what is believed, packets go without DF, with an
// identification each, and routers cut them.
func TestPathTooNarrowToBelieveIsFragmentedOnTheWay(t *testing.T) {
	w := newWorld(t, Config{})
	c, _, _ := w.dialPeer(0, "", "192.0.2.9:80")
	w.write(c, text(2000))
	w.tooBig(0, w.sent(0)[0], 296)
	u, err := w.DialUDP(netip.AddrPort{}, ap("192.0.2.9:53"))
	must(t, err)
	must(t, u.Send(text(400), netip.Addr{}, u.Remote()))
	ids := map[int]bool{} // of each protocol
	list := w.sent(0)
	for _, p := range list {
		id := int(p.proto)<<16 + int(wire.IPv4(p.raw).ID())
		if p.df || len(p.raw) > 552 || ids[id] {
			t.Errorf("DF %v, id %#x: %v", p.df, id, p)
		}
		ids[id] = true
	}
	if len(list) < 5 {
		t.Errorf("%d packets", len(list))
	}
}

func TestPathMTUIsNeverBelowTheMinimum(t *testing.T) { // RFC 8201 §4, and Linux's for IPv4
	w := newWorld(t, Config{})
	for _, c := range []struct {
		remote string
		mtu    int
	}{{"192.0.2.9:80", 552}, {"[2001:db8::9]:80", 1500}} {
		conn, _, _ := w.dialPeer(0, "", c.remote)
		w.write(conn, text(2000))
		w.tooBig(0, w.sent(0)[0], 68)
		if mtu, _ := w.pathMTU.lookup(ap(c.remote).Addr(), 1500); mtu != c.mtu {
			t.Errorf("%s: a path MTU of %d after a report of 68, want %d", c.remote, mtu, c.mtu)
		}
		w.sent(0)
	}
}

// The SYN announces what the link takes, whatever the path does (RFC 6691 §2).
func TestAnnouncedMSSIsTheLinks(t *testing.T) {
	w := newWorld(t, Config{})
	for n, remote := range []string{"192.0.2.9:80", "[2001:db8::9]:80", "198.51.100.9:80", "[2001:db8:1::9]:80"} {
		_, err := w.DialTCP(netip.AddrPort{}, ap(remote), nil)
		must(t, err)
		var o wire.TCPOptions
		must(t, wire.ParseTCPOptions(w.one(n/2).tcp().Options(), &o))
		if want := []uint16{1460, 1440, 1240, 1220}[n]; o.MSS != want {
			t.Errorf("%s: MSS %d, want %d", remote, o.MSS, want)
		}
	}
}
