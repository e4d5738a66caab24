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
		if b != nil {
			b.Release()
			s.blocks[n] = nil
			s.host.inSlots.Add(-1)
		}
	}
}

// start gives each of the device's queues its receive loop.
func (i *Interface) start() {
	for q := range i.dev.Queues() {
		v := newReceiver(i, q)
		v.fillSlots()
		i.host.dog.add(v.watch)
		i.host.running.Add(1)
		go v.run()
	}
}

// receiver is the receive loop of one queue, and how far it is with what it has read.
type receiver struct {
	round
	slots    *slots
	in       *inlet
	next, n  int  // of the frames that were read, which is fed next, and how many there are
	feeding  bool // the one before next is being fed
	failures int
}

func newReceiver(i *Interface, queue int) *receiver {
	v := &receiver{round: round{h: i.host, ifc: i, queue: queue}, slots: &slots{host: i.host}, in: newInlet(i, queue)}
	v.watch = &watch{host: i.host, replace: v.replace}
	return v
}

// fillSlots gives every slot a block that has none.
func (v *receiver) fillSlots() {
	for n, b := range v.slots.blocks {
		if b == nil {
			v.slots.fill(n)
		}
	}
}

// run is the receive loop. It ends when the device is closed, or the goroutine was replaced.
func (v *receiver) run() {
	i := v.ifc
	for fed := v.feedRest(); fed && v.failures >= 0 && !i.removed.Load(); {
		n, err := v.in.take(v.slots)
		v.now, v.awake = v.h.Now(), v.in.spin.held
		v.next, v.n = 0, n
		fed = v.feedRest()
		if v.woke {
			v.woke = false
			runtime.Gosched()
		}
		if fed {
			v.failures = i.readFailed(err, v.failures)
		}
	}
	v.slots.empty()
	if !v.watch.lost {
		v.in.rest()
		v.h.dog.remove(v.watch)
		v.h.running.Done()
	}
}

// feedRest takes what was read and not fed yet through the stack, and then lets the connections send. It
// reports false where the goroutine was replaced meanwhile.
func (v *receiver) feedRest() bool {
	for v.next < v.n {
		k := v.next
		v.next++
		v.feeding = true
		v.deliver(v.slots, k)
		if v.feeding = false; v.watch.lost {
			break // what it has touched itself, it pushes
		}
	}
	v.flush()
	return !v.watch.lost
}

// replace has a fresh goroutine go on with the frames after the one that this one is at, and with the
// connections that were touched; see watch.replace. What this one keeps is the
// frame that it is at.
func (v *receiver) replace() *watch {
	next := newReceiver(v.ifc, v.queue)
	next.now, next.failures, next.in = v.now, v.failures, v.in
	next.touched, v.touched, v.pushed = v.touched[v.pushed:], nil, 0
	next.next, next.n = v.next, v.n
	for k := range next.slots.blocks {
		if v.lent(k) {
			continue
		}
		next.slots.blocks[k], v.slots.blocks[k] = v.slots.blocks[k], nil
		next.slots.frames[k], next.slots.bufs[k], next.slots.sizes[k] = v.slots.frames[k], v.slots.bufs[k], v.slots.sizes[k]
	}
	v.next, v.n = 0, 0
	go func() {
		next.fillSlots()
		next.run()
	}()
	return next.watch
}

// lent reports whether the goroutine is at the frame in slot k: the one before the next, until the
// connections send. Its block may be another's already.
func (v *receiver) lent(k int) bool { return v.feeding && k == v.next-1 }

// deliver takes the frame in slot n through the stack. A connection may keep the frame's block
// for the text in it; the slot then has none until it is given another.
func (r *round) deliver(s *slots, n int) {
	if s.frames[n].SetRead(s.sizes[n]) != nil {
		r.ifc.counters.badVnet.Add(1)
		return
	}
	r.block = s.blocks[n]
	r.input(&s.frames[n])
	if r.block == nil {
		r.h.inSlots.Add(-1)
		if s.blocks[n] = nil; !r.watch.isLost() {
			s.fill(n)
		}
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
