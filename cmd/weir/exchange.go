package main

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// exchangeOptions say how standard input and output meet a connection.
type exchangeOptions struct {
	datagrams bool          // a datagram for each read of the input
	end       bool          // half-close at the end of the input
	idle      time.Duration // end when nothing moves for so long; 0 is never
}

// exchange copies in to c and c to out until the peer ends, nothing moves for
// too long, or ctx is done, none of which is an error. The goroutine that reads in may
// be left behind, waiting for input.
func exchange(ctx context.Context, c net.Conn, in io.Reader, out io.Writer, opt exchangeOptions) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	moved := watchIdle(ctx, stop, opt.idle)
	// Whatever ends the exchange ends the reading too, and that returns.
	defer context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })()

	sendErr := make(chan error, 1)
	go func() {
		err := send(c, in, moved, opt)
		sendErr <- err
		if err != nil {
			stop()
		}
	}()
	_, err := io.Copy(noting{out, moved}, plainReader{c})
	stopped := ctx.Err() != nil
	select {
	case serr := <-sendErr:
		if serr != nil {
			return serr
		}
	default:
	}
	if stopped {
		return nil
	}
	return err
}

// send copies in to c.
func send(c net.Conn, in io.Reader, moved func(), opt exchangeOptions) error {
	size := 128 << 10
	if opt.datagrams {
		size = 16 << 10 // as nc's
	}
	buf := make([]byte, size)
	for {
		n, err := in.Read(buf)
		if n > 0 {
			if _, werr := c.Write(buf[:n]); werr != nil {
				return werr
			}
			moved()
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	half, ok := c.(interface{ CloseWrite() error })
	if opt.end && ok {
		return half.CloseWrite()
	}
	return nil
}

// watchIdle calls stop when the function that it returns is not called for idle.
func watchIdle(ctx context.Context, stop func(), idle time.Duration) (moved func()) {
	if idle <= 0 {
		return func() {}
	}
	var last atomic.Int64
	start := time.Now()
	moved = func() { last.Store(int64(time.Since(start))) }
	go func() {
		for left := idle; left > 0; left = time.Duration(last.Load()) + idle - time.Since(start) {
			t := time.NewTimer(left)
			select {
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
				return
			}
		}
		stop()
	}()
	return moved
}

// noting is a writer that tells when it is written to.
type noting struct {
	io.Writer
	moved func()
}

func (n noting) Write(p []byte) (int, error) {
	n.moved()
	return n.Writer.Write(p)
}

// plainReader hides what else a connection can do.
type plainReader struct{ io.Reader }

// awaitDatagram waits for the first datagram and returns its sender as a peer.
func awaitDatagram(ctx context.Context, pc net.PacketConn) (net.Conn, error) {
	defer context.AfterFunc(ctx, func() { pc.Close() })()
	buf := make([]byte, 1<<16)
	n, from, err := pc.ReadFrom(buf)
	if err != nil {
		return nil, errors.Join(err, pc.Close())
	}
	return &firstPeer{PacketConn: pc, peer: from, first: buf[:n], waiting: true}, nil
}

// firstPeer is a packet connection that speaks to one peer only.
type firstPeer struct {
	net.PacketConn
	peer    net.Addr
	first   []byte
	waiting bool // first was not read yet
}

func (c *firstPeer) RemoteAddr() net.Addr { return c.peer }

func (c *firstPeer) Write(p []byte) (int, error) { return c.WriteTo(p, c.peer) }

func (c *firstPeer) Read(p []byte) (int, error) {
	if c.waiting {
		c.waiting = false
		return copy(p, c.first), nil
	}
	for {
		n, from, err := c.ReadFrom(p)
		if err != nil || from.String() == c.peer.String() {
			return n, err
		}
	}
}
