package netconn

import (
	"net"
	"net/netip"
	"syscall"
	"testing"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/weirnet/weir/stack/shard"
)

// What programs that take a *net.UDPConn by its methods ask for.
var _ interface {
	net.PacketConn
	ReadMsgUDP(b, oob []byte) (n, oobn, flags int, addr *net.UDPAddr, err error)
	WriteMsgUDP(b, oob []byte, addr *net.UDPAddr) (n, oobn int, err error)
	ReadMsgUDPAddrPort(b, oob []byte) (n, oobn, flags int, addr netip.AddrPort, err error)
	WriteMsgUDPAddrPort(b, oob []byte, addr netip.AddrPort) (n, oobn int, err error)
	ReadFromUDP(b []byte) (int, *net.UDPAddr, error)
	WriteToUDP(b []byte, addr *net.UDPAddr) (int, error)
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, addr netip.AddrPort) (int, error)
	SetReadBuffer(octets int) error
	SetWriteBuffer(octets int) error
} = (*UDPConn)(nil)

// Control messages are those that golang.org/x/net writes and reads, and what was read sends an answer.
func TestControlMessagesAreThoseOfTheKernel(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		p.must(p.b.InterfaceByName("e0").AddAddress(netip.MustParsePrefix("192.0.2.3/24")))
		p.must(p.b.InterfaceByName("e0").AddAddress(netip.MustParsePrefix("2001:db8::3/64")))
		b, err := ListenUDP(p.b, "udp", ap("[::]:53"), true)
		p.must(err)
		for _, to := range []string{"192.0.2.3:53", "[2001:db8::3]:53"} {
			dst := ap(to)
			a, err := DialUDP(p.a, "udp", netip.AddrPort{}, dst)
			p.must(err)
			out := (&ipv6.ControlMessage{TrafficClass: 3, HopLimit: 9}).Marshal()
			if dst.Addr().Is4() { // ipv4.ControlMessage does not write either
				out = cmsgs(syscall.IPPROTO_IP, syscall.IP_TOS, 3, syscall.IP_TTL, 9)
			}
			if n, oobn, err := a.WriteMsgUDP([]byte("question"), out, nil); n != 8 || oobn != len(out) || err != nil {
				t.Fatalf("%d, %d, %v", n, oobn, err)
			}
			buf, oob := make([]byte, 100), make([]byte, 200)
			n, oobn, flags, from, err := b.ReadMsgUDPAddrPort(buf, oob)
			if string(buf[:n]) != "question" || flags != 0 || from.String() != a.LocalAddr().String() || err != nil {
				t.Errorf("%q, flags %x, from %v, %v", buf[:n], flags, from, err)
			}
			if got := describe(t, dst.Addr().Is4(), oob[:oobn]); got != (told{dst.Addr(), p.b.InterfaceByName("e0").Index(), 9, 3}) {
				t.Errorf("to %s: told %+v", to, got)
			}
			if _, _, err := b.WriteMsgUDPAddrPort([]byte("answer"), oob[:oobn], from); err != nil {
				t.Error(err)
			}
			n, oobn, _, peer, err := a.ReadMsgUDP(buf, oob) // connected: it hears 192.0.2.3 only
			if string(buf[:n]) != "answer" || peer.AddrPort() != dst || err != nil {
				t.Errorf("%q from %v, %v", buf[:n], peer, err)
			}
			if got := describe(t, dst.Addr().Is4(), oob[:oobn]); got.hops != 9 || got.tos != 3 {
				t.Errorf("the answer: %+v", got)
			}
			a.Close()
		}
	})
}

func TestWhatDoesNotFitAMessageIsCut(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		a, b := p.sockets("192.0.2.2")
		for _, c := range []struct{ room, oobRoom, n, oobn, flags int }{
			{4, 0, 4, 0, syscall.MSG_TRUNC}, {10, 0, 10, 0, 0}, {10, 79, 10, 56, syscall.MSG_CTRUNC}, {10, 80, 10, 80, 0}, {0, 1, 0, 0, syscall.MSG_TRUNC | syscall.MSG_CTRUNC},
		} {
			a.Write([]byte("0123456789"))
			n, oobn, flags, _, err := b.ReadMsgUDP(make([]byte, c.room), make([]byte, c.oobRoom))
			if n != c.n || oobn != c.oobn || flags != c.flags || err != nil {
				t.Errorf("%+v: %d, %d, %x, %v", c, n, oobn, flags, err)
			}
		}
	})
}

func TestErrorsOfMessages(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		a, b := p.sockets("192.0.2.2")
		to, six := a.LocalAddr().(*net.UDPAddr).AddrPort(), ap("[2001:db8::1]:9")
		write := func(c *UDPConn, oob []byte, to netip.AddrPort) error {
			_, _, err := c.WriteMsgUDPAddrPort([]byte("x"), oob, to)
			return err
		}
		any, err := ListenUDP(p.b, "udp", ap("[::]:54"), true)
		p.must(err)
		for _, c := range []struct {
			got, want error
		}{
			{write(a, nil, to), net.ErrWriteToConnected}, {write(b, nil, netip.AddrPort{}), syscall.EDESTADDRREQ},
			{write(b, []byte("not a message, but long enough"), to), syscall.EINVAL},
			{write(b, cmsgs(syscall.IPPROTO_IP, syscall.IP_TTL, 0), to), syscall.EINVAL}, {write(b, cmsgs(syscall.IPPROTO_IP, syscall.IP_TTL, 256), to), syscall.EINVAL},
			{write(b, cmsgs(syscall.IPPROTO_IP, syscall.IP_OPTIONS, 1), to), syscall.EINVAL}, {write(b, cmsgs(syscall.SOL_SOCKET, syscall.SO_MARK, 1), to), syscall.EINVAL},
			{write(b, cmsgs(syscall.IPPROTO_IPV6, syscall.IPV6_HOPLIMIT, 256), to), nil}, // of the other family
			{write(any, cmsgs(syscall.IPPROTO_IPV6, syscall.IPV6_HOPLIMIT, 256), six), syscall.EINVAL},
			{write(any, minusOne(syscall.IPPROTO_IPV6, syscall.IPV6_HOPLIMIT), six), nil}, {write(any, minusOne(syscall.IPPROTO_IPV6, syscall.IPV6_TCLASS), six), nil}, // RFC 3542 §6.3, §6.5
			{write(b, minusOne(syscall.IPPROTO_IP, syscall.IP_TTL), to), syscall.EINVAL},
			{write(any, (&ipv6.ControlMessage{IfIndex: 99}).Marshal(), six), syscall.ENODEV}, {write(any, (&ipv4.ControlMessage{IfIndex: 99}).Marshal(), to), syscall.ENODEV},
			{write(any, (&ipv6.ControlMessage{Src: net.ParseIP("2001:db8:9::9")}).Marshal(), six), nil},
		} {
			if c.want == nil && c.got != nil {
				t.Error(c.got)
			}
			p.opError(c.got, c.want)
		}
		b.Close()
		_, _, _, _, err = b.ReadMsgUDP(nil, nil)
		p.opError(err, net.ErrClosed)
		p.opError(write(b, nil, to), net.ErrClosed)
	})
}

// cmsgs returns messages of four octets of a level: pairs of type and value.
func cmsgs(level uint32, pairs ...uint32) []byte {
	w := controlWriter{b: make([]byte, 200)}
	for ; len(pairs) > 1; pairs = pairs[2:] {
		w.put(level, uint32(pairs[0]), []byte{byte(pairs[1]), byte(pairs[1] >> 8), 0, 0})
	}
	return w.b[:w.n]
}

// minusOne returns a message of the integer -1.
func minusOne(level, typ uint32) []byte {
	w := controlWriter{b: make([]byte, 200)}
	w.put(level, typ, []byte{255, 255, 255, 255})
	return w.b[:w.n]
}

// told is what control messages say of a datagram.
type told struct {
	to             netip.Addr
	ifc, hops, tos int
}

// describe reads control messages as a program over the kernel's sockets does.
func describe(t *testing.T, is4 bool, oob []byte) (got told) {
	t.Helper()
	var dst net.IP
	if is4 {
		var m ipv4.ControlMessage
		if err := m.Parse(oob); err != nil {
			t.Fatal(err)
		}
		dst, got.ifc, got.hops = m.Dst, m.IfIndex, m.TTL
		list, err := syscall.ParseSocketControlMessage(oob) // ipv4.ControlMessage has no TOS
		for _, c := range list {
			if c.Header.Type == syscall.IP_TOS && err == nil {
				got.tos = int(c.Data[0])
			}
		}
	} else {
		var m ipv6.ControlMessage
		if err := m.Parse(oob); err != nil {
			t.Fatal(err)
		}
		dst, got.ifc, got.hops, got.tos = m.Dst, m.IfIndex, m.HopLimit, m.TrafficClass
	}
	a, _ := netip.AddrFromSlice(dst)
	got.to = a.Unmap()
	return got
}
