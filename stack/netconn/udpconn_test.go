package netconn

import (
	"bytes"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/wire"
)

// sockets returns an unconnected socket of the far host and one of the near host connected to it.
func (p *pair) sockets(host string) (a, b *UDPConn) {
	p.Helper()
	b, err := ListenUDP(p.b, "udp", ap(host+":53"), false)
	p.must(err)
	a, err = DialUDP(p.a, "udp", netip.AddrPort{}, ap(host+":53"))
	p.must(err)
	return a, b
}

func TestDatagramThatDoesNotFitIsCut(t *testing.T) { // recvfrom(2)
	inBubble(t, shard.Config{}, func(p *pair) {
		for _, host := range []string{"192.0.2.2", "[2001:db8::2]"} {
			a, b := p.sockets(host)
			a.Write([]byte("0123456789"))
			a.Write([]byte("next"))
			buf := make([]byte, 4)
			n, from, err := b.ReadFrom(buf)
			if n != 4 || string(buf) != "0123" || err != nil || from.String() != a.LocalAddr().String() {
				t.Errorf("%d, %q, %v, %v", n, buf, from, err)
			}
			if n, _, _ = b.ReadFrom(buf); string(buf[:n]) != "next" {
				t.Errorf("then %q", buf[:n])
			}
			a.Write(nil) // an empty datagram is one
			if n, _, err = b.ReadFrom(buf); n != 0 || err != nil {
				t.Errorf("empty: %d, %v", n, err)
			}
			a.Close()
			b.Close()
		}
	})
}

func TestConnectedSocketHearsItsPeerOnly(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		a, b := p.sockets("192.0.2.2")
		other, err := ListenUDP(p.b, "udp", ap("192.0.2.2:54"), false)
		p.must(err)
		to := net.UDPAddrFromAddrPort(a.LocalAddr().(*net.UDPAddr).AddrPort())
		other.WriteTo([]byte("other"), to)
		b.WriteTo([]byte("peer"), to)
		buf := make([]byte, 10)
		if n, err := a.Read(buf); string(buf[:n]) != "peer" || err != nil {
			t.Errorf("%q, %v", buf[:n], err)
		}
		synctest.Wait() // the other was told
		_, err = a.WriteTo([]byte("x"), to)
		p.opError(err, net.ErrWriteToConnected)
		if a.RemoteAddr().String() != "192.0.2.2:53" || b.RemoteAddr() != nil {
			t.Errorf("%v, %v", a.RemoteAddr(), b.RemoteAddr())
		}
	})
}

func TestErrorsOfDatagrams(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		a, b := p.sockets("192.0.2.2")
		b.Close()
		// Nobody listens any more: the next call of either kind says so, once.
		for _, next := range []func() error{
			func() error { _, err := a.Read(make([]byte, 1)); return err },
			func() error { _, err := a.Write([]byte("x")); return err },
		} {
			a.Write([]byte("anybody?"))
			synctest.Wait()
			p.opError(next(), syscall.ECONNREFUSED)
		}
		waiting := p.after(func() error { _, err := a.Read(make([]byte, 1)); return err })
		a.Write([]byte("anybody?"))
		p.want(waiting, syscall.ECONNREFUSED, 0)

		u, err := ListenUDP(p.a, "udp", ap("0.0.0.0:0"), false)
		p.must(err)
		to := func(s string) *net.UDPAddr { return net.UDPAddrFromAddrPort(ap(s)) }
		for _, c := range []struct {
			payload int
			to      net.Addr
			want    error
		}{
			{65508, to("192.0.2.2:9"), syscall.EMSGSIZE}, {1, to("203.0.113.9:9"), syscall.ENETUNREACH}, {1, to("192.0.2.2:0"), syscall.EINVAL},
			{1, &net.TCPAddr{}, syscall.EINVAL}, {1, &net.UDPAddr{}, syscall.EDESTADDRREQ}, {1, (*net.UDPAddr)(nil), syscall.EINVAL},
		} {
			_, err := u.WriteTo(make([]byte, c.payload), c.to)
			p.opError(err, c.want)
		}
		bound, err := ListenUDP(p.a, "udp", ap("192.0.2.1:0"), false)
		p.must(err)
		_, err = bound.WriteTo([]byte("x"), to("[2001:db8::2]:9"))
		p.opError(err, syscall.EAFNOSUPPORT)
		_, err = bound.Write([]byte("x"))
		p.opError(err, syscall.EDESTADDRREQ)
		if _, err := bound.WriteTo([]byte("x"), to("[::ffff:192.0.2.2]:9")); err != nil {
			t.Errorf("to an IPv4-mapped address: %v", err)
		}
	})
}

// A writer that waits for room goes on when there is some, and so do all who wait.
func TestFullLinkHoldsWritersBack(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		u := p.fullLink()
		dev := p.a.InterfaceByName("full").Device().(*fullDevice)
		var all []<-chan result
		for range 3 {
			all = append(all, p.after(func() error { _, err := u.Write([]byte("x")); return err }))
		}
		time.Sleep(time.Second)
		dev.setRoom(true)
		for _, c := range all {
			p.want(c, nil, time.Second)
		}
		if n := dev.setRoom(false); n != 3 {
			t.Errorf("%d datagrams were sent", n)
		}
		c := p.after(func() error { _, err := u.Write([]byte("x")); return err })
		p.must(p.a.InterfaceByName("full").Close()) // nor does anybody wait for what is gone
		p.want(c, syscall.ENETUNREACH, 0)
	})
}

// A writer that waits for room hears of an error when it comes, as one that waits in sendto(2) does.
func TestAnErrorEndsTheWaitForRoom(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		u := p.fullLink()
		local, remote := u.u.Local(), u.u.Remote()
		waiting := p.after(func() error { _, err := u.Write([]byte("x")); return err })
		msg := make([]byte, wire.ICMPHeader+20+wire.UDPHeader)
		quote := msg[wire.PutICMP(msg, 3, 3, 0):]
		at := wire.PutIPv4(quote, &wire.IPv4Fields{TTL: 64, Protocol: wire.ProtoUDP, Src: local.Addr(), Dst: remote.Addr(), PayloadLen: wire.UDPHeader})
		wire.PutUDP(quote[at:], local.Port(), remote.Port(), 0)
		wire.ICMPv4(msg).UpdateChecksum()
		r, err := p.b.OpenRaw(true, wire.ProtoICMP)
		p.must(err)
		defer r.Close()
		p.must(r.SendTo(msg, netip.MustParseAddr("192.0.2.1"), shard.SendOptions{}))
		p.want(waiting, syscall.ECONNREFUSED, 0)
	})
}

func TestQueueIsBoundedByReadBuffer(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		a, b := p.sockets("192.0.2.2")
		p.must(b.SetReadBuffer(2048))
		for range 10 {
			a.Write(bytes.Repeat([]byte("x"), 1000))
		}
		synctest.Wait()
		b.SetReadDeadline(time.Now().Add(time.Second))
		n := 0
		for {
			if _, _, err := b.ReadFrom(make([]byte, 1000)); err != nil {
				break
			}
			n++
		}
		if n != 2 {
			t.Errorf("%d datagrams of 1 KiB were kept in 2 KiB", n)
		}
	})
}
