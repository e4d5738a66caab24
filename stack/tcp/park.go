package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/tcp/cc"
	"github.com/weirnet/weir/stack/tcp/reasm"
	"github.com/weirnet/weir/stack/tcp/stream"
)

// active is the part of a connection that says something only while anything is under way: what
// is queued, outstanding, due or waited for. It is lent by a slab. A connection with nothing of that has
// the shared resting instead, from which anything may be read; whoever writes wakes the
// connection before.
type active struct {
	sendQueue stream.SendQueue // what was written and is not acknowledged
	recvQueue stream.RecvQueue // what came in order and was not read
	ooo       *reasm.Queue     // text out of order; nil while there is none

	read      int        // what the user has read since readSince: see fitReceive
	readSince clock.Time // 0 before the first read
	reading   bool       // much was read since Park was last called

	cc   control
	loss lossState
	pending
}

// pending is what of active is compared with the state of rest as a whole.
type pending struct {
	// The timers; Never where they do not run.
	rtxAt    clock.Time // retransmission, or where persist is set the next window probe
	ackAt    clock.Time // delayed acknowledgment
	lingerAt clock.Time // end of TIME-WAIT, or of FIN-WAIT-2 where the user is gone

	progressAt clock.Time // when data last began to be, or was, acknowledged
	ratedAt    clock.Time // C.delivered_time of the delivery rate
	limitedAt  clock.Time // when limit came to be what it is
	// appLimited is what delivered will be when the time that the application was too slow is over.
	appLimited uint32
	reply      pendingReply
	twice      seq.Range // what came twice and was not reported yet (RFC 2883); empty where nothing did

	limit      limitedBy
	shortWrite bool // the user was refused room, and none has come since

	timer      timerKind // what rtxAt is for
	tries      uint8     // timeouts, or probes, since the peer last answered them
	probeShift uint8     // doublings of the persist timer
	acksDue    uint8     // ACKs to be sent at once
	unacked    uint8     // segments with text received since the last ACK was sent

	persist   bool // rtxAt is the persist timer
	probing   bool // the octet at snd.una was sent as a probe beyond the window
	probed    bool // it was, and has been taken back; the peer may have it all the same
	synDue    bool // the SYN is to be sent, or sent again
	probeDue  bool // the persist timer has fired
	keepDue   bool // a keep-alive probe is to be sent
	updateDue bool // the user's reading has opened the window: tell the peer
	cwndFull  bool // the congestion window, and nothing else, last stopped Output
}

// rare is what few connections have. Who has none of it shares the one that is empty; whoever
// writes has one of its own before.
type rare struct {
	keep        *keepAlive   // nil where it is off
	user        *userOptions // nil where the user has made no unusual choice
	like        *likeKernel  // nil in weir's own profile
	userTimeout time.Duration
	invalidAt   clock.Time // when the peer was last told of an unacceptable segment
	soft        errno      // the latest soft error, told if the connection times out

	parkedCC  control   // congestion control with a past, of a parked connection
	parkedRec *recovery // and its memory of losses
}

var (
	atRest  = pending{rtxAt: clock.Never, ackAt: clock.Never, lingerAt: clock.Never}
	resting = active{pending: atRest}
	nothing = rare{invalidAt: clock.Never}

	actives mem.Slab[active]
)

// parked reports whether the connection has nothing under way and no room for it.
func (c *Conn) parked() bool { return c.active == &resting || c.active == nil }

// ready makes a connection that was never opened one that can be asked.
func (c *Conn) ready() {
	if c.active == nil {
		c.active = &resting
	}
	if c.rare == nil {
		c.rare = &nothing
	}
}

// own gives the connection a rare of its own, to be written.
func (c *Conn) own() *rare {
	if c.rare == &nothing || c.rare == nil {
		c.rare = &rare{invalidAt: clock.Never}
	}
	return c.rare
}

// wake gives the connection what it needs to have something under way.
func (c *Conn) wake() {
	if c.parked() {
		c.rouse()
	}
}

func (c *Conn) rouse() {
	a := actives.Get()
	a.pending = atRest
	a.sendQueue.Init(c.pool)
	a.recvQueue.Init(c.pool)
	c.active = a
	if c.rare == nil {
		c.rare = &nothing
	}
	if c.set == nil || !c.state.Synchronized() {
		return
	}
	a.appLimited = max(c.delivered, 1)
	if a.cc, a.loss.rec = c.parkedCC, c.parkedRec; a.cc == nil {
		a.cc = c.newControl()
		a.cc.Init(int(c.snd.mss), c.initialWindow())
		a.cc.SetBurst(c.snd.maxSegment())
		a.cc.(cc.Parker).Resume(c.window)
	}
}

// Park gives back what a connection needs only while something is under way, and reports
// whether it has none of that now. It is for a driver, to be called when the connection has
// had nothing to do for a while; the connection is as good as before, and the next
// segment or call brings back what is needed.
func (c *Conn) Park() bool {
	if c.parked() {
		return true
	}
	a := c.active
	if !c.settled || !c.state.Synchronized() || c.state == StateTimeWait || c.cc == nil ||
		c.snd.una != c.snd.nxt || c.snd.connecting || c.sendQueue.Len() > 0 || c.recvQueue.Len() > 0 ||
		c.ooo != nil || c.loss.out != nil || c.loss.state != caOpen || c.loss.force || c.loss.hold ||
		c.appLimited != max(c.delivered, 1) {
		return false
	}
	if a.reading { // between two bursts, which count together: see fitReceive
		a.reading = false
		return false
	}
	// Who is at rest does not ask for these.
	s := a.pending
	s.progressAt, s.ratedAt, s.limitedAt, s.appLimited = 0, 0, 0, 0
	if s != atRest {
		return false
	}
	window, ok := a.cc.(cc.Parker).Park()
	if ok {
		cc.Recycle(a.cc)
		a.cc = nil
	}
	if a.cc != nil || a.loss.rec != nil || c.rare != &nothing {
		r := c.own()
		r.parkedCC, r.parkedRec = a.cc, a.loss.rec
	}
	c.window, c.snd.sml = window, c.snd.una
	c.giveBack()
	return true
}

// giveBack gives active back, which says nothing more.
func (c *Conn) giveBack() {
	a := c.active
	c.active = &resting
	a.cc, a.loss, a.ooo = nil, lossState{}, nil
	a.read, a.readSince, a.reading = 0, 0, false
	actives.Put(a)
}

// awake returns the connection, or of a parked one a copy that is not, to be asked only and given up
// by asleep.
func (c *Conn) awake() *Conn {
	if c.ready(); !c.parked() {
		return c
	}
	d := *c
	d.wake()
	return &d
}

// asleep ends the use of what awake has returned.
func (c *Conn) asleep(d *Conn) {
	if c != d {
		if d.cc != nil && d.cc != c.parkedCC {
			cc.Recycle(d.cc)
		}
		d.giveBack()
	}
}

// Parked reports whether Park has given everything back and nothing has happened since.
func (c *Conn) Parked() bool { return c.parked() || c.state == StateClosed }
