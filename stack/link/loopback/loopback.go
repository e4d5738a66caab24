// Package loopback is the link that a stack has to itself: what it writes is what it
// reads.
//
// # Theory of operation
//
// The device is a pipe of which one party holds both ends, writing into one and reading
// from the other. It offers every offload: a frame never is on a wire, so its
// checksum is left unfinished and never looked at (link.ChecksumPartial), and a
// super-segment stays whole. Like any pipe it has a bound, takes fewer frames when it is
// full and says when there is room again; it never waits in WriteFrames, so a stack
// that reads and writes it in one goroutine does not lock itself out.
package loopback

import (
	"cmp"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/link/pipe"
)

// MTU is the device's MTU: 65,536 octets, as Linux gives its lo.
const MTU = 65536

// Device is a loopback device. It is a link.Device and a link.Notifier, with one queue.
type Device struct {
	name       string
	near, back *pipe.End
}

var (
	_ link.Device   = (*Device)(nil)
	_ link.Notifier = (*Device)(nil)
)

// New returns a loopback device, called "lo" where name is empty.
func New(name string) *Device {
	d := &Device{name: cmp.Or(name, "lo")}
	d.near, d.back = pipe.New(pipe.Options{Name: d.name, MTU: MTU, Offload: true, QueueBytes: 4 << 20})
	return d
}

// Name returns the device's name.
func (d *Device) Name() string { return d.name }

// MTU returns MTU.
func (d *Device) MTU() int { return d.near.MTU() }

// Features returns all virtio features that link names.
func (d *Device) Features() uint64 { return d.near.Features() }

// Queues returns 1.
func (d *Device) Queues() int { return 1 }

// ReadFrames waits for what WriteFrames wrote, see link.Device. After Close the error is
// net.ErrClosed.
func (d *Device) ReadFrames(queue int, bufs [][]byte, sizes []int) (int, error) {
	return d.back.ReadFrames(queue, bufs, sizes)
}

// WriteFrames puts frames where ReadFrames finds them, see link.Device and the errors of
// pipe.End.WriteFrames. It never waits.
func (d *Device) WriteFrames(queue int, frames [][]byte) (int, error) {
	return d.near.WriteFrames(queue, frames)
}

// OnWritable sets what is called when there is room again, see pipe.End.OnWritable.
func (d *Device) OnWritable(f func()) { d.near.OnWritable(f) }

// Close ends all reads and writes and gives up what was not read. The error is nil.
func (d *Device) Close() error {
	d.near.Close()
	return d.back.Close()
}

// InUse returns how many frames the device holds memory for: zero after Close.
func (d *Device) InUse() int { return d.near.InUse() }

// Stats returns what became of the frames that were written.
func (d *Device) Stats() pipe.Stats { return d.near.Stats() }
