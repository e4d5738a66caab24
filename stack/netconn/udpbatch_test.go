package netconn

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/shard"
)

// A batch is longer than the link has room for: WritePackets waits, and nothing is lost or out of order.
func TestPacketsOfABatchArriveInOrder(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		for _, host := range []string{"192.0.2.2", "[2001:db8::2]"} {
			a, b := p.sockets(host)
			out := make([]Packet, 100)
			for i := range out {
				out[i].Buf = fmt.Appendf(nil, "datagram %d", i)
				out[i].N = len(out[i].Buf)
			}
			go func() {
				if n, err := a.WritePackets(out); n != len(out) || err != nil {
					t.Errorf("%d sent, %v", n, err)
				}
			}()
			in := make([]Packet, 7)
			for i := range in {
				in[i].Buf = make([]byte, 100)
			}
			for got := 0; got < len(out); {
				n, err := b.ReadPackets(in)
				if err != nil || n == 0 {
					t.Fatal(n, err)
				}
				for _, q := range in[:n] {
					if string(q.Buf[:q.N]) != string(out[got].Buf) || net.UDPAddrFromAddrPort(q.Peer).String() != a.LocalAddr().String() {
						t.Fatalf("%q from %v, want %q", q.Buf[:q.N], q.Peer, out[got].Buf)
					}
					got++
				}
				p.mustSend(b, in[:n]) // back as they are
			}
			for got := 0; got < len(out); {
				n, err := a.ReadPackets(in)
				if err != nil || string(in[0].Buf[:in[0].N]) != string(out[got].Buf) {
					t.Fatalf("%q, %v", in[0].Buf[:in[0].N], err)
				}
				got += n
			}
			a.Close()
			b.Close()
		}
	})
}

func (p *pair) mustSend(c *UDPConn, ps []Packet) {
	p.Helper()
	if n, err := c.WritePackets(ps); n != len(ps) || err != nil {
		p.Fatalf("%d of %d sent, %v", n, len(ps), err)
	}
}

// Message is x/net's: buffers scattered, addresses as net.Addr, what was cut said by MSG_TRUNC.
func TestBatchOfMessages(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		a, b := p.sockets("192.0.2.2")
		defer a.Close()
		defer b.Close()
		out := []Message{{Buffers: [][]byte{[]byte("01"), []byte("2345")}}, {Buffers: [][]byte{[]byte("next")}}, {}}
		if n, err := a.WriteBatch(out, 0); n != 3 || err != nil || out[0].N != 6 || out[1].N != 4 || out[2].N != 0 {
			t.Errorf("%d sent, %v: %+v", n, err, out)
		}
		time.Sleep(time.Second) // of the bubble: all has arrived
		in := []Message{
			{Buffers: [][]byte{make([]byte, 4), make([]byte, 4)}}, {Buffers: [][]byte{make([]byte, 3)}},
			{Buffers: [][]byte{make([]byte, 9)}}, {Buffers: [][]byte{make([]byte, 9)}},
		}
		n, err := b.ReadBatch(in, 0)
		if n != 3 || err != nil || in[0].N != 6 || string(in[0].Buffers[0]) != "0123" || string(in[0].Buffers[1][:2]) != "45" || in[0].Flags != 0 {
			t.Errorf("%d received, %v: %+v", n, err, in)
		}
		if in[1].N != 3 || string(in[1].Buffers[0]) != "nex" || in[1].Flags != syscall.MSG_TRUNC || in[1].Addr.String() != a.LocalAddr().String() || in[1].Addr != in[0].Addr {
			t.Errorf("%+v", in[1])
		}
		if n, err := b.ReadBatch(in, syscall.MSG_DONTWAIT); n != 0 || !errors.Is(err, syscall.EAGAIN) {
			t.Errorf("nothing there: %d, %v", n, err)
		}
		in[0].Buffers[0] = []byte("back")
		if n, err := b.WriteBatch(in[:1], 0); n != 1 || err != nil {
			t.Errorf("%d sent, %v", n, err)
		}
		buf := make([]byte, 9)
		if n, err := a.Read(buf); string(buf[:n]) != "back45\x00\x00" || err != nil {
			t.Errorf("%q, %v", buf[:n], err)
		}
	})
}

func TestBatchFailsAsSingleCallsDo(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		a, b := p.sockets("192.0.2.2")
		var op *net.OpError
		want := func(n, wantN int, err, cause error) {
			t.Helper()
			if n != wantN || !errors.Is(err, cause) || !errors.As(err, &op) {
				t.Errorf("%d, %v, want %d and %v", n, err, wantN, cause)
			}
		}
		ok := Packet{Buf: []byte("x"), N: 1}
		n, err := a.WritePackets([]Packet{ok, {Peer: ap("192.0.2.2:54")}})
		want(n, 0, err, net.ErrWriteToConnected)
		n, err = a.WritePackets([]Packet{ok, {Buf: make([]byte, 70000), N: 70000}, ok})
		want(n, 1, err, syscall.EMSGSIZE)
		n, err = b.WriteBatch([]Message{{Addr: a.LocalAddr()}, {Addr: &net.TCPAddr{}}}, 0)
		want(n, 1, err, syscall.EINVAL)
		n, err = b.WriteBatch([]Message{{}}, 0)
		want(n, 0, err, syscall.EDESTADDRREQ)
		n, err = b.WriteBatch([]Message{{}}, 1)
		want(n, 0, err, syscall.EOPNOTSUPP)
		n, err = b.ReadBatch([]Message{{}}, 1)
		want(n, 0, err, syscall.EOPNOTSUPP)
		in := []Packet{{Buf: make([]byte, 10)}}
		if n, err = b.ReadPackets(in); n != 1 || err != nil {
			t.Errorf("%d, %v, want the one that was sent", n, err)
		}
		a.ReadPackets(in) // what b has sent
		b.SetReadDeadline(time.Now().Add(time.Second))
		n, err = b.ReadPackets(in)
		want(n, 0, err, os.ErrDeadlineExceeded)
		c, cerr := DialUDP(p.a, "udp", netip.AddrPort{}, ap("192.0.2.2:55"))
		p.must(cerr)
		c.Write(nil)
		time.Sleep(time.Second)
		n, err = c.ReadPackets(in)
		want(n, 0, err, syscall.ECONNREFUSED)
		time.AfterFunc(time.Second, func() { a.Close() })
		n, err = a.ReadPackets(in)
		want(n, 0, err, net.ErrClosed)
		n, err = a.WritePackets([]Packet{ok})
		want(n, 0, err, net.ErrClosed)
		b.Close()
		c.Close()
	})
}
