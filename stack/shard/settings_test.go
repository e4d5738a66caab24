package shard

import (
	"testing"

	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/wire"
)

// Settings of TCP that the driver carries out.

func TestBlackholeKeepsClosedPortsSilent(t *testing.T) {
	for level, want := range [][3]bool{{true, true, true}, {false, true, true}, {false, false, true}, {false, false, false}} {
		s := tcp.DefaultSettings()
		s.Blackhole = level
		w := newWorld(t, Config{TCP: &s})
		for n, flags := range []wire.TCPFlags{syn, ack} {
			w.receive(0, tcpPacket(ap("192.0.2.9:5"), ap("192.0.2.1:6"), fieldsOf(flags), nil))
			if got := len(w.sent(0)) == 1; got != want[n] {
				t.Errorf("level %d, %v: answered is %v", level, flags, got)
			}
		}
		e := new(events)
		c, err := w.DialTCP(ap("192.0.2.1:0"), ap("192.0.2.1:6"), e)
		must(t, err)
		w.settle()
		if got := c.conn.Err() != nil; got != want[2] {
			t.Errorf("level %d, from this host: answered is %v", level, got)
		}
	}
}

func TestNoLocalTimeWaitForgetsConnectionsWithThisHost(t *testing.T) {
	for _, forget := range []bool{false, true} {
		s := tcp.DefaultSettings()
		s.NoLocalTimeWait = forget
		w := newWorld(t, Config{TCP: &s})
		l := w.listen("192.0.2.1:7")
		c, err := w.DialTCP(ap("192.0.2.1:0"), ap("192.0.2.1:7"), nil)
		must(t, err)
		w.settle()
		c.Close()
		w.settle()
		l.Accept().Close()
		w.settle()
		w.counted("held.tcp_connections", 0)
		want := uint64(1)
		if forget {
			want = 0
		}
		w.counted("held.tcp_timewait", want)
	}
}

func TestWithoutPathMTUDiscoveryPacketsGoWithoutDF(t *testing.T) { // RFC 1191 §3
	for _, on := range []bool{true, false} {
		s := tcp.DefaultSettings()
		s.PathMTUDiscovery = on
		w := newWorld(t, Config{TCP: &s})
		_, err := w.DialTCP(ap("192.0.2.1:0"), ap("192.0.2.9:80"), nil)
		must(t, err)
		if got := wire.IPv4(w.one(0).raw).DontFragment(); got != on {
			t.Errorf("path MTU discovery %v: DF is %v", on, got)
		}
	}
}

func TestListenerGoesByTheSettings(t *testing.T) {
	s := tcp.LinuxSettings() // drops a SYN with FIN
	s.DefaultMSS4 = 600
	w := newWorld(t, Config{TCP: &s})
	l := w.listen("192.0.2.1:7")
	w.receive(0, tcpPacket(ap("192.0.2.9:5"), ap("192.0.2.1:7"), fieldsOf(syn|fin), nil))
	w.none()
	w.receive(0, tcpPacket(ap("192.0.2.9:5"), ap("192.0.2.1:7"), wire.TCPFields{Flags: syn, Seq: 99, Window: 65535}, nil))
	h := w.one(0).tcp()
	w.receive(0, tcpPacket(ap("192.0.2.9:5"), ap("192.0.2.1:7"), wire.TCPFields{Flags: ack, Seq: 100, Ack: h.Seq() + 1, Window: 65535}, nil))
	if got := l.Accept().conn.Info().MSS; got != 600 {
		t.Errorf("MSS %d where the peer announced none, want that of the settings", got)
	}
}
