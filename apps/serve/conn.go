package serve

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// StallTimeout is how long a peer may take nothing of what it is sent before its
// connection is given up. Its TCP may keep the window shut for ever and be
// within its rights (RFC 9293 §3.8.6.1); a server need not wait for ever.
const StallTimeout = 5 * time.Minute

// CopyBuffer is the size, in octets, of the buffer that Copy uses where the
// source cannot write itself.
const CopyBuffer = 256 << 10

// PatientWriter writes to a connection and gives up when the peer takes nothing for a time.
type PatientWriter struct {
	conn    net.Conn
	timeout time.Duration
	set     time.Time // when the deadline was last moved
}

// NewPatientWriter returns a writer to c that fails with os.ErrDeadlineExceeded
// when c takes no octet for the timeout, give or take an eighth of it. However long a write as
// a whole takes, it goes on as long as octets move.
func NewPatientWriter(c net.Conn, timeout time.Duration) *PatientWriter {
	return &PatientWriter{conn: c, timeout: timeout}
}

// Write implements io.Writer.
func (w *PatientWriter) Write(p []byte) (n int, err error) {
	for {
		w.extend()
		k, err := w.conn.Write(p[n:])
		n += k
		if k == 0 || n == len(p) || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		w.set = time.Time{}
	}
}

// extend moves the deadline. It does so now and then rather than for each write,
// for each is a call into the stack.
func (w *PatientWriter) extend() {
	now := time.Now()
	if now.Sub(w.set) < w.timeout/8 {
		return
	}
	w.set = now
	_ = w.conn.SetWriteDeadline(now.Add(w.timeout)) // fails on a closed connection, as Write will
}

var copyBuffers = sync.Pool{New: func() any { return new([CopyBuffer]byte) }}

// Copy copies from src to dst until src ends. Where src is an io.WriterTo, as
// weir's connections are, its blocks go to dst with no buffer between; where it is
// not, a large one is borrowed.
func Copy(dst io.Writer, src io.Reader) (int64, error) {
	if from, ok := src.(io.WriterTo); ok {
		return from.WriteTo(dst)
	}
	buf := copyBuffers.Get().(*[CopyBuffer]byte)
	defer copyBuffers.Put(buf)
	return io.CopyBuffer(dst, src, buf[:])
}

// CloseWrite ends the sending half of c where c can do that, so that the peer reads
// to the end and may still speak.
func CloseWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Finish ends the sending half of c and throws away what the peer still says until
// it closes too, at most for the given time. Closing a connection that holds unread
// octets resets it (RFC 1122 §4.2.2.13), and a reset may overtake the
// answer that was sent just before.
func Finish(c net.Conn, patience time.Duration) {
	if CloseWrite(c) != nil || c.SetReadDeadline(time.Now().Add(patience)) != nil {
		return
	}
	_, _ = Copy(io.Discard, c)
}
