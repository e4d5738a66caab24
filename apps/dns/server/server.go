package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/stack/event"
)

// Server gives what comes in on its sockets to a Handler, and sends back what it answers.
type Server struct {
	cfg     Config
	handler Handler
	direct  Direct // nil where the handler is none
	start   time.Time

	limiter *limiter   // nil: no limit
	jar     *cookieJar // nil: no cookies
	live    atomic.Pointer[live]
	log     *queryLog // nil: no log
	pool    *pool
	untaken atomic.Int64 // octets of answers that clients leave lying, above what each may
	conns   connTable
	desks   sync.Pool // of *desk
	jobs    sync.Pool // of *job
	meters  [meterParts]meter
	next    atomic.Uint32 // the meter of the next desk
	logged  atomic.Uint32 // queries that the log's sampling has seen

	ctx    context.Context // of the handlers
	cancel context.CancelFunc
	wg     sync.WaitGroup // of what Serve waits for

	mu        sync.Mutex // of what follows
	closed    bool
	events    []*event.PacketListener
	packets   []*packetLoop
	listeners []streamListener
	failed    chan error
}

// desk is what one goroutine needs to answer a query in the receive path.
type desk struct {
	m    *meter
	q    msg.Query
	out  []byte // the answer
	opts []byte // a cookie
	tick uint32
}

// New returns a server that has no sockets yet. Where the handler is a Direct too, it is asked in the receive path first.
func New(h Handler, c Config) *Server {
	s := &Server{cfg: c.withDefaults(), handler: h, start: time.Now(), failed: make(chan error, 1)}
	s.direct, _ = h.(Direct)
	s.limiter = newLimiter(s.cfg.RateLimit)
	s.live.Store(newLive(&s.cfg))
	if !s.cfg.Cookies.Disable {
		s.jar = newCookieJar(s.cfg.Cookies)
	}
	s.pool = newPool(s.cfg.Workers, s.serve)
	s.conns.init(s)
	s.desks.New = func() any {
		return &desk{m: s.meter(), out: make([]byte, 0, 2048), opts: make([]byte, 0, fullCookie)}
	}
	s.jobs.New = func() any { return new(job) }
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if s.log = newQueryLog(s.cfg.QueryLog); s.log != nil {
		s.wg.Go(s.log.write)
	}
	return s
}

// live is what may be another while the server runs.
type live struct {
	exempt []netip.Prefix
	nsid   []byte
}

func newLive(c *Config) *live {
	return &live{exempt: c.RateLimit.Exempt, nsid: []byte(c.NSID[:min(len(c.NSID), MaxNSID)])}
}

// Reconfigure has the server take from now on what c says of NSID, Cookies.Secret, Cookies.Other and RateLimit.Exempt. All else stays as it
// was given to New.
func (s *Server) Reconfigure(c Config) {
	c = c.withDefaults()
	s.live.Store(newLive(&c))
	if s.jar != nil {
		s.jar.set(c.Cookies)
	}
}

// meter returns one of the meters: who counts much keeps it.
func (s *Server) meter() *meter { return &s.meters[s.next.Add(1)%meterParts] }

// packetNetwork is a Network that hands datagrams to handlers, in its receive path.
type packetNetwork interface {
	ListenPacketEvents(network, address string, h event.PacketHandler) (*event.PacketListener, error)
}

// Listen opens a socket. network is "udp", "tcp" or "tls", with "4" or "6" behind it for one family; address is as
// package net has it. Where nw hands datagrams to handlers they are answered from now on, else queued until
// Serve. The error says what could not be opened; what was opened before stays open.
func (s *Server) Listen(nw Network, network, address string) (net.Addr, error) {
	kind, family := network, ""
	if n := len(network) - 1; n > 0 && (network[n] == '4' || network[n] == '6') {
		kind, family = network[:n], network[n:]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, net.ErrClosed
	}
	switch kind {
	case "udp":
		return s.listenPacket(nw, network, address)
	case "tls":
		if s.cfg.TLS == nil {
			return nil, fmt.Errorf("dns: listen %s %s: there is no certificate: set Config.TLS", network, address)
		}
		fallthrough
	case "tcp":
		ln, err := nw.Listen("tcp"+family, address)
		if err != nil {
			return nil, err
		}
		t := TCP
		if kind == "tls" {
			t = TLS
		}
		s.listeners = append(s.listeners, streamListener{ln, t})
		return ln.Addr(), nil
	}
	return nil, fmt.Errorf("dns: listen %s %s: the network is none of udp, tcp and tls", network, address)
}

func (s *Server) listenPacket(nw Network, network, address string) (net.Addr, error) {
	if ev, ok := nw.(packetNetwork); ok {
		h := &packetEvents{s: s}
		l, err := ev.ListenPacketEvents(network, address, h)
		if err != nil {
			return nil, err
		}
		h.port.Store(l)
		s.events = append(s.events, l)
		return net.UDPAddrFromAddrPort(l.Addr()), nil
	}
	pc, err := nw.ListenPacket(network, address)
	if err != nil {
		return nil, err
	}
	s.packets = append(s.packets, newPacketLoop(s, pc))
	return pc.LocalAddr(), nil
}

// Serve serves until ctx is done or a socket fails for good; the sockets to serve are those that were
// opened before. When it returns they are closed, connections too, and every goroutine is gone. It returns nil unless a socket
// failed for good.
func (s *Server) Serve(ctx context.Context) error {
	var loops sync.WaitGroup
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return net.ErrClosed
	}
	for _, l := range s.packets {
		l.start(&loops)
	}
	for _, l := range s.listeners {
		loops.Go(func() { s.fail(s.accept(l)) })
	}
	s.mu.Unlock()
	var err error
	select {
	case <-ctx.Done():
	case <-s.ctx.Done():
	case err = <-s.failed:
	}
	s.Close()
	loops.Wait()
	s.conns.wait()
	s.pool.wait()
	if s.log != nil {
		s.log.stop()
	}
	s.wg.Wait()
	return err
}

// fail ends Serve for an error.
func (s *Server) fail(err error) {
	if err == nil {
		return
	}
	select {
	case s.failed <- fmt.Errorf("dns: %w", err):
	default:
	}
}

// Close closes the sockets and the connections, and has the contexts of handlers end. A running Serve then
// returns when they have.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	s.cancel()
	for _, l := range s.events {
		l.Close()
	}
	for _, l := range s.packets {
		l.pc.Close()
	}
	for _, l := range s.listeners {
		l.Close()
	}
	s.conns.close()
	s.pool.close()
	if s.log != nil {
		s.log.stop()
	}
}

// ended reports whether err says that a socket was closed on purpose.
func (s *Server) ended(err error) bool { return s.ctx.Err() != nil || errors.Is(err, net.ErrClosed) }

// now returns the time of the server's own clock, which is never 0.
func (s *Server) now() time.Duration { return time.Since(s.start) + 1 }

// micros is a time as the rate limit has it.
func micros(d time.Duration) uint64 { return uint64(d / time.Microsecond) }

// addrPort returns the address of a socket's end.
func addrPort(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *net.UDPAddr:
		return unmap(a.AddrPort())
	case *net.TCPAddr:
		return unmap(a.AddrPort())
	case nil:
		return netip.AddrPort{}
	}
	ap, _ := netip.ParseAddrPort(a.String())
	return unmap(ap)
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
