package demo

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/weirnet/weir/apps/echo"
)

const (
	chunkSize = 256 << 10
	chunks    = 16 // that may wait to be hashed
)

// transfer sends a large amount through TCP echo and compares what comes back. The
// content is random chunks with a number in each, so that none can be taken
// for another. What will be sent is hashed beforehand and what comes back in a
// goroutine beside the reader: the time is the network's, as far as the
// processors reach.
type transfer struct {
	scene *scene
	addr  netip.Addr
	size  int64
	out   *screen
	name  string

	base     []byte
	received atomic.Int64
}

func (t *transfer) run(ctx context.Context) (result, error) {
	t.base = make([]byte, chunkSize)
	rand.NewChaCha8([32]byte([]byte("weir demo: any octets would do  "))).Read(t.base)
	want, err := t.hash(ctx)
	if err != nil {
		return result{}, err
	}
	c, err := t.scene.dial(ctx, "tcp", t.addr, echo.Port)
	if err != nil {
		return result{}, err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })() // an interrupt does not wait for the deadline

	stop := t.showProgress(time.Now())
	start := time.Now()
	sent := make(chan error, 1)
	go func() { sent <- t.send(c) }()
	got, err := t.receive(c)
	took := time.Since(start)
	stop()
	if err != nil {
		c.Close()
		return result{}, errors.Join(err, <-sent)
	}
	if err := <-sent; err != nil {
		return result{}, err
	}
	if got != want {
		return result{}, fmt.Errorf("what came back differs: sent sha256 %x, received %x", want, got)
	}
	return result{
		text:    amount(t.size) + " there and back",
		figures: fmt.Sprintf("%.2f s, %s each way", took.Seconds(), rate(t.size, took)),
		more:    []string{fmt.Sprintf("sent     sha256 %x", want), fmt.Sprintf("received sha256 %x", got)},
	}, nil
}

// chunk makes b the chunk at the offset, where b holds t.base already or a chunk.
func (t *transfer) chunk(b []byte, at int64) []byte {
	binary.BigEndian.PutUint64(b, uint64(at))
	return b[:min(chunkSize, t.size-at)]
}

// hash returns the SHA-256 of what send will send.
func (t *transfer) hash(ctx context.Context) (sum [sha256.Size]byte, err error) {
	h := sha256.New()
	b := append([]byte(nil), t.base...)
	for at := int64(0); at < t.size; at += chunkSize {
		if at%(64<<20) == 0 {
			t.out.update(t.name, "hashing what will be sent  "+bar(at, t.size, 20))
			if ctx.Err() != nil {
				return sum, context.Cause(ctx)
			}
		}
		h.Write(t.chunk(b, at))
	}
	h.Sum(sum[:0])
	return sum, nil
}

func (t *transfer) send(c net.Conn) error {
	b := append([]byte(nil), t.base...)
	for at := int64(0); at < t.size; at += chunkSize {
		if _, err := c.Write(t.chunk(b, at)); err != nil {
			return fmt.Errorf("sending, after %s: %w", amount(at), err)
		}
	}
	return closeWrite(c)
}

// receive reads as many octets as were sent and then the end, and returns their hash.
func (t *transfer) receive(c net.Conn) (sum [sha256.Size]byte, err error) {
	h := newHasher()
	for at := int64(0); at < t.size; {
		b := h.buffer()
		n, err := io.ReadFull(c, b[:min(chunkSize, t.size-at)])
		h.add(b, n)
		at += int64(n)
		t.received.Store(at)
		if err != nil {
			h.sum()
			return sum, fmt.Errorf("receiving, after %s: %w", amount(at), err)
		}
	}
	sum = h.sum()
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		return sum, fmt.Errorf("more came back than was sent, or no end: %d, %v", n, err)
	}
	return sum, nil
}

// showProgress draws the bar ten times a second until stop is called.
func (t *transfer) showProgress(start time.Time) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			n := t.received.Load()
			t.out.update(t.name, fmt.Sprintf("%s  %s of %s  %s", bar(n, t.size, 24), amount(n), amount(t.size), rate(n, max(time.Since(start), time.Millisecond))))
			select {
			case <-tick.C:
			case <-quit:
				return
			}
		}
	}()
	return func() {
		close(quit)
		<-done
	}
}

// hasher hashes buffers in a goroutine of its own, in the order of add.
type hasher struct {
	free, full chan []byte
	done       chan struct{}
	hash       hash.Hash
}

func newHasher() *hasher {
	h := &hasher{free: make(chan []byte, chunks), full: make(chan []byte, chunks), done: make(chan struct{}), hash: sha256.New()}
	for range chunks {
		h.free <- make([]byte, chunkSize)
	}
	go func() {
		defer close(h.done)
		for b := range h.full {
			h.hash.Write(b)
			h.free <- b[:chunkSize]
		}
	}()
	return h
}

// buffer returns a buffer to fill and give to add.
func (h *hasher) buffer() []byte { return <-h.free }

// add hashes the first n octets of b.
func (h *hasher) add(b []byte, n int) { h.full <- b[:n] }

// sum ends the goroutine and returns the hash.
func (h *hasher) sum() (sum [sha256.Size]byte) {
	close(h.full)
	<-h.done
	h.hash.Sum(sum[:0])
	return sum
}
