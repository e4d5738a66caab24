package netconn

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/stack/shard"
)

// TestReaderThatWaitsGetsWhatFits has a reader wait with a buffer that is shorter than what comes, as long, and longer. What
// it does not take is read when its frame has long been used again.
func TestReaderThatWaitsGetsWhatFits(t *testing.T) {
	const text = 10
	for _, size := range []int{1, 3, text, 100} {
		inBubble(t, shard.Config{}, func(p *pair) {
			near, far := p.connect()
			for round := range byte(20) {
				var got []byte
				read := p.after(func() error {
					buf := make([]byte, size)
					n, err := near.Read(buf)
					got = buf[:n]
					return err
				})
				var sent []byte
				for k := range byte(3) {
					more := bytes.Repeat([]byte{3*round + k}, text)
					far.Write(more)
					synctest.Wait()
					sent = append(sent, more...)
				}
				p.want(read, nil, 0)
				if len(got) != min(size, text) {
					t.Errorf("a buffer of %d got %d octets of %d", size, len(got), text)
				}
				rest := make([]byte, len(sent)-len(got))
				if _, err := io.ReadFull(near, rest); err != nil {
					t.Fatal(err)
				}
				if got = append(got, rest...); !bytes.Equal(got, sent) {
					t.Fatalf("with a buffer of %d came %d, want %d", size, got, sent)
				}
			}
		})
	}
}

// TestBufferIsNotTouchedAfterRead gives up a Read and has something come then: it is the next Read's.
func TestBufferIsNotTouchedAfterRead(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		near, far := p.connect()
		first := []byte("first")
		near.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := near.Read(first); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("read: %v, want the deadline", err)
		}
		near.SetReadDeadline(time.Time{})
		far.Write([]byte("other"))
		synctest.Wait()
		if string(first) != "first" {
			t.Errorf("the buffer is %q after its Read has returned", first)
		}
		next := make([]byte, 9)
		if n, err := near.Read(next); string(next[:n]) != "other" || err != nil {
			t.Errorf("then %q, %v came, want what was sent", next[:n], err)
		}
	})
}

// TestEveryOctetGoesToOneReader has two readers wait, one with its buffer offered to the driver. Both are woken by an
// octet, and which of them runs first is the scheduler's choice.
func TestEveryOctetGoesToOneReader(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		near, far := p.connect()
		got := make(chan byte, 2)
		for n := byte(1); n < 100; n += 2 {
			for range cap(got) {
				go func() {
					buf := make([]byte, 1)
					if _, err := near.Read(buf); err != nil {
						t.Error(err)
					}
					got <- buf[0]
				}()
				synctest.Wait()
			}
			for _, octet := range []byte{n, n + 1} {
				far.Write([]byte{octet})
				if b := <-got; b != octet {
					t.Fatalf("octet %d came, want %d", b, octet)
				}
				synctest.Wait()
			}
		}
	})
}

// TestTheDriverKnowsOfAReaderWhoWaits: only then may text lie in its frame until OnEvent has been called.
func TestTheDriverKnowsOfAReaderWhoWaits(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		near, far := p.connect()
		want := func(takes bool) {
			t.Helper()
			synctest.Wait()
			near.c.Lock()
			defer near.c.Unlock()
			if told := near.c.UserFlags&shard.UserTakes != 0; told != takes || (near.into != nil) != takes {
				t.Errorf("the driver is told %v, the buffer is %v, want %v", told, near.into, takes)
			}
		}
		want(false)
		for range 3 {
			read := p.after(func() error {
				_, err := near.Read(make([]byte, 10))
				return err
			})
			want(true)
			far.Write([]byte("text"))
			want(false)
			p.want(read, nil, 0)
			if !near.hasRead {
				t.Error("nobody is said to have read")
			}
		}
		far.Write(make([]byte, shard.MostTaken+1)) // for nobody
		want(false)
	})
}

// TestAReaderLeavesAnothersTextAlone has a reader come when what another has been given is in that one's buffer and that
// one has not run yet.
func TestAReaderLeavesAnothersTextAlone(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		near, far := p.connect()
		got := func(n int) (was int) {
			near.c.Lock()
			defer near.c.Unlock()
			was, near.got = int(near.got), uint16(n)
			return was
		}
		got(3)
		buf := make([]byte, 10)
		var n int
		read := p.after(func() (err error) {
			n, err = near.Read(buf)
			return err
		})
		far.Write([]byte("text"))
		p.want(read, nil, 0)
		if string(buf[:n]) != "text" {
			t.Errorf("%q was read, want what came", buf[:n])
		}
		if was := got(0); was != 3 {
			t.Errorf("the other is told of %d octets, want its 3", was)
		}
	})
}

// TestMuchIsNotCopiedInTheReceivePath: it stays for the reader to take.
func TestMuchIsNotCopiedInTheReceivePath(t *testing.T) {
	for _, n := range []int{shard.MostTaken, shard.MostTaken + 1} {
		inBubble(t, shard.Config{}, func(p *pair) {
			near, far := p.connect()
			far.Write(make([]byte, n))
			synctest.Wait()
			near.c.Lock()
			near.offer(make([]byte, 2*n))
			near.takeIn()
			got := int(near.got)
			near.got = 0
			near.offer(nil)
			near.c.Unlock()
			if taken := got == n; taken != (n <= shard.MostTaken) || got != 0 && !taken {
				t.Errorf("of %d octets %d were taken, want all up to %d and none of more", n, got, shard.MostTaken)
			}
		})
	}
}

// TestStreamIsWholeWhereReadsAreGivenUp has a reader whose deadline passes as text comes, with buffers of all lengths. What
// a Read did not say that it has read is the next one's, and its buffer is not written to afterwards.
func TestStreamIsWholeWhereReadsAreGivenUp(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		const total = 200_000
		near, far := p.connect()
		rng := rand.New(rand.NewPCG(7, 7))
		written := p.after(func() error {
			text := make([]byte, total)
			for i := range text {
				text[i] = byte(i % 251)
			}
			rng := rand.New(rand.NewPCG(8, 8))
			for len(text) > 0 {
				n := min(1+rng.IntN(4000)>>rng.IntN(12), len(text))
				far.Write(text[:n])
				text = text[n:]
				time.Sleep(time.Duration(rng.IntN(3)) * time.Microsecond)
			}
			return nil
		})
		defer func() { near.Close(); <-written }()
		var given []byte // up by the Read before
		for at := 0; at < total; {
			buf := make([]byte, 1+rng.IntN(3000))
			near.SetReadDeadline(time.Now().Add(time.Duration(rng.IntN(3)) * time.Microsecond))
			n, err := near.Read(buf)
			if err != nil && (n != 0 || !errors.Is(err, os.ErrDeadlineExceeded)) {
				t.Fatalf("%d octets and %v", n, err)
			}
			for i, b := range buf[:n] {
				if b != byte((at+i)%251) {
					t.Fatalf("octet %d is another", at+i)
				}
			}
			if bytes.Count(given, []byte{0}) != len(given) {
				t.Fatal("a buffer was written to after its Read had returned")
			}
			given = buf[n:]
			at += n
		}
	})
}
