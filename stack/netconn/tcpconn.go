package netconn

import (
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/tcp"
)

// TCPConn is a TCP connection as a net.Conn. Its methods are safe for concurrent use.
type TCPConn struct {
	c      *shard.TCP
	rd, wr gate          // under c's lock
	into   []byte        // of a reader who waits, to be filled by OnEvent: see takeIn
	dialed chan struct{} // closed when a dial has succeeded or failed

	news   atomic.Uint32 // counts what a reader may wait for
	linger int32         // seconds; negative: the default

	// All under c's lock, but for network, which does not change.
	got       uint16  // how much of into was filled, shard.MostTaken at most
	network   network // as it was dialled or listened for, for errors
	settled   bool    // dialed is closed
	closed    bool
	noRead    bool // CloseRead was called
	hasRead   bool // Read has returned something. Before, somebody is about to call it.
	lingering bool // a reader waits awake
	writing   bool // a Write is under way: the next waits, so that two do not interleave
}

var (
	_ net.Conn      = (*TCPConn)(nil)
	_ io.ReaderFrom = (*TCPConn)(nil)
	_ io.WriterTo   = (*TCPConn)(nil)
	_ shard.Handler = (*TCPConn)(nil)
)

// The keep-alive that a connection begins with, as package net's do.
const (
	keepAliveIdle     = 15 * time.Second
	keepAliveInterval = 15 * time.Second
	keepAliveCount    = 9
)

// attach makes t the handler of c, which is locked.
func (t *TCPConn) attach(c *shard.TCP) {
	t.c, t.linger = c, -1
	t.rd.init(c.Locker())
	t.wr.init(c.Locker())
	c.SetHandler(t)
	conn := c.Conn()
	conn.SetNoDelay(true) // as package net does
	conn.SetKeepAlive(c.Host().Now(), true, keepAliveIdle, keepAliveInterval, keepAliveCount)
}

// Adopt makes a net.Conn of an established connection, which is locked, and tells the network's
// name, "tcp", "tcp4" or "tcp6", in errors. Its handler from then on is the net.Conn.
func Adopt(c *shard.TCP, network string) *TCPConn {
	t := &TCPConn{network: networkOf(network)}
	t.attach(c)
	return t
}

func tcpAddr(a netip.AddrPort) *net.TCPAddr { return net.TCPAddrFromAddrPort(a) }

// OnEvent is called by the driver with the connection locked.
func (t *TCPConn) OnEvent(_ *shard.TCP, ev tcp.Events) {
	if ev&(tcp.EventConnected|tcp.EventError|tcp.EventClosed) != 0 && t.dialed != nil && !t.settled {
		t.settled = true
		close(t.dialed)
	}
	if t.c == nil { // dialling: nobody can wait yet
		return
	}
	if ev&(tcp.EventReadable|tcp.EventFin|tcp.EventError|tcp.EventClosed) != 0 {
		t.news.Add(1)
		if t.rd.waiting > 0 || t.lingering || t.writing || !t.hasRead {
			t.c.Woken()
		}
		if t.into != nil {
			t.takeIn()
		}
		t.wake(&t.rd)
	}
	if ev&(tcp.EventWritable|tcp.EventConnected|tcp.EventError|tcp.EventClosed) != 0 {
		t.wake(&t.wr)
	}
}

// takeIn reads for the reader who waits: the octets go from the frame that they came in into the
// reader's own buffer, where they are few.
func (t *TCPConn) takeIn() {
	conn := t.c.Conn()
	if n := conn.Queue(); n == 0 || n > shard.MostTaken {
		return
	}
	if t.got = uint16(conn.Read(conn.HeardAt(), t.into)); t.got > 0 {
		t.offer(nil)
	}
}

// offer says where OnEvent may put what comes; nil takes that back.
func (t *TCPConn) offer(p []byte) {
	if t.into = p; p != nil {
		t.c.UserFlags |= shard.UserTakes
	} else {
		t.c.UserFlags &^= shard.UserTakes
	}
}

// wake wakes who waits at the gate, and has them run before the receive loop goes on.
func (t *TCPConn) wake(g *gate) {
	if g.waiting > 0 {
		t.c.Woke()
		g.wake()
	}
}

// Read reads what has arrived, waiting until there is something. It returns io.EOF
// after the peer's FIN or CloseRead, os.ErrDeadlineExceeded, net.ErrClosed,
// ECONNRESET or ETIMEDOUT.
func (t *TCPConn) Read(p []byte) (int, error) {
	n, err := t.read(p)
	return n, t.fail("read", err)
}

func (t *TCPConn) read(p []byte) (int, error) {
	var b borrowed
	if err := t.takeOut(p, len(p), &b); err != nil {
		return 0, err
	}
	n := b.n
	for i := range b.runs {
		n += copy(p[n:], b.lent[i].P)
		b.lent[i].Release()
	}
	return n, nil
}

// takeOut waits until there is something to read and takes up to most octets out of the connection:
// few into p, where that has room for them, and many by their blocks, so that the lock is not held for
// copying them.
func (t *TCPConn) takeOut(p []byte, most int, b *borrowed) error {
	t.c.Lock()
	defer t.c.Unlock()
	conn := t.c.Conn()
	for {
		switch {
		case t.closed:
			return net.ErrClosed
		case most == 0: // whatever the deadline, as with package net
			return nil
		case t.rd.expired():
			return os.ErrDeadlineExceeded
		}
		if p == nil || min(conn.Readable(), most) >= lendFrom {
			b.runs, _ = conn.Lend(t.c.Host().Now(), b.lent[:], most)
		} else if conn.Queue() > 0 {
			b.n = conn.Read(t.c.Host().Now(), p)
		}
		if b.runs+b.n > 0 {
			t.c.PushRead() // the window may have opened
			t.hasRead = true
			return nil
		}
		if t.noRead || conn.EOF() {
			return io.EOF
		}
		if err := conn.Err(); err != nil {
			return err
		}
		if b.n = t.await(p); b.n > 0 {
			t.hasRead = true
			return nil
		}
	}
}

// await waits until there may be something to read, and returns how many octets of it are in p already.
func (t *TCPConn) await(p []byte) (n int) {
	first := t.into == nil && t.got == 0 && p != nil
	if first {
		t.offer(p)
	}
	t.lingering = true
	awake := t.c.Linger(&t.news)
	t.lingering = false
	if !awake {
		t.rd.wait()
	}
	if first {
		n, t.got = int(t.got), 0
		t.offer(nil)
	}
	return n
}

// writePiece is how much Write queues before it pushes: enough for several
// super-segments, little enough that the receive path does not wait long for the lock.
const writePiece = 256 << 10

// Write queues p for sending, waiting while the send buffer is full. It returns when
// all of p is queued or with how much was and the reason: os.ErrDeadlineExceeded,
// net.ErrClosed, EPIPE after CloseWrite, ECONNRESET or ETIMEDOUT.
func (t *TCPConn) Write(p []byte) (int, error) {
	n, err := t.write(p)
	return n, t.fail("write", err)
}

func (t *TCPConn) write(p []byte) (n int, err error) {
	t.c.Lock()
	defer t.c.Unlock()
	if err := t.beginWrite(); err != nil {
		return 0, err
	}
	defer t.endWrite()
	return t.writeAll(p)
}

// writeAll queues p, which is its turn, and pushes as it does.
func (t *TCPConn) writeAll(p []byte) (n int, err error) {
	conn := t.c.Conn()
	for {
		if err := t.writeError(); err != nil {
			return n, err
		}
		piece := p[n:min(len(p), n+writePiece)]
		room := min(conn.Writable(), len(piece))
		k, blocks := 0, conn.TakesBlocks() && (room >= lendFrom || room > 0 && n > 0)
		if blocks {
			k = t.writeBlock(piece)
		} else {
			now := t.c.Host().Now()
			if k = conn.Write(now, piece); k > 0 {
				t.c.PushAt(now)
			}
		}
		if n += k; k > 0 && blocks {
			t.c.Push()
		}
		switch {
		case n == len(p):
			return n, nil
		case k == 0 && !blocks: // what changed without the lock may be the reason
			t.wr.wait()
		}
	}
}

// beginWrite waits until it is this Write's turn. It waits as Write does and not for a
// mutex, so that the deadline and Close count meanwhile.
func (t *TCPConn) beginWrite() error {
	for {
		if err := t.writeError(); err != nil {
			return err
		}
		if !t.writing {
			t.writing = true
			return nil
		}
		t.wr.wait()
	}
}

func (t *TCPConn) endWrite() {
	t.writing = false
	t.wr.wake()
}

// writeError returns why nothing can be written any more, or nil.
func (t *TCPConn) writeError() error {
	switch {
	case t.closed:
		return net.ErrClosed
	case t.wr.expired():
		return os.ErrDeadlineExceeded
	}
	conn := t.c.Conn()
	if err := conn.Err(); err != nil {
		return err
	}
	if st := conn.State(); st != tcp.StateEstablished && st != tcp.StateCloseWait {
		return syscall.EPIPE
	}
	return nil
}

// fail wraps an error of an operation on the connection.
func (t *TCPConn) fail(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return opError(op, t.network.String(), t.LocalAddr(), t.RemoteAddr(), err)
}

// LocalAddr returns the own end, a *net.TCPAddr.
func (t *TCPConn) LocalAddr() net.Addr { return tcpAddr(t.c.Local()) }

// RemoteAddr returns the peer's end, a *net.TCPAddr.
func (t *TCPConn) RemoteAddr() net.Addr { return tcpAddr(t.c.Remote()) }
