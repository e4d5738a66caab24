package shard

import (
	"errors"
	"net"
	"os"
	"runtime"
	"time"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/mem"
)

// batch is how many frames a receive loop takes at once. Every connection that a batch touches is answered
// once: with several bulk senders a short batch has a few segments of each, and an ACK for them runs
// the far kernel's sender inside the write.
const batch = 48

// slots is where a receive loop has its device put a batch of frames.
type slots struct {
	host   *Host
	frames [batch]link.Frame
	blocks [batch]*mem.Block // what each frame lies in
	bufs   [batch][]byte
	sizes  [batch]int
}

// fill gives slot n a block of its own.
func (s *slots) fill(n int) {
	s.host.inSlots.Add(1)
	s.blocks[n] = s.host.pool.Get(link.FrameSize)
	s.frames[n].Buf = s.blocks[n].B
	s.bufs[n] = s.frames[n].ReadBuf()
}

// empty gives the blocks back.
func (s *slots) empty() {
	for n, b := range s.blocks {
		b.Release()
		s.blocks[n] = nil
	}
	s.host.inSlots.Add(-batch)
}

// start gives each of the device's queues its receive loop.
func (i *Interface) start() {
	for q := range i.dev.Queues() {
		i.host.running.Go(func() { i.receive(q) })
	}
}

// receive is the receive loop of one queue. It ends when the device is closed.
func (i *Interface) receive(queue int) {
	r := round{h: i.host, ifc: i, queue: queue}
	s := &slots{host: i.host}
	for n := range batch {
		s.fill(n)
	}
	defer s.empty()
	in := newInlet(i, queue)
	defer in.rest()
	for failures := 0; !i.removed.Load(); {
		n, err := in.take(s)
		r.now = r.h.Now()
		for k := range n {
			r.deliver(s, k)
		}
		r.awake = in.spin.held
		r.flush()
		if r.woke {
			r.woke = false
			runtime.Gosched()
		}
		if failures = i.readFailed(err, failures); failures < 0 {
			return
		}
	}
}

// deliver takes the frame in slot n through the stack. A connection may keep the frame's block
// for the text in it; the slot then gets another.
func (r *round) deliver(s *slots, n int) {
	if s.frames[n].SetRead(s.sizes[n]) != nil {
		r.ifc.counters.badVnet.Add(1)
		return
	}
	r.block = s.blocks[n]
	r.input(&s.frames[n])
	if r.block == nil {
		r.h.inSlots.Add(-1)
		s.fill(n)
	}
	r.block = nil
}

// readFailed decides whether the loop goes on after a read: not when the device is
// closed, and after other errors with a pause that grows, so that a broken device
// costs no processor time. It returns the number of failures in a row, or -1.
func (i *Interface) readFailed(err error, failures int) int {
	if err == nil {
		return 0
	}
	if i.removed.Load() || errorsIsClosed(err) {
		return -1
	}
	i.counters.failed.Add(1)
	if failures++; failures > 10 {
		return -1
	}
	select {
	case <-i.host.closed:
		return -1
	case <-time.After(time.Millisecond << failures):
	}
	return failures
}

// errorsIsClosed reports whether a device's read error says that it was closed.
func errorsIsClosed(err error) bool {
	return errors.Is(err, os.ErrClosed) || errors.Is(err, net.ErrClosed)
}
