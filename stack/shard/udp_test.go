package shard

import (
	"bytes"
	"net/netip"
	"syscall"
	"testing"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/udp"
	"github.com/weirnet/weir/stack/wire"
)

// pop takes a datagram out of a socket's queue.
func pop(u *UDP) (udp.Datagram, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.queue.Pop()
}

// wantText fails unless the socket holds one datagram, with that text.
func wantText(t testing.TB, u *UDP, want string) {
	t.Helper()
	d, ok := pop(u)
	if !ok || string(d.Payload) != want {
		t.Errorf("got %q, %v, want the datagram %q", d.Payload, ok, want)
	}
	d.Release()
	if d, ok = pop(u); ok {
		t.Errorf("and another: %q", d.Payload)
	}
}

// A datagram is for the socket connected to its source, else for the one bound to its
// destination, else for the one bound to any; what is sent to many is for each of them.
func TestDatagramGoesToTheMostSpecificSocket(t *testing.T) {
	w := newWorld(t, Config{})
	enter := func(local, remote string) *UDP {
		u := w.OpenUDP(true)
		must(t, u.Bind(ap(local), BindOptions{ReuseAddr: true}))
		if remote != "" {
			must(t, u.Connect(ap(remote)))
		}
		return u
	}
	wild, bound, connected := enter("0.0.0.0:53", ""), enter("192.0.2.1:53", ""), enter("192.0.2.1:53", "192.0.2.9:9")
	for _, c := range []struct {
		from, to string
		u        *UDP
	}{
		{"192.0.2.9:9", "192.0.2.1:53", connected}, {"192.0.2.9:10", "192.0.2.1:53", bound}, {"192.0.2.8:9", "192.0.2.1:53", bound},
		{"192.0.2.9:9", "198.51.100.1:53", wild}, {"192.0.2.9:9", "192.0.2.255:53", wild}, {"192.0.2.9:9", "224.0.0.1:53", wild},
	} {
		w.receive(0, udpPacket(ap(c.from), ap(c.to), []byte(c.from)))
		wantText(t, c.u, c.from)
	}
	w.receive(0, udpPacket(ap("[2001:db8::9]:9"), ap("[2001:db8::1]:53"), nil)) // the other family's wildcard is not ours
	w.counted("udp.drop.noport", 1)
	w.counted("udp.in", 6)
}

func TestSocketOfBothFamiliesGetsBoth(t *testing.T) {
	w := newWorld(t, Config{})
	u, err := w.ListenUDP(ap("[::]:53"), true)
	must(t, err)
	for _, ends := range [][2]string{{"192.0.2.9:9", "192.0.2.1:53"}, {"[2001:db8::9]:9", "[2001:db8::1]:53"}} {
		w.receive(0, udpPacket(ap(ends[0]), ap(ends[1]), []byte("x")))
		d, ok := pop(u)
		if !ok || d.From != ap(ends[0]) || d.To != ap(ends[1]).Addr() || d.Interface != w.ifcs[0].Index() || d.HopLimit != 64 {
			t.Errorf("%+v, %v", d, ok)
		}
		d.Release()
		must(t, u.Send([]byte("y"), d.To, d.From))
		if p := w.one(0); p.src != ap(ends[1]).Addr() || p.dst != ap(ends[0]).Addr() || wire.UDP(p.body).SrcPort() != 53 {
			t.Errorf("%v", p)
		}
	}
	u.Close()
	u.Close()
	w.nothingHeld()
	w.receive(0, udpPacket(ap("192.0.2.9:9"), ap("192.0.2.1:53"), nil))
	wantError(t, w.one(0), udpPacket(ap("192.0.2.9:9"), ap("192.0.2.1:53"), nil), 3, 3)
}

// Only a connected socket hears that nobody listens (RFC 1122 §4.1.3.3 and Linux).
func TestUnreachablePortIsToldToConnectedSocketsOnly(t *testing.T) {
	w := newWorld(t, Config{})
	c, err := w.DialUDP(netip.AddrPort{}, ap("192.0.2.9:9"))
	must(t, err)
	b, err := w.ListenUDP(ap("192.0.2.1:5000"), false)
	must(t, err)
	for _, u := range []*UDP{c, b} {
		must(t, u.Send([]byte("x"), netip.Addr{}, ap("192.0.2.9:9")))
		w.receive(0, icmpPacket(addr("192.0.2.9"), addr("192.0.2.1"), 3, 3, 0, w.one(0).raw))
	}
	if err := c.queue.TakeError(); err != syscall.ECONNREFUSED {
		t.Errorf("connected socket: %v", err)
	}
	if err := b.queue.TakeError(); err != nil {
		t.Errorf("socket that is not connected: %v", err)
	}
	// A quote of what this host never sent is nobody's.
	forged := udpPacket(ap("192.0.2.1:5001"), ap("192.0.2.9:9"), nil)
	w.receive(0, icmpPacket(addr("192.0.2.9"), addr("192.0.2.1"), 3, 3, 0, forged))
	if w.counted("icmp.drop.unsolicited", 1); c.queue.Failed() {
		t.Error("a forged report reached the socket")
	}
}

func TestFullQueueDropsAndCounts(t *testing.T) {
	w := newWorld(t, Config{DatagramBuffer: 4096})
	u, err := w.ListenUDP(ap("192.0.2.1:53"), false)
	must(t, err)
	for range 10 {
		w.receive(0, udpPacket(ap("192.0.2.9:9"), ap("192.0.2.1:53"), text(1000)))
	}
	w.counted("udp.drop.full", 6)
	w.counted("held.octets", 4096)
	if u.info().Dropped != 6 {
		t.Errorf("%+v", u.info())
	}
	u.Close()
	w.nothingHeld()
}

func TestZeroChecksumIsForIPv4Only(t *testing.T) { // RFC 768, RFC 8200 §8.1
	w := newWorld(t, Config{})
	_, err := w.ListenUDP(ap("[::]:53"), true)
	must(t, err)
	for _, ends := range [][2]string{{"192.0.2.9:9", "192.0.2.1:53"}, {"[2001:db8::9]:9", "[2001:db8::1]:53"}} {
		m := udpMessage(ap(ends[0]), ap(ends[1]), []byte("x"))
		wire.UDP(m).SetChecksum(0)
		w.receive(0, ipPacket(ap(ends[0]).Addr(), ap(ends[1]).Addr(), wire.ProtoUDP, m, ipOptions{}))
	}
	w.counted("udp.in", 1)
	w.counted("udp.drop.nochecksum", 1)
}

func TestCoalescedDatagramsAreTakenApart(t *testing.T) { // VIRTIO_NET_HDR_GSO_UDP_L4
	w := newWorld(t, Config{})
	u, err := w.ListenUDP(ap("[::]:53"), true)
	must(t, err)
	for _, ends := range [][2]string{{"192.0.2.9:9", "192.0.2.1:53"}, {"[2001:db8::9]:9", "[2001:db8::1]:53"}} {
		w.receiveWith(0, udpPacket(ap(ends[0]), ap(ends[1]), text(2500)), link.Offload{SegmentSize: 1000, UDP: true})
		for _, want := range [][]byte{text(2500)[:1000], text(2500)[1000:2000], text(2500)[2000:]} {
			if d, ok := pop(u); !ok || !bytes.Equal(d.Payload, want) {
				t.Errorf("got %d octets, want %d", len(d.Payload), len(want))
			} else {
				d.Release()
			}
		}
	}
	w.counted("udp.in", 6)
}

func TestLargeDatagramLeavesInFragments(t *testing.T) {
	w := newWorld(t, Config{})
	for _, dst := range []string{"192.0.2.9:9", "[2001:db8::9]:9"} {
		u, err := w.DialUDP(netip.AddrPort{}, ap(dst))
		must(t, err)
		must(t, u.Send(text(5000), netip.Addr{}, ap(dst)))
		got := joined(t, w.sent(0), 1500)
		h, err := wire.ParseUDP(got)
		if err != nil || !h.ChecksumOK(u.Local().Addr(), ap(dst).Addr()) || !bytes.Equal(h.Payload(), text(5000)) {
			t.Errorf("%s: %v, or not what was sent", dst, err)
		}
		wantErr(t, u.Send(make([]byte, 65528), netip.Addr{}, ap(dst)), syscall.EMSGSIZE)
		wantErr(t, u.Send(nil, netip.Addr{}, netip.AddrPortFrom(ap(dst).Addr(), 0)), syscall.EINVAL)
	}
}
