package fakenet

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Reply is a message that a server sends, after a while. Wire is what it sends where it is not nil, else Msg.
type Reply struct {
	Msg   *msg.Message
	Wire  []byte
	After time.Duration
}

// Handler answers a query: with no, one or several messages. wire is the query as it came.
type Handler func(q *msg.Message, wire []byte, tcp bool) []Reply

// Server is a server with how it is reached.
type Server struct {
	Handle Handler
	Delay  time.Duration // one way
	NoUDP  bool          // it is silent
	NoTCP  bool          // it refuses connections
	TLS    *tls.Config   // streams are TLS
	Closed bool          // nobody listens: UDP too is refused, as ICMP would tell
}

// Asked is a query that a server got.
type Asked struct {
	To  netip.AddrPort
	TCP bool
	Q   msg.Question
	At  time.Time
	Msg *msg.Message
}

// Net is the network. Its zero value has no servers: who asks gets no answer.
type Net struct {
	mu      sync.Mutex
	servers map[netip.AddrPort]*Server
	log     []Asked
	dialled int
}

// Add puts a server at an address, at port 53 where none is given.
func (n *Net) Add(addr string, s *Server) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.servers == nil {
		n.servers = map[netip.AddrPort]*Server{}
	}
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		ap = netip.AddrPortFrom(netip.MustParseAddr(addr), 53)
	}
	n.servers[ap] = s
}

// Do runs f, which may change servers, while nobody looks at them.
func (n *Net) Do(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
}

// look returns a server as it is at the moment.
func (n *Net) look(s *Server) Server {
	n.mu.Lock()
	defer n.mu.Unlock()
	return *s
}

// Log returns the queries so far, and forgets them.
func (n *Net) Log() []Asked {
	n.mu.Lock()
	defer n.mu.Unlock()
	log := n.log
	n.log = nil
	return log
}

// Text writes queries one a line: who was asked, and what.
func Text(log []Asked) string {
	var b strings.Builder
	for _, a := range log {
		proto := ""
		if a.TCP {
			proto = " tcp"
		}
		fmt.Fprintf(&b, "%v%s %v %v\n", a.To.Addr(), proto, a.Q.Name.Fold(), a.Q.Type)
	}
	return b.String()
}

// Dialled returns how many connections and sockets were opened.
func (n *Net) Dialled() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dialled
}

// DialContext implements client.Network.
func (n *Net) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	s := n.servers[to]
	n.dialled++
	n.mu.Unlock()
	if !strings.HasPrefix(network, "tcp") {
		return &packetConn{net: n, s: s, to: to, in: make(chan []byte, 256), read: newDeadline()}, nil
	}
	if s == nil {
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: network, Err: ctx.Err()}
	}
	now := n.look(s)
	if now.NoTCP || now.Closed {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	time.Sleep(2 * now.Delay)
	ours, theirs := net.Pipe()
	go n.serveStream(now, to, theirs)
	return ours, nil
}

// handle hands a query to the server.
func (n *Net) handle(s Server, to netip.AddrPort, p []byte, tcp bool) []Reply {
	q := new(msg.Message)
	if err := q.Unpack(p); err != nil {
		panic(fmt.Sprintf("a query that does not parse: %v: %x", err, p))
	}
	n.mu.Lock()
	n.log = append(n.log, Asked{To: to, TCP: tcp, Q: q.Question[0], At: time.Now(), Msg: q})
	n.mu.Unlock()
	list := s.Handle(q, p, tcp)
	for i := range list {
		if list[i].Wire == nil && list[i].Msg != nil {
			limit := 0xffff
			if !tcp {
				limit = 512
				if q.EDNS != nil {
					limit = int(q.EDNS.Size)
				}
			}
			b, err := list[i].Msg.Append(nil, limit)
			if err != nil {
				panic(err)
			}
			list[i].Wire = b
		}
	}
	return list
}

func (n *Net) serveStream(s Server, to netip.AddrPort, c net.Conn) {
	if s.TLS != nil {
		c = tls.Server(c, s.TLS)
	}
	defer c.Close()
	var size [2]byte
	for {
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		p := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, p); err != nil {
			return
		}
		for _, r := range n.handle(s, to, p, true) {
			time.AfterFunc(2*s.Delay+r.After, func() {
				c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(r.Wire))), r.Wire...))
			})
		}
	}
}

// packetConn is a connected UDP socket.
type packetConn struct {
	net  *Net
	s    *Server
	to   netip.AddrPort
	in   chan []byte
	read *deadline
}

func (c *packetConn) Write(p []byte) (int, error) {
	if c.s == nil {
		return len(p), nil
	}
	s := c.net.look(c.s)
	if s.NoUDP {
		return len(p), nil
	}
	if s.Closed {
		return 0, &net.OpError{Op: "write", Net: "udp", Err: syscall.ECONNREFUSED}
	}
	for _, r := range c.net.handle(s, c.to, append([]byte(nil), p...), false) {
		time.AfterFunc(2*s.Delay+r.After, func() {
			select {
			case c.in <- r.Wire:
			default:
			}
		})
	}
	return len(p), nil
}

func (c *packetConn) Read(p []byte) (int, error) {
	for {
		passed, changed := c.read.wait()
		select {
		case b := <-c.in:
			return copy(p, b), nil
		case <-changed:
		case <-passed:
			return 0, &net.OpError{Op: "read", Net: "udp", Err: syscall.ETIMEDOUT}
		}
	}
}

func (c *packetConn) Close() error                       { c.read.set(time.Time{}); return nil }
func (c *packetConn) LocalAddr() net.Addr                { return &net.UDPAddr{} }
func (c *packetConn) RemoteAddr() net.Addr               { return net.UDPAddrFromAddrPort(c.to) }
func (c *packetConn) SetDeadline(t time.Time) error      { c.read.set(t); return nil }
func (c *packetConn) SetReadDeadline(t time.Time) error  { c.read.set(t); return nil }
func (c *packetConn) SetWriteDeadline(t time.Time) error { return nil }

// deadline is a time that may be moved while somebody waits for it.
type deadline struct {
	mu      sync.Mutex
	timer   *time.Timer
	passed  chan struct{}
	changed chan struct{}
}

func newDeadline() *deadline {
	return &deadline{passed: make(chan struct{}), changed: make(chan struct{})}
}

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
	}
	close(d.changed)
	d.changed, d.passed = make(chan struct{}), make(chan struct{})
	if t.IsZero() {
		return
	}
	passed := d.passed
	d.timer = time.AfterFunc(time.Until(t), func() { close(passed) })
}

func (d *deadline) wait() (passed, changed chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.passed, d.changed
}
