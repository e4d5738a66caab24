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

// errorOf takes an error out of a socket's error queue.
func errorOf(u *UDP) (udp.Error, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.errs.Pop()
}

func TestUDPConnectAndDisconnect(t *testing.T) {
	w := newWorld(t, Config{})
	u := w.OpenUDP(true)
	if u.Bound() || u.Local() != ap("0.0.0.0:0") {
		t.Errorf("a new socket is bound to %v", u.Local())
	}
	must(t, u.Connect(ap("192.0.2.9:9"))) // chooses address and port
	at := u.Local()
	if at.Addr() != addr("192.0.2.1") || at.Port() < firstEphemeral || u.Remote() != ap("192.0.2.9:9") {
		t.Errorf("connected from %v to %v", at, u.Remote())
	}
	w.receive(0, udpPacket(ap("192.0.2.8:9"), at, []byte("not from there")))
	w.one(0) // port unreachable
	w.receive(0, udpPacket(ap("192.0.2.9:9"), at, []byte("from there")))
	wantText(t, u, "from there")
	must(t, u.Connect(ap("198.51.100.9:9"))) // elsewhere, and still from there
	if at2 := u.Local(); at2 != at {
		t.Errorf("connected again from %v", at2)
	}
	u.Disconnect()
	if u.Bound() || u.Remote().IsValid() {
		t.Errorf("a port that was chosen stays: %v", u.Local())
	}
	u.Disconnect()
	wantErr(t, u.SendTo(nil, netip.AddrPort{}, SendOptions{}), syscall.EDESTADDRREQ)

	must(t, u.Bind(ap("0.0.0.0:5000"), BindOptions{}))
	wantErr(t, u.Bind(ap("0.0.0.0:5001"), BindOptions{}), syscall.EINVAL)
	must(t, u.Connect(ap("192.0.2.9:9")))
	v := w.OpenUDP(true)
	must(t, v.Bind(ap("198.51.100.1:5000"), BindOptions{})) // the wildcard was narrowed
	v.Close()
	u.Disconnect()
	if u.Local() != ap("0.0.0.0:5000") {
		t.Errorf("bound to %v after the connection", u.Local())
	}
	wantErr(t, w.OpenUDP(true).Bind(ap("198.51.100.1:5000"), BindOptions{}), syscall.EADDRINUSE)
	wantErr(t, u.Connect(ap("[2001:db8::9]:9")), syscall.EAFNOSUPPORT)
	wantErr(t, u.Connect(ap("203.0.113.1:9")), syscall.ENETUNREACH)
	u.Close()
	wantErr(t, u.Connect(ap("192.0.2.9:9")), net.ErrClosed)
	wantErr(t, u.SendTo(nil, ap("192.0.2.9:9"), SendOptions{}), net.ErrClosed)
	w.nothingHeld()
}

// A socket of both families sends to either; the first datagram gives it a port on both.
func TestUDPOfBothFamilies(t *testing.T) {
	w := newWorld(t, Config{})
	u := w.OpenUDP(false)
	must(t, u.SendTo([]byte("x"), ap("192.0.2.9:9"), SendOptions{}))
	p := w.one(0)
	must(t, u.SendTo([]byte("x"), ap("[2001:db8::9]:9"), SendOptions{}))
	if q := w.one(0); wire.UDP(p.body).SrcPort() != u.Local().Port() || wire.UDP(q.body).SrcPort() != u.Local().Port() {
		t.Error("from different ports")
	}
	only := w.OpenUDP(false)
	must(t, only.Bind(ap("[::]:0"), BindOptions{})) // IPV6_V6ONLY
	wantErr(t, only.SendTo(nil, ap("192.0.2.9:9"), SendOptions{}), syscall.EAFNOSUPPORT)
}

// Two sockets that are connected alike, by SO_REUSEADDR: the later has what comes, and when it is gone the other.
func TestUDPSocketsConnectedAlike(t *testing.T) {
	w := newWorld(t, Config{})
	var us [2]*UDP
	for n := range us {
		us[n] = w.OpenUDP(true)
		must(t, us[n].Bind(ap("192.0.2.1:53"), BindOptions{ReuseAddr: true}))
		must(t, us[n].Connect(ap("192.0.2.9:9")))
	}
	w.receive(0, udpPacket(ap("192.0.2.9:9"), ap("192.0.2.1:53"), []byte("1")))
	wantText(t, us[1], "1")
	us[1].Close()
	w.receive(0, udpPacket(ap("192.0.2.9:9"), ap("192.0.2.1:53"), []byte("2")))
	wantText(t, us[0], "2")
	us[0].Close()
	w.nothingHeld()
}

func TestDatagramsOptions(t *testing.T) {
	w := newWorld(t, Config{})
	u := w.OpenUDP(false)
	u.Configure(func(o *DatagramOptions) {
		o.V4.HopLimit, o.V4.TrafficClass, o.V6.HopLimit, o.V6.TrafficClass, o.NoChecksum = 5, 0x21, 6, 0x42, true
	})
	for _, c := range []struct {
		dst  string
		o    SendOptions
		ttl  uint8
		tos  uint8
		src  string
		zero bool // no checksum
	}{
		{"192.0.2.9:9", SendOptions{}, 5, 0x21, "192.0.2.1", true},
		{"[2001:db8::9]:9", SendOptions{}, 6, 0x42, "2001:db8::1", false},
		{"192.0.2.9:9", SendOptions{HopLimit: 9, HasTrafficClass: true, From: addr("198.51.100.1")}, 9, 0, "198.51.100.1", true},
		{"[2001:db8::9]:9", SendOptions{TrafficClass: 0xff, HasTrafficClass: true, From: addr("2001:db8:1::1")}, 6, 0xff, "2001:db8:1::1", false},
	} {
		must(t, u.SendTo([]byte("x"), ap(c.dst), c.o))
		p := w.one(0)
		if p.ttl != c.ttl || p.tos() != c.tos || p.src != addr(c.src) || (wire.UDP(p.body).Checksum() == 0) != c.zero {
			t.Errorf("%+v: hop limit %d, class %#x, from %v, checksum %#x", c, p.ttl, p.tos(), p.src, wire.UDP(p.body).Checksum())
		}
	}
	wantErr(t, u.SendTo(text(1500), ap("[2001:db8::9]:9"), SendOptions{DontFragment: true}), syscall.EMSGSIZE)
	wantErr(t, u.SendTo(nil, ap("192.0.2.255:9"), SendOptions{}), syscall.EACCES)
	wantErr(t, u.Connect(ap("192.0.2.255:9")), syscall.EACCES)
	u.Configure(func(o *DatagramOptions) { o.Broadcast = true })
	must(t, u.SendTo(nil, ap("192.0.2.255:9"), SendOptions{}))
	w.one(0)
}

// IP_RECVERR: every error is queued with what it is about, also on a socket that is not connected, and soft ones too.
func TestErrorQueue(t *testing.T) {
	for _, c := range []struct {
		dst, router string
		typ, code   uint8
		rest        uint32
		want        udp.Error
	}{
		{"192.0.2.9:9", "192.0.2.254", 3, 3, 0, udp.Error{Errno: syscall.ECONNREFUSED, Origin: udp.OriginICMP}},
		{"192.0.2.9:9", "192.0.2.254", 3, 1, 0, udp.Error{Errno: syscall.EHOSTUNREACH, Origin: udp.OriginICMP}},
		{"192.0.2.9:9", "192.0.2.254", 11, 0, 0, udp.Error{Errno: syscall.EHOSTUNREACH, Origin: udp.OriginICMP}},
		{"192.0.2.9:9", "192.0.2.254", 3, 4, 1000, udp.Error{Errno: syscall.EMSGSIZE, Origin: udp.OriginICMP, Info: 1000}},
		{"[2001:db8::9]:9", "2001:db8::fe", 1, 4, 0, udp.Error{Errno: syscall.ECONNREFUSED, Origin: udp.OriginICMP6}},
		{"[2001:db8::9]:9", "2001:db8::fe", 2, 0, 1290, udp.Error{Errno: syscall.EMSGSIZE, Origin: udp.OriginICMP6, Info: 1290}},
	} {
		for _, ask := range []bool{true, false} {
			w := newWorld(t, Config{})
			u := w.OpenUDP(false)
			u.Configure(func(o *DatagramOptions) { o.V4.RecvErr, o.V6.RecvErr = ask, ask })
			must(t, u.SendTo([]byte("hello"), ap(c.dst), SendOptions{}))
			p := w.one(0)
			told := 0
			u.OnEvent(func() { told++ })
			w.receive(0, icmpPacket(addr(c.router), p.src, c.typ, c.code, c.rest, p.raw))
			e, ok := errorOf(u)
			if !ask {
				if ok || told != 0 || u.queue.TakeError() != nil {
					t.Errorf("%+v: a socket that is not connected hears of it unasked", c)
				}
				continue
			}
			if !ok || told != 1 || e.Errno != c.want.Errno || e.Origin != c.want.Origin || e.Type != c.typ || e.Code != c.code || e.Info != c.want.Info ||
				e.Offender != addr(c.router) || e.To != ap(c.dst) || string(e.Payload) != "hello" || e.Interface != 2 {
				t.Errorf("%+v:\n got %+v, %v, told %d times", c, e, ok, told)
			}
			if err := u.queue.TakeError(); err != c.want.Errno {
				t.Errorf("%+v: pending: %v", c, err)
			}
		}
	}
}

func TestErrorQueueIsBoundedAndHoldsLocalErrors(t *testing.T) {
	w := newWorld(t, Config{})
	u := w.OpenUDP(true)
	u.Configure(func(o *DatagramOptions) { o.V4.RecvErr, o.V4.PMTUDisc = true, PMTUDiscDo })
	wantErr(t, u.SendTo(text(2000), ap("192.0.2.9:9"), SendOptions{}), syscall.EMSGSIZE)
	e, ok := errorOf(u)
	if !ok || e.Errno != syscall.EMSGSIZE || e.Origin != udp.OriginLocal || e.Info != 1500 || e.Offender.IsValid() || e.To != ap("192.0.2.9:9") || !bytes.Equal(e.Payload, text(2000)[:len(e.Payload)]) {
		t.Errorf("%+v %v", e, ok)
	}
	for range 1000 {
		u.SendTo(text(2000), ap("192.0.2.9:9"), SendOptions{})
	}
	n := u.errs.Len()
	if n == 0 || n > 64 || u.errs.Dropped() != uint64(1000-n) {
		t.Errorf("%d errors wait, %d were dropped", n, u.errs.Dropped())
	}
	u.Configure(func(o *DatagramOptions) { o.V4.RecvErr = false })
	if u.errs.Len() != 0 {
		t.Error("errors stay after IP_RECVERR was turned off")
	}
	// A connected socket hears of a packet too big, unless it does no discovery.
	for _, mode := range []PMTUDisc{PMTUDiscHost, PMTUDiscDont} {
		c, err := w.DialUDP(netip.AddrPort{}, ap("192.0.2.9:9"))
		must(t, err)
		c.Configure(func(o *DatagramOptions) { o.V4.PMTUDisc = mode })
		must(t, c.Send(text(1300), netip.Addr{}, c.Remote()))
		w.tooBig(0, w.sent(0)[0], 1200)
		if err := c.queue.TakeError(); (err == syscall.EMSGSIZE) != (mode == PMTUDiscHost) {
			t.Errorf("mode %d: %v", mode, err)
		}
	}
}

func TestReceivedMetadata(t *testing.T) {
	w := newWorld(t, Config{})
	u := w.OpenUDP(true)
	must(t, u.Bind(ap("0.0.0.0:53"), BindOptions{}))
	m := udpMessage(ap("192.0.2.9:9"), ap("198.51.100.1:53"), []byte("x"))
	b := ipPacket(addr("192.0.2.9"), addr("198.51.100.1"), wire.ProtoUDP, m, ipOptions{ttl: 3})
	b[1] = 0xb9
	wire.IPv4(b).UpdateChecksum()
	w.receive(0, b)
	if d, ok := pop(u); !ok || d.To != addr("198.51.100.1") || d.Interface != w.ifcs[0].Index() || d.HopLimit != 3 || d.TOS != 0xb9 {
		t.Errorf("%+v", d)
	}
}

func TestUDPChosenPorts(t *testing.T) {
	w := newWorld(t, Config{})
	u := w.OpenUDP(true)
	must(t, u.Keep(addr("192.0.2.1"))) // IP_BIND_ADDRESS_NO_PORT
	if u.Bound() || u.Local() != ap("192.0.2.1:0") {
		t.Errorf("bound to %v", u.Local())
	}
	must(t, u.Autobind(false))
	if at := u.Local(); at.Addr() != addr("192.0.2.1") || at.Port() < firstEphemeral {
		t.Errorf("bound to %v", at)
	}
	wantErr(t, u.Keep(addr("192.0.2.1")), syscall.EINVAL)
	u.Disconnect() // gives back a port that was chosen, and keeps the address
	if u.Bound() || u.Local() != ap("192.0.2.1:0") {
		t.Errorf("bound to %v", u.Local())
	}
	wantErr(t, u.Check(nil, ap("203.0.113.1:9"), SendOptions{}), syscall.ENETUNREACH)
	u.Close()

	v := w.OpenUDP(false)
	must(t, v.Autobind(true)) // IPV6_V6ONLY: the port stays free for IPv4
	x := w.OpenUDP(true)
	must(t, x.Bind(netip.AddrPortFrom(addr("0.0.0.0"), v.Local().Port()), BindOptions{}))
	must(t, x.Connect(ap("127.0.0.9:9"))) // the whole network is this host, and has one source
	if at := x.Local().Addr(); at != addr("127.0.0.1") {
		t.Errorf("connected from %v", at)
	}
	v.Close()
	x.Close()
}
