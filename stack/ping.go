package stack

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/weirnet/weir/stack/shard"
)

// PingOptions says what an echo request is like. The zero value sends 56 octets of data.
type PingOptions struct {
	Size     int    // octets of data; zero is 56, negative none
	Seq      uint16 // the sequence number of the request
	HopLimit uint8  // TTL or hop limit; zero is 64
}

// PingReply is an answer to an echo request.
type PingReply struct {
	From     netip.Addr
	RTT      time.Duration
	HopLimit uint8 // of the answer, as it arrived
	Size     int   // octets of data
}

// ICMPError is an ICMP error that came back instead of an answer.
type ICMPError struct {
	From       netip.Addr // who sent it
	Type, Code uint8      // as in the message, of From's family
	Reason     string     // in words: "time exceeded in transit"
	MTU        int        // of a packet-too-big; else 0
	RTT        time.Duration
	Errno      syscall.Errno
}

// Error returns the reason and who gave it.
func (e *ICMPError) Error() string { return fmt.Sprintf("%s, says %v", e.Reason, e.From) }

// Unwrap returns the errno that a socket would get.
func (e *ICMPError) Unwrap() error { return e.Errno }

const defaultPingSize = 56

// Ping sends one ICMP echo request and waits for the answer or the context's end. The
// error is an *ICMPError where a router or the host refused it.
func (s *Stack) Ping(ctx context.Context, dst netip.Addr, opt PingOptions) (PingReply, error) {
	size := opt.Size
	if size == 0 {
		size = defaultPingSize
	}
	done := make(chan shard.EchoResult, 1)
	e, err := s.h.Ping(dst.Unmap(), opt.Seq, size, opt.HopLimit, func(r shard.EchoResult) { done <- r })
	if err != nil {
		return PingReply{}, fmt.Errorf("ping %v: %w", dst, err)
	}
	select {
	case r := <-done:
		return pingReply(dst, r)
	case <-ctx.Done():
		e.Cancel()
		return PingReply{}, fmt.Errorf("ping %v: no answer: %w", dst, ctx.Err())
	}
}

func pingReply(dst netip.Addr, r shard.EchoResult) (PingReply, error) {
	switch {
	case r.Closed:
		return PingReply{}, fmt.Errorf("ping %v: %w", dst, net.ErrClosed)
	case r.Err != nil:
		errno, _ := r.Err.Errno()
		return PingReply{}, fmt.Errorf("ping %v: %w", dst, &ICMPError{
			From: r.From, Type: r.Err.Type, Code: r.Err.Code, Reason: r.Err.Kind.String(),
			MTU: r.Err.MTU, RTT: r.At.Sub(r.Sent), Errno: errno,
		})
	case !r.Matches:
		return PingReply{}, fmt.Errorf("ping %v: the answer's data is not what was sent", dst)
	}
	return PingReply{From: r.From, RTT: r.At.Sub(r.Sent), HopLimit: r.HopLimit, Size: r.Size}, nil
}
