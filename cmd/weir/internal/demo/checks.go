package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"github.com/weirnet/weir/apps/echo"
)

const (
	pings       = 20
	pingGap     = 5 * time.Millisecond
	pingSize    = 56
	largeSize   = 60000
	datagrams   = 100
	messages    = 100
	closedPort  = 1 // tcpmux: nothing of the demo's
	fragmentLen = 1480
)

// trips sums round trips up.
type trips struct {
	n              int
	sum, min, max_ time.Duration
}

func (t *trips) add(d time.Duration) {
	if t.n == 0 || d < t.min {
		t.min = d
	}
	t.max_ = max(t.max_, d)
	t.sum += d
	t.n++
}

func (t *trips) String() string {
	return fmt.Sprintf("round trip %s, at most %s", millis(t.sum/time.Duration(max(t.n, 1))), millis(t.max_))
}

// ping sends echo requests of the usual size, one after the other.
func (s *scene) ping(ctx context.Context, a netip.Addr) (result, error) {
	var t trips
	for seq := range pings {
		d, err := s.peer.Ping(ctx, a, uint16(seq), pingSize)
		if err != nil {
			return result{}, fmt.Errorf("echo request %d of %d: %w", seq+1, pings, err)
		}
		t.add(d)
		time.Sleep(pingGap)
	}
	return result{text: fmt.Sprintf("%d sent, %d came back", pings, t.n), figures: t.String()}, nil
}

// largePing sends echo requests that go in fragments both ways.
func (s *scene) largePing(ctx context.Context, a netip.Addr) (result, error) {
	const count = 5
	var t trips
	for seq := range count {
		d, err := s.peer.Ping(ctx, a, uint16(1000+seq), largeSize)
		if err != nil {
			return result{}, fmt.Errorf("echo request of %d octets: %w", largeSize, err)
		}
		t.add(d)
	}
	return result{text: fmt.Sprintf("%d of %d octets sent, %d came back", count, largeSize, t.n), figures: t.String()}, nil
}

// dial connects the far end to a port of the stack's; the connection ends with ctx.
func (s *scene) dial(ctx context.Context, network string, a netip.Addr, port int) (net.Conn, error) {
	c, err := s.peer.DialContext(ctx, network, net.JoinHostPort(a.String(), strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		err = c.SetDeadline(deadline)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// udpEcho sends datagrams of growing sizes, the last ones in fragments.
func (s *scene) udpEcho(ctx context.Context, a netip.Addr) (result, error) {
	c, err := s.dial(ctx, "udp", a, echo.Port)
	if err != nil {
		return result{}, err
	}
	defer c.Close()
	var t trips
	var octets int64
	buf := make([]byte, 1<<16)
	for i := range datagrams {
		sent := pattern(i * 20) // from none to more than fits a packet
		start := time.Now()
		if _, err := c.Write(sent); err != nil {
			return result{}, fmt.Errorf("datagram of %d octets: %w", len(sent), err)
		}
		n, err := c.Read(buf)
		if err != nil {
			return result{}, fmt.Errorf("datagram of %d octets: %w", len(sent), err)
		}
		if !bytes.Equal(buf[:n], sent) {
			return result{}, fmt.Errorf("datagram of %d octets: %d others came back", len(sent), n)
		}
		t.add(time.Since(start))
		octets += int64(n)
	}
	return result{text: fmt.Sprintf("%d datagrams sent, %d came back", datagrams, t.n), figures: t.String()}, nil
}

// tcpEcho sends short messages, each when the one before is back, and closes its
// half: the stack must close the other.
func (s *scene) tcpEcho(ctx context.Context, a netip.Addr) (result, error) {
	start := time.Now()
	c, err := s.dial(ctx, "tcp", a, echo.Port)
	if err != nil {
		return result{}, err
	}
	defer c.Close()
	connected := time.Since(start)
	var t trips
	for i := range messages {
		sent := fmt.Appendf(nil, "hello %d", i)
		start := time.Now()
		if _, err := c.Write(sent); err != nil {
			return result{}, err
		}
		got := make([]byte, len(sent))
		if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, sent) {
			return result{}, fmt.Errorf("sent %q, %q came back: %w", sent, got, err)
		}
		t.add(time.Since(start))
	}
	if err := closeWrite(c); err != nil {
		return result{}, err
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		return result{}, fmt.Errorf("after the end: %d more octets, %w", n, err)
	}
	return result{
		text:    fmt.Sprintf("connected in %s, %d messages", millis(connected), t.n),
		figures: t.String(),
	}, nil
}

func closeWrite(c net.Conn) error {
	half, ok := c.(interface{ CloseWrite() error })
	if !ok {
		return errors.New("the connection cannot be half-closed")
	}
	return half.CloseWrite()
}

// refused knocks at closed ports: both protocols must say at once that nobody is there.
func (s *scene) refused(ctx context.Context, a netip.Addr) (result, error) {
	start := time.Now()
	c, err := s.dial(ctx, "tcp", a, closedPort)
	if err == nil {
		c.Close()
		return result{}, fmt.Errorf("TCP port %d accepted a connection", closedPort)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return result{}, fmt.Errorf("TCP port %d: %w", closedPort, err)
	}
	tcp := time.Since(start)

	if c, err = s.dial(ctx, "udp", a, closedPort); err != nil {
		return result{}, err
	}
	defer c.Close()
	start = time.Now()
	if _, err := c.Write([]byte("anybody there?")); err != nil {
		return result{}, err
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNREFUSED) {
		return result{}, fmt.Errorf("UDP port %d: want connection refused, got %w", closedPort, err)
	}
	return result{text: "TCP and UDP refused", figures: fmt.Sprintf("after %s and %s", millis(tcp), millis(time.Since(start)))}, nil
}
