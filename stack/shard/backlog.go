package shard

// maxBacklog bounds the frames without an owner that wait for a full device.
const maxBacklog = 256

// waiter is told, without any lock held, that interface i has room again.
type waiter interface{ room(i *Interface) }

// enqueue puts a copy of f into the backlog, and reports false where room has come since
// rooms was read, before the device was found full: then it is to be offered again,
// since nobody may come by to empty the backlog.
func (i *Interface) enqueue(f *txFrame, rooms uint64) bool {
	c := i.host.getTx()
	c.Off, c.End, c.Offload = f.Off, f.End, f.Offload
	copy(c.Buf[c.Off:c.End], f.Packet())
	i.mu.Lock()
	missed := i.rooms.Load() != rooms
	ok := !missed && len(i.backlog) < maxBacklog && !i.removed.Load()
	if ok {
		i.backlog = append(i.backlog, c)
		i.queued.Add(1)
	}
	i.mu.Unlock()
	if !ok {
		i.host.putTx(c)
	}
	if !ok && !missed {
		i.counters.backlogFull.Add(1)
	}
	return !missed
}

// wait puts w in the line for room, and reports false where room has come since rooms
// was read, before the device was found full: then w is to try again instead. It is called with
// w's own lock held.
func (i *Interface) wait(w waiter, rooms uint64) bool {
	i.counters.pushedBack.Add(1)
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.rooms.Load() != rooms {
		return false
	}
	i.line = append(i.line, w)
	return true
}

// onWritable is called by the device, from any goroutine, when it has room again.
func (i *Interface) onWritable() {
	i.mu.Lock()
	i.rooms.Add(1)
	i.mu.Unlock()
	i.writable.Store(true)
	i.host.wake()
}

// resume sends the backlog and then wakes who waits. It is run by the service.
func (i *Interface) resume() {
	if !i.writable.Swap(false) {
		return
	}
	i.drain(func(f *txFrame) bool { return i.send(f, 0) != full || !i.putBack(f) })
}

// dropBacklog gives up the backlog of a device that is closed, and lets those go on
// who waited for room: what they send is lost there, or finds another way.
func (i *Interface) dropBacklog() {
	i.drain(func(*txFrame) bool { return true })
}

// drain empties the backlog by take and then tells all in the line that there is room. It
// stops where take reports false: it has kept the frame.
func (i *Interface) drain(take func(*txFrame) bool) {
	for {
		f, line := i.next()
		if f == nil {
			for _, w := range line {
				w.room(i)
			}
			i.keep(line)
			return
		}
		if !take(f) {
			return
		}
		i.queued.Add(-1)
		i.host.putTx(f)
	}
}

// next takes the first frame out of the backlog, which counts as queued until it is sent, so
// that no other overtakes it. Where there is none it takes the line, and counts
// that as room, in one step: who came too late for either will see it.
func (i *Interface) next() (f *txFrame, line []waiter) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.backlog) == 0 {
		line, i.line, i.spare, i.backlog = i.line, i.spare, nil, nil
		i.rooms.Add(1)
		return nil, line
	}
	f = i.backlog[0]
	i.backlog[0] = nil
	i.backlog = i.backlog[1:]
	return f, nil
}

// maxSpare bounds the line that is kept for the next one.
const maxSpare = 256

// keep keeps the room of a line that has gone.
func (i *Interface) keep(line []waiter) {
	if cap(line) == 0 || cap(line) > maxSpare {
		return
	}
	clear(line)
	i.mu.Lock()
	i.spare = line[:0]
	i.mu.Unlock()
}

// putBack puts a frame that the device did not take before the others again; the device
// will call when it has room. It reports false where the device was closed meanwhile.
func (i *Interface) putBack(f *txFrame) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.removed.Load() {
		return false
	}
	i.backlog = append([]*txFrame{f}, i.backlog...)
	return true
}
