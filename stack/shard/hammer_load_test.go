package shard

import (
	"net/netip"
	"syscall"
	"time"

	"github.com/weirnet/weir/stack/route"
	"github.com/weirnet/weir/stack/tcp"
)

// hammerPorts are the ports that a load listens on.
var hammerPorts = []uint16{7, 7, 80, 9, 8080}

const (
	hammerBacklog = 32
	maxLive       = 150 // connections that the load keeps
	maxOrphans    = 150 // connections that it has closed and that have not ended
	maxEchoes     = 30
)

// load is the applications of a host under the hammer: they accept, connect, write, read
// and close in every order.
type load struct {
	*maker
	h         *Host
	listeners []*Listener
	live      []*TCP
	orphans   []*TCP
	sockets   []*UDP
	raws      []*Raw
	echoes    []*Echo
	scratch   []byte
}

func newLoad(m *maker, h *Host) (*load, error) {
	l := &load{maker: m, h: h, scratch: make([]byte, 32<<10)}
	for _, at := range []struct {
		addr string
		both bool
	}{{"[::]:7", true}, {"[::]:80", true}, {"[::]:9", true}, {"192.0.2.1:8080", false}, {"[2001:db8::1]:8080", false}} {
		f, err := h.Listen(ap(at.addr), at.both)
		if err != nil {
			return nil, err
		}
		l.listeners = append(l.listeners, f)
	}
	for _, at := range []string{"[::]:53", "192.0.2.1:5353", "[2001:db8::1]:5353"} {
		u, err := h.ListenUDP(ap(at), at == "[::]:53")
		if err != nil {
			return nil, err
		}
		u.Configure(func(o *DatagramOptions) { o.V4.RecvErr = true })
		l.sockets = append(l.sockets, u)
	}
	return l, l.openRaws()
}

// echoer sends back what it reads, under the connection's lock.
type echoer struct{ buf [2048]byte }

func (e *echoer) OnEvent(c *TCP, _ tcp.Events) {
	conn, now := c.Conn(), c.Host().Now()
	for conn.Writable() > 0 {
		n := conn.Read(now, e.buf[:min(len(e.buf), conn.Writable())])
		if n == 0 {
			break
		}
		conn.Write(now, e.buf[:n])
	}
	if conn.EOF() {
		conn.CloseWrite(now)
	}
}

// step does one thing.
func (l *load) step() error {
	l.accept()
	switch k := l.IntN(100); {
	case k < 50:
		l.use()
	case k < 60:
		return l.dial()
	case k < 90:
		l.datagrams()
	case k < 94:
		return l.ping()
	case k < 97:
		l.rawPackets()
	default:
		return l.change()
	}
	return nil
}

func (l *load) accept() {
	for _, f := range l.listeners[:2] {
		for c := f.Accept(); c != nil; c = f.Accept() {
			c.Lock()
			c.SetHandler(&echoer{})
			c.Unlock()
			l.live = append(l.live, c)
		}
	}
	for len(l.live) > maxLive {
		l.close(l.IntN(len(l.live)))
	}
	for len(l.orphans) > maxOrphans {
		l.orphans[0].Abort()
		l.orphans = l.orphans[1:]
	}
}

// close closes a connection or aborts it.
func (l *load) close(n int) {
	c := l.live[n]
	l.live[n] = l.live[len(l.live)-1]
	l.live = l.live[:len(l.live)-1]
	if l.chance(50) {
		c.Abort()
		return
	}
	c.Close()
	l.orphans = append(l.orphans, c)
}

// use does something with a connection.
func (l *load) use() {
	if len(l.live) == 0 {
		return
	}
	n := l.IntN(len(l.live))
	c := l.live[n]
	if l.chance(10) {
		l.close(n)
		return
	}
	c.Lock()
	defer c.Unlock()
	conn, now := c.Conn(), l.h.Now()
	switch l.IntN(8) {
	case 0, 1, 2:
		conn.Write(now, l.scratch[:l.IntN(len(l.scratch))])
	case 3:
		conn.Read(now, l.scratch[:l.IntN(len(l.scratch))])
	case 4:
		conn.SetNoDelay(l.chance(50))
	case 5:
		conn.SetKeepAlive(now, l.chance(50), time.Second, time.Second, 3)
	case 6:
		conn.SetUserTimeout(now, time.Duration(l.IntN(20))*time.Second)
	case 7:
		if l.chance(50) {
			conn.CloseWrite(now)
		} else {
			conn.CloseRead(now)
		}
	}
	c.Push()
}

func (l *load) dial() error {
	peer, _ := l.peerOf(pick(l.maker, ownAddrs...))
	local := netip.AddrPort{}
	if l.chance(20) {
		local = netip.AddrPortFrom(unspecified(peer), uint16(1000+l.IntN(50)))
	}
	c, err := l.h.DialTCP(local, netip.AddrPortFrom(peer, uint16(2000+l.IntN(40))), &echoer{})
	if c != nil {
		l.live = append(l.live, c)
	}
	return unless(err, syscall.EADDRINUSE, syscall.ENETUNREACH, syscall.EADDRNOTAVAIL)
}

// datagrams reads from a socket, writes to it, or replaces a connected one.
func (l *load) datagrams() {
	u := pick(l.maker, l.sockets...)
	peer, _ := l.peerOf(pick(l.maker, ownAddrs...))
	switch k := l.IntN(10); {
	case k < 6:
		u.Locker().Lock()
		for range 20 {
			if d, ok := u.Queue().Pop(); ok {
				d.Release()
			}
		}
		u.Locker().Unlock()
	case k < 8:
		to := u.Remote()
		if !to.IsValid() {
			to = netip.AddrPortFrom(peer, uint16(l.IntN(3)))
		}
		u.Send(l.scratch[:l.IntN(1+l.IntN(len(l.scratch)))], netip.Addr{}, to)
	case k < 9 && len(l.sockets) < 8:
		if u, err := l.h.DialUDP(netip.AddrPort{}, netip.AddrPortFrom(peer, 5353)); err == nil {
			l.sockets = append(l.sockets, u)
		}
	case len(l.sockets) > 5:
		l.sockets[len(l.sockets)-1].Close()
		l.sockets = l.sockets[:len(l.sockets)-1]
	}
}

func (l *load) ping() error {
	peer, _ := l.peerOf(pick(l.maker, ownAddrs...))
	e, err := l.h.Ping(peer, uint16(l.IntN(4)), l.IntN(1+l.IntN(4000)), 0, func(EchoResult) {})
	if e != nil {
		l.echoes = append(l.echoes, e)
	}
	if len(l.echoes) > maxEchoes {
		l.echoes[0].Cancel()
		l.echoes = l.echoes[1:]
	}
	return unless(err, syscall.ENETUNREACH, syscall.EADDRNOTAVAIL)
}

// change takes an address or a route away and gives it back.
func (l *load) change() error {
	e1 := l.h.InterfaceByName("e1")
	if e1 == nil {
		return nil
	}
	p := e1.Addresses()[l.IntN(2)]
	if l.chance(50) {
		r := route.Route{Dst: netip.PrefixFrom(unspecified(p.Addr()), 0), Interface: e1.Index()}
		if l.h.RemoveRoute(r) != nil {
			return l.h.AddRoute(r)
		}
		return nil
	}
	if err := e1.RemoveAddress(p); err != nil {
		return err
	}
	return e1.AddAddress(p)
}

func unless(err error, expected ...error) error {
	for _, e := range expected {
		if err == e {
			return nil
		}
	}
	return err
}

// end closes everything.
func (l *load) end() {
	for _, f := range l.listeners {
		f.Close()
	}
	for len(l.live) > 0 {
		l.close(0)
	}
	for _, u := range l.sockets {
		u.Close()
	}
	for _, s := range l.raws {
		s.Close()
	}
	for _, e := range l.echoes {
		e.Cancel()
	}
}
