package serve

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// scripted is a listener that gives what it is told to, then waits to be closed.
type scripted struct {
	steps  []any // net.Conn or error
	closed chan struct{}
}

func (l *scripted) Accept() (net.Conn, error) {
	if len(l.steps) == 0 {
		<-l.closed
		return nil, net.ErrClosed
	}
	step := l.steps[0]
	l.steps = l.steps[1:]
	if err, ok := step.(error); ok {
		return nil, err
	}
	return step.(net.Conn), nil
}

func (l *scripted) Addr() net.Addr { return &net.TCPAddr{} }

func (l *scripted) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}

func TestAcceptLoopOutlivesPassingErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		shortage := &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
		ln := &scripted{steps: []any{shortage, shortage, syscall.ECONNABORTED, near}, closed: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		var n Counters
		served := make(chan error, 1)
		go func() { served <- stream(ctx, ln, func(c net.Conn) { io.Copy(io.Discard, c) }, &n) }()
		if _, err := far.Write([]byte("x")); err != nil {
			t.Fatalf("connection after passing errors: %v", err)
		}
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Stream = %v, want nil when its context ends", err)
		}
		if got := n.Accepted.Load(); got != 1 {
			t.Errorf("accepted %d, want 1", got)
		}
	})
}

func TestAcceptLoopEndsWithAnErrorThatStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		broken := errors.New("broken for good")
		ln := &scripted{steps: []any{near, broken}, closed: make(chan struct{})}
		err := Stream(t.Context(), ln, func(c net.Conn) { io.Copy(io.Discard, c) })
		if !errors.Is(err, broken) {
			t.Errorf("Stream = %v, want %v", err, broken)
		}
		if _, err := far.Write([]byte("x")); err == nil {
			t.Error("the open connection survived its server")
		}
	})
}

func TestStoppingClosesConnectionsAndWaitsForHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		ln := &scripted{steps: []any{near}, closed: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		returned := false
		served := make(chan error, 1)
		go func() {
			served <- Stream(ctx, ln, func(c net.Conn) {
				io.Copy(io.Discard, c)
				time.Sleep(time.Minute) // a handler that is slow to go
				returned = true
			})
		}()
		synctest.Wait()
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Stream = %v, want nil", err)
		}
		if !returned {
			t.Error("Stream returned before its handler did")
		}
		if _, err := far.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("far end reads %v, want EOF", err)
		}
	})
}

func TestPatientWriterGivesUpOnAPeerThatTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		start := time.Now()
		_, err := NewPatientWriter(near, time.Minute).Write([]byte("nobody reads this"))
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("Write = %v, want os.ErrDeadlineExceeded", err)
		}
		if d := time.Since(start); d != time.Minute {
			t.Errorf("gave up after %v, want 1m", d)
		}
	})
}

func TestPatientWriterWaitsWhileOctetsMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		const octets = 20
		go func() {
			for range octets { // each is in time, all of them together are not
				time.Sleep(50 * time.Second)
				far.Read(make([]byte, 1))
			}
		}()
		n, err := NewPatientWriter(near, time.Minute).Write(make([]byte, octets))
		if n != octets || err != nil {
			t.Errorf("Write = %d, %v; want %d, nil", n, err, octets)
		}
	})
}

func TestFinishDoesNotWaitForEverForThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		start := time.Now()
		Finish(near, 5*time.Second)
		if d := time.Since(start); d != 5*time.Second {
			t.Errorf("waited %v, want 5s", d)
		}
	})
}
