package shard

import (
	"math"
	"net/netip"
	"syscall"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/tcp"
)

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
		c.host.scheduleTCP(&c.timer, now)
	}
}

// pushUpTo is push for so many segments, and reports false where there may be more to send.
func (c *TCP) pushUpTo(now clock.Time, most int) bool {
	if c.sending {
		return true
	}
	c.sending, c.owed = true, false
	more := true
	for ; more && most > 0; most-- {
		if c.woken && c.leaveACK(now) {
			more = false
			break
		}
		if more = c.transmit(now) && !c.conn.Spent(now); more {
			now = c.host.Now() // the device took its time, and others may have gone on with the connection
		}
	}
	c.sending = false
	if c.jam != nil && c.jam.quiet != nil {
		close(c.jam.quiet)
		c.jam.quiet = nil
	}
	if !more {
		c.settle(now)
		c.refill()
	}
	return !more
}

// transmit sends one segment and reports whether there may be another. Where there is no
// route the segment is lost as on a wire, so that the state machine's timers go on.
func (c *TCP) transmit(now clock.Time) bool {
	c.refreshPath(now)
	ifc, queue := c.out.ifc, int(c.queue)
	var f *txFrame
	if j := c.jam; j != nil {
		if j.waiting != nil && j.waiting == ifc {
			return false
		}
		f, j.held, j.waiting = j.held, nil, nil // the route may lead elsewhere now
	}
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
		j := c.jammed()
		j.held = f
		if ifc.wait(c, rooms) {
			j.waiting = ifc
		}
		return j.waiting == nil
	}
	c.host.putTx(f)
	return true
}

// build asks the state machine for its next segment and writes the headers before
// its payload. It returns nil where there is none.
func (c *TCP) build(now clock.Time) *txFrame {
	f := c.host.getTx()
	f.seg.Ahead = payloadAt
	if !c.conn.Output(now, &f.seg, f.room(maxPayload)) {
		c.host.putTx(f)
		return nil
	}
	if c.out.ifc != nil {
		local, remote := c.key.ends()
		f.putTCP(local, remote, &c.out.path, c.host)
	}
	return f
}

// refreshPath looks the route up again when the network has changed.
func (c *TCP) refreshPath(now clock.Time) {
	n := c.host.net.Load()
	if c.out.generation == n.generation {
		return
	}
	if err := c.route(n); err != nil {
		errno, _ := err.(syscall.Errno)
		c.happened(c.conn.OnICMP(now, false, errno))
		return
	}
	most := c.pathMSS()
	c.conn.SetLinkSegment(c.maxSegment(most))
	c.conn.SetPathMSS(now, most)
}

// route looks up the way to the peer; there is none where it returns an error.
func (c *TCP) route(n *network) error {
	local, remote := c.key.ends()
	p, err := n.pathOn(int(c.device.Load()), remote.Addr(), local.Addr(), c.host.lo)
	c.setPath(p, n.generation)
	return err
}

// setPath makes p the way to the peer, with what the connection says of its packets.
func (c *TCP) setPath(p path, generation uint64) {
	p.fragment = c.out.fragment
	c.setShared(p, generation)
}

// setShared has the connection share the path p.
func (c *TCP) setShared(p path, generation uint64) {
	if p.ifc == nil {
		p = path{}
	} else {
		p.hopLimit, p.tos = c.hopLimit, c.tos
	}
	p.src = netip.Addr{} // the connection has its own
	c.out = c.host.paths.share(sharedPath{p, generation})
}

// settle sets the timer, and takes the connection out of the tables when it has ended.
func (c *TCP) settle(now clock.Time) {
	switch st := c.conn.State(); {
	case st == tcp.StateClosed && !c.holds():
		c.leave()
	case st == tcp.StateTimeWait && !c.holds() && c.entered:
		c.host.addTimeWait(c) // before it leaves, so that no segment meets neither
		c.leave()
	case st == tcp.StateTimeWait && !c.entered:
		c.release()
	default:
		c.arm(now)
		return
	}
	if c.userAt != 0 {
		c.arm(now) // there is text still that the user has not taken
	}
}

// parkAfter is how long a connection keeps what it needs to be busy when it is not: little
// enough that a million that were opened in turn do not all have it, and so long that one with
// anything to do hardly ever gives it up.
const parkAfter = 250 * time.Millisecond

// arm makes the wheel call by the state machine's deadline. An entry that is
// earlier already is left alone: it will look and go back to sleep.
func (c *TCP) arm(now clock.Time) {
	d := min(c.conn.Deadline(), c.timerAt())
	if !c.conn.Parked() {
		d = min(d, now.Add(parkAfter))
	}
	if d >= c.armed {
		return
	}
	c.armed = d
	c.host.scheduleTCP(&c.timer, d)
}

// enter puts the connection into the tables, and reports false where there is one of its ends.
func (c *TCP) enter() bool {
	if c.entered = c.host.conns.add(&c.key, c); c.entered {
		c.host.portUse.add(c.key.localPort(), 1)
	}
	return c.entered
}

// leave takes the connection out of the tables.
func (c *TCP) leave() {
	if c.entered {
		c.entered = false
		c.host.conns.remove(&c.key, c)
		c.host.portUse.add(c.key.localPort(), -1)
	}
	if c.armed != clock.Never {
		c.armed = clock.Never
		c.host.cancelTCP(&c.timer)
	}
	c.release()
	if c.InPlace() && !c.detached {
		c.host.parted.add(c)
	}
}

// release gives the blocks back once neither the user nor the peer can want them.
func (c *TCP) release() {
	if c.detached {
		c.conn.Release()
	}
}
