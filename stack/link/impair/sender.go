package impair

import (
	"net"

	"github.com/weirnet/weir/stack/link"
)

// sendFrames is how many frames are written to the device below at once.
const sendFrames = 64

// sender is the writing direction of a Device: what has come through the
// network and is on its way into the device below.
type sender struct {
	sending bool   // somebody is in flush
	blocked bool   // the device below is full
	room    bool   // and has said since that it has room
	batch   []item // what the device below was given and has not taken
	wires   [][]byte

	starved    bool // the writer was turned away
	onWritable func()
}

// OnWritable sets what is called when WriteFrames takes frames again after it took
// fewer than it was given.
func (d *Device) OnWritable(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onWritable = f
}

// WriteFrames sends frames into the network, see link.Device. It takes all while the device
// below is not full: what the network has no room for is lost in it. The error is
// net.ErrClosed after Close, or that of a frame with a wrong virtio-net header. What
// the device below refuses comes too late for an error and is counted.
func (d *Device) WriteFrames(_ int, frames [][]byte) (int, error) {
	n, err := d.admit(frames)
	d.flush()
	return n, err
}

func (d *Device) admit(frames [][]byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return 0, net.ErrClosed
	}
	if d.blocked {
		d.starved = true
		return 0, nil
	}
	now := d.now()
	for i, b := range frames {
		var f link.Frame
		if err := f.SetWire(b); err != nil {
			return i, err
		}
		d.out.Push(now, &f)
	}
	return len(frames), nil
}

// roomBelow is what the device below calls when it is no longer full.
func (d *Device) roomBelow() {
	d.mu.Lock()
	d.room, d.blocked = true, false
	d.mu.Unlock()
	d.flush()
}

// flush writes what has come through the network to the device below, then sets the timer
// for what comes next. One goroutine at a time does so, which keeps the order; another
// that comes meanwhile leaves its frames to the first.
func (d *Device) flush() {
	d.mu.Lock()
	if d.sending || d.closed {
		d.mu.Unlock()
		return
	}
	d.sending = true
	for !d.blocked && d.fill() {
		d.room = false
		d.mu.Unlock()
		n, err := d.dev.WriteFrames(0, d.wires)
		d.mu.Lock()
		d.written(n, err)
	}
	d.sending = false
	if !d.blocked {
		d.arm(d.outTimer, d.out)
	}
	notify := d.wanted()
	d.changed.Broadcast()
	d.mu.Unlock()
	if notify != nil {
		notify()
	}
}

// fill tops the batch up with what is due; it reports whether there is anything to write.
func (d *Device) fill() bool {
	for !d.closed && len(d.batch) < sendFrames {
		it, ok := d.out.take(d.now())
		if !ok {
			break
		}
		d.batch = append(d.batch, it)
		d.wires = append(d.wires, d.batch[len(d.batch)-1].frame.Wire())
	}
	return !d.closed && len(d.batch) > 0
}

// written accounts for a write of the batch that took n frames.
func (d *Device) written(n int, err error) {
	wanted := len(d.batch)
	d.dropBatch(n)
	switch {
	case err != nil && n < wanted:
		d.dropBatch(1) // never will be sent
		d.out.stats.Delivered--
		d.out.stats.DropDevice++
	case n < wanted:
		d.blocked = !d.room
	}
}

// dropBatch gives back the first n frames of the batch.
func (d *Device) dropBatch(n int) {
	for i := range d.batch[:n] {
		d.out.giveBack(&d.batch[i])
	}
	rest := copy(d.batch, d.batch[n:])
	clear(d.batch[rest:])
	d.batch = d.batch[:rest]
	copy(d.wires, d.wires[n:])
	d.wires = d.wires[:rest]
}

// wanted returns what to call, without the lock, because frames are taken again.
func (d *Device) wanted() func() {
	if d.blocked || d.closed || !d.starved {
		return nil
	}
	d.starved = false
	return d.onWritable
}
