package socket

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/tcp"
)

// buffers returns what SO_RCVBUF and SO_SNDBUF ask of a connection: half of what they report, but in
// Linux's profile, which reckons with all of it as Linux does.
func (o *options) buffers(p tcp.Profile) (recv, send int) {
	if p == tcp.ProfileLinux {
		return o.receiveBuffer, o.sendBuffer
	}
	return o.receiveBuffer / 2, o.sendBuffer / 2
}

// configure gives a connection its options: all that differ from was, or where that is nil from
// those that a connection begins with.
func (o *options) configure(c *tcp.Conn, now clock.Time, profile tcp.Profile, was *options) {
	if was == nil {
		d := defaultOptions()
		was = &d
	}
	if o.nodelay != was.nodelay || o.nodelays != was.nodelays {
		c.SetNoDelay(o.nodelay)
	}
	if o.cork != was.cork {
		c.SetCork(o.cork)
	}
	if o.quickack != was.quickack {
		c.SetQuickAck(now, o.quickack > 0)
	}
	if o.keepAlive != was.keepAlive || o.keepIdle != was.keepIdle || o.keepInterval != was.keepInterval || o.keepCnt != was.keepCnt {
		c.SetKeepAlive(now, o.keepAlive, seconds(o.keepIdle), seconds(o.keepInterval), o.keepCnt)
	}
	if o.userTimeout != was.userTimeout {
		c.SetUserTimeout(now, time.Duration(o.userTimeout)*time.Millisecond)
	}
	if o.receiveBuffer != was.receiveBuffer || o.sendBuffer != was.sendBuffer {
		c.SetBuffers(o.buffers(profile))
	}
	o.configureRare(c, was)
}

// configureRare is configure for what few set.
func (o *options) configureRare(c *tcp.Conn, was *options) {
	if o.oobInline != c.UrgentInline() {
		c.SetUrgentInline(o.oobInline)
	}
	if o.notSentLowat != was.notSentLowat {
		c.SetNotSentLowat(lowWater(o.notSentLowat))
	}
	if o.windowClamp != was.windowClamp {
		c.SetWindowClamp(o.windowClamp)
	}
	if o.synCount != was.synCount {
		c.SetSynRetries(o.synCount)
	}
	if o.keepInit != was.keepInit {
		c.SetSynTimeout(seconds(o.keepInit))
	}
	if o.linger2 != was.linger2 {
		c.SetLinger2(seconds(o.linger2))
	}
	if o.hasCongestion && (o.congestion != was.congestion || !was.hasCongestion) {
		c.SetCongestion(o.congestion)
	}
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// lowWater is TCP_NOTSENT_LOWAT as the state machine takes it.
func lowWater(v uint32) int {
	if v == 1<<32-1 {
		return 0
	}
	return int(v)
}

// apply carries options that were changed to the connection or the listener. mu is held.
func (s *stream) apply() {
	if s.listener != nil {
		s.listener.Configure(func(o *shard.ListenOptions) {
			o.TCP, o.DeferAccept = s.tcpOptions(s.domain == AF_INET), s.opt.deferAccept
		})
	}
	if s.binding != nil {
		s.binding.SetReuse(s.opt.reuseAddr, s.opt.reusePort)
		s.binding.SetInterface(s.opt.device)
	}
	a := s.live
	if a == nil {
		return
	}
	a.c.Lock()
	defer a.c.Unlock()
	s.opt.configure(a.c.Conn(), s.sys.host.Now(), s.sys.profile(), &a.applied)
	s.applyPath(a)
	a.applied = s.opt
	a.c.Push()
}

// applyPath is apply for what the driver keeps of a connection, which is locked.
func (s *stream) applyPath(a *attachment) {
	is4 := a.c.Remote().Addr().Is4()
	if v := s.ip.hopLimit(is4); v != a.c.HopLimit() {
		a.c.SetHopLimit(v)
	}
	if v := s.ip.trafficClass(is4); v != a.c.TrafficClass() {
		a.c.SetTrafficClass(v)
	}
	if v := s.ip.pmtuDisc(is4); v != a.c.PMTUDisc() {
		a.c.SetPMTUDisc(v)
	}
	if s.opt.maxSegment != a.applied.maxSegment {
		a.c.SetUserMSS(s.opt.maxSegment)
	}
	if s.opt.device != a.applied.device {
		a.c.SetInterface(s.opt.device)
	}
}

// hopLimit, trafficClass and pmtuDisc are the options of the socket's family as the driver
// takes them; 0 is the default.
func (o *ipOptions) hopLimit(is4 bool) uint8 {
	v := o.ttl
	if !is4 {
		v = o.hops
	}
	return uint8(max(v, 0))
}

func (o *ipOptions) trafficClass(is4 bool) uint8 {
	if !is4 {
		return uint8(o.tclass)
	}
	return uint8(o.tos)
}

func (o *ipOptions) pmtuDisc(is4 bool) shard.PMTUDisc {
	v := o.pmtudisc
	if !is4 {
		v = o.pmtudisc6
	}
	return shard.PMTUDiscDont + shard.PMTUDisc(v)
}
