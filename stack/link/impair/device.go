package impair

import (
	"net"
	"sync"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/link"
)

// Device is a device with an impaired network before it, in real time. It is a link.Device
// and a link.Notifier, with one queue.
type Device struct {
	dev   link.Device
	epoch time.Time
	pumps sync.WaitGroup

	mu       sync.Mutex
	changed  sync.Cond // something may be readable, a send has ended, or it is closed
	out, in  *Model
	outTimer *time.Timer
	inTimer  *time.Timer
	closed   bool
	readers  int   // pumps that still run
	readErr  error // what the last of them met

	sender
}

var (
	_ link.Device   = (*Device)(nil)
	_ link.Notifier = (*Device)(nil)
)

// Wrap puts a network that cfg describes before dev, the same for both directions but
// with decisions of their own. The Device owns dev and closes it.
//
// One goroutine for each receive queue of dev takes in what arrives; all of them are gone
// when Close returns. There is one queue to read from, however many dev has.
func Wrap(dev link.Device, cfg Config) *Device {
	in := cfg
	in.Seed = ^cfg.Seed
	return WrapEach(dev, cfg, in)
}

// WrapEach is Wrap with a network for each direction: out for what is written, in for what
// is read.
func WrapEach(dev link.Device, out, in Config) *Device {
	d := &Device{dev: dev, epoch: time.Now(), out: New(out), in: New(in), readers: dev.Queues()}
	d.changed.L = &d.mu
	d.outTimer = time.AfterFunc(time.Hour, d.flush)
	d.inTimer = time.AfterFunc(time.Hour, d.wake)
	d.outTimer.Stop()
	d.inTimer.Stop()
	if n, ok := dev.(link.Notifier); ok {
		n.OnWritable(d.roomBelow)
	}
	for q := range dev.Queues() {
		d.pumps.Go(func() { d.pump(q) })
	}
	return d
}

// Name returns the name of the device below.
func (d *Device) Name() string { return d.dev.Name() }

// MTU returns the MTU of the device below.
func (d *Device) MTU() int { return d.dev.MTU() }

// Features returns the features of the device below.
func (d *Device) Features() uint64 { return d.dev.Features() }

// Queues returns 1.
func (d *Device) Queues() int { return 1 }

// Stats returns the counters of both directions.
func (d *Device) Stats() (out, in Stats) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.out.Stats(), d.in.Stats()
}

// Configure changes both directions, see Model.Configure.
func (d *Device) Configure(out, in Config) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.out.Configure(out)
	d.in.Configure(in)
}

// InUse returns how many buffers are in use, both directions together: zero after Close.
func (d *Device) InUse() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.out.InUse() + d.in.InUse()
}

// ReadFrames waits for frames to arrive through the network, see link.Device. When the device
// below fails, what is on the way still arrives and the failure is returned after it.
func (d *Device) ReadFrames(_ int, bufs [][]byte, sizes []int) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		if d.closed {
			return 0, net.ErrClosed
		}
		if n := d.arrived(bufs, sizes); n > 0 || len(bufs) == 0 {
			return n, nil
		}
		if d.readers == 0 && d.in.Len() == 0 {
			return 0, d.readErr
		}
		d.arm(d.inTimer, d.in)
		d.changed.Wait()
	}
}

// arrived copies out what is due.
func (d *Device) arrived(bufs [][]byte, sizes []int) (n int) {
	now := d.now()
	for n < min(len(bufs), len(sizes)) {
		f, ok := d.in.Pop(now)
		if !ok {
			break
		}
		b := f.Wire()
		if len(b) > len(bufs[n]) {
			d.in.stats.Delivered--
			d.in.stats.DropTooLong++
			continue
		}
		sizes[n] = copy(bufs[n], b)
		n++
	}
	d.in.giveBack(&d.in.lent)
	return n
}

// Close closes the device below, waits for the goroutines and gives back what is on the
// way. Its error is the device's. It must not be called from what OnWritable was given.
func (d *Device) Close() error {
	d.mu.Lock()
	d.closed = true
	d.outTimer.Stop()
	d.inTimer.Stop()
	d.changed.Broadcast()
	d.mu.Unlock()

	err := d.dev.Close()
	d.pumps.Wait()

	d.mu.Lock()
	defer d.mu.Unlock()
	for d.sending {
		d.changed.Wait()
	}
	d.dropBatch(len(d.batch))
	d.out.Close()
	d.in.Close()
	return err
}

// pumpFrames is how many frames a pump reads at once.
const pumpFrames = 16

// pump moves what one queue of the device below receives into the network.
func (d *Device) pump(queue int) {
	frames := make([]link.Frame, pumpFrames)
	bufs, sizes := make([][]byte, pumpFrames), make([]int, pumpFrames)
	for i := range frames {
		frames[i].Buf = make([]byte, link.FrameSize)
		bufs[i] = frames[i].ReadBuf()
	}
	for {
		n, err := d.dev.ReadFrames(queue, bufs, sizes)
		if !d.received(frames[:n], sizes, err) {
			return
		}
	}
}

// received takes in a batch; it reports whether there may be another.
func (d *Device) received(frames []link.Frame, sizes []int, err error) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.changed.Broadcast()
	if d.closed {
		return false
	}
	now := d.now()
	for i := range frames {
		if frames[i].SetRead(sizes[i]) != nil {
			d.in.stats.Packets++
			d.in.stats.DropMalformed++
			continue
		}
		d.in.Push(now, &frames[i])
	}
	if err != nil {
		d.readers--
		d.readErr = err
	}
	return err == nil
}

// wake is the timer of the reading direction.
func (d *Device) wake() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.changed.Broadcast()
}

func (d *Device) now() clock.Time { return clock.Time(time.Since(d.epoch)) }

// arm sets a direction's timer to its deadline.
func (d *Device) arm(t *time.Timer, m *Model) {
	if at := m.Deadline(); at != clock.Never && !d.closed {
		t.Reset(at.Sub(d.now()))
	}
}
