package serve

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

type datagram struct {
	from netip.AddrPort
	to   netip.Addr
	data string
	err  error
}

// packetScript is a packet connection that receives what it is told to and records
// what is sent.
type packetScript struct {
	net.PacketConn
	in     []datagram
	out    []datagram
	closed chan struct{}
}

func (p *packetScript) ReadPacket(b []byte) (int, netip.AddrPort, netip.Addr, error) {
	if len(p.in) == 0 {
		<-p.closed
		return 0, netip.AddrPort{}, netip.Addr{}, net.ErrClosed
	}
	d := p.in[0]
	p.in = p.in[1:]
	return copy(b, d.data), d.from, d.to, d.err
}

func (p *packetScript) WritePacket(b []byte, from netip.Addr, to netip.AddrPort) (int, error) {
	p.out = append(p.out, datagram{from: to, to: from, data: string(b)})
	return len(b), nil
}

func (p *packetScript) LocalAddr() net.Addr { return &net.UDPAddr{Port: 7} }

func (p *packetScript) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func TestDatagramsAreAnsweredExceptToReflectors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		honest := netip.MustParseAddrPort("192.0.2.1:40000")
		second := netip.MustParseAddr("192.0.2.9") // not the address a stack would choose
		pc := &packetScript{closed: make(chan struct{}), in: []datagram{
			{from: honest, to: second, data: "one"},
			{err: syscall.ECONNREFUSED}, // an ICMP error about an earlier answer
			{from: netip.MustParseAddrPort("192.0.2.1:19"), data: "loop"},
			{from: netip.MustParseAddrPort("224.0.0.1:40000"), data: "many"},
			{from: honest, data: ""}, // an empty datagram is a datagram
		}}
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		var n Counters
		go func() { served <- packets(ctx, pc, func(in, _ []byte) []byte { return in }, &n) }()
		time.Sleep(time.Hour) // the pause after the error, in the bubble's time
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Packets = %v, want nil", err)
		}
		if len(pc.out) != 2 || pc.out[0].data != "one" || pc.out[1].data != "" || pc.out[0].from != honest || pc.out[0].to != second {
			t.Errorf("sent %v, want the two honest datagrams back", pc.out)
		}
		if n.Datagrams.Load() != 4 || n.Answered.Load() != 2 || n.RefusedService.Load() != 1 || n.RefusedSource.Load() != 1 {
			n.Each(func(name string, v uint64) { t.Errorf("%s = %d", name, v) })
		}
	})
}

func TestAnswerWithoutAllocation(t *testing.T) {
	pc := &packetScript{}
	conn := quiet{pc}
	from := netip.MustParseAddrPort("192.0.2.1:40000")
	in, buf := make([]byte, 64), make([]byte, 64)
	var n Counters
	echo := func(in, _ []byte) []byte { return in }
	if allocs := testing.AllocsPerRun(100, func() { reply(conn, from, netip.Addr{}, 7, echo, in, buf, &n) }); allocs != 0 {
		t.Errorf("%v allocations per datagram, want none", allocs)
	}
}

type quiet struct{ *packetScript }

func (quiet) ReadPacket([]byte) (n int, from netip.AddrPort, to netip.Addr, err error) { return }

func (quiet) WritePacket(b []byte, _ netip.Addr, _ netip.AddrPort) (int, error) { return len(b), nil }
