package pcapng

import "github.com/weirnet/weir/stack/link"

// Wrap returns dev with a capture around it: every frame that is read and every frame
// that dev takes is captured by w as an interface with dev's name. It is a
// link.Notifier where dev is one. Its Close closes dev; w is to be closed after it.
func Wrap(dev link.Device, w *Writer) link.Device {
	d := &device{Device: dev, w: w, id: w.AddInterface(dev.Name(), LinkRaw)}
	if n, ok := dev.(link.Notifier); ok {
		return &notifier{device: d, Notifier: n}
	}
	return d
}

// device is a Device that is captured.
type device struct {
	link.Device
	w  *Writer
	id int
}

// notifier is device with the Notifier of what is below.
type notifier struct {
	*device
	link.Notifier
}

// ReadFrames reads from the device below and captures what came.
func (d *device) ReadFrames(queue int, bufs [][]byte, sizes []int) (int, error) {
	n, err := d.Device.ReadFrames(queue, bufs, sizes)
	if n > 0 {
		now := d.w.opt.Now()
		c := d.w.reserve()
		p := Packet{Interface: d.id, Direction: DirectionIn, Time: now}
		for i, b := range bufs[:n] {
			d.capture(c, &p, b[:sizes[i]])
		}
		d.w.finish(c)
	}
	return n, err
}

// WriteFrames writes to the device below and captures what it took.
func (d *device) WriteFrames(queue int, frames [][]byte) (int, error) {
	now := d.w.opt.Now()
	c := d.w.reserve()
	n, err := d.Device.WriteFrames(queue, frames)
	p := Packet{Interface: d.id, Direction: DirectionOut, Time: now}
	for _, b := range frames[:n] {
		d.capture(c, &p, b)
	}
	d.w.finish(c)
	return n, err
}

// capture appends a frame in wire form. One whose virtio-net header is wrong has no packet.
func (d *device) capture(c *chunk, p *Packet, b []byte) {
	var f link.Frame
	if f.SetWire(b) == nil {
		d.w.add(c, p, p.Time, &f)
	}
}
