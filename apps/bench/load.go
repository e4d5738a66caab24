package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// bulk fills and empties a stream.
func (t *test) bulk(c net.Conn) {
	if t.params.Direction.to() {
		t.running.Go(func() {
			buf := filling(t.params.Size)
			for !t.phase.stopped() {
				k, err := c.Write(buf)
				t.sent.Add(uint64(k))
				if err != nil {
					t.fail(err)
					return
				}
			}
		})
	}
	if t.params.Direction.from() {
		t.running.Go(func() {
			err := countInto(&t.received, c, make([]byte, t.params.Size))
			if err == io.EOF {
				err = errors.New("the server ended a stream before the test was over")
			}
			t.fail(err)
		})
	}
}

// record counts a request that was answered, and reports whether it was in the measured time.
func (t *test) record(d time.Duration) bool {
	if !t.phase.measuring() {
		return false
	}
	t.latency.Record(d)
	t.interval.Load().Record(d)
	return true
}

// requests keeps one request under way on a stream.
func (t *test) requests(c net.Conn) {
	out, in := filling(t.params.Size), make([]byte, t.params.Reply)
	for !t.phase.stopped() {
		began := time.Now()
		if _, err := c.Write(out); err != nil {
			t.fail(err)
			return
		}
		if _, err := io.ReadFull(c, in); err != nil {
			t.fail(err)
			return
		}
		t.record(time.Since(began))
		t.sent.Add(uint64(len(out)))
		t.received.Add(uint64(len(in)))
	}
}

// connections makes one connection after the other.
func (t *test) connections() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { // goes with cancel
		select {
		case <-t.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	hello := preamble{role: roleData, token: t.token}.bytes()
	for !t.phase.stopped() {
		began := time.Now()
		connected, err := t.connection(ctx, hello)
		if t.phase.stopped() {
			return
		}
		if err == nil {
			if t.record(time.Since(began)) {
				t.connect.Record(connected.Sub(began))
			}
			continue
		}
		t.firstError.CompareAndSwap(nil, &err)
		if t.phase.measuring() {
			t.errors.Add(1)
		}
		pause(ctx, time.Millisecond) // ports that are used up, for one
	}
}

// connection connects, has its octet echoed, sees the server close, and closes.
func (t *test) connection(ctx context.Context, hello []byte) (connected time.Time, err error) {
	c, err := t.client.dial(ctx, "tcp")
	if err != nil {
		return connected, err
	}
	defer c.Close()
	connected = time.Now()
	_ = c.SetDeadline(connected.Add(dialPatience))
	if _, err := c.Write(hello); err != nil {
		return connected, err
	}
	var b [2]byte
	if _, err := io.ReadFull(c, b[:1]); err != nil {
		return connected, err
	}
	if n, err := c.Read(b[1:]); n != 0 || err != io.EOF {
		return connected, fmt.Errorf("the server did not close: %d octets, %w", n, err)
	}
	return connected, nil
}

// openFlow makes a flow of datagrams and says hello until the server has heard it.
func (t *test) openFlow(ctx context.Context, number uint16) (net.Conn, error) {
	c, err := t.client.dial(ctx, "udp")
	if err != nil {
		return nil, err
	}
	buf := make([]byte, 1<<16)
	const tries, patience = 40, 250 * time.Millisecond
	for range tries {
		if ctx.Err() != nil {
			break
		}
		h := datagram{token: t.token, kind: kindHello, flow: number}
		h.put(buf)
		_ = c.SetDeadline(time.Now().Add(patience))
		_, err = c.Write(buf[:datagramHeader])
		var n int
		if err == nil {
			n, err = c.Read(buf)
		}
		if err == nil {
			if d, ok := parseDatagram(buf[:n]); ok && d.kind == kindHello && d.token == t.token && d.flow == number {
				return c, c.SetDeadline(time.Time{})
			}
		} else if !errors.Is(err, os.ErrDeadlineExceeded) {
			pause(ctx, patience) // refused, unreachable: it may pass
		}
	}
	c.Close()
	if err == nil {
		err = os.ErrDeadlineExceeded
	}
	return nil, fmt.Errorf("no datagram comes back from the server at %s: %w", t.client.Address, err)
}

// datagrams sends and receives the datagrams of a flow.
func (t *test) datagrams(number uint16, c net.Conn) {
	if t.params.Direction.to() {
		s := &sender{
			header: datagram{token: t.token, kind: kindData, flow: number},
			size:   t.params.Size, phase: &t.phase, clock: t.now, stopped: t.ended,
			pace:  newPacer(t.params.Rate, t.params.Streams, t.params.Size, t.now()),
			write: func(b []byte) error { _, err := c.Write(b); return err },
		}
		t.senders = append(t.senders, s)
		t.running.Go(s.run)
	}
	if t.params.Direction.from() {
		t.running.Go(func() { t.receive(number, c) })
	}
}

func (t *test) receive(number uint16, c net.Conn) {
	buf := make([]byte, 1<<16)
	for {
		n, err := c.Read(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		d, ok := parseDatagram(buf[:n])
		if err != nil || !ok || d.token != t.token || d.kind != kindData || d.flow != number {
			continue
		}
		t.received.Add(uint64(n))
		if d.measured {
			t.flows[number].receive(&d, n, t.now())
		}
	}
}

// lostAfter is when a request by datagram counts as lost.
const lostAfter = time.Second

// datagramRequests keeps one request under way on a flow of datagrams.
func (t *test) datagramRequests(number uint16, c net.Conn) {
	out, in := filling(t.params.Size), make([]byte, 1<<16)
	h := datagram{token: t.token, kind: kindRequest, flow: number}
	for ; !t.phase.stopped(); h.seq++ {
		began := time.Now()
		h.put(out)
		_ = c.SetReadDeadline(began.Add(lostAfter))
		_, err := c.Write(out)
		var n int
		for err == nil {
			if n, err = c.Read(in); err != nil {
				break
			}
			if d, ok := parseDatagram(in[:n]); ok && d.kind == kindReply && d.token == t.token && d.seq == h.seq {
				break
			}
		}
		if err == nil {
			t.record(time.Since(began))
			t.sent.Add(uint64(len(out)))
			t.received.Add(uint64(n))
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if t.phase.measuring() {
			t.lost.Add(1)
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			pause(context.Background(), time.Millisecond)
		}
	}
}
