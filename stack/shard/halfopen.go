package shard

import (
	"sync"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/icmp"
	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/wheel"
)

// halfOpen is a connection in SYN-RECEIVED that a SYN has asked a listener for: a record, not
// a connection, since anybody can send SYNs. For each thing that happens to it a connection that
// nobody else knows stands in (standIn); the one for which the handshake is done stays.
type halfOpen struct {
	mu     sync.Mutex
	record tcp.HalfOpen
	parent *Listener
	key    flowKey
	timer  wheel.Entry[expirer]
	queue  int32 // the device queue that the peer's segments arrive on
	gone   bool
}

// defaultMaxHalfOpen bounds the half-open connections of a host, all listeners together.
const defaultMaxHalfOpen = 1 << 16

// borrow returns a connection of these ends that nobody else knows.
func (h *Host) borrow(k *flowKey) *TCP {
	c := h.standIns.Get().(*TCP)
	c.host, c.key, c.armed, c.out = h, *k, clock.Never, &noPath
	return c
}

// giveBack takes back what borrow has lent and nobody has come to know.
func (h *Host) giveBack(c *TCP) {
	c.conn.Release()
	*c = TCP{}
	h.standIns.Put(c)
}

// say sends what a connection that nobody else knows has to send. What a full device does not
// take waits in its backlog: there is nobody here who could.
func (c *TCP) say(now clock.Time) {
	for {
		f := c.host.getTx()
		if !c.conn.Output(now, &f.seg, f.room(0)) {
			c.host.putTx(f)
			return
		}
		if c.out.ifc == nil {
			c.host.drops.Add(ip.DropNoRoute)
			c.host.putTx(f)
			continue
		}
		local, remote := c.key.ends()
		f.putTCP(local, remote, &c.out.path, c.host)
		c.out.ifc.sendOrQueue(f, int(c.queue))
	}
}

// begin makes c a connection of the listener's with its options, and finds the way to the peer.
func (l *Listener) begin(c *TCP, o *ListenOptions) error {
	o.TCP.apply(c)
	c.reuse, c.reusePort = o.reuse, o.reusePort
	return c.route(l.host.net.Load())
}

// accept begins the handshake that a SYN asks for.
func (r *round) accept(l *Listener, key *flowKey, minISS *seq.Value) {
	h, o := r.h, l.opts.Load()
	if o.OnSYN != nil && !r.decide(l, o.OnSYN, key) {
		return
	}
	if !l.reserve() {
		if o.RefuseOverflow {
			h.counters.listenRefused.Add(1)
			r.refuse(key.ends())
		}
		return
	}
	c := h.borrow(key)
	defer h.giveBack(c)
	if l.begin(c, o) != nil {
		h.drops.Add(ip.DropNoRoute)
		l.forgo()
		return
	}
	c.queue = int32(r.queue)
	cfg := h.tcpConfig(c, r.now, &o.TCP)
	cfg.DeferAccept = o.DeferAccept
	if minISS != nil && cfg.ISS.Less(*minISS) {
		cfg.ISS = *minISS
	}
	c.conn.Accept(r.now, &cfg, &r.seg)
	if o.TCP.Setup != nil {
		o.TCP.Setup(&c.conn)
	}
	half := &halfOpen{parent: l, key: *key, queue: int32(r.queue)}
	half.timer.Value = half
	half.mu.Lock()
	defer half.mu.Unlock()
	if !h.halfOpens.add(&half.key, half) { // another queue's loop has just done the same
		l.forgo()
		return
	}
	c.say(r.now)
	half.keep(c)
	if h.conns.get(key) != nil || l.isClosed() { // since we looked
		half.leave()
	}
}

// standIn returns a connection that nobody else knows in the record's place, as it is now. half
// is locked.
func (half *halfOpen) standIn(now clock.Time) *TCP {
	l := half.parent
	h, o := l.host, l.opts.Load()
	c := h.borrow(&half.key)
	err := l.begin(c, o)
	c.queue = half.queue
	cfg := h.tcpConfig(c, now, &o.TCP)
	half.record.Resume(&c.conn, &cfg)
	if o.TCP.Setup != nil {
		o.TCP.Setup(&c.conn)
	}
	if err != nil {
		h.drops.Add(ip.DropNoRoute)
	}
	return c
}

// keep makes the record what the connection has come to, and sets its timer.
func (half *halfOpen) keep(c *TCP) {
	half.record = c.conn.HalfOpen()
	half.arm()
}

func (half *halfOpen) arm() {
	half.parent.host.schedule(&half.timer, half.record.Deadline())
}

// leave takes the record out of its table. half is locked.
func (half *halfOpen) leave() {
	if half.gone {
		return
	}
	half.gone = true
	h := half.parent.host
	h.halfOpens.remove(&half.key, half)
	h.cancel(&half.timer)
	half.parent.forgo()
}

// input gives a segment to the record. It returns false where the record has made way for a connection
// meanwhile.
func (half *halfOpen) input(r *round) bool {
	c, ok := half.inputLocked(r)
	if c != nil {
		c.unlock(r.watch) // which may call a handler, and so is not under half's lock
	}
	return ok
}

// inputLocked is input, and returns the connection that has taken the record's place, locked.
func (half *halfOpen) inputLocked(r *round) (up *TCP, ok bool) {
	half.mu.Lock()
	defer half.mu.Unlock()
	if half.gone {
		return nil, false
	}
	verdict := half.parent.admit(&half.record, &r.seg)
	switch verdict {
	case admitNothing:
		return nil, true
	case admitReset:
		half.leave()
		r.refuse(half.key.ends())
		return nil, true
	}
	half.queue = int32(r.queue)
	c := half.standIn(r.now)
	ev := c.conn.Input(r.now, &r.seg)
	if ev&tcp.EventConnected == 0 {
		if verdict == admitLast {
			half.parent.stays()
		}
		half.settle(c, r.now)
		return nil, true
	}
	return half.graduate(r, c, ev), true
}

// settle ends what happened to the record by c in its place.
func (half *halfOpen) settle(c *TCP, now clock.Time) {
	c.say(now)
	if c.conn.IsHalfOpen() {
		half.keep(c)
	} else {
		half.leave()
	}
	half.parent.host.giveBack(c)
}

// graduate makes c, whose handshake is done, the connection in the record's place. It is entered before
// the record leaves, so that no segment meets neither. It returns c, locked.
func (half *halfOpen) graduate(r *round, c *TCP, ev tcp.Events) *TCP {
	c.mu.Lock()
	// Before others find it: nobody is to wait for its lock.
	_, ok := half.parent.opts.Load().Handler.(UserHandler)
	c.setInPlace(ok)
	if !c.enter() { // a user has connected from the same port meanwhile
		half.parent.stays()
		half.leave()
		c.conn.Release()
		return c
	}
	half.leave()
	half.parent.welcome(r, c)
	c.woken = c.handler == nil // it is about to be accepted
	c.tell(ev)
	r.touch(c)
	return c
}

// expire has the SYN,ACK sent again, or the record end.
func (half *halfOpen) expire(now clock.Time) {
	half.mu.Lock()
	defer half.mu.Unlock()
	if half.gone {
		return
	}
	if !half.record.Deadline().Reached(now) {
		half.arm()
		return
	}
	c := half.standIn(now)
	c.conn.Expire(now)
	half.settle(c, now)
}

// report gives an ICMP error to the record.
func (half *halfOpen) report(r *round, rep *icmp.Report) {
	half.mu.Lock()
	defer half.mu.Unlock()
	if half.gone {
		return
	}
	c := half.standIn(r.now)
	c.heed(r, rep)
	half.settle(c, r.now)
}

// abort resets the connection that was to be.
func (half *halfOpen) abort() {
	half.mu.Lock()
	defer half.mu.Unlock()
	if half.gone {
		return
	}
	now := half.parent.host.Now()
	c := half.standIn(now)
	c.conn.Abort(now)
	half.settle(c, now)
}

func (half *halfOpen) info() ConnInfo {
	half.mu.Lock()
	defer half.mu.Unlock()
	c := half.standIn(half.parent.host.Now())
	defer half.parent.host.giveBack(c)
	return c.info()
}

// takes reports whether the record gets what comes in by the interface: SO_BINDTODEVICE.
func (half *halfOpen) takes(i *Interface) bool {
	device := half.parent.device.Load()
	return device == 0 || int(device) == i.index
}

// flowKey returns what the record is found by.
func (half *halfOpen) flowKey() *flowKey { return &half.key }
