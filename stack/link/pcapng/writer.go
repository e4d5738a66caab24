package pcapng

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/link/gso"
)

// LinkType says what packets begin with.
type LinkType uint16

const (
	LinkEthernet LinkType = 1   // an Ethernet header
	LinkRaw      LinkType = 101 // an IPv4 or IPv6 header
)

// Direction is where a packet went.
type Direction uint32

const (
	DirectionUnknown Direction = 0
	DirectionIn      Direction = 1 // the device received it
	DirectionOut     Direction = 2 // it was sent by the device
)

// Options says how a capture is written. The zero value is ready.
type Options struct {
	// Now gives the time of packets; time.Now if nil.
	Now func() time.Time
	// SnapLen is how many octets of a packet are kept; all if zero. A packet that
	// was cut has the checksum that it would have whole.
	SnapLen int
	// Application names what made the capture; "weir" if empty.
	Application string
	// Comment is kept with the capture as a whole.
	Comment string
}

// Packet is a packet to be captured.
type Packet struct {
	Interface int // what AddInterface returned
	Direction Direction
	Time      time.Time // the zero time means now
	Comment   string    // kept with the packet; at most 65,535 octets of it
}

var errInterface = errors.New("pcapng: packet of an interface that was not added")

// Writer writes a capture.
type Writer struct {
	opt    Options
	chunks sync.Pool

	mu         sync.Mutex
	out        *bufio.Writer
	interfaces int
	queue      []*chunk // in the order of the file; the first is not done
	queued     int      // octets that are done and wait in queue
	err        error
}

// NewWriter begins a capture to w, which gets large writes and is not closed by Close.
func NewWriter(w io.Writer, opt Options) *Writer {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	c := &Writer{opt: opt, out: bufio.NewWriterSize(w, 256<<10)}
	c.chunks.New = func() any { return new(chunk) }
	c.out.Write(appendSection(nil, cmp.Or(opt.Application, "weir"), opt.Comment))
	return c
}

// AddInterface describes one more interface and returns the number by which packets
// name it, counted from zero.
func (w *Writer) AddInterface(name string, t LinkType) int {
	c := w.get()
	c.buf = appendInterface(c.buf, name, t, w.opt.SnapLen)
	c.done = true
	w.mu.Lock()
	defer w.mu.Unlock()
	w.interfaces++
	w.put(c)
	return w.interfaces - 1
}

// WritePacket captures data, a packet as it was on the link. p and data are the
// caller's again when it returns. The error is one that the file met before, os.ErrClosed after
// Close, or that there is no such interface.
func (w *Writer) WritePacket(p Packet, data []byte) error {
	f := link.Frame{Buf: data, End: len(data)}
	return w.WriteFrame(p, &f)
}

// WriteFrame captures the packet of a frame, with its checksum finished. See WritePacket; f
// is not changed.
func (w *Writer) WriteFrame(p Packet, f *link.Frame) error {
	c := w.get()
	w.add(c, &p, w.opt.Now(), f)
	c.done = true
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.err != nil:
		return w.err
	case p.Interface < 0 || p.Interface >= w.interfaces:
		return errInterface
	}
	w.put(c)
	return w.err
}

// Flush writes what is buffered to the file and returns the first error that the file met.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note(w.out.Flush())
	return w.err
}

// Close writes all that is captured to the file. Packets that come later are not
// captured. The error is the first that the file met, os.ErrClosed when closed before.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) > 0 {
		w.giveUpFirst()
	}
	w.note(w.out.Flush())
	err := w.err
	w.note(os.ErrClosed)
	return err
}

// note keeps the first error.
func (w *Writer) note(err error) {
	if w.err == nil {
		w.err = err
	}
}

// add appends the frame's packet to the chunk.
func (w *Writer) add(c *chunk, p *Packet, now time.Time, f *link.Frame) {
	data := f.Packet()
	if w.opt.SnapLen > 0 && len(data) > w.opt.SnapLen {
		w.addCut(c, p, now, f)
		return
	}
	if !p.Time.IsZero() {
		now = p.Time
	}
	var place int
	c.buf, place = appendPacket(c.buf, p, now, data, len(data))
	copied := link.Frame{Buf: c.buf, Off: place, End: place + len(data), Offload: f.Offload}
	gso.FinishChecksum(&copied) // a packet that is malformed is captured as it is
}

// addCut is add for a packet longer than what is kept: the checksum is finished over the
// whole of it first.
func (w *Writer) addCut(c *chunk, p *Packet, now time.Time, f *link.Frame) {
	if !p.Time.IsZero() {
		now = p.Time
	}
	c.whole = append(c.whole[:0], f.Packet()...)
	copied := link.Frame{Buf: c.whole, End: len(c.whole), Offload: f.Offload}
	gso.FinishChecksum(&copied)
	c.buf, _ = appendPacket(c.buf, p, now, c.whole[:w.opt.SnapLen], len(c.whole))
}
