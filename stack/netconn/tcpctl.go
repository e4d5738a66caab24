package netconn

import (
	"math"
	"net"
	"time"

	"github.com/weirnet/weir/stack/tcp"
)

// Close closes the connection. What was written is still delivered in the background;
// where the peer's data was not all read the connection is reset (RFC 2525 §2.17). Operations that
// wait return net.ErrClosed.
func (t *TCPConn) Close() error {
	t.c.Lock()
	was := t.closed
	t.closed = true
	linger := t.linger
	t.rd.wake()
	t.wr.wake()
	t.rd.stop()
	t.wr.stop()
	t.c.Unlock()
	switch {
	case was:
		return t.fail("close", net.ErrClosed)
	case linger == 0:
		t.c.Abort()
	default:
		t.c.Close()
	}
	return nil
}

// control runs f on the state machine under the lock and pushes what came of it.
func (t *TCPConn) control(op string, f func(conn *tcp.Conn) error) error {
	t.c.Lock()
	defer t.c.Unlock()
	if t.closed {
		return t.fail(op, net.ErrClosed)
	}
	err := f(t.c.Conn())
	t.c.Push()
	return t.fail(op, err)
}

// CloseWrite sends a FIN after what was written: half-close. Reading goes on.
func (t *TCPConn) CloseWrite() error {
	return t.control("close", func(conn *tcp.Conn) error {
		if err := conn.Err(); err != nil {
			return err
		}
		conn.CloseWrite(t.c.Host().Now())
		return nil
	})
}

// CloseRead makes Read return io.EOF once what has arrived is read. What still arrives is
// acknowledged and thrown away.
func (t *TCPConn) CloseRead() error {
	return t.control("close", func(conn *tcp.Conn) error {
		t.noRead = true
		conn.CloseRead(t.c.Host().Now())
		t.rd.wake()
		return nil
	})
}

// SetNoDelay turns Nagle's algorithm (RFC 9293 §3.7.4) off, which is the default, or on.
func (t *TCPConn) SetNoDelay(on bool) error {
	return t.control("set", func(conn *tcp.Conn) error {
		conn.SetNoDelay(on)
		return nil
	})
}

// SetKeepAlive turns keep-alive probes (RFC 9293 §3.8.4) on, which is the default, or off.
func (t *TCPConn) SetKeepAlive(on bool) error {
	return t.SetKeepAliveConfig(net.KeepAliveConfig{Enable: on})
}

// SetKeepAlivePeriod sets how long the connection is idle before the first probe and
// how far apart the probes are.
func (t *TCPConn) SetKeepAlivePeriod(d time.Duration) error {
	return t.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: d, Interval: d})
}

// SetKeepAliveConfig sets all of keep-alive; zero fields stand for the defaults of 15 s,
// 15 s and 9 probes.
func (t *TCPConn) SetKeepAliveConfig(cfg net.KeepAliveConfig) error {
	idle, interval, count := cfg.Idle, cfg.Interval, cfg.Count
	if idle <= 0 {
		idle = keepAliveIdle
	}
	if interval <= 0 {
		interval = keepAliveInterval
	}
	if count <= 0 {
		count = keepAliveCount
	}
	return t.control("set", func(conn *tcp.Conn) error {
		conn.SetKeepAlive(t.c.Host().Now(), cfg.Enable, idle, interval, count)
		return nil
	})
}

// What the buffers hold at least, as with Linux: with less each segment waits for a timer.
const (
	leastReadBuffer  = 2304
	leastWriteBuffer = 4608
)

// SetReadBuffer bounds the octets that are received and not read, and so the window that the peer is shown,
// which no longer grows by itself; less than 2304 count as so many. A window that was shown is not taken
// back (RFC 9293 §3.8.6).
func (t *TCPConn) SetReadBuffer(octets int) error {
	return t.control("set", func(conn *tcp.Conn) error {
		conn.SetBuffers(max(octets, leastReadBuffer), 0)
		return nil
	})
}

// SetWriteBuffer bounds the octets that are written and not acknowledged: Write waits for room. Less than 4608
// count as so many.
func (t *TCPConn) SetWriteBuffer(octets int) error {
	return t.control("set", func(conn *tcp.Conn) error {
		conn.SetBuffers(0, max(octets, leastWriteBuffer))
		t.wr.wake() // there may be room now
		return nil
	})
}

// SetUserTimeout bounds how long sent data may stay unacknowledged before the
// connection fails with ETIMEDOUT (RFC 9293 §3.9.1, RFC 5482); 0 leaves it to the retries.
func (t *TCPConn) SetUserTimeout(d time.Duration) error {
	return t.control("set", func(conn *tcp.Conn) error {
		conn.SetUserTimeout(t.c.Host().Now(), d)
		return nil
	})
}

// SetLinger says what Close does with data not yet delivered: with sec 0 it is thrown
// away and the connection reset; otherwise it is delivered in the background.
func (t *TCPConn) SetLinger(sec int) error {
	return t.control("set", func(*tcp.Conn) error {
		t.linger = int32(min(max(sec, -1), math.MaxInt32))
		return nil
	})
}

// SetDeadline sets both deadlines; the zero time is none.
func (t *TCPConn) SetDeadline(at time.Time) error { return t.setDeadlines(at, &t.rd, &t.wr) }

// SetReadDeadline sets the deadline of Read, also of one that waits now.
func (t *TCPConn) SetReadDeadline(at time.Time) error { return t.setDeadlines(at, &t.rd) }

// SetWriteDeadline sets the deadline of Write, also of one that waits now.
func (t *TCPConn) SetWriteDeadline(at time.Time) error { return t.setDeadlines(at, &t.wr) }

func (t *TCPConn) setDeadlines(at time.Time, gates ...*gate) error {
	t.c.Lock()
	defer t.c.Unlock()
	if t.closed {
		return t.fail("set", net.ErrClosed)
	}
	for _, g := range gates {
		g.set(at)
	}
	return nil
}

// Info returns what the state machine knows of the connection.
func (t *TCPConn) Info() tcp.Info {
	t.c.Lock()
	defer t.c.Unlock()
	return t.c.Conn().Info()
}
