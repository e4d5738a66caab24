package stack_test

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/event"
	"github.com/weirnet/weir/stack/link/pipe"
	"github.com/weirnet/weir/stack/netconn"
)

// trains answers datagrams, and counts what came as several at once.
type trains struct{ whole atomic.Int32 }

func (h *trains) OnPacket(s *event.PacketSocket, p []byte, m event.PacketMeta) {
	if m.To.Port() == s.Listener().Addr().Port() {
		s.Reply(p)
	}
}

func (h *trains) OnTrain(s *event.PacketSocket, p []byte, size int, m event.PacketMeta) {
	h.whole.Add(1)
	s.ReplyTrain(p, size)
}

func TestPacketHandlersEcho(t *testing.T) {
	for _, offload := range []bool{true, false} {
		a, b := pair(t, pipe.Options{Offload: offload}, stack.Config{})
		h := new(trains)
		l, err := b.ListenPacketEvents("udp", ":7", h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.ListenPacketEvents("udp", ":7", h); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("the port is taken: %v", err)
		}
		if _, err := b.ListenPacketEvents("tcp", ":7", h); err == nil {
			t.Error("a handler of datagrams listens on TCP")
		}
		for _, host := range []string{"192.0.2.2", "2001:db8::2"} {
			conn, err := a.Dial("udp", net.JoinHostPort(host, "7"))
			if err != nil {
				t.Fatal(err)
			}
			c := conn.(*netconn.UDPConn)
			c.SetDeadline(time.Now().Add(time.Minute))
			c.SetWhole(true)
			text := bytes.Repeat([]byte("0123456789"), 3000)
			if n, err := c.WritePackets([]netconn.Packet{{Buf: text, N: len(text), Size: 1000}, {Buf: text, N: 10}}); n != 2 || err != nil {
				t.Fatal(n, err)
			}
			var got []byte
			ps := []netconn.Packet{{Buf: make([]byte, 65535)}}
			for len(got) < len(text)+10 {
				if _, err := c.ReadPackets(ps); err != nil {
					t.Fatal(err)
				}
				if whole := ps[0].N > 1000; whole && (!offload || ps[0].Size != 1000) {
					t.Errorf("%d octets of %d each", ps[0].N, ps[0].Size)
				}
				got = append(got, ps[0].Buf[:ps[0].N]...)
			}
			if !bytes.Equal(got, append(bytes.Clone(text), text[:10]...)) {
				t.Error("other octets came back")
			}
			// What is sent from outside of calls goes too.
			local := c.LocalAddr().(*net.UDPAddr).AddrPort()
			if err := l.WriteTo([]byte("unasked"), netip.Addr{}, local); err != nil {
				t.Error(err)
			}
			if n, err := c.Read(text); string(text[:n]) != "unasked" || err != nil {
				t.Errorf("%q, %v", text[:n], err)
			}
			c.Close()
		}
		if offload != (h.whole.Load() > 0) {
			t.Errorf("offload %v: %d super-segments came whole", offload, h.whole.Load())
		}
		l.Close()
		l.Close()
		if err := l.WriteTo(nil, netip.Addr{}, netip.MustParseAddrPort("192.0.2.1:9")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a closed port sends: %v", err)
		}
	}
}
