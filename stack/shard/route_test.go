package shard

import (
	"errors"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/weirnet/weir/stack/route"
	"github.com/weirnet/weir/stack/wire"
)

// sendEach has the host send a packet of every kind that it begins by itself to dst.
func (w *world) sendEach(dst netip.Addr) {
	w.Helper()
	u, err := w.DialUDP(netip.AddrPort{}, netip.AddrPortFrom(dst, 9))
	if err != nil {
		w.Fatal(err)
	}
	defer u.Close()
	must(w, u.Send([]byte("x"), netip.Addr{}, u.Remote()))
	c, err := w.DialTCP(netip.AddrPort{}, netip.AddrPortFrom(dst, 9), nil)
	must(w, err)
	c.Abort()
	_, err = w.Ping(dst, 1, 8, 0, func(EchoResult) {})
	must(w, err)
}

func must(t interface {
	Helper()
	Fatal(...any)
}, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSourceIsAnAddressOfTheOutgoingInterface(t *testing.T) { // RFC 1122 §3.3.4.3, RFC 6724 §5
	w := newWorld(t, Config{})
	must(t, w.ifcs[0].AddAddress(netip.MustParsePrefix("10.1.0.1/16")))
	must(t, w.ifcs[0].AddAddress(netip.MustParsePrefix("2001:db8:a::1/48")))
	must(t, w.AddRoute(route.Route{Dst: netip.MustParsePrefix("0.0.0.0/0"), Via: addr("198.51.100.254"), Interface: w.ifcs[1].Index()}))
	must(t, w.AddRoute(route.Route{Dst: netip.MustParsePrefix("::/0"), Via: addr("2001:db8:1::fe"), Interface: w.ifcs[1].Index()}))
	for _, c := range []struct {
		dst, src string
		ifc      int
	}{
		{"192.0.2.9", "192.0.2.1", 0}, {"10.1.2.3", "10.1.0.1", 0}, {"198.51.100.9", "198.51.100.1", 1}, {"203.0.113.1", "198.51.100.1", 1},
		{"2001:db8::9", "2001:db8::1", 0}, {"2001:db8:a:1::9", "2001:db8:a::1", 0}, {"2001:db8:1::9", "2001:db8:1::1", 1}, {"2a00::1", "2001:db8:1::1", 1},
	} {
		w.sendEach(addr(c.dst))
		list := w.sent(c.ifc)
		if len(list) != 3 {
			t.Fatalf("to %s: %d packets, want a datagram, a SYN and an echo request", c.dst, len(list))
		}
		for _, p := range list {
			if p.src != addr(c.src) || p.dst != addr(c.dst) {
				t.Errorf("to %s: %v, want the source %s", c.dst, p, c.src)
			}
		}
		w.none()
	}
}

// TestSourceIsChosenForTheNextHop: of an interface's addresses the one on the router's subnet (RFC 1122 §3.3.4.3).
func TestSourceIsChosenForTheNextHop(t *testing.T) {
	w := newWorld(t, Config{})
	must(t, w.ifcs[0].AddAddress(netip.MustParsePrefix("10.1.0.1/16")))
	for dst, via := range map[string]string{"203.0.113.0/25": "192.0.2.254", "203.0.113.128/25": "10.1.0.254"} {
		must(t, w.AddRoute(route.Route{Dst: netip.MustParsePrefix(dst), Via: addr(via), Interface: w.ifcs[0].Index()}))
	}
	for dst, src := range map[string]string{"203.0.113.1": "192.0.2.1", "203.0.113.200": "10.1.0.1"} {
		if got := w.SourceTo(addr(dst)).Addr(); got != addr(src) {
			t.Errorf("to %s from %v, want %s", dst, got, src)
		}
	}
}

// TestInterfaceWithoutAnAddressSendsFromAnothers: but for what does not leave its link (RFC 6724 §4), and never from
// the loopback's.
func TestInterfaceWithoutAnAddressSendsFromAnothers(t *testing.T) {
	w := newWorld(t, Config{})
	for _, i := range w.ifcs {
		for _, p := range i.Addresses() {
			must(t, i.RemoveAddress(p))
		}
	}
	for _, dst := range []string{"203.0.113.0/24", "2001:db8:9::/48", "ff00::/8", "169.254.0.0/16"} {
		must(t, w.AddRoute(route.Route{Dst: netip.MustParsePrefix(dst), Interface: w.ifcs[1].Index()}))
	}
	want := func(dst, src string) {
		t.Helper()
		got := w.SourceTo(addr(dst)).Addr()
		if src == "" && got.IsValid() || src != "" && got != addr(src) {
			t.Errorf("to %s from %v, want %q", dst, got, src)
		}
	}
	want("203.0.113.1", "")
	want("2001:db8:9::1", "")
	must(t, w.ifcs[0].AddAddress(netip.MustParsePrefix("192.0.2.1/24")))
	must(t, w.ifcs[0].AddAddress(netip.MustParsePrefix("2001:db8::1/64")))
	want("203.0.113.1", "192.0.2.1")
	want("2001:db8:9::1", "2001:db8::1")
	want("ff02::1", "")
	want("169.254.0.9", "")
}

// TestNextHopMustBeANeighbour: as Linux has it, of the interface's own link, or the route must say so.
func TestNextHopMustBeANeighbour(t *testing.T) {
	w := newWorld(t, Config{})
	must(t, w.AddRoute(route.Route{Dst: netip.MustParsePrefix("10.1.0.0/16"), Interface: w.ifcs[0].Index()}))
	must(t, w.AddRoute(route.Route{Dst: netip.MustParsePrefix("10.2.0.0/16"), Via: addr("192.0.2.254"), Interface: w.ifcs[0].Index()}))
	for _, c := range []struct {
		via string
		ifc int
		ok  bool
	}{
		{"192.0.2.254", 0, true}, {"192.0.2.254", 1, false}, {"198.51.100.254", 1, true}, {"198.51.100.254", 0, false},
		{"10.1.2.3", 0, true}, {"10.2.0.1", 0, false}, {"192.0.2.1", 0, false}, {"198.51.100.1", 0, false}, {"192.0.2.255", 0, false}, {"203.0.113.9", 0, false},
		{"127.0.0.2", 0, false}, {"2001:db8::fe", 0, true}, {"2001:db8::1", 0, false}, {"2001:db8:1::fe", 0, false}, {"2001:db8:9::1", 0, false}, {"fe80::1", 1, true},
	} {
		r := route.Route{Dst: netip.MustParsePrefix("203.0.113.0/24"), Via: addr(c.via), Interface: w.ifcs[c.ifc].Index()}
		if r.Via.Is6() {
			r.Dst = netip.MustParsePrefix("2001:db8:ff::/48")
		}
		if err := w.AddRoute(r); (err == nil) != c.ok {
			t.Errorf("via %s on interface %d: %v, want %v", c.via, c.ifc, err, c.ok)
		} else if err != nil && !strings.Contains(err.Error(), "not a neighbour on "+w.ifcs[c.ifc].Name()) {
			t.Errorf("via %s: %v", c.via, err)
		}
		r.OnLink = true
		must(t, w.AddRoute(r))
		if p, err := w.net.Load().pathTo(r.Dst.Addr().Next(), netip.Addr{}, w.lo); err != nil || p.via != r.Via {
			t.Errorf("onlink via %s: %v, %v", c.via, p.via, err)
		}
		must(t, w.RemoveRoute(r))
	}
}

// TestNextHopThatNoneCanBeIsCalledThat: rather than no neighbour, which would have people try onlink in vain.
func TestNextHopThatNoneCanBeIsCalledThat(t *testing.T) {
	w := newWorld(t, Config{})
	had := len(w.Routes())
	for via, want := range map[string]error{"2001:db8::fe": route.ErrNextHop, "2001:db8:9::1": route.ErrNextHop, "224.0.0.1": route.ErrNextHop, "203.0.113.9": nil} {
		err := w.AddRoute(route.Route{Dst: netip.MustParsePrefix("203.0.113.0/24"), Via: addr(via), Interface: w.ifcs[0].Index()})
		if err == nil || want != nil && !errors.Is(err, want) || len(w.Routes()) != had {
			t.Errorf("via %s: %v, and %d routes, want %v and %d", via, err, len(w.Routes()), want, had)
		}
	}
}

func TestPreferredSourceOfARouteIsTaken(t *testing.T) {
	w := newWorld(t, Config{})
	must(t, w.ifcs[0].AddAddress(netip.MustParsePrefix("10.1.0.1/16")))
	must(t, w.AddRoute(route.Route{Dst: netip.MustParsePrefix("203.0.113.0/24"), Interface: w.ifcs[0].Index(), Src: addr("10.1.0.1")}))
	w.sendEach(addr("203.0.113.9"))
	for _, p := range w.sent(0) {
		if p.src != addr("10.1.0.1") {
			t.Errorf("%v, want the route's preferred source", p)
		}
	}
}

func TestBoundAddressIsTheSourceWhateverTheWay(t *testing.T) { // RFC 1122 §3.3.4.3
	w := newWorld(t, Config{})
	u, err := w.ListenUDP(ap("192.0.2.1:5000"), false)
	must(t, err)
	must(t, u.Send([]byte("x"), netip.Addr{}, ap("198.51.100.9:9")))
	if p := w.one(1); p.src != addr("192.0.2.1") {
		t.Errorf("%v, want the bound address as source", p)
	}
	_, err = w.DialTCP(ap("192.0.2.1:0"), ap("198.51.100.9:9"), nil)
	must(t, err)
	if p := w.one(1); p.src != addr("192.0.2.1") {
		t.Errorf("%v, want the bound address as source", p)
	}
}

// An address is good on every interface (the weak host model, RFC 1122 §3.3.4.2), and an
// answer goes by the route to whom it is for.
func TestAnswerGoesByTheRouteFromTheAddressAsked(t *testing.T) {
	w := newWorld(t, Config{})
	l := w.listen("[::]:7")
	defer l.Close()
	from, to := ap("198.51.100.9:999"), ap("192.0.2.1:7")
	for _, c := range []struct {
		name   string
		packet []byte
		proto  uint8
	}{
		{"SYN", tcpPacket(from, to, wire.TCPFields{Flags: syn}, nil), wire.ProtoTCP},
		{"segment for nobody", tcpPacket(from, ap("192.0.2.1:8"), wire.TCPFields{Flags: ack}, nil), wire.ProtoTCP},
		{"echo request", echoRequest(from.Addr(), to.Addr(), "x"), wire.ProtoICMP},
		{"datagram for nobody", udpPacket(from, to, nil), wire.ProtoICMP},
	} {
		w.receive(0, c.packet)
		if p := w.one(1); p.src != to.Addr() || p.dst != from.Addr() || p.proto != c.proto {
			t.Errorf("%s: answered with %v", c.name, p)
		}
		w.none()
	}
}

func TestLongestPrefixAndLeastMetricWin(t *testing.T) {
	w := newWorld(t, Config{})
	e0, e1 := w.ifcs[0].Index(), w.ifcs[1].Index()
	must(t, w.AddRoute(route.Route{Dst: netip.MustParsePrefix("203.0.0.0/8"), Interface: e0}))
	must(t, w.AddRoute(route.Route{Dst: netip.MustParsePrefix("203.0.113.0/24"), Interface: e1, Metric: 5}))
	must(t, w.AddRoute(route.Route{Dst: netip.MustParsePrefix("203.0.113.0/24"), Interface: e0, Metric: 9}))
	w.sendEach(addr("203.0.113.9"))
	w.sendEach(addr("203.0.112.9"))
	if a, b := len(w.sent(0)), len(w.sent(1)); a != 3 || b != 3 {
		t.Errorf("%d packets by the /8 and %d by the /24, want 3 each", a, b)
	}
}

func TestNoRouteIsNetworkUnreachable(t *testing.T) {
	w := newWorld(t, Config{})
	for _, dst := range []string{"203.0.113.9", "2a00::9"} {
		_, err := w.DialTCP(netip.AddrPort{}, netip.AddrPortFrom(addr(dst), 9), nil)
		wantErr(t, err, syscall.ENETUNREACH)
		_, err = w.DialUDP(netip.AddrPort{}, netip.AddrPortFrom(addr(dst), 9))
		wantErr(t, err, syscall.ENETUNREACH)
		_, err = w.Ping(addr(dst), 1, 8, 0, func(EchoResult) {})
		wantErr(t, err, syscall.ENETUNREACH)
	}
	for _, at := range []string{"192.0.2.77:9", "[2001:db8::77]:9"} {
		_, err := w.DialTCP(ap(at), ap("192.0.2.9:9"), nil)
		wantErr(t, err, syscall.EADDRNOTAVAIL)
		_, err = w.Listen(ap(at), false)
		wantErr(t, err, syscall.EADDRNOTAVAIL)
		_, err = w.ListenUDP(ap(at), false)
		wantErr(t, err, syscall.EADDRNOTAVAIL)
	}
	w.none()
}

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if err != want {
		t.Errorf("error %v, want %v", err, want)
	}
}

func TestOwnAddressIsReachedByTheLoopback(t *testing.T) {
	w := newWorld(t, Config{})
	for _, dst := range []string{"127.0.0.1", "127.9.9.9", "192.0.2.1", "::1", "2001:db8:1::1"} {
		done := 0
		_, err := w.Ping(addr(dst), 1, 8, 0, func(r EchoResult) {
			if done++; r.From != addr(dst) || !r.Matches {
				t.Errorf("ping %s: %+v", dst, r)
			}
		})
		must(t, err)
		w.settle()
		if done != 1 {
			t.Errorf("ping %s: %d answers", dst, done)
		}
	}
	w.none()
}

func TestOwnSourceFromTheWireIsAMartian(t *testing.T) { // RFC 1122 §3.2.1.3
	w := newWorld(t, Config{})
	w.listen("[::]:7")
	for _, src := range []string{"192.0.2.1:7", "198.51.100.1:7", "127.0.0.1:7", "192.0.2.255:7", "224.0.0.1:7", "0.0.0.0:7"} {
		w.receive(0, tcpPacket(ap(src), ap("192.0.2.1:7"), wire.TCPFields{Flags: syn}, nil))
		w.receive(0, udpPacket(ap(src), ap("192.0.2.1:7"), nil))
		w.receive(0, echoRequest(ap(src).Addr(), addr("192.0.2.1"), "x"))
	}
	w.receive(0, tcpPacket(ap("[2001:db8::1]:7"), ap("[2001:db8::1]:7"), wire.TCPFields{Flags: syn}, nil))
	w.none()
	w.counted("ip.drop.martian.source", 19)
	w.counted("held.tcp_connections", 0)
	if n := w.lo.lanes[0].framesOut.Load(); n != 0 {
		t.Errorf("the host talked to itself %d times", n)
	}
}
