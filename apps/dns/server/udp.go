package server

import (
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirnet/weir/stack/event"
)

// packetEvents answers the datagrams of a stack's port in the round that they come in.
type packetEvents struct {
	s    *Server
	port atomic.Pointer[event.PacketListener] // set when it listens
}

// OnPacket implements event.PacketHandler.
func (h *packetEvents) OnPacket(sock *event.PacketSocket, p []byte, m event.PacketMeta) {
	s := h.s
	d := s.desk()
	a := asked{from: m.From, transport: UDP}
	answer, later := s.datagram(d, p, m.To, &a)
	if answer != nil && sock.Reply(answer) != nil {
		d.m.drop(dropSend)
	}
	s.desks.Put(d)
	if later {
		s.queueDatagram(p, a, m.To, h)
	}
}

// send implements udpSender.
func (h *packetEvents) send(p []byte, from netip.Addr, to netip.AddrPort) error {
	l := h.port.Load()
	if l == nil {
		return net.ErrClosed
	}
	if from.IsMulticast() {
		from = netip.Addr{}
	}
	return l.WriteTo(p, from, to)
}

// queueDatagram has a handler answer a datagram.
func (s *Server) queueDatagram(p []byte, a asked, to netip.AddrPort, u udpSender) {
	j := s.newJob(p, a, to)
	j.udp = u
	s.later(j)
}

// packetLoop answers the datagrams of a net.PacketConn.
type packetLoop struct {
	s     *Server
	pc    net.PacketConn
	local netip.AddrPort
	read  func([]byte) (int, netip.AddrPort, error)
	write func([]byte, netip.AddrPort) error
}

// addrPortConn is what *net.UDPConn has so that addresses need no allocation.
type addrPortConn interface {
	ReadFromUDPAddrPort(p []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(p []byte, to netip.AddrPort) (int, error)
}

func newPacketLoop(s *Server, pc net.PacketConn) *packetLoop {
	l := &packetLoop{s: s, pc: pc, local: addrPort(pc.LocalAddr())}
	if c, ok := pc.(addrPortConn); ok {
		l.read = c.ReadFromUDPAddrPort
		l.write = func(p []byte, to netip.AddrPort) error {
			_, err := c.WriteToUDPAddrPort(p, to)
			return err
		}
		return l
	}
	l.read = func(p []byte) (int, netip.AddrPort, error) {
		n, from, err := pc.ReadFrom(p)
		return n, addrPort(from), err
	}
	l.write = func(p []byte, to netip.AddrPort) error {
		_, err := pc.WriteTo(p, net.UDPAddrFromAddrPort(to))
		return err
	}
	return l
}

// start reads in as many goroutines as run at a time.
func (l *packetLoop) start(wg *sync.WaitGroup) {
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() { l.s.fail(l.loop()) })
	}
}

// loop returns nil where the socket was closed.
func (l *packetLoop) loop() error {
	s, buf := l.s, make([]byte, maxMessage)
	d := &desk{m: s.meter(), out: make([]byte, 0, 2048), opts: make([]byte, 0, fullCookie)}
	for failures := 0; ; {
		n, from, err := l.read(buf)
		if err != nil {
			if s.ended(err) {
				return nil
			}
			if failures++; failures > 100 || !s.pause(failures) {
				return err
			}
			continue
		}
		failures = 0
		from = unmap(from)
		a := asked{from: from, transport: UDP}
		answer, later := s.datagram(d, buf[:n], l.local, &a)
		if answer != nil && l.write(answer, from) != nil {
			d.m.drop(dropSend)
		}
		if later {
			s.queueDatagram(buf[:n], a, l.local, l)
		}
	}
}

// pause waits longer after each failure in a row, so that a shortage is not answered with a busy loop. It
// reports false where the server ends meanwhile. The ICMP errors of earlier answers come as failures too: the
// first few cost nothing.
func (s *Server) pause(failures int) bool {
	if failures <= 10 {
		return true
	}
	t := time.NewTimer(min(time.Duration(failures)*time.Millisecond, time.Second))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}

// send implements udpSender. The address that was asked is the one that the socket is bound to.
func (l *packetLoop) send(p []byte, _ netip.Addr, to netip.AddrPort) error { return l.write(p, to) }
