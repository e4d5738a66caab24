package serve

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"
)

// ended reports whether err means that a socket was closed on purpose.
func ended(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, net.ErrClosed)
}

// passing reports whether err says something about one connection, one datagram
// or a shortage of the moment, and nothing about the socket: the next call may
// succeed. ECONNREFUSED, EHOSTUNREACH and their like reach a datagram socket as the
// ICMP errors about an earlier answer.
func passing(err error) bool {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		var timeout net.Error
		return errors.As(err, &timeout) && timeout.Timeout()
	}
	switch errno {
	case syscall.ECONNABORTED, syscall.ECONNRESET, syscall.ECONNREFUSED,
		syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.ENETDOWN,
		syscall.EMSGSIZE, syscall.EPROTO, syscall.EINTR, syscall.EAGAIN,
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM:
		return true
	}
	return false
}

const (
	backoffFirst = time.Millisecond
	backoffMax   = time.Second
)

// backoff waits longer after each failure in a row, so that a shortage is not
// answered with a busy loop.
type backoff struct{ next time.Duration }

func (b *backoff) reset() { b.next = 0 }

func (b *backoff) sleep(ctx context.Context) {
	b.next = min(max(2*b.next, backoffFirst), backoffMax)
	t := time.NewTimer(b.next)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
