package shard

import (
	"net/netip"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/icmp"
	"github.com/weirnet/weir/stack/wire"
)

// TestErrorsAreSentAboutOneHostsOwnPacketsOnly is RFC 1122 §3.2.2 and RFC 4443 §2.4(e).
func TestErrorsAreSentAboutOneHostsOwnPacketsOnly(t *testing.T) {
	from4, from6 := addr("192.0.2.9"), addr("2001:db8::9")
	me4, me6 := addr("192.0.2.1"), addr("2001:db8::1")
	udp := func(src, dst netip.Addr, o ipOptions) []byte {
		a, b := netip.AddrPortFrom(src, 1000), netip.AddrPortFrom(dst, 2000)
		return ipPacket(src, dst, wire.ProtoUDP, udpMessage(a, b, text(16)), o)
	}
	unknown := func(src, dst netip.Addr) []byte { return ipPacket(src, dst, 250, text(16), ipOptions{}) }
	quote := udp(me4, from4, ipOptions{})
	for _, c := range []struct {
		name      string
		in        []byte
		typ, code uint8 // 0: nothing is due
	}{
		{"port", udp(from4, me4, ipOptions{}), 3, 3},
		{"port", udp(from6, me6, ipOptions{}), 1, 4},
		{"protocol", unknown(from4, me4), 3, 2},
		{"next header", unknown(from6, me6), 4, 1},
		{"the other family's ICMP", ipPacket(from4, me4, wire.ProtoICMPv6, text(16), ipOptions{}), 3, 2},
		{"malformed options", ipPacket(from4, me4, wire.ProtoUDP, text(16), ipOptions{options: []byte{7, 40, 4, 0}}), 12, 0},
		{"no next header", ipPacket(from6, me6, wire.ProtoNoNext, text(16), ipOptions{}), 0, 0},
		{"directed broadcast", udp(from4, addr("192.0.2.255"), ipOptions{}), 0, 0},
		{"limited broadcast", udp(from4, addr("255.255.255.255"), ipOptions{}), 0, 0},
		{"multicast", udp(from4, addr("224.0.0.1"), ipOptions{}), 0, 0},
		{"multicast", udp(from6, addr("ff02::1"), ipOptions{}), 0, 0},
		{"protocol to a broadcast", unknown(from4, addr("192.0.2.255")), 0, 0},
		{"options to a broadcast", ipPacket(from4, addr("192.0.2.255"), wire.ProtoUDP, text(16), ipOptions{options: []byte{7, 40, 4, 0}}), 0, 0},
		{"options for another host", ipPacket(from4, addr("192.0.2.8"), wire.ProtoUDP, text(16), ipOptions{options: []byte{7, 40, 4, 0}}), 0, 0},
		{"from a broadcast address", udp(addr("192.0.2.255"), me4, ipOptions{}), 0, 0},
		{"from a multicast address", udp(addr("224.0.0.1"), me4, ipOptions{}), 0, 0},
		{"from nobody", udp(addr("0.0.0.0"), me4, ipOptions{}), 0, 0},
		{"from nobody", udp(addr("::"), me6, ipOptions{}), 0, 0},
		{"about an error", icmpPacket(from4, me4, 3, 1, 0, quote), 0, 0},
		{"about an error of a type nobody knows", icmpPacket(from6, me6, 99, 0, 0, quote), 0, 0},
		{"first fragment", udp(from4, me4, ipOptions{more: true}), 0, 0},
		{"later fragment", udp(from4, me4, ipOptions{offset: 800}), 0, 0},
	} {
		w := newWorld(t, Config{})
		w.receive(0, c.in)
		if c.typ == 0 {
			if list := w.sent(0); len(list) > 0 {
				t.Errorf("%s: answered with %v", c.name, list)
			}
			continue
		}
		p := w.one(0)
		wantError(t, p, c.in, c.typ, c.code)
		if p.dst.Is4() && p.raw[1] != 0xc0 {
			t.Errorf("%s: type of service %#x, want internetwork control (RFC 1812 §4.3.2.5)", c.name, p.raw[1])
		}
	}
}

// A fragment other than the first is no reason for an error even when nothing else is wrong
// with it and a router has no way for it.
func TestNoErrorAboutALaterFragment(t *testing.T) { // RFC 1122 §3.2.2
	w := newWorld(t, Config{Forward: true})
	w.receive(0, ipPacket(addr("192.0.2.9"), addr("203.0.113.1"), wire.ProtoUDP, text(16), ipOptions{offset: 8}))
	w.none()
	w.receive(0, ipPacket(addr("192.0.2.9"), addr("203.0.113.1"), wire.ProtoUDP, text(16), ipOptions{more: true}))
	w.one(0)
}

func TestErrorsAreRateLimited(t *testing.T) { // RFC 1812 §4.3.2.8, RFC 4443 §2.4(f)
	w := newWorld(t, Config{})
	in := udpPacket(ap("192.0.2.9:1"), ap("192.0.2.1:2"), nil)
	for range 100 {
		w.receive(0, in)
	}
	if n := len(w.sent(0)); n != 20 {
		t.Errorf("%d errors to one host at once, want the burst of 20", n)
	}
	w.counted("icmp.drop.rate_limited", 80)
	w.pass(time.Second)
	for range 100 {
		w.receive(0, in)
	}
	if n := len(w.sent(0)); n != 10 {
		t.Errorf("%d errors a second later, want 10", n)
	}
	for range 100 { // echo replies are no errors
		w.receive(0, echoRequest(addr("192.0.2.9"), addr("192.0.2.1"), ""))
	}
	if n := len(w.sent(0)); n != 100 {
		t.Errorf("%d echo replies, want 100", n)
	}
}

func TestFragmentsThatDoNotAllComeInTime(t *testing.T) { // RFC 1122 §3.3.2, RFC 8200 §4.5
	w := newWorld(t, Config{})
	// The IPv6 datagram begins first and may take longer: neither holds up the other.
	in6 := ipPacket(addr("2001:db8::9"), addr("2001:db8::1"), wire.ProtoUDP, text(64), ipOptions{more: true})
	in4 := ipPacket(addr("192.0.2.9"), addr("192.0.2.1"), wire.ProtoUDP, text(64), ipOptions{more: true})
	later := ipPacket(addr("192.0.2.9"), addr("192.0.2.1"), wire.ProtoUDP, text(64), ipOptions{id: 5, more: true, offset: 64})
	for _, b := range [][]byte{in6, in4, later} {
		w.receive(0, b)
	}
	w.none()
	w.pass(29 * time.Second)
	w.none()
	w.pass(time.Second)
	wantError(t, w.one(0), in4, 11, 1)
	w.pass(30 * time.Second)
	wantError(t, w.one(0), in6, 3, 1)
	w.counted("ip.drop.fragment.timeout", 3)
	w.nothingHeld()
}

func TestEchoIsAnsweredFromTheAddressAsked(t *testing.T) { // RFC 1122 §3.2.2.6, RFC 4443 §4.2
	w := newWorld(t, Config{})
	for _, to := range []string{"192.0.2.1", "198.51.100.1", "2001:db8::1", "2001:db8:1::1"} {
		from := addr("192.0.2.9")
		if addr(to).Is6() {
			from = addr("2001:db8::9")
		}
		w.receive(0, echoRequest(from, addr(to), "anybody there?"))
		p := w.one(0)
		typ, code, rest, body := p.icmp()
		if typ != map[bool]uint8{true: 0, false: 129}[from.Is4()] || code != 0 || rest != wire.EchoRest(7, 1) || string(body) != "anybody there?" || p.src != addr(to) || p.dst != from {
			t.Errorf("%v", p)
		}
	}
	w.counted("icmp.echo_replies", 4)
}

func TestEchoToManyHosts(t *testing.T) {
	w := newWorld(t, Config{})
	// "An ICMP Echo Request destined to an IP broadcast or IP multicast address MAY be
	// silently discarded" (RFC 1122 §3.2.2.6): a host that answers serves floods.
	for _, to := range []string{"192.0.2.255", "255.255.255.255", "224.0.0.1"} {
		w.receive(0, echoRequest(addr("192.0.2.9"), addr(to), ""))
	}
	w.none()
	// RFC 4443 §4.2: the source of a reply to a multicast request is a unicast address of the interface.
	w.receive(0, echoRequest(addr("2001:db8::9"), addr("ff02::1"), ""))
	if p := w.one(0); p.src != addr("2001:db8::1") {
		t.Errorf("%v", p)
	}
}

func TestEchoWithACodeIsNoEcho(t *testing.T) { // RFC 792: the code is 0
	w := newWorld(t, Config{})
	w.receive(0, icmpPacket(addr("192.0.2.9"), addr("192.0.2.1"), wire.ICMPv4Echo, 3, 1, nil))
	w.receive(0, icmpPacket(addr("2001:db8::9"), addr("2001:db8::1"), wire.ICMPv6Echo, 3, 1, nil))
	w.none()
	w.counted("icmp.drop.malformed", 2)
	w.nothingHeld()
}

func TestWrongICMPChecksumIsDropped(t *testing.T) {
	w := newWorld(t, Config{})
	for _, b := range [][]byte{echoRequest(addr("192.0.2.9"), addr("192.0.2.1"), "x"), echoRequest(addr("2001:db8::9"), addr("2001:db8::1"), "x")} {
		b[len(b)-1] ^= 1
		w.receive(0, b)
	}
	w.none()
	w.counted("icmp.drop.malformed", 2)
}

func TestLargeEchoIsTakenAndAnsweredInFragments(t *testing.T) {
	w := newWorld(t, Config{})
	for _, ends := range [][2]string{{"192.0.2.9", "192.0.2.1"}, {"2001:db8::9", "2001:db8::1"}} {
		typ := map[bool]uint8{true: wire.ICMPv4Echo, false: wire.ICMPv6Echo}[addr(ends[0]).Is4()]
		m := icmpMessage(addr(ends[0]), addr(ends[1]), typ, 0, 1, text(4000))
		for at := 0; at < len(m); at += 1000 {
			part := m[at:min(len(m), at+1000)]
			w.receive(0, ipPacket(addr(ends[0]), addr(ends[1]), icmpOf(addr(ends[0])), part, ipOptions{id: 5, offset: at, more: at+1000 < len(m)}))
		}
		if got := joined(t, w.sent(0), 1500); len(got) != len(m) {
			t.Errorf("%s: the answer has %d octets, want %d", ends[0], len(got), len(m))
		}
	}
	w.counted("ip.reassembled", 2)
	w.pass(time.Minute)
	w.nothingHeld()
}

func TestPingTakesTheAnswerOfWhomItAsked(t *testing.T) {
	w := newWorld(t, Config{})
	var got []EchoResult
	e, err := w.Ping(addr("192.0.2.9"), 5, 10, 0, func(r EchoResult) { got = append(got, r) })
	must(t, err)
	p := w.one(0)
	_, _, rest, body := p.icmp()
	reply := func(from string, rest uint32) {
		w.pass(time.Millisecond)
		w.receive(0, icmpPacket(addr(from), addr("192.0.2.1"), wire.ICMPv4EchoReply, 0, rest, body))
	}
	reply("192.0.2.8", rest)       // somebody else
	reply("192.0.2.9", rest+1<<16) // another identifier
	reply("2.9.9.9", rest)         // nor this one
	if reply("192.0.2.9", rest); len(got) != 1 {
		t.Fatalf("%d answers, want one", len(got))
	}
	if r := got[0]; r.From != addr("192.0.2.9") || !r.Matches || r.Size != 10 || r.At.Sub(r.Sent) != 4*time.Millisecond {
		t.Errorf("%+v", r)
	}
	reply("192.0.2.9", rest) // a duplicate
	e.Cancel()
	// An error about a request ends it; about another's it does not.
	_, err = w.Ping(addr("192.0.2.9"), 5, 10, 0, func(r EchoResult) { got = append(got, r) })
	must(t, err)
	q := w.one(0)
	other := ipPacket(addr("192.0.2.1"), addr("192.0.2.7"), wire.ProtoICMP, q.body, ipOptions{})
	w.receive(0, icmpPacket(addr("192.0.2.254"), addr("192.0.2.1"), 3, 1, 0, other))
	if len(got) != 1 {
		t.Errorf("an error about a request to another host was taken: %+v", got)
	}
	w.receive(0, icmpPacket(addr("192.0.2.254"), addr("192.0.2.1"), 3, 1, 0, q.raw))
	if len(got) != 2 || got[1].Err == nil || got[1].Err.Kind != icmp.HostUnreachable || got[1].From != addr("192.0.2.254") {
		t.Errorf("%+v", got)
	}
	_, err = w.Ping(addr("192.0.2.9"), 5, 10, 0, func(r EchoResult) { got = append(got, r) })
	must(t, err)
	if w.Close(); len(got) != 3 || !got[2].Closed {
		t.Errorf("%+v", got)
	}
}
