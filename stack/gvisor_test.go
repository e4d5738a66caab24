package stack_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/link/pipe"
)

// gvisor is gVisor's stack as the far end of a pipe, at the addresses of far.
type gvisor struct {
	*gstack.Stack
	ep  *channel.Endpoint
	end *pipe.End
	wg  sync.WaitGroup
}

const nic = 1

func newGVisor(t testing.TB, end *pipe.End) *gvisor {
	t.Helper()
	// The queue holds the largest flight: what it drops, on a machine that has no time for the
	// goroutine behind it, gVisor sends again two segments for each of its timeouts.
	g := &gvisor{end: end, ep: channel.New(1<<14, 1500, "")}
	g.Stack = gstack.New(gstack.Options{
		NetworkProtocols:   []gstack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol},
		TransportProtocols: []gstack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol4, icmp.NewProtocol6},
	})
	sack := tcpip.TCPSACKEnabled(true)
	g.SetTransportProtocolOption(tcp.ProtocolNumber, &sack)
	if err := g.CreateNIC(nic, g.ep); err != nil {
		t.Fatal(err)
	}
	for _, p := range far {
		proto := tcpip.ProtocolAddress{Protocol: header.IPv4ProtocolNumber, AddressWithPrefix: tcpip.AddressWithPrefix{
			Address: tcpip.AddrFromSlice(p.Addr().AsSlice()), PrefixLen: p.Bits()}}
		if p.Addr().Is6() {
			proto.Protocol = header.IPv6ProtocolNumber
		}
		if err := g.AddProtocolAddress(nic, proto, gstack.AddressProperties{}); err != nil {
			t.Fatal(err)
		}
	}
	g.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: nic}, {Destination: header.IPv6EmptySubnet, NIC: nic}})
	ctx, cancel := context.WithCancel(context.Background())
	g.wg.Go(g.in)
	g.wg.Go(func() { g.out(ctx) })
	t.Cleanup(func() {
		cancel()
		end.Close()
		g.wg.Wait()
		g.Stack.Close()
	})
	return g
}

// in carries frames from the pipe to gVisor.
func (g *gvisor) in() {
	bufs, sizes := [][]byte{make([]byte, 1<<16)}, []int{0}
	for {
		n, err := g.end.ReadFrames(0, bufs, sizes)
		if err != nil {
			return
		}
		for i := range n {
			p := bufs[i][10:sizes[i]]
			pkt := gstack.NewPacketBuffer(gstack.PacketBufferOptions{Payload: buffer.MakeWithData(bytes.Clone(p))})
			proto := header.IPv4ProtocolNumber
			if p[0]>>4 == 6 {
				proto = header.IPv6ProtocolNumber
			}
			g.ep.InjectInbound(proto, pkt)
			pkt.DecRef()
		}
	}
}

// out carries packets from gVisor to the pipe, waiting where it is full.
func (g *gvisor) out(ctx context.Context) {
	for {
		pkt := g.ep.ReadContext(ctx)
		if pkt == nil {
			return
		}
		v := pkt.ToView()
		frame := append(make([]byte, 10), v.AsSlice()...)
		v.Release()
		pkt.DecRef()
		for {
			n, err := g.end.WriteFrames(0, [][]byte{frame})
			if n == 1 || err != nil || ctx.Err() != nil {
				break
			}
			time.Sleep(50 * time.Microsecond)
		}
	}
}

func (g *gvisor) full(addr netip.AddrPort) (tcpip.FullAddress, tcpip.NetworkProtocolNumber) {
	a := tcpip.FullAddress{NIC: nic, Port: addr.Port()}
	if addr.Addr().IsValid() {
		a.Addr = tcpip.AddrFromSlice(addr.Addr().AsSlice())
	}
	if addr.Addr().Is6() {
		return a, ipv6.ProtocolNumber
	}
	return a, ipv4.ProtocolNumber
}

func (g *gvisor) listen(t testing.TB, addr string) net.Listener {
	t.Helper()
	l, err := gonet.ListenTCP(g.Stack, first(g.full(netip.MustParseAddrPort(addr))), second(g.full(netip.MustParseAddrPort(addr))))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func first[A, B any](a A, _ B) A  { return a }
func second[A, B any](_ A, b B) B { return b }

// withGVisor runs f with a weir stack whose only neighbour is gVisor's.
func withGVisor(t *testing.T, f func(t *testing.T, w *stack.Stack, g *gvisor)) {
	da, db := pipe.New(pipe.Options{})
	w, g := newStack(t, da, near, stack.Config{}), newGVisor(t, db)
	f(t, w, g)
	w.Close()
	noneHeld(t, w)
}

func TestGVisorAnswersPing(t *testing.T) {
	withGVisor(t, func(t *testing.T, w *stack.Stack, _ *gvisor) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		for _, p := range far {
			for _, size := range []int{56, 1400, 8000} {
				if r, err := w.Ping(ctx, p.Addr(), stack.PingOptions{Size: size}); err != nil || r.Size != size {
					t.Errorf("ping %v with %d octets: %+v, %v", p.Addr(), size, r, err)
				}
			}
		}
	})
}

func TestGVisorCarriesBytesBothWays(t *testing.T) {
	withGVisor(t, func(t *testing.T, w *stack.Stack, g *gvisor) {
		for i, addrs := range [][2]string{{"192.0.2.2:80", "192.0.2.1:81"}, {"[2001:db8::2]:80", "[2001:db8::1]:81"}} {
			// weir opens
			l := g.listen(t, addrs[0])
			c, err := w.Dial("tcp", addrs[0])
			if err != nil {
				t.Fatal(err)
			}
			far, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			exchange(t, c, far, uint64(10*i))
			l.Close()
			// gVisor opens
			l, err = w.Listen("tcp", addrs[1])
			if err != nil {
				t.Fatal(err)
			}
			a, n := g.full(netip.MustParseAddrPort(addrs[1]))
			far, err = gonet.DialTCP(g.Stack, a, n)
			if err != nil {
				t.Fatal(err)
			}
			if c, err = l.Accept(); err != nil {
				t.Fatal(err)
			}
			exchange(t, c, far, uint64(10*i+5))
			l.Close()
		}
	})
}

// exchange sends 16 MiB each way at once, half-closes, checks and closes.
func exchange(t *testing.T, a, b net.Conn, seed uint64) {
	t.Helper()
	const size = 16 << 20
	var wg sync.WaitGroup
	wg.Go(func() { sendRandom(t, a, seed, size) })
	wg.Go(func() { wantRandom(t, b, seed, size) })
	wg.Go(func() { sendRandom(t, b, seed+1, size) })
	wg.Go(func() { wantRandom(t, a, seed+1, size) })
	wg.Wait()
	a.Close()
	b.Close()
}

func TestGVisorRefusesAndIsRefused(t *testing.T) {
	withGVisor(t, func(t *testing.T, w *stack.Stack, g *gvisor) {
		_, err := w.Dial("tcp", "192.0.2.2:9")
		wantErrno(t, err, syscall.ECONNREFUSED)
		a, n := g.full(netip.MustParseAddrPort("192.0.2.1:9"))
		if _, err := gonet.DialTCP(g.Stack, a, n); err == nil || !strings.Contains(err.Error(), "refused") {
			t.Errorf("gVisor dials a closed port of weir: %v", err)
		}
		c, err := w.Dial("udp", "[2001:db8::2]:9")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Write([]byte("x"))
		c.SetReadDeadline(time.Now().Add(30 * time.Second))
		_, err = c.Read(make([]byte, 1))
		wantErrno(t, err, syscall.ECONNREFUSED)
	})
}

func TestGVisorFetchesFromHTTPOnWeirAndBack(t *testing.T) {
	withGVisor(t, func(t *testing.T, w *stack.Stack, g *gvisor) {
		body := make([]byte, 4<<20)
		rand.NewChaCha8(seedOf(3)).Read(body)
		handler := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { rw.Write(body) })
		wl, err := w.Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		servers := []*http.Server{{Handler: handler}, {Handler: handler}}
		go servers[0].Serve(wl)
		go servers[1].Serve(g.listen(t, "192.0.2.2:80"))
		defer servers[0].Close()
		defer servers[1].Close()
		fetch := func(url string, dial func(ctx context.Context, network, addr string) (net.Conn, error)) {
			t.Helper()
			tr := &http.Transport{DialContext: dial}
			defer tr.CloseIdleConnections()
			r, err := (&http.Client{Transport: tr, Timeout: time.Minute}).Get(url)
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Body.Close()
			if got, err := io.ReadAll(r.Body); err != nil || !bytes.Equal(got, body) {
				t.Errorf("%s: %d octets of %d, %v", url, len(got), len(body), err)
			}
		}
		fetch("http://192.0.2.2/", w.DialContext)
		fetch("http://192.0.2.1/", func(ctx context.Context, _, addr string) (net.Conn, error) {
			ap, err := netip.ParseAddrPort(addr)
			if err != nil {
				return nil, errors.New("not an address")
			}
			a, n := g.full(ap)
			return gonet.DialContextTCP(ctx, g.Stack, a, n)
		})
	})
}

func TestGVisorEchoesUDP(t *testing.T) {
	withGVisor(t, func(t *testing.T, w *stack.Stack, g *gvisor) {
		pc, err := w.ListenPacket("udp", "192.0.2.1:7")
		if err != nil {
			t.Fatal(err)
		}
		defer pc.Close()
		a, n := g.full(netip.MustParseAddrPort("192.0.2.1:7"))
		gc, err := gonet.DialUDP(g.Stack, nil, &a, n)
		if err != nil {
			t.Fatal(err)
		}
		defer gc.Close()
		for _, size := range []int{1, 1000, 20000} {
			sent, got := make([]byte, size), make([]byte, 1<<16)
			rand.NewChaCha8(seedOf(9)).Read(sent)
			if _, err := gc.Write(sent); err != nil {
				t.Fatal(err)
			}
			pc.SetDeadline(time.Now().Add(30 * time.Second))
			k, from, err := pc.ReadFrom(got)
			if err != nil || !bytes.Equal(got[:k], sent) {
				t.Fatalf("%d octets: got %d, %v", size, k, err)
			}
			pc.WriteTo(got[:k], from)
			gc.SetDeadline(time.Now().Add(30 * time.Second))
			if k, err = gc.Read(got); err != nil || !bytes.Equal(got[:k], sent) {
				t.Fatalf("%d octets back: got %d, %v", size, k, err)
			}
		}
	})
}
