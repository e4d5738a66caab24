package shard

import (
	"net/netip"
	"testing"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/tcp"
)

// listenTCP listens on 192.0.2.1:7.
func (w *world) listenTCP(o ListenOptions) *Listener {
	w.Helper()
	b, err := w.Bind(protoTCP, ap("192.0.2.1:7"), BindOptions{ReuseAddr: true})
	must(w, err)
	l, err := w.ListenTCP(b, o)
	must(w, err)
	return l
}

// client is a peer of 192.0.2.1:7 on a port of its own.
func (w *world) client(port uint16) *peer {
	return w.peer(0, netip.AddrPortFrom(addr("192.0.2.9"), port).String(), "192.0.2.1:7")
}

// The accept queue is full when it holds more than the backlog. A SYN is ignored then, and so is an ACK
// that would put one more there: the SYN,ACK comes again, and the next ACK may find room.
func TestFullAcceptQueueIgnoresSYNAndLastACK(t *testing.T) {
	w := newWorld(t, Config{})
	l := w.listenTCP(ListenOptions{Backlog: 2})
	var half []*peer
	for n := range 2 { // their handshakes begin while there is room
		p := w.client(uint16(1000 + n))
		p.send(syn, "")
		p.got(synAck)
		half = append(half, p)
	}
	w.counted("held.tcp_connections", 2)
	late := half[1]
	half[0].send(ack, "")
	w.client(1010).connect()
	w.client(1011).connect()
	if l.Ready() != 3 {
		t.Fatalf("%d in the queue of a backlog of 2", l.Ready())
	}
	w.client(1012).send(syn, "")
	w.none()
	w.counted("tcp.drop.listen_overflow", 1)
	late.send(ack, "")
	w.none()
	w.counted("tcp.drop.accept_overflow", 1)
	w.pass(1100 * 1e6)
	if l.Accept() == nil {
		t.Fatal("nothing to accept")
	}
	late.got(synAck) // again
	late.send(ack, "")
	late.send(ack, "hello")
	late.got(ack)
	if l.Ready() != 3 {
		t.Errorf("%d in the queue, want three again", l.Ready())
	}
	w.counted("tcp.drop.accept_overflow", 1)
	l.SetBacklog(3)
	w.client(1013).connect()
	for range 4 {
		if l.Accept() == nil {
			t.Error("an accepted connection is missing")
		}
	}
	l.Close()
	w.counted("tcp.accepted", 5)
}

func TestFullAcceptQueueAbortsWhereThatIsAsked(t *testing.T) {
	for _, o := range []ListenOptions{{AbortOnOverflow: true}, {}} {
		s := tcp.DefaultSettings()
		s.AbortOnOverflow = !o.AbortOnOverflow
		w := newWorld(t, Config{TCP: &s})
		l := w.listenTCP(o)
		p := w.client(1000)
		p.send(syn, "")
		p.got(synAck)
		w.client(1001).send(syn, "") // a backlog of 0 has one place for the half-open
		w.none()
		w.counted("tcp.drop.syn_queue_full", 1)
		p.send(ack, "")
		if l.Ready() != 1 {
			t.Fatal("a backlog of 0 lets one in")
		}
		l.Accept()
		p = w.client(1002)
		p.send(syn, "")
		p.got(synAck)
		l.mu.Lock()
		l.queue = append(l.queue, nil) // somebody else was quicker
		l.mu.Unlock()
		p.send(ack, "")
		if h := p.got(rst); h.Seq() != p.ack { // <SEQ=SEG.ACK><CTL=RST>
			t.Errorf("the reset has %d, want %d", h.Seq(), p.ack)
		}
		w.counted("tcp.abort_on_overflow", 1)
		w.counted("held.tcp_connections", 1)
		l.Take()
	}
}

func TestSYNBeyondTheBacklogIsRefusedWhereThatIsAsked(t *testing.T) {
	w := newWorld(t, Config{MaxSynBacklog: 2})
	w.listenTCP(ListenOptions{Backlog: -1, RefuseOverflow: true})
	for n := range 4 {
		p := w.client(uint16(1000 + n))
		p.send(syn, "")
		if n < 2 {
			p.got(synAck)
		} else {
			p.got(rst | ack)
		}
	}
	w.counted("tcp.listen_refused", 2)
	w.counted("tcp.drop.syn_queue_full", 2)
	w.counted("held.tcp_connections", 2)
}

func TestBacklogIsBoundedByTheHost(t *testing.T) {
	w := newWorld(t, Config{MaxBacklog: 5})
	l := w.listenTCP(ListenOptions{Backlog: 1000})
	for _, n := range []int{1000, -1, 5} {
		if l.SetBacklog(n); l.opts.Load().Backlog != 5 {
			t.Errorf("listen(%d) is a backlog of %d", n, l.opts.Load().Backlog)
		}
	}
}

// TCP_DEFER_ACCEPT: a connection is accepted when its first text is there.
func TestDeferredAcceptWaitsForText(t *testing.T) {
	w := newWorld(t, Config{})
	l := w.listenTCP(ListenOptions{Backlog: 5, DeferAccept: 10e9})
	p := w.client(1000)
	p.send(syn, "")
	p.got(synAck)
	p.send(ack, "")
	w.pass(5e9)
	w.none() // nor is the SYN,ACK sent again
	if l.Accept() != nil {
		t.Fatal("accepted without text")
	}
	p.send(ack, "GET")
	p.got(ack)
	if c := l.Accept(); c == nil || c.conn.Readable() != 3 || c.conn.State() != tcp.StateEstablished {
		t.Fatalf("accepted %v", c)
	}
}

// SO_REUSEPORT: listeners and sockets of one port share what comes, each flow staying with one.
func TestSharedPortSpreadsFlows(t *testing.T) {
	w := newWorld(t, Config{})
	w.cables[0].keep = false
	var ls []*Listener
	var us []*UDP
	for range 4 {
		b, err := w.Bind(protoTCP, ap("0.0.0.0:7"), BindOptions{ReusePort: true})
		must(t, err)
		l, err := w.ListenTCP(b, ListenOptions{Backlog: 4096})
		must(t, err)
		ls = append(ls, l)
		u := w.OpenUDP(true)
		must(t, u.Bind(ap("0.0.0.0:7"), BindOptions{ReusePort: true}))
		us = append(us, u)
	}
	for n := range 400 {
		from := netip.AddrPortFrom(addr("192.0.2.9"), uint16(1000+n))
		w.receive(0, tcpPacket(from, ap("192.0.2.1:7"), fieldsOf(syn), nil))
		for range 2 { // twice to the same
			w.receive(0, udpPacket(from, ap("192.0.2.1:7"), []byte("x")))
		}
	}
	for n := range ls {
		if got := ls[n].halfOpen; got < 50 || got > 150 {
			t.Errorf("listener %d has %d of 400 connections", n, got)
		}
		got := us[n].queue.Len()
		if got < 100 || got > 300 || got%2 != 0 {
			t.Errorf("socket %d has %d of 800 datagrams", n, got)
		}
	}
	us[1].Close()
	ls[1].Close()
	w.receive(0, udpPacket(ap("192.0.2.9:1"), ap("192.0.2.1:7"), nil))
	w.counted("udp.in", 801)
}

// SO_BINDTODEVICE, on what listens and on what was accepted.
func TestBoundInterfaceHearsNoOther(t *testing.T) {
	w := newWorld(t, Config{})
	for n, i := range w.ifcs {
		b, err := w.Bind(protoTCP, ap("0.0.0.0:7"), BindOptions{Interface: i.Index()})
		must(t, err)
		l, err := w.ListenTCP(b, ListenOptions{Backlog: 5})
		must(t, err)
		u := w.OpenUDP(true)
		must(t, u.Bind(ap("0.0.0.0:7"), BindOptions{Interface: i.Index()}))
		if n == 1 {
			continue
		}
		p := w.client(1000).connect()
		c := l.Accept()
		if c == nil || c.Interface() != i.Index() {
			t.Fatalf("accepted %v", c)
		}
		p.ifc = 1
		p.send(ack, "by the other way")
		if h := w.one(0).tcp(); h.Flags() != rst || c.conn.Readable() != 0 {
			t.Errorf("text came by another interface, or is answered with %v", h.Flags())
		}
		w.receive(1, udpPacket(ap("192.0.2.9:1"), ap("192.0.2.1:7"), nil))
		w.receive(0, udpPacket(ap("192.0.2.9:1"), ap("192.0.2.1:7"), []byte("mine")))
		wantText(t, u, "mine")
	}
}

// What is bound to an interface leaves by it, whatever the routes say.
func TestBoundInterfaceIsLeftBy(t *testing.T) {
	w := newWorld(t, Config{})
	one := w.ifcs[1].Index()
	c, err := w.ConnectTCP(nil, ap("203.0.113.9:80"), &TCPOptions{Interface: one}, nil)
	must(t, err)
	if p := w.one(1); p.src != addr("198.51.100.1") || p.dst != addr("203.0.113.9") {
		t.Errorf("%v", p)
	}
	c.Lock()
	c.SetInterface(w.ifcs[0].Index())
	c.Unlock()
	w.pass(1100 * 1e6)
	w.one(0) // the SYN again
	u := w.OpenUDP(true)
	must(t, u.Bind(ap("0.0.0.0:9"), BindOptions{}))
	u.SetInterface(one)
	must(t, u.SendTo(nil, ap("192.0.2.9:9"), SendOptions{}))
	w.one(1)
	must(t, u.SendTo(nil, ap("192.0.2.9:9"), SendOptions{Interface: w.ifcs[0].Index()}))
	w.one(0)
}

// A connection that moves to a link which cuts segments itself sends large ones from then on.
func TestSegmentsGrowWithTheLink(t *testing.T) {
	w := newWorld(t, Config{})
	w.ifcs[1].features = offloads | link.FeatureHostTSO4
	w.cables[1].features = w.ifcs[1].features
	w.cables[1].mtu = 1500
	c, _, _ := w.dialPeer(0, "", "192.0.2.9:80")
	c.Lock()
	c.SetInterface(w.ifcs[1].Index())
	c.Unlock()
	w.write(c, text(8*1460))
	if p := w.one(1); len(p.tcp().Payload()) != 8*1460 || p.SegmentSize != 1460 {
		t.Errorf("a segment of %d, to be cut to %d", len(p.tcp().Payload()), p.SegmentSize)
	}
}
