package pipe

import (
	"cmp"
	"sync/atomic"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/mem"
)

const (
	defaultMTU         = 1500
	defaultQueueFrames = 256
	defaultQueueBytes  = 1 << 20

	offloads = link.FeatureCsum | link.FeatureGuestCsum |
		link.FeatureGuestTSO4 | link.FeatureGuestTSO6 |
		link.FeatureHostTSO4 | link.FeatureHostTSO6 |
		link.FeatureGuestUSO4 | link.FeatureGuestUSO6 | link.FeatureHostUSO
)

// Options says what a pipe is like. The zero value is a plain Ethernet-sized cable.
type Options struct {
	// Name is what the ends are called, with "0" and "1" after it; "pipe" if empty.
	Name string
	// MTU is the largest packet in octets; 1500 if zero.
	MTU int
	// QueueFrames is how many frames each direction holds; 256 if zero.
	QueueFrames int
	// QueueBytes is how many octets each direction holds, virtio-net headers
	// included; 1 MiB if zero. An empty direction takes a frame of any size.
	QueueBytes int
	// Offload lets frames travel with partial checksums and as super-segments,
	// TCP and UDP, in both directions.
	Offload bool
}

// End is one end of a pipe. It is a link.Device and a link.Notifier, with one queue.
// Its methods may be called from several goroutines at once.
type End struct {
	name    string
	opt     *Options
	cable   *cable
	in, out *direction
}

// cable is what both ends share.
type cable struct {
	pool mem.Pool
	down atomic.Bool
}

var (
	_ link.Device   = (*End)(nil)
	_ link.Notifier = (*End)(nil)
)

// New returns the two ends of a pipe.
func New(opt Options) (a, b *End) {
	opt.Name = cmp.Or(opt.Name, "pipe")
	opt.MTU = cmp.Or(opt.MTU, defaultMTU)
	opt.QueueFrames = cmp.Or(opt.QueueFrames, defaultQueueFrames)
	opt.QueueBytes = cmp.Or(opt.QueueBytes, defaultQueueBytes)
	c := new(cable)
	ab, ba := newDirection(c, &opt), newDirection(c, &opt)
	a = &End{name: opt.Name + "0", opt: &opt, cable: c, in: ba, out: ab}
	b = &End{name: opt.Name + "1", opt: &opt, cable: c, in: ab, out: ba}
	return a, b
}

// Name returns the end's name: the pipe's, with "0" or "1" after it.
func (e *End) Name() string { return e.name }

// MTU returns the largest packet that the pipe takes whole, in octets.
func (e *End) MTU() int { return e.opt.MTU }

// Features returns the virtio feature bits: none, or all that link names where the
// pipe was made with Offload.
func (e *End) Features() uint64 {
	if e.opt.Offload {
		return offloads
	}
	return 0
}

// Queues returns 1.
func (e *End) Queues() int { return 1 }

// ReadFrames waits for a frame that the other end wrote and reads as many as are
// there and bufs can take, see link.Device. A frame that its buffer is too small
// for is dropped and counted. After Close the error is net.ErrClosed. The other
// end's Close does not end the reading here: it is a far side that has gone silent.
func (e *End) ReadFrames(_ int, bufs [][]byte, sizes []int) (int, error) {
	return e.in.read(bufs, sizes)
}

// WriteFrames sends frames to the other end, see link.Device. It never waits. It
// takes and loses frames while the cable is down or when the other end is closed. The
// error is net.ErrClosed after Close; it satisfies errors.Is(err, syscall.EMSGSIZE) when
// the next frame's packet, or a segment of it, is larger than the MTU, and EINVAL when its
// virtio-net header is wrong or asks for what the pipe does not offer.
func (e *End) WriteFrames(_ int, frames [][]byte) (int, error) {
	return e.out.write(frames)
}

// OnWritable sets what is called when the pipe has room again after WriteFrames took
// fewer frames than it was given. It is called without locks held, by the goroutine
// that reads at the other end or closes it. Setting it after a short write is too late
// for that write. After Close it may be called once more.
func (e *End) OnWritable(f func()) { e.out.setOnWritable(f) }

// Down pulls the cable: what either end writes is lost and counted until Up. Frames
// already in the pipe arrive.
func (e *End) Down() { e.cable.down.Store(true) }

// Up puts the cable back.
func (e *End) Up() { e.cable.down.Store(false) }

// Close makes this end's calls fail with net.ErrClosed and wakes its readers. What the
// other end wrote and was not read is given up; what this end wrote can still be read
// there. Closing again does nothing. The error is always nil.
func (e *End) Close() error {
	e.out.closeWriter()
	e.in.closeReader()
	return nil
}

// InUse returns how many frames the pipe holds memory for, both directions together:
// zero when all was read or both ends are closed and no call is under way.
func (e *End) InUse() int { return int(e.cable.pool.Outstanding()) }

// Stats returns what became of the frames that this end wrote.
func (e *End) Stats() Stats { return e.out.stats() }
