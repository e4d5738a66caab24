package tun

import (
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// The virtio feature bits (Virtual I/O Device 1.2 §5.1.3) that a device may have.
const (
	featureCsum      uint64 = 1 << 0
	featureGuestCsum uint64 = 1 << 1
	featureGuestTSO4 uint64 = 1 << 7
	featureGuestTSO6 uint64 = 1 << 8
	featureHostTSO4  uint64 = 1 << 11
	featureHostTSO6  uint64 = 1 << 12
	featureGuestUSO4 uint64 = 1 << 54
	featureGuestUSO6 uint64 = 1 << 55
	featureHostUSO   uint64 = 1 << 56

	vnetFeatures = featureCsum | featureGuestCsum | featureGuestTSO4 | featureGuestTSO6 | featureHostTSO4 | featureHostTSO6
	usoFeatures  = featureGuestUSO4 | featureGuestUSO6 | featureHostUSO
)

// Device is an open TUN device. Its methods may be called from several goroutines, but the
// reads of one queue must come one at a time.
type Device struct {
	name     string
	index    int
	features uint64
	vnet     bool // the descriptors carry the virtio-net header themselves
	queues   []*queue
	mtu      atomic.Int64
	closed   atomic.Bool
	counters counters

	errClosed, errGone, errDown error // made once, so that a busy path does not make them

	created    bool // by Open, which found none of the name
	multiQueue bool // it was there and is for several queues
	headerLen  int  // of the virtio-net header, as it was found; 0 not known

	// undo is the *host, but for a device from Attach. Its type stands in no field of this
	// struct, so that a program that only attaches does not link it, and netlink with it.
	undo  undoer
	watch *watch

	closing sync.Mutex
}

// counters count by reason what was lost.
type counters struct {
	readTruncated, readEmpty, writeDown, writeRefused atomic.Uint64
}

// undoer puts back what was done on the kernel's side of a device.
type undoer interface {
	beforeClose(d *Device) error // while the queues are open
	afterClose()
}

func newDevice(name string) *Device {
	d := &Device{}
	d.setName(name)
	return d
}

// setName keeps the name and makes the errors that name it.
func (d *Device) setName(name string) {
	d.name = name
	d.errClosed = &Error{Op: "use", On: name, Why: "the device is closed", Err: os.ErrClosed}
	d.errGone = &Error{Op: "use", On: name, Why: "the interface was deleted", Hint: "open it again", Err: errGone}
	d.errDown = &Error{Op: "write to", On: name, Why: "the interface is down", Hint: "set it up", Err: unix.ENETDOWN}
}

// Name returns the interface's name as it was when the device was opened.
func (d *Device) Name() string { return d.name }

// Index returns the interface's index in its network namespace.
func (d *Device) Index() int { return d.index }

// MTU returns the interface's MTU in octets, also after somebody else changed it.
func (d *Device) MTU() int { return int(d.mtu.Load()) }

// Features returns the virtio feature bits (Virtual I/O Device 1.2 §5.1.3) that hold for
// the device: 0 for a plain one.
func (d *Device) Features() uint64 { return d.features }

// Queues returns how many queues there are.
func (d *Device) Queues() int { return len(d.queues) }

// Created reports whether Open made the device, which is then gone after Close, rather than
// attached to one that was there.
func (d *Device) Created() bool { return d.created }

// Backend returns the way in: "vnet_hdr" with offloads, otherwise "plain".
func (d *Device) Backend() string {
	if d.vnet {
		return "vnet_hdr"
	}
	return "plain"
}

// ReadFrames waits for at least one packet on the queue and fills bufs with as many as are
// there, one in each, behind a virtio-net header; sizes[i] becomes the octets of bufs[i]
// that were filled, header included. It returns how many it read. While the interface is
// down it waits. A packet too large for its buffer is dropped and counted.
//
// The error wraps os.ErrClosed after Close, and ENODEV and os.ErrClosed when the interface
// was deleted.
func (d *Device) ReadFrames(queue int, bufs [][]byte, sizes []int) (int, error) {
	if uint(queue) >= uint(len(d.queues)) {
		return 0, d.noQueue("read from", queue)
	}
	return d.queues[queue].readFrames(bufs, sizes)
}

// WriteFrames gives the frames to the kernel in order and returns how many it took. It
// never takes fewer without an error: where it must wait, it waits inside.
//
// An error says that frames[n] was not sent and never will be; the frames after it may be
// tried. It wraps ENETDOWN while the interface is down, EINVAL where the kernel refuses the
// frame, os.ErrClosed after Close, and ENODEV and os.ErrClosed when the interface was
// deleted.
func (d *Device) WriteFrames(queue int, frames [][]byte) (int, error) {
	if uint(queue) >= uint(len(d.queues)) {
		return 0, d.noQueue("write to", queue)
	}
	return d.queues[queue].writeFrames(frames)
}

func (d *Device) noQueue(op string, queue int) error {
	if d.closed.Load() {
		return d.errClosed
	}
	return &Error{Op: op, On: d.name, Why: "there is no queue " + itoa(queue), Err: unix.EINVAL}
}

// Counters calls fn for each counter of the device with its name and value.
func (d *Device) Counters(fn func(name string, value uint64)) {
	fn("tun.read.drop.empty", d.counters.readEmpty.Load())
	fn("tun.read.drop.truncated", d.counters.readTruncated.Load())
	fn("tun.write.drop.down", d.counters.writeDown.Load())
	fn("tun.write.drop.refused", d.counters.writeRefused.Load())
}

// Close stops the device: pending reads return, what was added to an operator's device is
// taken away and what was changed is put back, and a device that Open made is gone when
// Close returns. A second Close does nothing. The error says what could not be put back.
func (d *Device) Close() error {
	d.closing.Lock()
	defer d.closing.Unlock()
	if d.closed.Swap(true) {
		return nil
	}
	if d.watch != nil {
		d.watch.stop()
	}
	var err error
	if !d.created {
		d.resetQueues()
	}
	if d.undo != nil {
		err = d.undo.beforeClose(d)
	}
	d.closeQueues()
	if d.undo != nil {
		d.undo.afterClose()
	}
	return err
}

// resetQueues leaves no offload and no header length of ours on a device that stays.
func (d *Device) resetQueues() {
	if len(d.queues) == 0 {
		return
	}
	d.queues[0].control(func(fd int) {
		unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, offloadNone)
		if d.headerLen > 0 {
			unix.IoctlSetPointerInt(fd, unix.TUNSETVNETHDRSZ, d.headerLen)
		}
	})
}

func (d *Device) closeQueues() {
	for _, q := range d.queues {
		q.closer.Close()
	}
	if !d.closed.Load() {
		d.queues = nil
	}
}

// noteHeader keeps the length of the virtio-net header before it is changed.
func (d *Device) noteHeader(fd int) {
	if n, err := unix.IoctlGetUint32(fd, unix.TUNGETVNETHDRSZ); err == nil {
		d.headerLen = int(n)
	}
}
