package netconn

import (
	"bytes"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/tcp"
)

// numbered is n octets of a stream that differ from those near.
func numbered(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*13 + i>>8)
	}
	return b
}

// Sizes around those of blocks, super-segments and what is copied under the lock.
var copySizes = []int{1, 100, lendFrom - 1, lendFrom, 20000, 65000, 65160, 65161, 131072, 300000}

func TestBulkArrivesWholeWhateverTheSizesOfWritesAndReads(t *testing.T) {
	linux := tcp.LinuxSettings()
	for name, cfg := range map[string]shard.Config{
		"default": {}, "small buffers": {ReceiveBuffer: 30000, SendBuffer: 20000}, "packets": {TCP: &linux},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(4) {
				inBubble(t, cfg, func(p *pair) {
					want := numbered(3 << 20)
					here, there := p.connect()
					go func() {
						rng := rand.New(rand.NewPCG(seed, 1))
						for rest := want; len(rest) > 0; {
							n := min(copySizes[rng.IntN(len(copySizes))], len(rest))
							if k, err := here.Write(rest[:n]); err != nil || k != n {
								t.Errorf("Write: %d of %d, %v", k, n, err)
								return
							}
							rest = rest[n:]
						}
						here.CloseWrite()
					}()
					rng := rand.New(rand.NewPCG(seed, 2))
					var got []byte
					for {
						b := make([]byte, copySizes[rng.IntN(len(copySizes))])
						n, err := there.Read(b)
						got = append(got, b[:n]...)
						if err == io.EOF {
							break
						}
						p.must(err)
					}
					if !bytes.Equal(got, want) {
						t.Errorf("seed %d: %d octets came, and not those that were sent, %d", seed, len(got), len(want))
					}
				})
			}
		})
	}
}

func TestCopyFromAReaderToAWriterIsWhole(t *testing.T) {
	for _, cfg := range []shard.Config{{}, {SendBuffer: 20000}} {
		inBubble(t, cfg, func(p *pair) {
			want := numbered(2 << 20)
			here, there := p.connect()
			rng := rand.New(rand.NewPCG(1, 1))
			rest := want
			go func() {
				n, err := here.ReadFrom(readerFunc(func(b []byte) (int, error) {
					n := copy(b[:min(copySizes[rng.IntN(len(copySizes))], len(b))], rest)
					if rest = rest[n:]; len(rest) == 0 {
						return n, io.EOF // with the last octets
					}
					return n, nil
				}))
				if n != int64(len(want)) || err != nil {
					t.Errorf("ReadFrom: %d, %v", n, err)
				}
				here.CloseWrite()
			}()
			var got bytes.Buffer
			n, err := there.WriteTo(writerFunc(got.Write))
			if n != int64(len(want)) || err != nil || !bytes.Equal(got.Bytes(), want) {
				t.Errorf("WriteTo: %d octets, %v, the right ones: %v", n, err, bytes.Equal(got.Bytes(), want))
			}
		})
	}
}

// A Write that copies without the lock while the connection ends gives back what it holds.
func TestCloseDuringABulkWriteLeaksNothing(t *testing.T) {
	for i := range 20 {
		inBubble(t, shard.Config{}, func(p *pair) {
			here, there := p.connect()
			done := make(chan error)
			var total atomic.Int64
			go func() {
				for {
					n, err := here.Write(make([]byte, 100000+i))
					if total.Add(int64(n)); err != nil {
						done <- err
						return
					}
				}
			}()
			b := make([]byte, 100000)
			for range i {
				there.Read(b)
			}
			if i%2 == 0 {
				here.Close()
			} else {
				there.SetLinger(0)
				there.Close()
			}
			if err := <-done; err == nil || total.Load() == 0 && i > 0 {
				p.Errorf("Write ended with %v after %d octets", err, total.Load())
			}
		})
	}
}
