package main_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// noise is a stream of n octets from a seed, in which no two pieces look alike.
func noise(n int64, seed byte) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), n)
}

// moved tells how far a transfer is; a transfer that stands still is cut off.
type moved struct {
	mu   sync.Mutex
	conn net.Conn
	n    int64
	at   int64
	then func()
}

// stall is how long a transfer may stand still.
const stall = patience

func (m *moved) Write(p []byte) (int, error) {
	m.mu.Lock()
	m.n += int64(len(p))
	var then func()
	if m.then != nil && m.n >= m.at {
		then, m.then = m.then, nil
	}
	m.mu.Unlock()
	m.conn.SetDeadline(time.Now().Add(stall))
	if then != nil {
		then()
	}
	return len(p), nil
}

// echoed sends n octets through an echo service over c and holds that the same come
// back, in both directions by their SHA-256. It ends c's sending half in the
// middle of it, as nc -N does, so that the service ends the connection.
func echoed(c net.Conn, n int64, seed byte) error {
	return echoedWith(&moved{conn: c}, n, seed)
}

func echoedWith(m *moved, n int64, seed byte) error {
	sent, got := sha256.New(), sha256.New()
	errs := make(chan error, 1)
	go func() {
		_, err := io.CopyBuffer(struct{ io.Writer }{m.conn}, io.TeeReader(noise(n, seed), sent), make([]byte, 256<<10))
		if err == nil {
			err = m.conn.(interface{ CloseWrite() error }).CloseWrite()
		}
		errs <- err
	}()
	back, err := io.CopyBuffer(io.MultiWriter(got, m), struct{ io.Reader }{m.conn}, make([]byte, 256<<10))
	if err != nil {
		m.conn.Close()
	}
	if werr := <-errs; werr != nil {
		return fmt.Errorf("sending: %w (receiving: %v after %d octets)", werr, err, back)
	}
	switch {
	case err != nil:
		return fmt.Errorf("receiving after %d octets: %w", back, err)
	case back != n:
		return fmt.Errorf("%d octets sent, %d came back", n, back)
	case [32]byte(sent.Sum(nil)) != [32]byte(got.Sum(nil)):
		return fmt.Errorf("%d octets came back changed", n)
	}
	return nil
}

// transfer echoes n octets over a connection that dial makes.
func transfer(dial func(context.Context, string, string) (net.Conn, error), address string, n int64, seed byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := dial(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(stall))
	return echoed(c, n, seed)
}

// transfers makes several at once.
func transfers(t testing.TB, dial func(context.Context, string, string) (net.Conn, error), address string, count int, n int64) {
	t.Helper()
	var all sync.WaitGroup
	for i := range count {
		all.Go(func() {
			if err := transfer(dial, address, n, byte(i)); err != nil {
				t.Errorf("connection %d of %d to %s: %v", i, count, address, err)
			}
		})
	}
	all.Wait()
}

// serveEcho echoes every connection of a listener until the listener is closed.
func serveEcho(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			if _, err := io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c}); err == nil {
				c.(interface{ CloseWrite() error }).CloseWrite()
			}
		}()
	}
}

// serveUDPEcho answers every datagram with itself until the socket is closed.
func serveUDPEcho(pc net.PacketConn) {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := pc.ReadFrom(buf)
		if err != nil {
			return
		}
		pc.WriteTo(buf[:n], from)
	}
}
