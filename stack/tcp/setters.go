package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/tcp/cc"
)

// userOptions are the choices of a connection's user that few ever make. They are set
// before the connection is opened, when Connect and Accept find them, or while it lives.
type userOptions struct {
	maxSegment   int           // TCP_MAXSEG; 0 leaves it to the link and the path
	notSentLowat int           // TCP_NOTSENT_LOWAT; 0 is no limit
	windowClamp  int           // TCP_WINDOW_CLAMP; 0 is none
	synRetries   int           // TCP_SYNCNT; 0 is that of Settings
	synTimeout   time.Duration // TCP_KEEPINIT; 0 is that of Settings
	noOptions    bool          // TCP_NOOPT
	linger2      time.Duration // TCP_LINGER2; 0 is that of Settings, less than 0 none at all
	congestion   cc.Kind
	hasCC        bool
	urgentInline bool // SO_OOBINLINE, where urgentSet is
	urgentSet    bool
}

// options returns the user's options to be changed.
func (c *Conn) userOpts() *userOptions {
	if r := c.own(); r.user == nil {
		r.user = new(userOptions)
	}
	return c.user
}

// adoptConfig takes over what a Config says of the user's choices. What was set on the
// connection itself goes before.
func (c *Conn) adoptConfig(cfg *Config) {
	if cfg.UserMSS > 0 && (c.user == nil || c.user.maxSegment == 0) {
		c.userOpts().maxSegment = cfg.UserMSS
	}
	if cfg.NoOptions {
		c.userOpts().noOptions = true
	}
	if cfg.NotSentLowat > 0 && (c.user == nil || c.user.notSentLowat == 0) {
		c.userOpts().notSentLowat = cfg.NotSentLowat
	}
	if cfg.WindowClamp > 0 && (c.user == nil || c.user.windowClamp == 0) {
		c.userOpts().windowClamp = cfg.WindowClamp
	}
	if cfg.CC != nil && (c.user == nil || !c.user.hasCC) {
		u := c.userOpts()
		u.congestion, u.hasCC = *cfg.CC, true
	}
}

// SetQuickAck is TCP_QUICKACK. On, the connection leaves the mode in which ACKs wait for text
// to carry them, and one that waits is sent; off, it enters that mode. Neither lasts: the
// connection goes on to judge by what it sees.
func (c *Conn) SetQuickAck(_ clock.Time, on bool) {
	c.ready()
	if !on {
		c.pingpong, c.quick = true, 0
		return
	}
	c.pingpong = false
	if c.unacked > 0 && c.state != StateClosed {
		c.ackNow()
	}
}

// QuickAck reports whether the connection is not in the mode in which ACKs wait for text.
func (c *Conn) QuickAck() bool { return !c.pingpong }

// SetNotSentLowat is TCP_NOTSENT_LOWAT: Writable is 0, and no EventWritable comes, while n octets
// or more wait to be sent for the first time. 0 is no limit.
func (c *Conn) SetNotSentLowat(n int) {
	c.ready()
	if c.user != nil || n > 0 {
		c.userOpts().notSentLowat = max(n, 0)
	}
}

// NotSentLowat returns what SetNotSentLowat has set, or the Settings'; 0 is no limit.
func (c *Conn) NotSentLowat() int {
	c.ready()
	if c.user != nil && c.user.notSentLowat > 0 {
		return c.user.notSentLowat
	}
	if c.set != nil {
		return c.set.NotSentLowat
	}
	return 0
}

// LeastRTT returns the shortest round trip of late; before the first was measured, so much that no path has it.
func (c *Conn) LeastRTT() time.Duration {
	if c.parked() || !c.rtt.Sampled() {
		return time.Minute
	}
	return c.rtt.Min()
}

// SetMaxSegment is TCP_MAXSEG: before the handshake it bounds the MSS that is announced, and
// what is sent, to n octets of options and text; afterwards only what is sent.
// 0 takes the bound away.
func (c *Conn) SetMaxSegment(n int) {
	c.wake()
	if c.user == nil && n <= 0 {
		return
	}
	c.userOpts().maxSegment = min(max(n, 0), 0xffff)
	if c.state != StateClosed {
		c.updateMSS()
		c.settled = false
	}
}

// MaxSegment returns what SetMaxSegment has set, 0 for nothing.
func (c *Conn) MaxSegment() int {
	c.ready()
	if c.user == nil {
		return 0
	}
	return c.user.maxSegment
}

// SetWindowClamp is TCP_WINDOW_CLAMP: the window that is offered is no more than n octets, as
// far as more was not offered before. 0 is no bound.
func (c *Conn) SetWindowClamp(n int) {
	c.wake()
	if c.user == nil && n <= 0 {
		return
	}
	c.userOpts().windowClamp = max(n, 0)
	if c.state != StateClosed {
		c.windowMayOpen()
	}
}

// WindowClamp returns what SetWindowClamp has set, 0 for nothing.
func (c *Conn) WindowClamp() int {
	c.ready()
	if c.user == nil {
		return 0
	}
	return c.user.windowClamp
}

// SetSynRetries is TCP_SYNCNT: how often a SYN is sent again. 0 stands for that of Settings.
func (c *Conn) SetSynRetries(n int) {
	c.ready()
	if c.user != nil || n > 0 {
		c.userOpts().synRetries = min(max(n, 0), 127)
	}
}

// SynRetries returns how often a SYN is sent again.
func (c *Conn) SynRetries() int {
	c.ready()
	if c.user != nil && c.user.synRetries > 0 {
		return c.user.synRetries
	}
	if c.set != nil {
		return c.set.SynRetries
	}
	return 0
}

// SetSynTimeout bounds how long the handshake of an active open may take (TCP_KEEPINIT); 0 stands
// for the Settings' SynTimeout.
func (c *Conn) SetSynTimeout(d time.Duration) {
	c.ready()
	if c.user != nil || d > 0 {
		c.userOpts().synTimeout = max(d, 0)
	}
}

// SynTimeout returns how long the handshake of an active open may take, 0 for as long as SynRetries do.
func (c *Conn) SynTimeout() time.Duration {
	c.ready()
	if c.user != nil && c.user.synTimeout > 0 {
		return c.user.synTimeout
	}
	if c.set != nil {
		return c.set.SynTimeout
	}
	return 0
}

// SetNoOptions is TCP_NOOPT: neither options nor their meaning; it counts before the handshake.
func (c *Conn) SetNoOptions(on bool) {
	c.ready()
	if c.user != nil || on {
		c.userOpts().noOptions = on
	}
}

// NoOptions returns what SetNoOptions has set.
func (c *Conn) NoOptions() bool {
	c.ready()
	return c.user != nil && c.user.noOptions
}

// Buffers returns how many octets may be queued in each direction: what was set, or what the
// profile has made of it.
func (c *Conn) Buffers() (recv, send int) { return c.rcv.limit(), c.snd.limit() }

// SetLinger2 is TCP_LINGER2: how long a connection whose user has gone waits in FIN-WAIT-2. 0
// stands for that of Settings, less than 0 for no wait at all.
func (c *Conn) SetLinger2(d time.Duration) {
	c.ready()
	if c.user != nil || d != 0 {
		c.userOpts().linger2 = d
	}
}

// Linger2 returns how long FIN-WAIT-2 may last without a user; less than 0 is not at all.
func (c *Conn) Linger2() time.Duration {
	c.ready()
	if c.user != nil && c.user.linger2 != 0 {
		return c.user.linger2
	}
	switch {
	case c.set == nil:
		return 0
	case c.set.Profile == ProfileFreeBSD && !c.set.FastFinWait2:
		return time.Duration(c.set.KeepCount) * c.set.KeepInterval
	}
	return c.set.FinWait2Timeout
}

// SetCongestion is TCP_CONGESTION: another algorithm takes over. One that implements
// cc.Adopter goes on from the window of the old, another begins anew.
func (c *Conn) SetCongestion(k cc.Kind) {
	c.wake()
	if k == c.Congestion() && (c.cc != nil || c.user != nil) {
		return
	}
	u := c.userOpts()
	u.congestion, u.hasCC = k, true
	if c.cc == nil {
		return
	}
	old := c.cc
	c.cc = c.newControl()
	c.cc.Init(int(c.snd.mss), c.set.InitialWindow)
	c.cc.SetBurst(c.snd.maxSegment())
	if a, ok := c.cc.(cc.Adopter); ok {
		a.Adopt(old.Window(), old.SSThresh())
	}
}

// Congestion returns the algorithm in use, or to be used.
func (c *Conn) Congestion() cc.Kind {
	c.ready()
	if c.user != nil && c.user.hasCC {
		return c.user.congestion
	}
	if c.set != nil {
		return c.set.CC
	}
	return 0
}

// NoDelay, Cork and UserTimeout return what was set.
func (c *Conn) NoDelay() bool { return c.noDelay }

// Cork reports whether SetCork is on.
func (c *Conn) Cork() bool { return c.cork }

// UserTimeout returns the user timeout, 0 for none.
func (c *Conn) UserTimeout() time.Duration {
	c.ready()
	return c.userTimeout
}
