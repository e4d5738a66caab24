package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/weirnet/weir/apps/serve"
)

const (
	// maxSessions is how many tests a server runs at a time.
	maxSessions = 16
	// maxOpen is how many connections it has open at a time, all sessions together.
	maxOpen = 4 * MaxStreams
)

// Server is the far side of tests. Listen makes one.
type Server struct {
	// Notify, where it is set before Serve, is called as a test begins, with where the client is.
	Notify func(client net.Addr, p Params)

	listener net.Listener
	packets  serve.PacketConn

	mu       sync.Mutex
	sessions map[token]*session
	open     chan struct{} // a slot for each open connection
}

// Listen opens a server's sockets, TCP and UDP, at one port of an address of nw, or of all its
// addresses where addr is the zero value. Port 0 chooses one that is free for both.
func Listen(nw serve.Network, addr netip.Addr, port uint16) (s *Server, err error) {
	for range portTries {
		if s, err = listen(nw, addr, port); port != 0 || !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return s, err
}

// portTries is how many ports that are free for TCP are tried: now and then somebody has one's namesake of UDP.
const portTries = 20

func listen(nw serve.Network, addr netip.Addr, port uint16) (*Server, error) {
	host, family := "", ""
	if addr.IsValid() {
		host, family = addr.String(), "6"
		if addr.Is4() {
			family = "4"
		}
	}
	ln, err := nw.Listen("tcp"+family, net.JoinHostPort(host, strconv.Itoa(int(port))))
	if err != nil {
		return nil, err
	}
	s := &Server{listener: ln, sessions: map[token]*session{}, open: make(chan struct{}, maxOpen)}
	pc, err := nw.ListenPacket("udp"+family, net.JoinHostPort(host, strconv.Itoa(int(s.Port()))))
	if err != nil {
		ln.Close()
		return nil, err
	}
	s.packets = serve.Datagrams(pc)
	return s, nil
}

// Port returns the port that the server listens at.
func (s *Server) Port() uint16 {
	if a, ok := s.listener.Addr().(*net.TCPAddr); ok {
		return uint16(a.Port)
	}
	return 0
}

// Serve runs tests until ctx is done, and ends those under way then. It returns nil unless a
// socket failed for good.
func (s *Server) Serve(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var done sync.WaitGroup
	done.Go(func() { s.receive(ctx) })
	err := serve.Stream(ctx, s.listener, s.connection)
	stop()
	s.packets.Close()
	done.Wait()
	return err
}

// connection serves one connection.
func (s *Server) connection(c net.Conn) {
	select {
	case s.open <- struct{}{}:
		defer func() { <-s.open }()
	default:
		return // too many
	}
	_ = c.SetDeadline(time.Now().Add(maxSilence))
	var b [preambleLen]byte
	if _, err := io.ReadFull(c, b[:]); err != nil {
		return
	}
	p, err := parsePreamble(b[:])
	if err != nil {
		_ = writeMessage(c, response{Version: Version, Error: err.Error()})
		return
	}
	if p.role == roleControl {
		s.control(c)
		return
	}
	if session := s.session(p.token); session != nil {
		session.data(c, p.stream)
	}
}

// control runs a session from its control connection.
func (s *Server) control(c net.Conn) {
	var first request
	if err := readMessage(c, &first); err != nil {
		return
	}
	session, err := s.begin(first)
	if err != nil {
		_ = writeMessage(c, response{Version: Version, Error: err.Error()})
		return
	}
	defer s.end(session)
	if s.Notify != nil {
		s.Notify(c.RemoteAddr(), session.params)
	}
	answer := response{Version: Version, Token: session.token[:]}
	for writeMessage(c, answer) == nil {
		_ = c.SetDeadline(time.Now().Add(maxSilence))
		var r request
		if readMessage(c, &r) != nil {
			return
		}
		answer = session.answer(r)
	}
}

// begin makes a session as a client's first request asks.
func (s *Server) begin(r request) (*session, error) {
	if r.Order != orderBegin || r.Params == nil {
		return nil, fmt.Errorf("the first order must be %q, with parameters", orderBegin)
	}
	if err := r.Params.Check(); err != nil {
		return nil, fmt.Errorf("the server refuses the test: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sessions) >= maxSessions {
		return nil, fmt.Errorf("the server is busy: it runs %d tests already", len(s.sessions))
	}
	var t token
	rand.Read(t[:])
	session := newSession(s, t, *r.Params)
	s.sessions[t] = session
	return session, nil
}

func (s *Server) end(session *session) {
	s.mu.Lock()
	delete(s.sessions, session.token)
	s.mu.Unlock()
	session.close()
}

func (s *Server) session(t token) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[t]
}
