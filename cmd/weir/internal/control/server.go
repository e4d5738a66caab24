package control

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const (
	maxRequest = 64 << 10         // octets of a request's line
	patience   = 30 * time.Second // for a client to ask, and to take its answer
)

// Handler returns the answer to a request, a value that encodes as JSON. arg is what the
// request came with, nil where that is nothing.
type Handler func(arg json.RawMessage) (any, error)

// Handlers are the requests that a server answers, by name.
type Handlers map[string]Handler

type request struct {
	Op  string          `json:"op"`
	Arg json.RawMessage `json:"arg,omitempty"`
}

type response struct {
	OK    json.RawMessage `json:"ok,omitempty"`
	Error string          `json:"error,omitempty"`
}

// Server answers requests on a Unix socket.
type Server struct {
	ln       *net.UnixListener
	handlers Handlers

	mu     sync.Mutex
	open   map[net.Conn]struct{}
	closed bool
	wg     sync.WaitGroup
}

// Listen answers requests on a socket at path, mode 0600. A socket that is there
// already is replaced when nobody answers on it; anything else there is an error.
func Listen(path string, handlers Handlers) (*Server, error) {
	if err := makeWay(path); err != nil {
		return nil, err
	}
	ln, err := listenPrivate(path)
	if err != nil {
		return nil, fmt.Errorf("control socket %s: %w", path, placeError(path, err))
	}
	s := &Server{ln: ln, handlers: handlers, open: map[net.Conn]struct{}{}}
	s.wg.Go(s.accept)
	return s, nil
}

// listenPrivate opens the socket so that there is no moment at which others could.
func listenPrivate(path string) (*net.UnixListener, error) {
	old := syscall.Umask(0o177)
	defer syscall.Umask(old)
	return net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
}

// placeError says why no socket can be made at path.
func placeError(path string, err error) error {
	dir := filepath.Dir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no directory %s; make it or give another path", dir)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("no permission to make it in %s; give another path", dir)
	case errors.Is(err, syscall.EINVAL) && len(path) > maxPath:
		return fmt.Errorf("a path of a socket has at most %d octets; give a shorter one", maxPath)
	}
	return reason(err)
}

// maxPath is the room in a sockaddr_un, less the closing zero.
const maxPath = 107

// makeWay removes a socket that nobody answers on.
func makeWay(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("control socket %s: %w", path, placeError(path, err))
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("control socket %s: something else is there; give another path", path)
	case !dead(path):
		return fmt.Errorf("control socket %s: another weir answers there; give another path", path)
	}
	return os.Remove(path)
}

// Path returns where the server listens.
func (s *Server) Path() string { return s.ln.Addr().String() }

// Close removes the socket and returns when nothing of the server is left.
func (s *Server) Close() error {
	err := s.ln.Close()
	s.mu.Lock()
	s.closed = true
	for c := range s.open {
		c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
	return err
}

func (s *Server) accept() {
	for {
		c, err := s.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of descriptors: nothing is lost by a pause
			time.Sleep(100 * time.Millisecond)
			continue
		}
		s.mu.Lock()
		if s.closed {
			c.Close()
		} else {
			s.open[c] = struct{}{}
			s.wg.Go(func() { s.serve(c) })
		}
		s.mu.Unlock()
	}
}

func (s *Server) serve(c net.Conn) {
	defer func() {
		c.Close()
		s.mu.Lock()
		delete(s.open, c)
		s.mu.Unlock()
	}()
	lines := bufio.NewScanner(c)
	lines.Buffer(make([]byte, 0, 512), maxRequest)
	answers := json.NewEncoder(c) // ends each value with a newline
	for extend(c) && lines.Scan() {
		if answers.Encode(s.answer(lines.Bytes())) != nil {
			return
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		_ = answers.Encode(response{Error: "request too long"})
	}
}

func extend(c net.Conn) bool { return c.SetDeadline(time.Now().Add(patience)) == nil }

func (s *Server) answer(line []byte) response {
	var req request
	if err := json.Unmarshal(line, &req); err != nil {
		return response{Error: "request is no JSON object with an op"}
	}
	handle, ok := s.handlers[req.Op]
	if !ok {
		return response{Error: fmt.Sprintf("unknown request %q", req.Op)}
	}
	v, err := handle(req.Arg)
	if err != nil {
		return response{Error: err.Error()}
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return response{Error: err.Error()}
	}
	return response{OK: raw}
}
