package shard

import (
	"net/netip"
	"syscall"

	"github.com/weirnet/weir/stack/udp"
)

// Packet is a datagram of a batch, to send or received.
type Packet struct {
	// Buf holds the payload; to receive, it is room for it.
	Buf []byte
	// N is how many octets of Buf the payload is.
	N int
	// Peer is where it goes to or came from. To send to the peer of a connected socket it may be zero.
	Peer netip.AddrPort
	// Local is the own address that it leaves from or was sent to. To send it may be zero, or not the
	// host's own, as a group's is: then one is chosen.
	Local netip.Addr
	// Size, where it is more than 0, says that Buf[:N] is several datagrams of Size octets each, the
	// last of which may be shorter. To send, each must fit a packet, and all together be at most 64 and
	// 65,487 octets: else it is EMSGSIZE; with DatagramOptions.NoChecksum it is EINVAL.
	Size int
	// Truncated says that Buf was too small for what was received.
	Truncated bool
}

// udpBatch is what SendBatch needs.
type udpBatch struct {
	outlet outlet
	way    way
}

// SendBatch sends datagrams in order and returns how many were sent. It has an error only for the first:
// that of what stops it later comes with the next call. The errors are SendTo's; with EAGAIN the device
// is full, and OnEvent's function is called when it has room.
func (u *UDP) SendBatch(ps []Packet) (n int, err error) {
	b, _ := u.host.batches.Get().(*udpBatch)
	if b == nil {
		b = new(udpBatch)
		b.outlet.inOrder = true
	}
	n, err = b.send(u, ps)
	u.host.batches.Put(b)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (b *udpBatch) send(u *UDP, ps []Packet) (done int, err error) {
	remote := u.Remote()
	for k := range ps {
		p := &ps[k]
		to := p.Peer
		if !to.IsValid() {
			to = remote
		}
		if err = b.lead(u, to, p); err == nil && !b.put(p, k) {
			if done, err = b.flush(u, done); err == nil && !b.put(p, k) {
				if err = b.alone(u, p); err == nil {
					done = k + 1
				}
			}
		}
		if err != nil {
			break
		}
	}
	if err == syscall.EAGAIN {
		return done, err // whoever found the device full has flushed before
	}
	done, full := b.flush(u, done)
	if full != nil {
		err = full
	}
	return done, err
}

// lead finds the way of a packet and checks that it may go.
func (b *udpBatch) lead(u *UDP, to netip.AddrPort, p *Packet) error {
	if !to.IsValid() {
		return syscall.EDESTADDRREQ
	}
	if err := b.way.lead(u, to, p.Local, 0); err != nil {
		return err
	}
	if p.Size > 0 && p.N > p.Size {
		if b.way.noChecksum { // each would need one of its own
			return syscall.EINVAL
		}
		if !b.way.fits(p.Size) || p.N > maxTrain*p.Size || p.N > maxTrainOctets {
			return syscall.EMSGSIZE
		}
		return nil
	}
	return u.fits(p.Buf[:p.N], &b.way.sending)
}

// put puts a packet into the outlet, and reports false where that must be flushed first or it
// cannot go through one.
func (b *udpBatch) put(p *Packet, k int) bool {
	o, w, payload := &b.outlet, &b.way, p.Buf[:p.N]
	switch train := p.Size > 0 && p.N > p.Size; {
	case train && !w.cuts():
		return false
	case train && !o.putTrain(w, payload, p.Size, nil, 0):
		return false
	case !train && (!w.fits(p.N) || !o.put(w, payload)):
		return false
	}
	o.cars[o.n-1].last = k + 1
	return true
}

// flush sends what is in the outlet. done is how many packets were sent before; it returns how many were
// then, and EAGAIN where the device did not take all.
func (b *udpBatch) flush(u *UDP, done int) (int, error) {
	o := &b.outlet
	if o.n == 0 {
		return done, nil
	}
	var last [outletFrames]int
	for n := range o.n {
		last[n] = o.cars[n].last
	}
	n, ifc := o.n, o.ifc
	rooms := ifc.rooms.Load()
	taken := o.flush(true)
	if taken > 0 {
		done = last[taken-1]
	}
	if taken < n {
		u.awaitRoom(ifc, rooms)
		return done, syscall.EAGAIN
	}
	return done, nil
}

// alone sends what does not go through the outlet, which is empty.
func (b *udpBatch) alone(u *UDP, p *Packet) error {
	w := &b.way
	if p.Size <= 0 || p.N <= p.Size {
		return u.host.sendUDP(u, p.Buf[:p.N], &w.sending)
	}
	// A device that does not cut: the interface does, once the device has taken the first.
	var c car
	w.fill(&c)
	c.load(p.Buf[:p.N], p.Size)
	c.build(u.host)
	defer c.release(u.host)
	rooms := w.ifc.rooms.Load()
	if w.ifc.offer(c.f, 0) == full {
		u.awaitRoom(w.ifc, rooms)
		return syscall.EAGAIN
	}
	ctr := &u.host.lanes.of(0).udp
	ctr.Out.Add(uint64(c.count))
	ctr.OutOctets.Add(uint64(p.N))
	return nil
}

// ReceiveBatch takes datagrams out of the queue and returns how many; with trains those that came as
// one stay so, where a Buf has room for them. The lock must be held.
func (u *UDP) ReceiveBatch(ps []Packet, trains bool) (n int) {
	for n < len(ps) {
		p := &ps[n]
		var d udp.Datagram
		var ok bool
		if next := u.queue.Next(); trains && next != nil && len(next.Payload) <= len(p.Buf) {
			d, ok = u.queue.PopTrain()
		} else {
			d, ok = u.queue.Pop()
		}
		if !ok {
			break
		}
		p.N = copy(p.Buf, d.Payload)
		p.Peer, p.Local, p.Size, p.Truncated = d.From, d.To, d.SegmentSize, p.N < len(d.Payload)
		d.Release()
		n++
	}
	return n
}
