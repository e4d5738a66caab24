package shard

import (
	"testing"

	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/wire"
)

func TestListenerDecidesOnASYNBeforeAnythingIsKept(t *testing.T) {
	w := newWorld(t, Config{})
	var asked []SYN
	verdict := DropSYN
	l, err := w.ListenWith(ap("192.0.2.1:7"), false, ListenOptions{OnSYN: func(s *SYN) Verdict {
		if n := w.conns.len(); n > 0 {
			t.Errorf("%d connections exist when the SYN is asked about", n)
		}
		asked = append(asked, *s)
		return verdict
	}})
	if err != nil {
		t.Fatal(err)
	}
	p := w.peer(0, "192.0.2.9:999", "192.0.2.1:7")
	again := func() { p.seq = 1000 }
	p.send(syn, "")
	w.none()
	w.counted("tcp.drop.syn_unwanted", 1)
	again()
	verdict = RefuseSYN
	p.send(syn, "")
	p.got(rst | ack)
	w.counted("tcp.syn_refused", 1)
	again()
	verdict = AcceptSYN
	o := wire.TCPOptions{MSS: 1400, HasWindowScale: true, WindowScale: 9, SACKPermitted: true, HasTimestamps: true, TSVal: 5}
	p.receive(0, tcpPacket(p.at, p.host, wire.TCPFields{Seq: p.seq, Flags: syn | wire.FlagECE | wire.FlagCWR, Window: 4000, Options: &o}, []byte("abc")))
	p.seq++
	p.got(synAck)
	want := SYN{Local: p.host, Remote: p.at, Interface: w.ifcs[0], MSS: 1400, Window: 4000, WindowScale: 9,
		HasWindowScale: true, SACKPermitted: true, Timestamps: true, ECN: true, Text: 3}
	if len(asked) != 3 || asked[2] != want {
		t.Fatalf("asked %d times, last about %+v, want 3 and %+v", len(asked), asked[len(asked)-1], want)
	}
	p.stamp = 5
	p.send(ack, "") // and is not asked again
	p.none()
	if l.Accept() == nil || len(asked) != 3 {
		t.Errorf("asked %d times; or there is no connection", len(asked))
	}
}

// A listener with a Handler has no accept queue: the connection is its from EventConnected on.
func TestListenersHandlerGetsConnectionsAtOnce(t *testing.T) {
	w := newWorld(t, Config{})
	e := new(events)
	l, err := w.ListenWith(ap("192.0.2.1:7"), false, ListenOptions{Handler: e})
	if err != nil {
		t.Fatal(err)
	}
	p := w.peer(0, "192.0.2.9:999", "192.0.2.1:7")
	p.send(syn, "")
	p.got(synAck)
	if e.all != 0 {
		t.Errorf("told %v before the handshake is done", e.all)
	}
	p.send(ack, "hello")
	p.got(ack)
	if want := tcp.EventConnected | tcp.EventReadable | tcp.EventWritable; e.all != want {
		t.Errorf("told %v, want %v", e.all, want)
	}
	if l.Accept() != nil {
		t.Error("the connection is in the accept queue as well")
	}
	l.Close()
	w.none() // it is not the listener's any more
}
