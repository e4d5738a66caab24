package socket

import (
	"syscall"
	"time"

	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/tcp/cc"
)

// The bounds of options at SOL_TCP.
const (
	minUserMSS     = 88
	maxUserMSS     = 32767
	maxKeepSeconds = 32767
	maxKeepProbes  = 127
	maxSynRetries  = 127
	maxLinger2     = 120 // seconds
	minWindowClamp = minReceiveBuffer / 2
)

func setTCPOption(s *stream, name int, value []byte) error {
	o := &s.opt
	if name == TCP_CONGESTION {
		return o.setCongestion(value)
	}
	if len(value) < 4 {
		return syscall.EINVAL
	}
	v := intOf(value)
	on := v != 0
	switch name {
	case TCP_NODELAY:
		if o.nodelay = on; on {
			o.nodelays++ // it pushes each time it is set
		}
	case TCP_CORK:
		o.cork = on
	case TCP_QUICKACK:
		o.setQuickAck(v)
	case TCP_MAXSEG:
		if v != 0 && within(v, minUserMSS, maxUserMSS) != nil {
			return syscall.EINVAL
		}
		o.maxSegment = v
	case TCP_KEEPIDLE:
		return assign(&o.keepIdle, v, 1, maxKeepSeconds)
	case TCP_KEEPINTVL:
		return assign(&o.keepInterval, v, 1, maxKeepSeconds)
	case TCP_KEEPCNT:
		return assign(&o.keepCnt, v, 1, maxKeepProbes)
	case TCP_SYNCNT:
		return assign(&o.synCount, v, 1, maxSynRetries)
	case TCP_KEEPINIT:
		return assign(&o.keepInit, v, 1, maxKeepSeconds)
	case TCP_NOOPT:
		o.noOptions = on
	case TCP_LINGER2:
		o.setLinger2(v)
	case TCP_DEFER_ACCEPT:
		o.deferAccept = deferred(v)
	case TCP_WINDOW_CLAMP:
		return s.setWindowClamp(v)
	case TCP_USER_TIMEOUT:
		return assign(&o.userTimeout, v, 0, 1<<31-1)
	case TCP_NOTSENT_LOWAT:
		o.notSentLowat = uint32(v)
	case TCP_INQ:
		return assignBool(&o.inq, v)
	default:
		return syscall.ENOPROTOOPT
	}
	return nil
}

// setQuickAck notes the mode; that is not kept by connections, so that the option counts each
// time that it is set.
func (o *options) setQuickAck(v int) {
	if v == 0 {
		o.quickack = min(o.quickack, 0) - 1
	} else {
		o.quickack = max(o.quickack, 0) + 1
	}
}

func (o *options) setLinger2(v int) {
	switch {
	case v < 0:
		o.linger2 = -1
	default:
		o.linger2 = min(v, maxLinger2)
	}
}

func (o *options) setCongestion(value []byte) error {
	if len(value) < 1 {
		return syscall.EINVAL
	}
	k, ok := cc.ParseKind(cString(value[:min(len(value), 15)]))
	if !ok {
		return syscall.ENOENT
	}
	o.congestion, o.hasCongestion = k, true
	return nil
}

func (s *stream) setWindowClamp(v int) error {
	if v == 0 {
		if s.stateLocked() != TCP_CLOSE {
			return syscall.EINVAL
		}
		s.opt.windowClamp = 0
		return nil
	}
	s.opt.windowClamp = max(v, minWindowClamp)
	return nil
}

// deferred rounds TCP_DEFER_ACCEPT up to when a SYN,ACK is sent again: after 1, 3, 7, 15 … seconds, and
// every 120 in the end; Linux counts up to 255 times.
func deferred(v int) time.Duration {
	if v <= 0 {
		return 0
	}
	sum, next := 1, 1
	for times := 1; sum < v && times < 255; times++ {
		next = min(2*next, 120)
		sum += next
	}
	return seconds(sum)
}

func getTCPOption(s *stream, name int, value []byte) (int, error) {
	o := &s.opt
	switch name {
	case TCP_NODELAY:
		return putBool(value, o.nodelay)
	case TCP_CORK:
		return putBool(value, o.cork)
	case TCP_QUICKACK:
		return putBool(value, s.quickAck())
	case TCP_MAXSEG:
		return putInt(value, s.maxSegment())
	case TCP_KEEPIDLE:
		return putInt(value, orSeconds(o.keepIdle, s.settings().KeepIdle))
	case TCP_KEEPINTVL:
		return putInt(value, orSeconds(o.keepInterval, s.settings().KeepInterval))
	case TCP_KEEPCNT:
		return putInt(value, orInt(o.keepCnt, s.settings().KeepCount))
	case TCP_SYNCNT:
		return putInt(value, orInt(o.synCount, s.settings().SynRetries))
	case TCP_KEEPINIT:
		return putInt(value, orSeconds(o.keepInit, s.settings().SynTimeout))
	case TCP_NOOPT:
		return putBool(value, o.noOptions)
	case TCP_LINGER2:
		return putInt(value, orSeconds(o.linger2, s.settings().FinWait2Timeout))
	case TCP_DEFER_ACCEPT:
		return putInt(value, int(o.deferAccept/time.Second))
	case TCP_WINDOW_CLAMP:
		return putInt(value, o.windowClamp)
	case TCP_USER_TIMEOUT:
		return putInt(value, o.userTimeout)
	case TCP_NOTSENT_LOWAT:
		return putInt(value, int(o.notSentLowat))
	case TCP_INQ:
		return putBool(value, o.inq)
	case TCP_CONGESTION:
		var name [16]byte
		copy(name[:], s.congestion().String())
		return put(value, name[:])
	case TCP_INFO:
		info := s.info()
		return put(value, info.Append(nil))
	}
	return 0, syscall.ENOPROTOOPT
}

func orInt(v, instead int) int {
	if v != 0 {
		return v
	}
	return instead
}

func orSeconds(v int, instead time.Duration) int { return orInt(v, int(instead/time.Second)) }

func (s *stream) settings() *tcp.Settings { return s.sys.host.Config().TCP }

func (s *stream) congestion() cc.Kind {
	if s.opt.hasCongestion {
		return s.opt.congestion
	}
	return s.settings().CC
}

// quickAck reports whether ACKs do not wait for text to carry them. mu is held.
func (s *stream) quickAck() bool {
	if s.live == nil {
		return s.opt.quickack >= 0
	}
	s.live.c.Lock()
	defer s.live.c.Unlock()
	return s.live.c.Conn().QuickAck()
}

// maxSegment is TCP_MAXSEG: what is asked for, until there is a connection. mu is held.
func (s *stream) maxSegment() int {
	switch {
	case s.live != nil && s.live.state() != TCP_CLOSE:
		s.live.c.Lock()
		defer s.live.c.Unlock()
		return s.live.c.Conn().Info().MSS
	case s.opt.maxSegment != 0:
		return s.opt.maxSegment
	}
	return 536 // RFC 9293 §3.7.1, MUST-15
}
