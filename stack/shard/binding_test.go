package shard

import (
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

// TestSharedPorts holds Bind and ListenTCP against Linux's rules of SO_REUSEADDR and SO_REUSEPORT.
func TestSharedPorts(t *testing.T) {
	const no, addr, port, both = 0, 1, 2, 3
	for _, c := range []struct {
		protocol     uint8
		old, next    int
		at           string // of the second
		oldListens   bool
		bind, listen bool // whether the second may
	}{
		{protoTCP, no, no, "0.0.0.0:80", false, false, false},
		{protoTCP, addr, no, "0.0.0.0:80", false, false, false},
		{protoTCP, no, addr, "0.0.0.0:80", false, false, false},
		{protoTCP, addr, addr, "0.0.0.0:80", false, true, true},
		{protoTCP, addr, addr, "0.0.0.0:80", true, false, false},
		{protoTCP, addr, addr, "192.0.2.1:80", true, false, false},
		{protoTCP, port, no, "0.0.0.0:80", false, false, false},
		{protoTCP, port, addr, "0.0.0.0:80", false, false, false},
		{protoTCP, port, port, "0.0.0.0:80", false, true, true},
		{protoTCP, port, port, "192.0.2.1:80", true, true, true},
		{protoTCP, both, addr, "0.0.0.0:80", true, false, false},
		{protoTCP, both, both, "0.0.0.0:80", true, true, true},
		{protoTCP, no, no, "[2001:db8::1]:80", true, true, true},
		{protoTCP, no, no, "0.0.0.0:81", true, true, true},
		{protoUDP, no, no, "0.0.0.0:80", false, false, false},
		{protoUDP, addr, no, "192.0.2.1:80", false, false, false},
		{protoUDP, addr, addr, "192.0.2.1:80", false, true, false},
		{protoUDP, port, port, "0.0.0.0:80", false, true, false},
		{protoUDP, port, addr, "0.0.0.0:80", false, false, false},
	} {
		name := fmt.Sprintf("%+v", c)
		w := newWorld(t, Config{})
		options := func(n int) BindOptions { return BindOptions{ReuseAddr: n&addr != 0, ReusePort: n&port != 0} }
		a, err := w.Bind(c.protocol, ap("0.0.0.0:80"), options(c.old))
		must(t, err)
		if c.oldListens {
			_, err = w.ListenTCP(a, ListenOptions{})
			must(t, err)
		}
		b, err := w.Bind(c.protocol, ap(c.at), options(c.next))
		if (err == nil) != c.bind || err != nil && err != syscall.EADDRINUSE {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil || c.protocol != protoTCP {
			continue
		}
		if _, err = w.ListenTCP(b, ListenOptions{}); (err == nil) != c.listen {
			t.Errorf("%s: listen: %v", name, err)
		}
		// The first may listen beside the second only where both said SO_REUSEPORT.
		if _, err = w.ListenTCP(a, ListenOptions{}); !c.oldListens && c.at == "0.0.0.0:80" && (err == nil) != (c.old&c.next&port != 0) {
			t.Errorf("%s: the first one listens too: %v", name, err)
		}
	}
}

func TestBoundInterfacesShareAPort(t *testing.T) {
	w := newWorld(t, Config{})
	on := func(n int) error {
		_, err := w.Bind(protoTCP, ap("0.0.0.0:80"), BindOptions{Interface: n})
		return err
	}
	must(t, on(w.ifcs[0].Index()))
	must(t, on(w.ifcs[1].Index()))
	wantErr(t, on(w.ifcs[1].Index()), syscall.EADDRINUSE)
	wantErr(t, on(0), syscall.EADDRINUSE)
}

// A wildcard of both families meets both; IPV6_V6ONLY leaves IPv4 to others.
func TestV6OnlyLeavesIPv4ToOthers(t *testing.T) {
	for _, both := range []bool{false, true} {
		w := newWorld(t, Config{})
		b, err := w.Bind(protoTCP, ap("[::]:80"), BindOptions{Both: both})
		must(t, err)
		other, err := w.Bind(protoTCP, ap("0.0.0.0:80"), BindOptions{})
		if (err == nil) == both {
			t.Errorf("both %v: IPv4 beside it: %v", both, err)
		}
		if err == nil {
			other.Release()
		}
		l, err := w.ListenTCP(b, ListenOptions{Backlog: 5})
		must(t, err)
		w.peer(0, "[2001:db8::9]:1000", "[2001:db8::1]:80").connect()
		p := w.peer(0, "192.0.2.9:1000", "192.0.2.1:80")
		if both {
			p.connect()
		} else {
			p.connectRefused("192.0.2.9:1000", "192.0.2.1:80")
		}
		l.Close()
		b.Release()
		b.Release()
		w.sent(0)
		w.nothingHeld()
	}
}

func TestBindErrors(t *testing.T) {
	w := newWorld(t, Config{})
	_, err := w.Bind(protoTCP, ap("203.0.113.1:80"), BindOptions{})
	wantErr(t, err, syscall.EADDRNOTAVAIL)
	for _, at := range []string{"224.0.0.1:80", "192.0.2.255:80", "127.0.0.9:80"} { // as bind(2) has it
		_, err = w.Bind(protoTCP, ap(at), BindOptions{})
		must(t, err)
	}
	w.Close()
	_, err = w.Bind(protoTCP, ap("192.0.2.1:80"), BindOptions{})
	wantErr(t, err, net.ErrClosed)
}

// Connections and TIME-WAIT records hold their port as sockets do: with SO_REUSEADDR on both sides
// another may have it.
func TestConnectionsHoldTheirPort(t *testing.T) {
	for _, reuse := range []bool{false, true} {
		w := newWorld(t, Config{})
		o := BindOptions{ReuseAddr: reuse}
		b, err := w.Bind(protoTCP, ap("0.0.0.0:80"), o)
		must(t, err)
		l, err := w.ListenTCP(b, ListenOptions{Backlog: 5})
		must(t, err)
		p := w.peer(0, "192.0.2.9:1000", "192.0.2.1:80").connect()
		c := l.Accept()
		l.Close()
		b.Release()
		again := func(when string, free bool) {
			b, err := w.Bind(protoTCP, ap("0.0.0.0:80"), o)
			if (err == nil) != free {
				t.Errorf("reuse %v: bound %s: %v", reuse, when, err)
			}
			if err == nil {
				b.Release()
			}
		}
		again("beside a connection", reuse)
		if _, err = w.Bind(protoTCP, ap("0.0.0.0:80"), BindOptions{}); err == nil {
			t.Error("bound beside a connection without SO_REUSEADDR")
		}
		other, err := w.Bind(protoTCP, ap("198.51.100.1:80"), BindOptions{}) // another address
		must(t, err)
		other.Release()
		p.finish(c)
		w.counted("held.tcp_timewait", 1)
		again("in TIME-WAIT", reuse)
		w.pass(61 * time.Second)
		again2, err := w.Bind(protoTCP, ap("192.0.2.1:80"), BindOptions{})
		must(t, err)
		again2.Release()
	}
}

func TestConnectFromABinding(t *testing.T) {
	w := newWorld(t, Config{})
	b, err := w.Bind(protoTCP, ap("[::]:0"), BindOptions{Both: true})
	must(t, err)
	port := b.Local().Port()
	c, err := w.ConnectTCP(b, ap("192.0.2.9:80"), nil, nil)
	must(t, err)
	if c.Local() != netip.AddrPortFrom(addr("192.0.2.1"), port) || b.Local() != c.Local() {
		t.Errorf("connected from %v, bound to %v", c.Local(), b.Local())
	}
	_, err = w.ConnectTCP(b, ap("192.0.2.9:80"), nil, nil) // these ends are taken
	wantErr(t, err, syscall.EADDRNOTAVAIL)
	_, err = w.ConnectTCP(b, ap("[2001:db8::9]:80"), nil, nil) // it is narrowed to IPv4 now
	wantErr(t, err, syscall.EAFNOSUPPORT)
	other, err := w.Bind(protoTCP, netip.AddrPortFrom(addr("198.51.100.1"), port), BindOptions{}) // and others may have the rest
	must(t, err)
	other.Release()
	b.Widen()
	_, err = w.Bind(protoTCP, netip.AddrPortFrom(addr("198.51.100.1"), port), BindOptions{})
	wantErr(t, err, syscall.EADDRINUSE)
	_, err = w.ConnectTCP(b, ap("192.0.2.9:81"), &TCPOptions{Interface: 99}, nil)
	wantErr(t, err, syscall.ENODEV)
	// A port that is bound is not chosen for a connection, nor one with connections for a binding.
	for range 200 {
		c, err := w.DialTCP(netip.AddrPort{}, ap("192.0.2.9:80"), nil)
		must(t, err)
		x, err := w.Bind(protoTCP, ap("192.0.2.1:0"), BindOptions{ReuseAddr: true})
		must(t, err)
		if c.Local().Port() == port || w.portUse.used(x.Local().Port()) {
			t.Fatalf("port %d of %d", c.Local().Port(), port)
		}
	}
}

func TestPortRange(t *testing.T) {
	w := newWorld(t, Config{FirstPort: 5000, LastPort: 5003})
	seen := map[uint16]bool{}
	for range 4 {
		b, err := w.Bind(protoUDP, ap("0.0.0.0:0"), BindOptions{ReuseAddr: true})
		must(t, err)
		seen[b.Local().Port()] = true
	}
	if len(seen) != 4 || !seen[5000] || !seen[5003] {
		t.Errorf("ports %v", seen)
	}
	_, err := w.Bind(protoUDP, ap("0.0.0.0:0"), BindOptions{ReuseAddr: true}) // a chosen port is not shared
	wantErr(t, err, syscall.EADDRINUSE)
	for range 4 {
		_, err = w.DialTCP(netip.AddrPort{}, ap("192.0.2.9:80"), nil)
		must(t, err)
	}
	_, err = w.DialTCP(netip.AddrPort{}, ap("192.0.2.9:80"), nil)
	wantErr(t, err, syscall.EADDRNOTAVAIL)
}
