package tun

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkReadFlood reads what a thread of the kernel sends as fast as it can, by how many
// frames a call takes.
func BenchmarkReadFlood(b *testing.B) {
	for _, batch := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			inNamespace(b, func(*Namespace) {
				d, stop := flooded(b)
				defer stop()
				bufs, sizes := buffers(batch)
				calls := 0
				b.ReportAllocs()
				for n := 0; n < b.N; calls++ {
					k, err := d.ReadFrames(0, bufs, sizes)
					must(b, err)
					n += k
				}
				b.ReportMetric(float64(b.N)/float64(calls), "frames/call")
			})
		})
	}
}

// flooded opens a device that the kernel sends small datagrams to.
func flooded(b *testing.B) (*Device, func()) {
	d := mustOpenUp(b, Config{RingLen: 1000})
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	must(b, err)
	must(b, unix.Connect(fd, &unix.SockaddrInet4{Port: 9, Addr: weir4.As4()}))
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		payload := make([]byte, 64)
		for {
			select {
			case <-done:
				return
			default:
			}
			for range 32 {
				unix.Write(fd, payload)
			}
		}
	})
	return d, func() { close(done); wg.Wait(); unix.Close(fd); d.Close() }
}

// BenchmarkPingPong is one request and its answer at a time: what a read that finds nothing
// costs.
func BenchmarkPingPong(b *testing.B) {
	for _, batch := range []int{1, 16} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			inNamespace(b, func(*Namespace) {
				d := mustOpenUp(b, Config{})
				fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
				must(b, err)
				defer unix.Close(fd)
				must(b, unix.Connect(fd, &unix.SockaddrInet4{Port: 9, Addr: weir4.As4()}))
				go func() {
					bufs, sizes := buffers(batch)
					for {
						n, err := d.ReadFrames(0, bufs, sizes)
						if err != nil {
							return
						}
						for i := range n {
							p := bufs[i][vnetLen:sizes[i]]
							if p[0]>>4 == 4 && p[9] == 17 {
								swap(p[12:16], p[16:20])
								swap(p[20:22], p[22:24])
								p[26], p[27] = 0, 0
								clear(bufs[i][:vnetLen])
								d.WriteFrames(0, [][]byte{bufs[i][:sizes[i]]})
							}
						}
					}
				}()
				buf := make([]byte, 100)
				b.ResetTimer()
				for range b.N {
					unix.Write(fd, buf[:64])
					unix.Read(fd, buf)
				}
				b.StopTimer()
				d.Close()
			})
		})
	}
}

// BenchmarkWrite writes datagrams that the kernel drops early: to a port that nobody has.
func BenchmarkWrite(b *testing.B) {
	for _, batch := range []int{1, 16} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			inNamespace(b, func(*Namespace) {
				d := mustOpenUp(b, Config{})
				p := ip4Packet()
				copy(p[16:], netip.MustParseAddr("203.0.113.1").AsSlice())
				clear(p[10:12])
				s := ^sum(p[:20])
				p[10], p[11] = byte(s>>8), byte(s)
				frame := append(make([]byte, vnetLen), p...)
				frames := make([][]byte, batch)
				for i := range frames {
					frames[i] = frame
				}
				b.ReportAllocs()
				for n := 0; n < b.N; n += batch {
					if _, err := d.WriteFrames(0, frames); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
