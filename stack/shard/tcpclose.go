package shard

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/tcp"
)

// Close closes the connection for its user, as close(2) does: what was written is
// still delivered, what arrives is refused. It does not wait.
func (c *TCP) Close() {
	c.mu.Lock()
	defer c.unlock(nil)
	if c.detached {
		return
	}
	c.detached = true
	now := c.host.Now()
	c.conn.Close(now)
	c.push(now)
}

// Leave is Close by a handler, in a call of its own: the connection is locked, and what there is to send is
// sent when the call returns.
func (c *TCP) Leave() {
	c.userAt = 0
	if !c.entered {
		c.host.parted.remove(c)
	}
	if !c.detached {
		c.detached = true
		c.conn.Close(c.host.Now())
	}
	if !c.entered {
		c.release()
	}
}

// Taken reports whether the connection was closed by its user, or by Abort. It is locked.
func (c *TCP) Taken() bool { return c.detached }

// Abort resets the connection and lets everything of it go.
func (c *TCP) Abort() { c.abortBy(nil) }

// abortBy is Abort for a goroutine with a watch.
func (c *TCP) abortBy(w *watch) {
	if c.lockOr(pendAbort) {
		c.abort(c.host.Now())
		c.unlock(w)
	}
}

// lastWords waits, for a moment, until nobody has the connection or is writing to the device for it: an
// Abort meanwhile has left the reset to that goroutine, and the device is about to
// be closed.
func (c *TCP) lastWords(patience <-chan struct{}) {
	if !c.lockWithin(patience) {
		return
	}
	if !c.sending {
		c.unlockAside()
		return
	}
	j := c.jammed()
	if j.quiet == nil {
		j.quiet = make(chan struct{})
	}
	quiet := j.quiet
	c.mu.Unlock() // who is sending does what is left
	select {
	case <-quiet:
	case <-patience:
	}
}

// lockWithin locks the connection, or reports false where a handler has it until patience ends.
func (c *TCP) lockWithin(patience <-chan struct{}) bool {
	if !c.InPlace() {
		c.mu.Lock()
		return true
	}
	for wait := time.Microsecond; !c.mu.TryLock(); wait = min(2*wait, time.Millisecond) {
		select {
		case <-patience:
			return false
		case <-time.After(wait):
		}
	}
	return true
}

// lastWordsPatience bounds what Close waits for all of them. A handler and a write to a device take microseconds,
// but their thread may have to wait for a processor for as long as a busy machine pleases; who is still at it after
// seconds does not return.
const lastWordsPatience = 5 * time.Second

func (c *TCP) abort(now clock.Time) {
	c.detached = true
	c.conn.Abort(now)
	c.push(now)
	c.tell(tcp.EventError)
}

// drop lets go of a connection whose reset a full device did not take, when the host is
// closed and no room will come any more.
func (c *TCP) drop() {
	if !c.lockPatiently() {
		return
	}
	defer c.unlockAside()
	if c.holds() {
		c.host.putTx(c.jam.held)
		c.jam.held = nil
	}
	c.leave()
}
