package shard

import (
	"net/netip"

	"github.com/weirnet/weir/stack/wire"
)

// What comes for a socket whose handler does not return from a call waits in the socket's queue, which no other
// datagram ever sees: a thread that the machine has had no processor for stands still as well, and that should lose
// nothing. The goroutine that comes out of the last such call hands over what has waited.

// putOff has a datagram wait for its socket's handler, and reports false where that has returned by now. What the queue
// has no room for is dropped (udp.DropBusy).
func (r *round) putOff(u *UDP, v wire.UDP, from netip.AddrPort) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.busy() { // it is told before catchUp takes the lock: either that sees the datagram, or we see this
		return false
	}
	u.takeAll(r, v, from, r.blockOf(v))
	return true
}

// catchUp hands over what has waited for the socket's handler. It is called by the goroutine that has come out of a call after it was
// replaced, and has nothing else to do any more: if it does not come back this time either, what is left waits on.
func (r *round) catchUp(u *UDP) {
	c := &r.datagrams.call
	for !u.busy() {
		u.mu.Lock()
		d, ok := u.queue.PopTrain()
		u.mu.Unlock()
		if !ok {
			return
		}
		c.meta = PacketMeta{From: d.From, To: netip.AddrPortFrom(d.To, u.Local().Port()), Interface: d.Interface, HopLimit: d.HopLimit, TOS: d.TOS}
		c.handOver(d.Payload, d.SegmentSize)
		r.datagrams.outlet.flush(false) // what it has answered does not wait for the next
		d.Release()
	}
}

// enter says that the goroutine goes into the handler, and returns the watch that leave is told by. One that was replaced
// borrows a watch for each call: of a train, or of what has waited, the next call may not return either.
func (c *PacketCall) enter(h any) *watch {
	w := c.r.watch
	if w.isLost() {
		w = c.r.h.dog.borrow(c.r.h)
	}
	w.enter(c.u, h)
	return w
}

// leave says that it has come out.
func (c *PacketCall) leave(w *watch) {
	if w.leave(); w != c.r.watch {
		c.r.h.dog.giveBack(w)
	}
}
