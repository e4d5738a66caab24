package tcp

import (
	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
)

// Connect is an active OPEN (RFC 9293 §3.10.1): the connection goes to SYN-SENT, and the
// SYN leaves by Output.
func (c *Conn) Connect(now clock.Time, cfg *Config) {
	c.init(now, cfg)
	c.state, c.synDue = StateSynSent, true
	c.ctr.ActiveOpens.Add(1)
}

// Accept is a passive OPEN that meets a SYN (RFC 9293 §3.10.7.2 third): the connection goes
// to SYN-RECEIVED, and the SYN,ACK leaves by Output. Listen has found that syn is a
// SYN. Text that came with it is not kept; the peer will send it again.
func (c *Conn) Accept(now clock.Time, cfg *Config, syn *Segment) Events {
	c.init(now, cfg)
	c.passive = true
	c.deferring, c.deferMax = cfg.DeferAccept > 0, c.timeoutsWithin(cfg.DeferAccept)
	c.stat.countIn(now, syn, false)
	c.ctr.PassiveOpens.Add(1)
	c.ctr.SegmentsIn.Add(1)
	c.state, c.synDue = StateSynReceived, true
	r := &c.rcv
	r.irs = syn.Seq
	r.nxt = syn.Seq.Add(1)
	r.edge, r.lastAck = r.nxt, r.nxt
	if c.like != nil {
		c.like.adv = r.nxt
	}
	a := arrival{now: now, seg: syn, seq: syn.Seq}
	c.setWindow(&a, 0)
	c.snd.wl2 = c.snd.iss
	c.adoptOptions(now, &syn.Options)
	c.adoptECN(syn)
	return a.events
}

// init makes the connection a new one. What its user has set before stays.
func (c *Conn) init(now clock.Time, cfg *Config) {
	c.ready()
	before := c.rare
	*c = Conn{
		set: cfg.Settings, ctr: cfg.Counters, pool: cfg.Pool, rare: &nothing,
		noDelay: c.noDelay, cork: c.cork, heardAt: now,
	}
	if before != &nothing {
		r := c.own()
		r.userTimeout, r.user, r.keep = before.userTimeout, before.user, before.keep
	}
	c.wake()
	c.progressAt = now
	if c.userTimeout == 0 && c.set.UserTimeout != 0 {
		c.own().userTimeout = c.set.UserTimeout
	}
	c.adoptConfig(cfg)
	if c.keep == nil && c.set.AlwaysKeepAlive {
		c.own().keep = new(keepAlive)
	}
	if c.keep != nil {
		c.keep.fillIn(c.set)
	}
	c.quick = uint8(min(max(c.set.QuickAcks, 0), 255))
	c.initLike(now)
	if c.like != nil {
		c.like.recvGrows, c.like.sendGrows = !cfg.RecvBufferFixed, !cfg.SendBufferFixed
	}
	c.rtt.Init(&c.set.RTO)
	if c.set.TimestampOffsets {
		c.ts.offset = cfg.TSOffset
	}
	c.ts.recent = cfg.TSRecent
	c.ts.again = c.ts.val(now)
	c.initSend(cfg)
	c.initReceive(cfg)
}

func (c *Conn) initSend(cfg *Config) {
	s := &c.snd
	s.iss, s.una, s.nxt, s.up, s.sml = cfg.ISS, cfg.ISS, cfg.ISS, cfg.ISS, cfg.ISS
	s.connecting = true
	s.peerMSS = clampMSS(cfg.DefaultMSS, defaultMSS)
	s.pathMSS = clampMSS(cfg.PathMSS, cfg.MSS)
	s.most = size32(cfg.MaxSegment)
	s.buffer = size32(max(cfg.SendBuffer, 1))
	if c.like != nil {
		c.like.packets.pushed = s.iss.Add(1)
	}
	c.updateMSS()
}

func (c *Conn) initReceive(cfg *Config) {
	r := &c.rcv
	r.mss = clampMSS(cfg.MSS, defaultMSS)
	if cfg.MSS > 0 && cfg.MSS < minMSS {
		r.mss = uint16(cfg.MSS) // ours to say; only a peer's is not believed
	}
	if n := c.MaxSegment(); n > 0 {
		r.mss = min(r.mss, clampMSS(n, minMSS))
	}
	r.buffer = size32(max(cfg.RecvBuffer, 1))
	r.grows = c.like == nil && !cfg.RecvBufferFixed
	if c.set.WindowScale {
		r.shift = c.scaleLike(cfg.RecvBufferFixed)
	}
	r.edge = seq.Value(0)
}

// clampMSS returns mss, or where that is not set instead, within what a segment size can be.
func clampMSS(mss, instead int) uint16 {
	if mss <= 0 {
		mss = instead
	}
	return uint16(min(max(mss, minMSS), 0xffff))
}
