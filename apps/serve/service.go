package serve

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"

	"github.com/weirnet/weir/stack/event"
)

// Network is where a service listens. *stack.Stack is one.
type Network interface {
	Listen(network, address string) (net.Listener, error)
	ListenPacket(network, address string) (net.PacketConn, error)
}

// Service is a server of both transports on one port. It is a value: change Port
// in a copy to serve it elsewhere.
type Service struct {
	Name string
	Port uint16
	// Conn serves one connection, which is closed when it returns.
	Conn func(net.Conn)
	// Handler, where it is not nil and the network is an Events, serves connections in place of Conn,
	// from Listen on.
	Handler event.Handler
	// Datagram answers one datagram. Calls for different sockets run at once.
	Datagram Answer
}

// Server is a Service whose sockets are open.
type Server struct {
	Counters Counters

	service   Service
	listeners []net.Listener
	events    []*event.Listener
	packets   []net.PacketConn
	handlers  []*event.PacketListener // in place of packets, where the network has them
}

// Listen opens the service's sockets, TCP and UDP, on each of the addresses, or
// one of each for every address that nw has where none is given. From then on
// connections are queued; Serve serves them. Datagrams are queued too, or where nw hands them to
// handlers answered at once. On an error nothing stays open.
func (s Service) Listen(nw Network, addrs ...netip.Addr) (*Server, error) {
	srv := &Server{service: s}
	if len(addrs) == 0 {
		addrs = []netip.Addr{{}}
	}
	for _, addr := range addrs {
		if err := srv.open(nw, addr); err != nil {
			srv.Close()
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	return srv, nil
}

func (srv *Server) open(nw Network, addr netip.Addr) error {
	family, host := "", ""
	if addr.IsValid() {
		host, family = addr.String(), "6"
		if addr.Is4() {
			family = "4"
		}
	}
	address := net.JoinHostPort(host, strconv.Itoa(int(srv.service.Port)))
	if err := srv.openStream(nw, "tcp"+family, address); err != nil {
		return err
	}
	if nw, ok := nw.(packetNetwork); ok {
		return srv.openEvents(nw, "udp"+family, address)
	}
	pc, err := nw.ListenPacket("udp"+family, address)
	if err != nil {
		return err
	}
	srv.packets = append(srv.packets, pc)
	return nil
}

func (srv *Server) openStream(nw Network, network, address string) error {
	if ev, ok := nw.(Events); ok && srv.service.Handler != nil {
		l, err := ev.ListenEvents(network, address, EventHandler(srv.service.Handler, &srv.Counters), event.Options{})
		if err == nil {
			srv.events = append(srv.events, l)
		}
		return err
	}
	ln, err := nw.Listen(network, address)
	if err == nil {
		srv.listeners = append(srv.listeners, ln)
	}
	return err
}

// openEvents opens a UDP port whose datagrams are answered as they come, from now on.
func (srv *Server) openEvents(nw packetNetwork, network, address string) error {
	l, err := nw.ListenPacketEvents(network, address, newPacketHandler(srv.service.Datagram, &srv.Counters))
	if err != nil {
		return err
	}
	srv.handlers = append(srv.handlers, l)
	return nil
}

// Name returns the service's name.
func (srv *Server) Name() string { return srv.service.Name }

// Serve serves until ctx is done or a socket fails for good. Every socket is
// closed and every goroutine gone when it returns. It returns nil unless a
// socket failed for good.
func (srv *Server) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	run := func(serve func() error) {
		wg.Go(func() {
			if err := serve(); err != nil {
				cancel(fmt.Errorf("%s: %w", srv.service.Name, err))
			}
		})
	}
	for _, ln := range srv.listeners {
		run(func() error { return stream(ctx, ln, srv.service.Conn, &srv.Counters) })
	}
	if len(srv.events) > 0 {
		run(func() error {
			<-ctx.Done()
			srv.closeEvents()
			return nil
		})
	}
	for _, pc := range srv.packets {
		run(func() error { return packets(ctx, pc, srv.service.Datagram, &srv.Counters) })
	}
	wg.Wait()
	srv.Close() // the handlers' ports: nothing waits on them
	if err := context.Cause(ctx); err != ctx.Err() {
		return err
	}
	return nil
}

// Close closes the sockets of a server. A running Serve then returns.
func (srv *Server) Close() {
	for _, ln := range srv.listeners {
		ln.Close()
	}
	srv.closeEvents()
	for _, pc := range srv.packets {
		pc.Close()
	}
	for _, l := range srv.handlers {
		l.Close()
	}
}

// closeEvents stops listening for handlers and closes their connections. What was written is still
// delivered, by the stack.
func (srv *Server) closeEvents() {
	for _, l := range srv.events {
		l.Close()
		l.Each((*event.Conn).Close)
	}
}

// Run listens and serves: Listen and Serve in one.
func (s Service) Run(ctx context.Context, nw Network, addrs ...netip.Addr) error {
	srv, err := s.Listen(nw, addrs...)
	if err != nil {
		return err
	}
	return srv.Serve(ctx)
}
