package pcapng

// maxQueued is how many octets wait for a chunk that is not done before its place in the
// file is given up.
const maxQueued = 8 << 20

// maxKept is the largest buffer of a chunk that is kept for the next.
const maxKept = 1 << 20

// chunk is blocks that lie together in the file.
type chunk struct {
	buf   []byte
	whole []byte // for packets that are cut
	done  bool   // buf is complete
	late  bool   // its place was given up
}

func (w *Writer) get() *chunk { return w.chunks.Get().(*chunk) }

// reserve returns a chunk whose place in the file is behind all that was put before.
func (w *Writer) reserve() *chunk {
	c := w.get()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, c)
	return c
}

// finish says that a chunk that was reserved is complete.
func (w *Writer) finish(c *chunk) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.done = true
	if c.late {
		w.put(c)
		return
	}
	w.queued += len(c.buf)
	w.drain()
}

// put places a complete chunk behind all others. The lock is held.
func (w *Writer) put(c *chunk) {
	w.queued += len(c.buf)
	w.queue = append(w.queue, c)
	w.drain()
}

// drain writes what is complete up to the first chunk that is not.
func (w *Writer) drain() {
	for {
		n := 0
		for n < len(w.queue) && w.queue[n].done {
			w.write(w.queue[n])
			n++
		}
		w.remove(n)
		if w.queued <= maxQueued {
			return
		}
		w.giveUpFirst()
	}
}

// giveUpFirst takes the first chunk out of the queue: it will come late.
func (w *Writer) giveUpFirst() {
	w.queue[0].late = true
	w.remove(1)
	for len(w.queue) > 0 && w.queue[0].done {
		w.write(w.queue[0])
		w.remove(1)
	}
}

func (w *Writer) remove(n int) {
	rest := copy(w.queue, w.queue[n:])
	clear(w.queue[rest:])
	w.queue = w.queue[:rest]
}

// write writes a chunk and keeps it for another use.
func (w *Writer) write(c *chunk) {
	w.queued -= len(c.buf)
	if w.err == nil {
		_, err := w.out.Write(c.buf)
		w.note(err)
	}
	if cap(c.buf) > maxKept {
		c.buf = nil
	}
	c.buf, c.done, c.late = c.buf[:0], false, false
	w.chunks.Put(c)
}
