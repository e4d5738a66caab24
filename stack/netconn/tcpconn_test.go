package netconn

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/stack/shard"
)

func TestCloseEndsWhatWaitsAndIsDoneOnce(t *testing.T) {
	for _, w := range waits {
		t.Run(w.name, func(t *testing.T) {
			inBubble(t, shard.Config{SendBuffer: 64 << 10, ReceiveBuffer: 64 << 10}, func(p *pair) {
				var all []<-chan result
				wait, set := w.prep(p)
				for range 3 {
					all = append(all, p.after(wait))
				}
				time.Sleep(time.Second)
				p.must(p.a.Close())
				p.must(p.b.Close())
				for _, c := range all {
					r := <-c
					if r.err == nil || r.took != time.Second {
						t.Errorf("%v after %v", r.err, r.took)
					}
				}
				_ = set
			})
		})
	}
	inBubble(t, shard.Config{}, func(p *pair) {
		ca, _ := p.connect()
		l := p.listen("192.0.2.2:80")
		u, err := ListenUDP(p.a, "udp", ap("192.0.2.1:53"), false)
		p.must(err)
		for _, c := range []struct {
			close func() error
			wait  func() error
		}{
			{ca.Close, func() error { _, err := ca.Read(make([]byte, 1)); return err }},
			{l.Close, func() error { _, err := l.Accept(); return err }},
			{u.Close, func() error { _, _, err := u.ReadFrom(make([]byte, 1)); return err }},
		} {
			waiting := []<-chan result{p.after(c.wait), p.after(c.wait)}
			time.Sleep(time.Second)
			closing := []<-chan result{p.after(c.close), p.after(c.close), p.after(c.close)}
			for _, w := range waiting {
				p.want(w, net.ErrClosed, time.Second)
			}
			done := 0
			for _, c := range closing {
				if r := <-c; r.err == nil {
					done++
				} else {
					p.opError(r.err, net.ErrClosed)
				}
			}
			if done != 1 {
				t.Errorf("%d of 3 closed it", done)
			}
			p.want(p.after(c.wait), net.ErrClosed, 0)
		}
		_, err = ca.Write([]byte("x"))
		p.opError(err, net.ErrClosed)
		for _, err := range []error{ca.SetDeadline(time.Time{}), ca.CloseRead(), ca.CloseWrite(), ca.SetNoDelay(true), ca.SetLinger(0),
			ca.SetKeepAlive(true), ca.SetUserTimeout(0), ca.SetReadBuffer(1), ca.SetWriteBuffer(1), l.SetDeadline(time.Time{}),
			u.SetDeadline(time.Time{}), u.SetReadBuffer(1), u.SetWriteBuffer(1)} {
			p.opError(err, net.ErrClosed)
		}
	})
}

// The other direction goes on after CloseWrite, as long as it likes.
func TestCloseWriteClosesOneDirection(t *testing.T) { // RFC 9293 §3.6, case 1
	inBubble(t, shard.Config{}, func(p *pair) {
		ca, cb := p.connect()
		ca.Write([]byte("question"))
		p.must(ca.CloseWrite())
		p.must(ca.CloseWrite())
		_, err := ca.Write([]byte("x"))
		p.opError(err, syscall.EPIPE)
		if got, err := io.ReadAll(cb); string(got) != "question" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		time.Sleep(time.Hour) // FIN-WAIT-2 has no end while its user is there
		cb.Write([]byte("answer"))
		p.must(cb.Close())
		if got, err := io.ReadAll(ca); string(got) != "answer" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		p.must(ca.Close())
		time.Sleep(2 * time.Minute)
		for _, h := range []*shard.Host{p.a, p.b} {
			if list := h.Connections(); len(list) > 0 {
				t.Errorf("left: %+v", list)
			}
		}
	})
}

func TestCloseReadThrowsAwayWhatComes(t *testing.T) { // shutdown(SHUT_RD) on Linux
	inBubble(t, shard.Config{ReceiveBuffer: 32 << 10, SendBuffer: 32 << 10}, func(p *pair) {
		ca, cb := p.connect()
		waiting := p.after(func() error { _, err := ca.Read(make([]byte, 1)); return err })
		p.must(ca.CloseRead())
		if r := <-waiting; r.err != io.EOF {
			t.Errorf("a read that waited: %v", r.err)
		}
		if n, err := cb.Write(make([]byte, 1<<20)); n != 1<<20 || err != nil {
			t.Errorf("the peer wrote %d octets: %v", n, err)
		}
		if _, err := ca.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("a read: %v", err)
		}
		ca.Write([]byte("x"))
		if _, err := cb.Read(make([]byte, 1)); err != nil {
			t.Errorf("the other direction: %v", err)
		}
	})
}

func TestLingerZeroResets(t *testing.T) { // SO_LINGER; RFC 9293 §3.10.5, ABORT
	inBubble(t, shard.Config{}, func(p *pair) {
		ca, cb := p.connect()
		ca.Write(make([]byte, 1<<20))
		waiting := p.after(func() error { _, err := io.Copy(io.Discard, cb); return err })
		p.must(ca.SetLinger(0))
		p.must(ca.Close())
		synctest.Wait()
		p.want(waiting, syscall.ECONNRESET, 0)
		for _, h := range []*shard.Host{p.a, p.b} {
			for _, c := range h.Connections() {
				t.Errorf("left: %+v", c)
			}
		}
		_, err := cb.Write([]byte("x"))
		if err == nil {
			t.Error("write after a reset")
		}
		p.must(cb.Close())
	})
}

func TestCloseWithUnreadDataResets(t *testing.T) { // RFC 1122 §4.2.2.13, RFC 2525 §2.17
	inBubble(t, shard.Config{}, func(p *pair) {
		ca, cb := p.connect()
		ca.Write([]byte("nobody reads this"))
		synctest.Wait()
		p.must(cb.Close())
		_, err := ca.Read(make([]byte, 1))
		p.opError(err, syscall.ECONNRESET)
		// What comes after Close resets as well.
		ca, cb = p.connect()
		p.must(cb.Close())
		synctest.Wait()
		ca.Write([]byte("nor this"))
		synctest.Wait()
		if _, err = ca.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("write to a peer that has closed: %v", err)
		}
	})
}

func TestCloseDeliversWhatWasWritten(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		ca, cb := p.connect()
		sent := make([]byte, 3<<20)
		rand.NewChaCha8([32]byte{}).Read(sent)
		if n, err := ca.Write(sent); n != len(sent) || err != nil {
			t.Fatal(n, err)
		}
		p.must(ca.Close())
		if got, err := io.ReadAll(cb); !bytes.Equal(got, sent) || err != nil {
			t.Errorf("%d of %d octets, %v", len(got), len(sent), err)
		}
	})
}

// onlyReader and onlyWriter hide what else a type can do from io.Copy.
type onlyReader struct{ io.Reader }
type onlyWriter struct{ io.Writer }

func TestReadFromAndWriteToCopyAll(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		ca, cb := p.connect()
		sent := strings.Repeat("weir", 1<<18)
		done := p.after(func() error {
			n, err := ca.ReadFrom(onlyReader{strings.NewReader(sent)})
			if n != int64(len(sent)) {
				t.Errorf("ReadFrom says %d", n)
			}
			ca.CloseWrite()
			return err
		})
		var got bytes.Buffer
		if n, err := cb.WriteTo(onlyWriter{&got}); n != int64(len(sent)) || err != nil || got.String() != sent {
			t.Errorf("WriteTo: %d of %d octets, %v", n, len(sent), err)
		}
		p.want(done, nil, 0)
		bad := errors.New("bad")
		cb.Write([]byte("x"))
		if n, err := ca.WriteTo(writerFunc(func([]byte) (int, error) { return 0, bad })); n != 0 || err != bad {
			t.Errorf("WriteTo a writer that fails: %d, %v", n, err)
		}
		if n, err := cb.ReadFrom(readerFunc(func([]byte) (int, error) { return 0, bad })); n != 0 || err != bad {
			t.Errorf("ReadFrom a reader that fails: %d, %v", n, err)
		}
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// Two writers at once do not mix, and a Write that waits has told how much it wrote.
func TestWritesDoNotInterleave(t *testing.T) {
	inBubble(t, shard.Config{SendBuffer: 8 << 10, ReceiveBuffer: 8 << 10}, func(p *pair) {
		ca, cb := p.connect()
		const size = 100 << 10
		for i := range 4 {
			go ca.Write(bytes.Repeat([]byte{byte('a' + i)}, size))
		}
		got := make([]byte, 4*size)
		if _, err := io.ReadFull(cb, got); err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(got); i += size {
			if !bytes.Equal(got[i:i+size], bytes.Repeat(got[i:i+1], size)) {
				t.Errorf("the write at %d is mixed with another", i)
			}
		}
		p.must(ca.SetWriteDeadline(time.Now().Add(time.Second)))
		n, err := ca.Write(make([]byte, 1<<20))
		if n == 0 || n == 1<<20 || err == nil {
			t.Errorf("a write that nobody reads: %d, %v", n, err)
		}
		if k, _ := io.ReadFull(cb, make([]byte, n)); k != n {
			t.Errorf("%d of the %d octets that it wrote arrived", k, n)
		}
	})
}

func TestNothingToReadOrWriteIsNoWait(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		ca, _ := p.connect()
		p.must(ca.SetReadDeadline(time.Now().Add(-time.Second)))
		if n, err := ca.Read(nil); n != 0 || err != nil {
			t.Error(n, err)
		}
		if n, err := ca.Write(nil); n != 0 || err != nil {
			t.Error(n, err)
		}
	})
}

func TestBuffersBoundWhatIsUnderWay(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		ca, cb := p.connect()
		p.must(ca.SetWriteBuffer(8 << 10))
		p.must(cb.SetReadBuffer(16 << 10))
		p.must(ca.SetWriteDeadline(time.Now().Add(time.Minute)))
		n, err := ca.Write(make([]byte, 1<<20))
		p.opError(err, os.ErrDeadlineExceeded)
		if n < 24<<10 || n > 80<<10 { // the 64 KiB that the SYN's window promised are not taken back
			t.Errorf("%d octets were written to a peer that does not read, with 8 KiB here and 16 KiB there", n)
		}
	})
}

// TestLeastBuffersCarryABulk has buffers set that would hold no segment, or not even one unit of the window's scale.
func TestLeastBuffersCarryABulk(t *testing.T) {
	const bulk = 200 << 10
	for _, octets := range []int{-1, 0, 1, 100} {
		inBubble(t, shard.Config{}, func(p *pair) {
			ca, cb := p.connect()
			p.must(ca.SetWriteBuffer(octets))
			p.must(cb.SetReadBuffer(octets))
			p.must(cb.SetReadDeadline(time.Now().Add(time.Minute)))
			written := p.after(func() error {
				_, err := ca.Write(make([]byte, bulk))
				return err
			})
			if _, err := io.ReadFull(cb, make([]byte, bulk)); err != nil {
				t.Errorf("with buffers of %d: %v", octets, err)
				return
			}
			p.must((<-written).err)
		})
	}
}

// TestAWriteThatWaitsGoesOnInALargerBuffer: nobody reads, so that nothing else makes room.
func TestAWriteThatWaitsGoesOnInALargerBuffer(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		ca, cb := p.connect()
		p.must(ca.SetWriteBuffer(8 << 10))
		p.must(cb.SetReadBuffer(8 << 10))
		p.must(ca.SetWriteDeadline(time.Now().Add(time.Minute)))
		written := p.after(func() error {
			_, err := ca.Write(make([]byte, 200<<10))
			return err
		})
		p.must(ca.SetWriteBuffer(1 << 20))
		p.want(written, nil, 0)
	})
}
