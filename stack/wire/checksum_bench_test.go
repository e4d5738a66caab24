package wire_test

import (
	"fmt"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"

	"github.com/weirnet/weir/stack/wire"
)

var sink uint16

// BenchmarkSum stands beside gVisor's checksum, over the sizes of a bare ACK's IPv6
// header, a small packet, the smallest IPv4 MTU, a full segment and a super-segment.
// The odd offset is that of a payload behind an odd prefix.
func BenchmarkSum(b *testing.B) {
	for _, size := range []int{40, 64, 576, 1460, 65000} {
		for _, off := range []int{0, 2} {
			buf := make([]byte, size+off)
			for i := range buf {
				buf[i] = byte(i * 7)
			}
			buf = buf[off:]
			b.Run(fmt.Sprintf("size=%d/offset=%d/by=weir", size, off), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					sink = wire.Sum(buf, 0)
				}
			})
			b.Run(fmt.Sprintf("size=%d/offset=%d/by=gvisor", size, off), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					sink = checksum.Checksum(buf, 0)
				}
			})
		}
	}
}

// TestSumAgreesWithGVisor checks one implementation against the other.
func TestSumAgreesWithGVisor(t *testing.T) {
	buf := make([]byte, 4096)
	for i := range buf {
		buf[i] = byte(i*i>>3 ^ i)
	}
	for n := range len(buf) {
		if got, want := wire.Sum(buf[:n], uint16(n)), checksum.Checksum(buf[:n], uint16(n)); got != want {
			t.Fatalf("Sum of %d octets = %#04x, gVisor has %#04x", n, got, want)
		}
	}
}
