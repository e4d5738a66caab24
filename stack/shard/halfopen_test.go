package shard

import (
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/route"
	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/wire"
)

// flood sends n SYNs, each from a port and address of its own.
func (w *world) flood(n int) {
	w.cables[0].keep = false
	for i := range n {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 20), byte(i >> 12), byte(i >> 4)}), uint16(1000+i&15))
		o := wire.TCPOptions{MSS: 1460, SACKPermitted: true, HasWindowScale: true, HasTimestamps: true, TSVal: 1}
		w.receive(0, tcpPacket(from, ap("192.0.2.1:7"), wire.TCPFields{Seq: 1000, Flags: syn, Window: 4000, Options: &o}, nil))
	}
	w.cables[0].keep = true
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A flood of SYNs costs a small record each, as many as the bounds allow, and those are gone when nobody
// answers.
func TestFloodOfSYNsCostsSmallRecords(t *testing.T) {
	const n, most = 30000, 420 // octets, with its place in the table
	w := newWorld(t, Config{MaxSynBacklog: n + 100, MaxBacklog: 1 << 16, MaxHalfOpen: n})
	must(t, w.AddRoute(route.Route{Dst: netip.MustParsePrefix("10.0.0.0/8"), Interface: w.ifcs[0].index}))
	l := w.listenTCP(ListenOptions{Backlog: -1})
	w.flood(100)
	before := heap()
	w.flood(n + 50)
	each := int64(heap()-before) / (n - 100)
	w.counted("held.tcp_half_open", n)
	w.counted("tcp.drop.half_open_full", 50)
	t.Logf("a half-open connection costs %d octets", each)
	if each > most {
		t.Errorf("a half-open connection costs %d octets, want %d at most", each, most)
	}
	if got := l.halfOpen; got != n {
		t.Errorf("the listener counts %d", got)
	}
	w.cables[0].keep = false
	w.pass(10 * time.Minute)
	w.counted("held.tcp_half_open", 0)
	w.counted("held.timers", 0)
	if l.halfOpen != 0 {
		t.Errorf("the listener still counts %d", l.halfOpen)
	}
}

// What a listener's options say when the handshake ends is what the connection has, and what the
// SYN,ACK has said stays as it was.
func TestConnectionHasTheListenersOptionsOfTheLastACK(t *testing.T) {
	w := newWorld(t, Config{})
	l := w.listenTCP(ListenOptions{Backlog: 5})
	p := w.client(1000)
	p.send(syn, "")
	said := p.got(synAck)
	l.Configure(func(o *ListenOptions) {
		o.TCP.Setup = func(c *tcp.Conn) { c.SetNoDelay(true) }
		o.TCP.HopLimit, o.TCP.UserMSS = 9, 600
	})
	p.seq--
	p.send(syn, "")
	again := p.got(synAck)
	if m, n := mssOf(t, said), mssOf(t, again); m != 1460 || n != m {
		t.Errorf("announced %d and %d", m, n)
	}
	p.send(ack, "")
	c := l.Accept()
	if c == nil || !c.conn.NoDelay() || c.HopLimit() != 9 || c.reuse != true {
		t.Fatalf("%v: the options are not the listener's", c)
	}
}

func mssOf(t *testing.T, h wire.TCP) uint16 {
	t.Helper()
	var o wire.TCPOptions
	if err := wire.ParseTCPOptions(h.Options(), &o); err != nil {
		t.Fatal(err)
	}
	return o.MSS
}

func TestListenerThatClosesResetsTheHalfOpen(t *testing.T) {
	w := newWorld(t, Config{})
	l := w.listenTCP(ListenOptions{Backlog: 5})
	p := w.client(1000)
	p.send(syn, "")
	p.got(synAck)
	l.Close()
	if h := p.got(rst | ack); h.Seq() != p.ack {
		t.Errorf("the reset has %d, want %d", h.Seq(), p.ack)
	}
	w.counted("held.tcp_half_open", 0)
	w.counted("held.timers", 0)
}

// The SYN,ACK is sent again as often as the settings say, and then the record is gone.
func TestSYNACKIsSentAgainFromTheRecord(t *testing.T) {
	s := tcp.DefaultSettings()
	s.SynAckRetries = 3
	w := newWorld(t, Config{TCP: &s})
	w.listenTCP(ListenOptions{Backlog: 5})
	p := w.client(1000)
	p.send(syn, "")
	first := p.got(synAck)
	wait := s.RTO.Initial
	for range 3 {
		w.pass(wait)
		if h := p.got(synAck); h.Seq() != first.Seq() {
			t.Errorf("sent again with %d, want %d", h.Seq(), first.Seq())
		}
		wait *= 2
	}
	w.counted("tcp.retransmit.syn", 3)
	w.counted("held.tcp_half_open", 1)
	w.pass(wait)
	w.counted("held.tcp_half_open", 0)
	w.none()
}

// Listings tell of half-open connections, Abort ends them, a user cannot connect in their place, and a
// network without a way to the peer keeps them until they time out.
func TestHalfOpenConnectionsAreLikeOthersToTheHost(t *testing.T) {
	w := newWorld(t, Config{})
	w.listenTCP(ListenOptions{Backlog: 5})
	p := w.client(1000)
	p.send(syn, "")
	p.got(synAck)
	find := func() (c ConnInfo) {
		for _, i := range w.Connections() {
			if i.State == "SYN-RECEIVED" {
				c = i
			}
		}
		return c
	}
	if c := find(); c.Local != p.host || c.Remote != p.at || c.MSS != 1460 || c.RTO != time.Second {
		t.Errorf("listed as %+v", c)
	}
	if _, err := w.DialTCP(p.host, p.at, nil); err != syscall.EADDRINUSE {
		t.Errorf("connecting in its place: %v", err)
	}
	if n := w.Abort(func(c ConnInfo) bool { return c.State == "SYN-RECEIVED" }); n != 1 {
		t.Errorf("%d aborted", n)
	}
	p.got(rst | ack)
	if c := find(); c.State != "" {
		t.Errorf("still listed: %+v", c)
	}
	p = w.client(1001)
	p.send(syn, "")
	p.got(synAck)
	must(t, w.ifcs[0].Close())
	w.pass(10 * time.Minute)
	w.counted("held.tcp_half_open", 0)
	w.counted("held.timers", 0)
}
