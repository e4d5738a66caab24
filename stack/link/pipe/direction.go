package pipe

import (
	"net"
	"sync"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/mem"
)

// batch is how many frames are moved under one hold of the lock.
const batch = 64

// Stats counts the frames of one direction, by what became of them.
type Stats struct {
	Written      uint64 // frames put in the queue
	WrittenBytes uint64 // their octets, virtio-net headers included
	Read         uint64 // frames that the far end read
	Full         uint64 // calls of WriteFrames that found the queue full
	DropDown     uint64 // frames lost because the cable was down
	DropClosed   uint64 // frames lost because the far end was closed
	DropTooLong  uint64 // frames lost because the reader's buffer was too small
}

// direction is one way through the pipe: a bounded ring of frames.
type direction struct {
	cable *cable
	opt   *Options

	mu    sync.Mutex
	ready sync.Cond // frames have come, or the reader is closed
	ring  []*mem.Block
	head  int // the oldest frame
	count int // frames in the ring
	// frames and bytes count what is in the ring and what writers that are
	// copying just now have reserved.
	frames, bytes int

	starved      bool // a write was cut short and nobody was told of room since
	writerClosed bool
	readerClosed bool
	onWritable   func()
	stat         Stats
}

func newDirection(c *cable, opt *Options) *direction {
	d := &direction{cable: c, opt: opt, ring: make([]*mem.Block, opt.QueueFrames)}
	d.ready.L = &d.mu
	return d
}

func (d *direction) setOnWritable(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onWritable = f
}

func (d *direction) stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stat
}

// write puts frames in the ring until one is refused or does not fit.
func (d *direction) write(frames [][]byte) (int, error) {
	done := 0
	for done < len(frames) {
		good, bad := d.opt.checkAll(frames[done:min(done+batch, len(frames))])
		n, err := d.writeBatch(frames[done : done+good])
		done += n
		switch {
		case err != nil:
			return done, err
		case n < good:
			return done, nil
		case bad != nil:
			return done, bad
		}
	}
	return done, nil
}

// writeBatch copies up to batch frames, all of them checked, into the ring.
func (d *direction) writeBatch(frames [][]byte) (int, error) {
	n, lost, err := d.reserve(frames)
	if err != nil || lost || n == 0 {
		return n, err
	}
	var blocks [batch]*mem.Block
	for i, f := range frames[:n] {
		b := d.cable.pool.Get(len(f))
		b.B = b.B[:copy(b.B, f)]
		if !d.opt.Offload {
			clear(b.B[:link.VnetLen]) // nobody vouches for anything on a plain cable
		}
		blocks[i] = b
	}
	d.push(blocks[:n])
	return n, nil
}

// reserve makes room for as many frames as fit. Frames that are lost count as
// taken: nothing is to be copied.
func (d *direction) reserve(frames [][]byte) (n int, lost bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.writerClosed:
		return 0, false, net.ErrClosed
	case d.readerClosed:
		d.stat.DropClosed += uint64(len(frames))
		return len(frames), true, nil
	case d.cable.down.Load():
		d.stat.DropDown += uint64(len(frames))
		return len(frames), true, nil
	}
	for n < len(frames) && d.fits(len(frames[n])) {
		d.frames++
		d.bytes += len(frames[n])
		n++
	}
	if n < len(frames) {
		d.starved = true
		d.stat.Full++
	}
	return n, false, nil
}

func (d *direction) fits(octets int) bool {
	return d.frames == 0 ||
		d.frames < len(d.ring) && d.bytes+octets <= d.opt.QueueBytes
}

// push puts copied frames in the places reserved for them.
func (d *direction) push(blocks []*mem.Block) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, b := range blocks {
		if d.readerClosed {
			d.stat.DropClosed++
			b.Release()
			continue
		}
		d.stat.Written++
		d.stat.WrittenBytes += uint64(len(b.B))
		d.ring[(d.head+d.count)%len(d.ring)] = b
		d.count++
	}
	d.ready.Signal()
}

// read waits for frames and copies them out.
func (d *direction) read(bufs [][]byte, sizes []int) (int, error) {
	for {
		var blocks [batch]*mem.Block
		took, notify, err := d.pop(blocks[:min(batch, len(bufs), len(sizes))])
		if err != nil {
			return 0, err
		}
		n := 0
		for _, b := range blocks[:took] {
			if len(b.B) <= len(bufs[n]) {
				sizes[n] = copy(bufs[n], b.B)
				n++
			}
			b.Release()
		}
		if n < took {
			d.countTooLong(took - n)
		}
		if notify != nil {
			notify()
		}
		if n > 0 || took == 0 { // took is 0 when there are no buffers to fill
			return n, nil
		}
	}
}

// pop waits until there is a frame and takes frames until blocks is full. It
// returns what to call, without the lock, because there is room again.
func (d *direction) pop(blocks []*mem.Block) (int, func(), error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.count == 0 && !d.readerClosed {
		d.ready.Wait()
	}
	if d.readerClosed {
		return 0, nil, net.ErrClosed
	}
	n := min(len(blocks), d.count)
	d.stat.Read += uint64(n)
	for i := range n {
		blocks[i] = d.take()
	}
	if d.count > 0 {
		d.ready.Signal() // for another reader, whose signal this one may have had
	}
	return n, d.roomAgain(n), nil
}

// take removes the oldest frame.
func (d *direction) take() *mem.Block {
	b := d.ring[d.head]
	d.ring[d.head] = nil
	d.head = (d.head + 1) % len(d.ring)
	d.count--
	d.frames--
	d.bytes -= len(b.B)
	return b
}

// roomAgain returns the function that tells a starved writer about the n places
// that came free, nil when there is nobody to tell.
func (d *direction) roomAgain(n int) func() {
	if n == 0 || !d.starved {
		return nil
	}
	d.starved = false
	return d.onWritable
}

// countTooLong counts frames that were taken from the ring and then not read.
func (d *direction) countTooLong(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stat.Read -= uint64(n)
	d.stat.DropTooLong += uint64(n)
}

func (d *direction) closeWriter() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writerClosed = true
}

// closeReader gives up what is queued, wakes the readers, and lets a starved writer go on:
// its frames are lost now rather than kept waiting.
func (d *direction) closeReader() {
	d.mu.Lock()
	d.readerClosed = true
	n := d.count
	for d.count > 0 {
		d.take().Release()
		d.stat.DropClosed++
	}
	notify := d.roomAgain(max(n, 1))
	d.ready.Broadcast()
	d.mu.Unlock()
	if notify != nil {
		notify()
	}
}
