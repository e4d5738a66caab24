package shard

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/tcp"
)

// stamped opens a connection from local to a peer with timestamps, and closes it: the host is in
// TIME-WAIT.
func (w *world) stamped(local, remote string) {
	w.Helper()
	c, err := w.DialTCP(ap(local), ap(remote), nil)
	must(w.TB, err)
	p := &peer{world: w, at: c.Remote(), host: c.Local(), seq: 1000, window: 65535, stamp: 7000}
	p.got(syn)
	p.send(synAck, "")
	p.got(ack)
	p.finish(c)
}

// Timestamps keep a new connection apart from the old one in TIME-WAIT: a user who has bound the
// port may have it at once, and others after Settings.TimeWaitReuseDelay.
func TestConnectTakesThePlaceOfTimeWaitByTimestamps(t *testing.T) { // RFC 6191 §2
	for _, tc := range []struct {
		name    string
		reuse   int
		after   time.Duration
		bound   bool
		profile tcp.Profile
		ok      bool
	}{
		{"bound", 0, 0, true, tcp.ProfileWeir, true},
		{"bound, as FreeBSD", 1, 0, true, tcp.ProfileFreeBSD, false},
		{"too soon", 1, 990 * time.Millisecond, false, tcp.ProfileWeir, false},
		{"in time", 1, time.Second, false, tcp.ProfileWeir, true},
		{"not this far", 2, time.Second, false, tcp.ProfileWeir, false},
		{"not at all", 0, time.Second, false, tcp.ProfileWeir, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := tcp.DefaultSettings()
			s.TimeWaitReuse, s.Profile = tc.reuse, tc.profile
			w := newWorld(t, Config{TCP: &s})
			w.stamped("192.0.2.1:40000", "192.0.2.9:80")
			w.pass(tc.after)
			var b *Binding
			if tc.bound {
				var err error
				b, err = w.Bind(protoTCP, ap("192.0.2.1:40000"), BindOptions{ReuseAddr: true})
				must(t, err)
				defer b.Release()
			}
			o := &TCPOptions{Ports: PortRange{40000, 40000}}
			c, err := w.ConnectTCP(b, ap("192.0.2.9:80"), o, nil)
			if !tc.ok {
				wantErr(t, err, syscall.EADDRNOTAVAIL)
				w.counted("held.tcp_timewait", 1)
				w.counted("held.tcp_connections", 0)
				return
			}
			must(t, err)
			if h := w.one(0).tcp(); h.Flags() != syn || c.Local().Port() != 40000 {
				t.Errorf("%v", h)
			}
			w.counted("held.tcp_timewait", 0)
			w.counted("tcp.timewait_reused", 1)
			if _, err := w.DialTCP(c.Local(), c.Remote(), nil); !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("a second one: %v", err)
			}
		})
	}
}

func TestTimeWaitWithoutTimestampsStandsInTheWay(t *testing.T) {
	s := tcp.DefaultSettings()
	s.TimeWaitReuse = 1
	w := newWorld(t, Config{TCP: &s})
	c, p, _ := w.dialPeer(0, "192.0.2.1:40000", "192.0.2.9:80")
	p.finish(c)
	w.pass(2 * time.Second)
	_, err := w.ConnectTCP(nil, ap("192.0.2.9:80"), &TCPOptions{Ports: PortRange{40000, 40000}}, nil)
	wantErr(t, err, syscall.EADDRNOTAVAIL)
}

// The range narrows the host's as far as it lies within.
func TestPortRangeNarrowsTheHosts(t *testing.T) { // IP_LOCAL_PORT_RANGE
	w := newWorld(t, Config{FirstPort: 100, LastPort: 200})
	for r, want := range map[PortRange]PortRange{
		{}: {100, 200}, {150, 0}: {150, 200}, {0, 150}: {100, 150}, {120, 130}: {120, 130},
		{50, 150}: {100, 150}, {150, 300}: {150, 200}, {300, 400}: {100, 200}, {200, 200}: {200, 200},
	} {
		first, n := w.ephemeralPorts(r)
		if first != want.First || uint32(first)+n-1 != uint32(want.Last) {
			t.Errorf("%v: %d and %d more", r, first, n-1)
		}
	}
	o := BindOptions{Ports: PortRange{120, 121}}
	for n := range 3 {
		b, err := w.Bind(protoTCP, netip.AddrPortFrom(addr("192.0.2.1"), 0), o)
		if (err == nil) != (n < 2) {
			t.Fatalf("bind %d: %v", n, err)
		}
		if err == nil && b.Local().Port()/2 != 60 {
			t.Errorf("port %d", b.Local().Port())
		}
	}
}
