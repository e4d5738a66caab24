package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

const (
	contentType = "text/plain; version=0.0.4; charset=utf-8"
	patience    = 10 * time.Second
)

// Server serves /metrics.
type Server struct {
	http *http.Server
	addr net.Addr
	done chan error
}

// Listen serves what snapshot returns at http://address/metrics, on the host's
// network. An address without a host is every address of the host's.
func Listen(address string, snapshot func() Snapshot) (*Server, error) {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return nil, fmt.Errorf("--metrics %s: must be an address of the host's and a port, as in 127.0.0.1:9100", address)
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--metrics %s: %w; give another address or port", address, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_ = Write(w, snapshot()) // the client went away
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "weir: the metrics are at /metrics")
	})
	s := &Server{
		http: &http.Server{
			Handler:           mux,
			ReadHeaderTimeout: patience,
			WriteTimeout:      patience,
			IdleTimeout:       time.Minute,
			ErrorLog:          log.New(io.Discard, "", 0), // a scraper's trouble is not ours
		},
		addr: ln.Addr(),
		done: make(chan error, 1),
	}
	go func() { s.done <- s.http.Serve(ln) }()
	return s, nil
}

// Addr returns the address that the server listens on.
func (s *Server) Addr() net.Addr { return s.addr }

// Close stops the server and returns when its listener's goroutine is gone. A
// scrape that runs is given a moment to end.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = s.http.Close()
	}
	if served := <-s.done; !errors.Is(served, http.ErrServerClosed) {
		return errors.Join(err, served)
	}
	return err
}
