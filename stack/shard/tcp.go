package shard

import (
	"math"
	"net/netip"
	"sync"
	"syscall"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/wheel"
	"github.com/weirnet/weir/stack/wire"
)

// Handler is told what happened on a connection. OnEvent runs in the receive path
// with the connection locked: it may use the connection's Conn, must not block and
// must not lock it again. What it wrote or made room for is sent when it returns.
type Handler interface {
	OnEvent(c *TCP, events tcp.Events)
}

// TCP is a connection in the driver's hands: the state machine with its lock, its
// place in the tables, its route and its timer.
type TCP struct {
	mu      sync.Mutex
	conn    tcp.Conn
	host    *Host
	handler Handler
	parent  *Listener // until it has been accepted
	local   netip.AddrPort
	remote  netip.AddrPort
	key     flowKey

	out   path     // the way to remote, good for one generation of the network
	outAt uint64   // that generation
	held  *txFrame // a segment that a full device did not take
	queue int      // the device queue that the peer's segments arrive on

	timer wheel.Entry[expirer]
	armed clock.Time // what the timer is set to, or Never

	waiting  *Interface    // in whose line for room it is
	quiet    chan struct{} // closed when sending ends, where somebody waits for that
	sending  bool          // somebody has let go of mu to write to the device
	touched  bool          // a round will push it
	entered  bool          // in host.conns
	detached bool          // its user has closed it: blocks go when the state machine is done
}

// Lock locks the connection. Who holds the lock may use Conn.
func (c *TCP) Lock() { c.mu.Lock() }

// Unlock unlocks it.
func (c *TCP) Unlock() { c.mu.Unlock() }

// Locker returns the lock, for a sync.Cond.
func (c *TCP) Locker() sync.Locker { return &c.mu }

// Conn returns the state machine. The connection must be locked while it is used, and
// pushed before the lock is let go when something was written, read or closed.
func (c *TCP) Conn() *tcp.Conn { return &c.conn }

// Host returns the host the connection belongs to.
func (c *TCP) Host() *Host { return c.host }

// Local returns the connection's own end.
func (c *TCP) Local() netip.AddrPort { return c.local }

// Remote returns the peer's end.
func (c *TCP) Remote() netip.AddrPort { return c.remote }

// SetHandler makes f the one who is told what happens. The connection must be locked.
func (c *TCP) SetHandler(f Handler) { c.handler = f }

// Push sends what there is to send and sets the timer. The connection must be locked.
func (c *TCP) Push() { c.push(c.host.Now()) }

// notify tells the handler.
func (c *TCP) notify(ev tcp.Events) {
	if ev != 0 && c.handler != nil {
		c.handler.OnEvent(c, ev)
	}
}

// happened acts on what the state machine reported.
func (c *TCP) happened(ev tcp.Events) {
	if c.parent != nil && ev&(tcp.EventConnected|tcp.EventError|tcp.EventClosed) != 0 {
		c.parent.progress(c, ev)
	}
	c.notify(ev)
}

// input feeds a segment and has the round push the connection later. One that was found
// in the table and has left it meanwhile gets nothing: the segment is lost.
func (c *TCP) input(r *round, s *tcp.Segment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.entered {
		return
	}
	c.queue = r.queue
	c.happened(c.conn.Input(r.now, s))
	r.touch(c)
}

// touch has the connection pushed at the end of the round. c is locked.
func (r *round) touch(c *TCP) {
	if !c.touched {
		c.touched = true
		r.touched = append(r.touched, c)
	}
}

// expire runs the connection's timers; it is called without the lock.
func (c *TCP) expire(now clock.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed = clock.Never
	if c.conn.Deadline().Reached(now) {
		c.happened(c.conn.Expire(now))
	}
	c.pushTurn(now)
}

// room is called when an interface that was full has room again.
func (c *TCP) room(i *Interface) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == i {
		c.waiting = nil
	}
	c.pushTurn(c.host.Now())
}

// push sends until the state machine has nothing more or the device is full, then
// sets the timer and leaves the tables where the connection has ended. c is
// locked; the lock is let go during each write to the device. Where another
// goroutine is doing just that, it will see what is new when it has the lock again.
func (c *TCP) push(now clock.Time) { c.pushUpTo(now, math.MaxInt) }

// turn is how many segments the timers' goroutine sends for one connection at a time.
const turn = 64

// pushTurn is push for the goroutine that runs all timers: a connection whose peer answers and
// whose user writes as fast as it sends has its turn again after the others.
func (c *TCP) pushTurn(now clock.Time) {
	if !c.pushUpTo(now, turn) {
		c.armed = now
		c.host.schedule(&c.timer, now)
	}
}

// pushUpTo is push for so many segments, and reports false where there may be more to send.
func (c *TCP) pushUpTo(now clock.Time, most int) bool {
	if c.sending {
		return true
	}
	c.sending = true
	more := true
	for ; more && most > 0; most-- {
		more = c.transmit(now)
		now = c.host.Now() // the device took its time, and others may have gone on with the connection
	}
	c.sending = false
	if c.quiet != nil {
		close(c.quiet)
		c.quiet = nil
	}
	if !more {
		c.settle(now)
	}
	return !more
}

// transmit sends one segment and reports whether there may be another. Where there is no
// route the segment is lost as on a wire, so that the state machine's timers go on.
func (c *TCP) transmit(now clock.Time) bool {
	c.refreshPath(now)
	ifc, queue := c.out.ifc, c.queue
	if c.waiting != nil {
		if c.waiting == ifc {
			return false
		}
		c.waiting = nil // the route leads elsewhere now
	}
	f := c.held
	c.held = nil
	if f == nil {
		if f = c.build(now); f == nil {
			return false
		}
	}
	if ifc == nil {
		c.host.drops.Add(ip.DropNoRoute)
		c.host.putTx(f)
		return true
	}
	rooms := ifc.rooms.Load()
	c.mu.Unlock()
	result := ifc.offer(f, queue)
	c.mu.Lock()
	if result == full {
		c.held = f
		if ifc.wait(c, rooms) {
			c.waiting = ifc
		}
		return c.waiting == nil
	}
	c.host.putTx(f)
	return true
}

// build asks the state machine for its next segment and writes the headers before
// its payload. It returns nil where there is none.
func (c *TCP) build(now clock.Time) *txFrame {
	f := c.host.getTx()
	if !c.conn.Output(now, &f.seg, f.room(maxPayload)) {
		c.host.putTx(f)
		return nil
	}
	if c.out.ifc != nil {
		f.putTCP(c.local, c.remote, &c.out, c.host)
	}
	return f
}

// refreshPath looks the route up again when the network has changed.
func (c *TCP) refreshPath(now clock.Time) {
	n := c.host.net.Load()
	if c.outAt == n.generation {
		return
	}
	p, err := n.pathTo(c.remote.Addr(), c.local.Addr(), c.host.lo)
	c.outAt = n.generation
	if err != nil {
		c.out = path{}
		errno, _ := err.(syscall.Errno)
		c.happened(c.conn.OnICMP(now, false, errno))
		return
	}
	c.out = p
	c.conn.SetPathMSS(now, c.host.pathMSS(&c.out, c.remote.Addr()))
}

// settle sets the timer, and takes the connection out of the tables when it has ended.
func (c *TCP) settle(now clock.Time) {
	switch st := c.conn.State(); {
	case st == tcp.StateClosed && c.held == nil:
		c.leave()
	case st == tcp.StateTimeWait && c.held == nil && c.entered:
		c.host.addTimeWait(c) // before it leaves, so that no segment meets neither
		c.leave()
	case st == tcp.StateTimeWait && !c.entered:
		c.release()
	default:
		c.arm()
	}
}

// arm makes the wheel call by the state machine's deadline. An entry that is
// earlier already is left alone: it will look and go back to sleep.
func (c *TCP) arm() {
	d := c.conn.Deadline()
	if d >= c.armed {
		return
	}
	c.armed = d
	c.host.schedule(&c.timer, d)
}

// leave takes the connection out of the tables.
func (c *TCP) leave() {
	if c.entered {
		c.entered = false
		c.host.conns.remove(&c.key, c)
	}
	if c.armed != clock.Never {
		c.armed = clock.Never
		c.host.cancel(&c.timer)
	}
	c.release()
}

// release gives the blocks back once neither the user nor the peer can want them.
func (c *TCP) release() {
	if c.detached {
		c.conn.Release()
	}
}

// putTCP writes TCP and IP headers before the segment's payload, and says in the
// frame's metadata what is left to the device.
func (f *txFrame) putTCP(local, remote netip.AddrPort, p *path, h *Host) {
	s := &f.seg
	hlen := 20 + s.Options.Len()
	at, end := payloadAt-hlen, payloadAt+len(s.Payload)
	wire.PutTCP(f.Buf[at:end], &wire.TCPFields{
		SrcPort: local.Port(), DstPort: remote.Port(), Seq: uint32(s.Seq), Ack: uint32(s.Ack),
		Flags: s.Flags, Window: s.Window, Urgent: s.Urgent, Options: &s.Options,
	})
	hdr := ipHeader{
		src: local.Addr(), dst: remote.Addr(), protocol: wire.ProtoTCP, hopLimit: defaultHopLimit,
		dontFragment: !p.fragment, flowLabel: h.flowLabel(local, remote),
	}
	if p.fragment { // RFC 6864 §4.1: only what is never fragmented needs no identification
		n := 1
		if s.SegmentSize > 0 {
			n = (len(s.Payload) + s.SegmentSize - 1) / s.SegmentSize
		}
		hdr.id = uint16(h.idents.several(hdr.src, hdr.dst, wire.ProtoTCP, n))
	}
	f.putIP(at, end, &hdr)
	f.setPartial(at, tcpChecksumAt, wire.ProtoTCP, local.Addr(), remote.Addr())
	if s.SegmentSize > 0 && len(s.Payload) > s.SegmentSize {
		f.SegmentSize, f.HeaderLen = uint16(s.SegmentSize), uint16(payloadAt-f.Off)
		f.ECN = s.Flags&wire.FlagCWR != 0
	}
	if p.ifc.features&link.FeatureCsum == 0 && f.SegmentSize == 0 {
		f.finishPartial()
	}
}
