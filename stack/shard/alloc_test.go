package shard

import (
	"net/netip"
	"testing"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/udp"
	"github.com/weirnet/weir/stack/wire"
)

// arrive delivers a packet that lies in a frame.
func (w *world) arrive(f *link.Frame, packet []byte) {
	f.Off, f.End = link.Headroom, link.Headroom+copy(f.Buf[link.Headroom:], packet)
	f.Offload = link.Offload{}
	w.Deliver(w.ifcs[0], f)
}

// needsPools skips a test where the race detector makes sync.Pool forget at random.
func needsPools(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops what it is given at random under the race detector")
	}
}

// tcpView returns the TCP header of a packet without options or extension headers.
func tcpView(b []byte) wire.TCP {
	if b[0]>>4 == 4 {
		return wire.TCP(b[20:])
	}
	return wire.TCP(b[40:])
}

// patient is an echo server that keeps its buffer.
type patient struct{ buf [4096]byte }

func (e *patient) OnEvent(c *TCP, ev tcp.Events) {
	if ev&tcp.EventReadable == 0 {
		return
	}
	now := c.host.Now()
	if n := c.conn.Read(now, e.buf[:]); n > 0 {
		c.conn.Write(now, e.buf[:n])
	}
}

// TestEchoOverTCPAllocatesNothing takes a segment from the device to a handler and its answer
// back to the device, and the acknowledgment of that.
func TestEchoOverTCPAllocatesNothing(t *testing.T) {
	needsPools(t)
	for _, ends := range [][2]string{{"192.0.2.9:999", "192.0.2.1:7"}, {"[2001:db8::9]:999", "[2001:db8::1]:7"}} {
		w := newWorld(t, Config{})
		l := w.listen("[::]:7")
		p := w.peer(0, ends[0], ends[1]).connect()
		c := l.Accept()
		c.Lock()
		c.SetHandler(new(patient))
		c.Unlock()
		w.cables[0].keep = false
		src, dst := ap(ends[0]), ap(ends[1])
		in := tcpPacket(src, dst, wire.TCPFields{Seq: p.seq, Ack: p.ack, Flags: ack, Window: 65535}, text(1000))
		f := &link.Frame{Buf: make([]byte, link.FrameSize)}
		h := tcpView(in)
		echo := func() {
			h.UpdateChecksum(src.Addr(), dst.Addr())
			w.arrive(f, in)
			h.SetSeq(h.Seq() + 1000)
			h.SetAck(h.Ack() + 1000)
		}
		for range 100 {
			echo()
		}
		if n := testing.AllocsPerRun(1000, echo); n > 0 {
			t.Errorf("%s: %v allocations for an echo", ends[0], n)
		}
		if got := w.counter("tcp.octets.out"); got != 1101*1000 {
			t.Errorf("%d octets were echoed, want 1,101,000", got)
		}
	}
}

// TestReceivedTextAllocatesNothing takes text from the device to who reads it, and
// acknowledgments back.
func TestReceivedTextAllocatesNothing(t *testing.T) {
	needsPools(t)
	w := newWorld(t, Config{})
	l := w.listen("[::]:7")
	p := w.peer(0, "192.0.2.9:999", "192.0.2.1:7").connect()
	c := l.Accept()
	w.cables[0].keep = false
	in := tcpPacket(p.at, p.host, wire.TCPFields{Seq: p.seq, Ack: p.ack, Flags: ack, Window: 65535}, text(1460))
	f := &link.Frame{Buf: make([]byte, link.FrameSize)}
	h := tcpView(in)
	buf := make([]byte, 8192)
	receive := func() {
		for range 4 {
			h.UpdateChecksum(p.at.Addr(), p.host.Addr())
			w.arrive(f, in)
			h.SetSeq(h.Seq() + 1460)
		}
		c.Lock()
		if n := c.conn.Read(w.clock.Now(), buf); n != 4*1460 {
			t.Fatalf("read %d octets", n)
		}
		c.Push()
		c.Unlock()
	}
	for range 100 {
		receive()
	}
	if n := testing.AllocsPerRun(1000, receive); n > 0 {
		t.Errorf("%v allocations for four segments", n)
	}
}

// TestSentTextAllocatesNothing writes to a connection, with and without offloads, and takes
// the acknowledgment.
func TestSentTextAllocatesNothing(t *testing.T) {
	needsPools(t)
	for _, features := range []uint64{0, offloads} {
		w := newWorld(t, Config{})
		w.ifcs[0].features = features
		c, p, _ := w.dialPeer(0, "", "192.0.2.9:80")
		w.cables[0].keep = false
		in := tcpPacket(p.at, p.host, wire.TCPFields{Seq: p.seq, Ack: p.ack, Flags: ack, Window: 65535}, nil)
		f := &link.Frame{Buf: make([]byte, link.FrameSize)}
		h := tcpView(in)
		data := text(8 * 1460)
		send := func() {
			c.Lock()
			c.conn.Write(w.clock.Now(), data)
			c.Push()
			c.Unlock()
			h.SetAck(h.Ack() + uint32(len(data)))
			h.UpdateChecksum(p.at.Addr(), p.host.Addr())
			w.arrive(f, in)
		}
		for range 100 {
			send()
		}
		if n := testing.AllocsPerRun(1000, send); n > 0 {
			t.Errorf("features %#x: %v allocations for eight segments", features, n)
		}
		if _, unsent := c.conn.Queued(); unsent > 0 {
			t.Errorf("%d octets were not sent", unsent)
		}
	}
}

// TestEchoOverUDPAllocatesNothing takes a datagram to its socket and another back.
func TestEchoOverUDPAllocatesNothing(t *testing.T) {
	needsPools(t)
	for _, ends := range [][2]string{{"192.0.2.9:999", "192.0.2.1:7"}, {"[2001:db8::9]:999", "[2001:db8::1]:7"}} {
		w := newWorld(t, Config{})
		u, err := w.ListenUDP(ap(ends[1]), false)
		must(t, err)
		w.cables[0].keep = false
		in := udpPacket(ap(ends[0]), ap(ends[1]), text(1000))
		f := &link.Frame{Buf: make([]byte, link.FrameSize)}
		var d udp.Datagram
		echo := func() {
			w.arrive(f, in)
			var ok bool
			if d, ok = pop(u); !ok {
				t.Fatal("no datagram")
			}
			if err := u.Send(d.Payload, netip.Addr{}, d.From); err != nil {
				t.Fatal(err)
			}
			d.Release()
		}
		for range 100 {
			echo()
		}
		if n := testing.AllocsPerRun(1000, echo); n > 0 {
			t.Errorf("%s: %v allocations for an echo", ends[0], n)
		}
	}
}

// TestAnsweredDatagramsAllocateNothing takes a round of datagrams to a handler and its answers back,
// with super-segments and without.
func TestAnsweredDatagramsAllocateNothing(t *testing.T) {
	needsPools(t)
	for _, features := range []uint64{0, uso} {
		for _, ends := range [][2]string{{"192.0.2.9:999", "192.0.2.1:7"}, {"[2001:db8::9]:999", "[2001:db8::1]:7"}} {
			w := newWorld(t, Config{})
			w.ifcs[0].features = features
			w.handle(7, packetFunc(echoPackets))
			w.cables[0].keep = false
			in := udpPacket(ap(ends[0]), ap(ends[1]), text(64))
			r := round{h: w.Host, ifc: w.ifcs[0]}
			f := link.Frame{Buf: make([]byte, link.FrameSize), Off: link.Headroom}
			echo := func() {
				for range 20 {
					f.End = f.Off + copy(f.Buf[f.Off:], in)
					r.input(&f)
				}
				r.flush()
			}
			for range 100 {
				echo()
			}
			if n := testing.AllocsPerRun(1000, echo); n > 0 {
				t.Errorf("%s, features %#x: %v allocations for twenty echoes", ends[0], features, n)
			}
			if got := w.counter("udp.out"); got != 1101*20 {
				t.Errorf("%d datagrams were answered, want %d", got, 1101*20)
			}
		}
	}
}

// TestBatchesAllocateNothing takes datagrams out of a socket, and sends them back, as a batch.
func TestBatchesAllocateNothing(t *testing.T) {
	needsPools(t)
	for _, features := range []uint64{0, uso} {
		w := newWorld(t, Config{})
		w.ifcs[0].features = features
		u, err := w.ListenUDP(ap("[::]:7"), true)
		must(t, err)
		w.cables[0].keep = false
		in := udpPacket(ap("192.0.2.9:999"), ap("192.0.2.1:7"), text(64))
		f := &link.Frame{Buf: make([]byte, link.FrameSize)}
		ps := make([]Packet, 20)
		for i := range ps {
			ps[i].Buf = make([]byte, 100)
		}
		echo := func() {
			for range ps {
				w.arrive(f, in)
			}
			u.mu.Lock()
			n := u.ReceiveBatch(ps, true)
			u.mu.Unlock()
			if k, err := u.SendBatch(ps[:n]); n != len(ps) || k != n || err != nil {
				t.Fatalf("%d received, %d sent, %v", n, k, err)
			}
		}
		for range 100 {
			echo()
		}
		if n := testing.AllocsPerRun(1000, echo); n > 0 {
			t.Errorf("features %#x: %v allocations for twenty echoes", features, n)
		}
	}
}

// TestPingAndForwardingAllocateNothing answers an echo request and passes a packet on.
func TestPingAndForwardingAllocateNothing(t *testing.T) {
	needsPools(t)
	w := newWorld(t, Config{Forward: true})
	w.cables[0].keep, w.cables[1].keep = false, false
	f := &link.Frame{Buf: make([]byte, link.FrameSize)}
	for name, in := range map[string][]byte{
		"echo request":      echoRequest(addr("192.0.2.9"), addr("192.0.2.1"), "x"),
		"IPv6 echo request": echoRequest(addr("2001:db8::9"), addr("2001:db8::1"), "x"),
		"packet to forward": udpPacket(ap("192.0.2.9:1"), ap("198.51.100.9:2"), text(500)),
	} {
		if n := testing.AllocsPerRun(1000, func() { w.arrive(f, in) }); n > 0 {
			t.Errorf("%v allocations for an %s", n, name)
		}
	}
}

// TestFloodOfSYNsAllocatesNothing has SYNs arrive at a listener with no place left.
func TestFloodOfSYNsAllocatesNothing(t *testing.T) {
	needsPools(t)
	w := newWorld(t, Config{Backlog: 1})
	w.listen("192.0.2.1:7")
	w.cables[0].keep = false
	f := &link.Frame{Buf: make([]byte, link.FrameSize)}
	in := tcpPacket(ap("192.0.2.9:999"), ap("192.0.2.1:7"), fieldsOf(syn), nil)
	w.arrive(f, tcpPacket(ap("192.0.2.9:998"), ap("192.0.2.1:7"), fieldsOf(syn), nil))
	if n := testing.AllocsPerRun(1000, func() { w.arrive(f, in) }); n > 0 {
		t.Errorf("%v allocations for a SYN that finds no place", n)
	}
	w.counted("tcp.drop.syn_queue_full", 1001)
}
