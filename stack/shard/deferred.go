package shard

import (
	"slices"
	"sync"

	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/tcp"
)

// deferred is what was left to be done for connections whose lock was taken: those of
// UserHandlers only, and rarely, so that it is kept in one place.
type deferred struct {
	mu sync.Mutex
	m  map[*TCP]*leftWork
}

// leftWork is one connection's, in order.
type leftWork struct {
	items []leftItem
	size  int // octets of memory that segments take
	segs  int
}

// leftItem is a segment, or a function.
type leftItem struct {
	seg   tcp.Segment
	block *mem.Block // what the segment's text was copied to, or nil
	queue int32
	f     func(*TCP)
}

// What may wait for one connection: what comes beyond that is lost as on a wire.
const (
	maxLeftSegments = 64
	maxLeftOctets   = 256 << 10
)

// leave runs f on what was left for c, in which it may enter something.
func (d *deferred) leave(c *TCP, f func(l *leftWork) bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.m == nil {
		d.m = make(map[*TCP]*leftWork)
	}
	l := d.m[c]
	if l == nil {
		l = new(leftWork)
		d.m[c] = l
	}
	return f(l)
}

// take takes what was left for c.
func (d *deferred) take(c *TCP) *leftWork {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.m[c]
	delete(d.m, c)
	return l
}

// release gives back the segments that were left, for connections that have ended, as the host has. The
// functions are still run: by who has the lock, which may be a handler that does not return.
func (d *deferred) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c, l := range d.m {
		l.items = slices.DeleteFunc(l.items, func(it leftItem) bool {
			it.release()
			return it.f == nil
		})
		if len(l.items) == 0 {
			delete(d.m, c)
		} else {
			go c.catchUp()
		}
	}
}

func (it *leftItem) release() {
	if it.block != nil {
		it.block.Release()
	}
	if it.seg.Block != nil {
		it.seg.Block.Release()
	}
}

// lockOrLeave locks the connection, or leaves a segment for who has the lock and reports false.
func (c *TCP) lockOrLeave(r *round, s *tcp.Segment) bool {
	if !c.InPlace() {
		c.mu.Lock()
		return true
	}
	if c.mu.TryLock() {
		return true
	}
	if !c.host.deferred.leave(c, func(l *leftWork) bool { return l.addSegment(c.host, s, r.queue) }) {
		c.host.counters.busyDrops.Add(1)
		return false
	}
	c.pending.Or(pendWork)
	if c.mu.TryLock() { // who had it may have let go before it could see
		c.unlock(r.watch)
	}
	return false
}

// addSegment enters a copy of s, whose block it may take, and reports false where there is no room.
func (l *leftWork) addSegment(h *Host, s *tcp.Segment, queue int) bool {
	it := leftItem{seg: *s, queue: int32(queue)}
	it.seg.Lend, it.seg.Block = nil, nil
	size := mem.ClassSize(len(s.Payload))
	give := s.Block != nil && 2*len(s.Payload) >= s.Block.Size()
	if give {
		size = s.Block.Size()
	}
	if l.segs >= maxLeftSegments || l.size+size > maxLeftOctets {
		return false
	}
	switch {
	case give:
		it.seg.Block, s.Block = s.Block, nil
	case len(s.Payload) > 0:
		it.block = h.pool.Get(len(s.Payload))
		it.seg.Payload = it.block.B[:copy(it.block.B, s.Payload)]
	}
	l.items = append(l.items, it)
	l.segs++
	l.size += size
	return true
}

// doDeferred does what was left, in order, and reports whether a function was called. c is locked.
func (c *TCP) doDeferred(w *watch) (called bool) {
	l := c.host.deferred.take(c)
	if l == nil {
		return false
	}
	for n := range l.items {
		it := &l.items[n]
		switch {
		case it.f != nil:
			called = true
			c.callPosted(w, it.f)
		case c.entered:
			c.answerBy(it.queue)
			c.happened(c.conn.Input(c.host.Now(), &it.seg))
		}
		it.release()
	}
	return called
}

// callPosted calls a function given to Post.
func (c *TCP) callPosted(w *watch, f func(*TCP)) {
	h, ok := c.handler.(UserHandler)
	if ok {
		w.enter(c, h)
	}
	f(c)
	if ok {
		w.leave()
	}
}

// Post has f run with the connection locked, and sends what came of it: at once where nobody has the
// lock, else by whoever has it, before letting go. It does not wait for that, and may be
// called from anywhere, with any connection locked, this one included.
func (c *TCP) Post(f func(*TCP)) {
	c.host.deferred.leave(c, func(l *leftWork) bool {
		l.items = append(l.items, leftItem{f: f})
		return true
	})
	c.pending.Or(pendWork)
	if !c.mu.TryLock() {
		return
	}
	if c.host.mode.Load() == modeStepped {
		c.unlock(nil)
		return
	}
	w := c.host.dog.borrow(c.host)
	c.unlock(w)
	c.host.dog.giveBack(w)
}
