package netconn

import (
	"io"
	"math"

	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/tcp"
)

// lendFrom is from how many octets on they are copied between the user's memory and blocks without
// the connection's lock, which the receive path wants meanwhile.
const lendFrom = 8 << 10

// lentAtOnce is how many runs of octets are read at once, each in a block of its own.
const lentAtOnce = 8

// borrowed is what was taken out of a connection: octets already where the user wants them, or
// runs of them in blocks.
type borrowed struct {
	n    int
	runs int
	lent [lentAtOnce]tcp.Lent
}

// headroom is what a block has before a text for the driver's headers.
const headroom = tcp.BlockHeadroom

// writeBlock queues the first of p, as many octets as go into one block, and returns how many that
// were: to the end of the block that was written to last, or in a new one, which is sent as it is.
// The connection is locked, but not while they are copied. 0 is to be tried again, once it is known
// whether anything may be written still.
func (t *TCPConn) writeBlock(p []byte) int {
	conn := t.c.Conn()
	p = p[:min(len(p), conn.Writable())]
	if b, free := conn.Tail(); b != nil {
		t.c.Unlock()
		n := copy(free, p)
		t.c.Lock()
		ok := conn.WriteTail(t.c.Host().Now(), free, n)
		b.Release()
		if !ok {
			return 0
		}
		return n
	}
	b, room := t.newBlock()
	t.c.Unlock()
	n := copy(room, p)
	t.c.Lock()
	return t.give(b, n)
}

// newBlock returns a block for as much as leaves at once, and where that goes.
func (t *TCPConn) newBlock() (*mem.Block, []byte) {
	n := min(t.c.Conn().Burst(), mem.FrameBlock-headroom)
	b := t.c.Host().Pool().Get(headroom + n)
	b.B = b.B[headroom : headroom+n]
	return b, b.B
}

// give queues the first n octets of a block, and returns n, or 0 where it cannot.
func (t *TCPConn) give(b *mem.Block, n int) int {
	if !t.c.Conn().WriteBlock(t.c.Host().Now(), b, n) {
		b.Release()
		return 0
	}
	return n
}

// WriteTo writes all that arrives to w until the end of the stream (io.WriterTo). What has arrived is
// lent to w where it lies.
func (t *TCPConn) WriteTo(w io.Writer) (total int64, err error) {
	var b borrowed
	for {
		if err := t.takeOut(nil, math.MaxInt, &b); err == io.EOF {
			return total, nil
		} else if err != nil {
			return total, t.fail("read", err)
		}
		for i := range b.runs {
			if err == nil {
				var n int
				n, err = w.Write(b.lent[i].P)
				total += int64(n)
			}
			b.lent[i].Release()
		}
		if err != nil {
			return total, err
		}
	}
}

// ReadFrom sends all that r has until its end (io.ReaderFrom). What r gives at once is read into a
// block that is sent as it is: a file is copied once.
func (t *TCPConn) ReadFrom(r io.Reader) (total int64, err error) {
	for {
		n, end, err := t.passIn(r)
		total += int64(n)
		if end || err != nil {
			return total, err
		}
	}
}

// passIn reads from r once and sends that, and says whether it was the end.
func (t *TCPConn) passIn(r io.Reader) (sent int, end bool, err error) {
	t.c.Lock()
	b, room := t.newBlock()
	t.c.Unlock()
	n, rerr := r.Read(room)
	switch {
	case n >= lendFrom:
		sent, err = t.writeOwned(b, n)
		err = t.fail("write", err)
	case n > 0:
		sent, err = t.Write(room[:n])
		b.Release()
	default:
		b.Release()
	}
	if err != nil || rerr == io.EOF {
		return sent, true, err
	}
	return sent, false, rerr
}

// writeOwned is write of the first n octets of a block that is given away.
func (t *TCPConn) writeOwned(b *mem.Block, n int) (int, error) {
	t.c.Lock()
	defer t.c.Unlock()
	if err := t.beginWrite(); err != nil {
		b.Release()
		return 0, err
	}
	defer t.endWrite()
	conn := t.c.Conn()
	for _, limit := conn.Buffers(); limit >= n && conn.TakesBlocks() && t.writeError() == nil; _, limit = conn.Buffers() {
		if conn.WriteBlock(t.c.Host().Now(), b, n) {
			t.c.Push()
			return n, nil
		}
		t.wr.wait()
	}
	defer b.Release()
	return t.writeAll(b.B[:n])
}
