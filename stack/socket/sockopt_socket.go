package socket

import (
	"encoding/binary"
	"math"
	"syscall"
	"time"
)

// The least that SO_RCVBUF and SO_SNDBUF report on Linux.
const (
	minReceiveBuffer = 2304
	minSendBuffer    = 4608
)

// What SO_RCVBUF and SO_SNDBUF report where nobody has set them: net.ipv4.tcp_rmem and tcp_wmem,
// from where buffers grow, and net.core.rmem_default and wmem_default.
const (
	streamReceiveBuffer = 131072
	streamSendBuffer    = 16384
	datagramBuffer      = 212992
)

func setSocketOption(e endpoint, name int, value []byte) error {
	b := e.base()
	if name == SO_BINDTODEVICE { // the one that is not an int
		return b.bindToDevice(cString(value[:min(len(value), 15)]))
	}
	if len(value) < 4 {
		return syscall.EINVAL
	}
	v := intOf(value)
	if to := b.opt.socketSwitch(name); to != nil {
		*to = v != 0
		return nil
	}
	switch name {
	case SO_PRIORITY:
		b.opt.priority = v
	case SO_MARK:
		b.opt.mark = v
	case SO_BSDCOMPAT:
	case SO_LINGER:
		return b.opt.setLinger(value)
	case SO_RCVBUF, SO_SNDBUF, SO_RCVBUFFORCE, SO_SNDBUFFORCE:
		b.setBuffer(name, v)
	case SO_RCVLOWAT:
		b.setLowWater(v)
	case SO_RCVTIMEO:
		return setTimeout(&b.opt.receiveTimeout, value)
	case SO_SNDTIMEO:
		return setTimeout(&b.opt.sendTimeout, value)
	case SO_BINDTOIFINDEX:
		return b.bindToIndex(v)
	default:
		return syscall.ENOPROTOOPT
	}
	return nil
}

// socketSwitch returns where an option is kept that is on or off, and nil for any other.
func (o *options) socketSwitch(name int) *bool {
	switch name {
	case SO_DEBUG:
		return &o.debug
	case SO_REUSEADDR:
		return &o.reuseAddr
	case SO_REUSEPORT:
		return &o.reusePort
	case SO_KEEPALIVE:
		return &o.keepAlive
	case SO_OOBINLINE:
		return &o.oobInline
	case SO_BROADCAST:
		return &o.broadcast
	case SO_DONTROUTE:
		return &o.dontRoute
	case SO_NO_CHECK:
		return &o.noCheck
	case SO_RXQ_OVFL:
		return &o.rxqOvfl
	}
	return nil
}

// setBuffer sets the size of a buffer: what is forced has no limit but that of an int.
func (s *socket) setBuffer(name, v int) {
	switch name {
	case SO_RCVBUF:
		s.opt.receiveBuffer = doubled(v, s.sys.cfg.RmemMax, minReceiveBuffer)
	case SO_SNDBUF:
		s.opt.sendBuffer = doubled(v, s.sys.cfg.WmemMax, minSendBuffer)
	case SO_RCVBUFFORCE:
		s.opt.receiveBuffer = doubled(max(v, 0), math.MaxInt32/2, minReceiveBuffer)
	case SO_SNDBUFFORCE:
		s.opt.sendBuffer = doubled(max(v, 0), math.MaxInt32/2, minSendBuffer)
	}
}

// setLowWater sets how many octets a reader waits for.
func (s *socket) setLowWater(v int) {
	if v < 0 {
		v = math.MaxInt32
	}
	if s.typ == SOCK_STREAM { // else who waits might wait for what does not fit
		recv, _ := s.sys.host.TCPBuffers()
		v = min(v, recv/2)
	}
	s.opt.lowWater = max(v, 1)
}

func assignBool(to *bool, v int) error {
	if v < 0 || v > 1 {
		return syscall.EINVAL
	}
	*to = v == 1
	return nil
}

// doubled is a buffer's size as Linux keeps it: room for its own administration is added. A
// negative size counts as a very large one.
func doubled(v, limit, least int) int {
	if v < 0 || v > limit {
		v = limit
	}
	return max(2*v, least)
}

func (o *options) setLinger(value []byte) error {
	if len(value) < SizeofLinger {
		return syscall.EINVAL
	}
	o.linger = intOf(value) != 0
	if o.linger {
		if n := intOf(value[4:]); n < 0 {
			o.lingerTime = math.MaxInt32 * time.Second
		} else {
			o.lingerTime = time.Duration(n) * time.Second
		}
	}
	return nil
}

// setTimeout reads a struct timeval: 0 is for ever, less than 0 not at all.
func setTimeout(to *time.Duration, value []byte) error {
	if len(value) < SizeofTimeval {
		return syscall.EINVAL
	}
	tv := timevalOf(value)
	switch {
	case tv.Usec < 0 || tv.Usec >= 1e6:
		return syscall.EDOM
	case tv.Sec < 0:
		*to = 1 // the shortest there is
	case tv.Sec >= math.MaxInt64/int64(time.Second)-1:
		*to = 0
	default:
		*to = time.Duration(tv.Sec)*time.Second + time.Duration(tv.Usec)*time.Microsecond
	}
	return nil
}

func (s *socket) bindToDevice(name string) error {
	if name == "" {
		s.opt.device = 0
		return nil
	}
	i := s.sys.host.InterfaceByName(name)
	if i == nil {
		return syscall.ENODEV
	}
	s.opt.device = i.Index()
	return nil
}

func (s *socket) bindToIndex(index int) error {
	if index < 0 {
		return syscall.EINVAL
	}
	s.opt.device = index // whether it is there shows when something is sent
	return nil
}

func getSocketOption(e endpoint, name int, value []byte) (int, error) {
	b := e.base()
	o := &b.opt
	if on := o.socketSwitch(name); on != nil {
		return putBool(value, *on)
	}
	switch name {
	case SO_PRIORITY:
		return putInt(value, o.priority)
	case SO_MARK:
		return putInt(value, o.mark)
	case SO_BSDCOMPAT:
		return putInt(value, 0)
	case SO_TYPE:
		return putInt(value, b.typ)
	case SO_DOMAIN:
		return putInt(value, b.domain)
	case SO_PROTOCOL:
		return putInt(value, b.protocol)
	case SO_RCVLOWAT:
		return putInt(value, o.lowWater)
	case SO_SNDLOWAT:
		return putInt(value, 1)
	case SO_BINDTOIFINDEX:
		return putInt(value, o.device)
	}
	return getSocketOptionRest(e, name, value)
}

func getSocketOptionRest(e endpoint, name int, value []byte) (int, error) {
	b := e.base()
	o := &b.opt
	switch name {
	case SO_ERROR:
		v := 0
		if err, ok := b.takeError().(syscall.Errno); ok {
			v = int(err)
		}
		return putInt(value, v)
	case SO_ACCEPTCONN:
		st, ok := e.(*stream)
		return putBool(value, ok && st.listener != nil)
	case SO_LINGER:
		return put(value, appendInt(appendInt(nil, boolInt(o.linger)), int(o.lingerTime/time.Second)))
	case SO_RCVBUF:
		return putInt(value, orDefault(o.receiveBuffer, b.typ, streamReceiveBuffer))
	case SO_SNDBUF:
		return putInt(value, orDefault(o.sendBuffer, b.typ, streamSendBuffer))
	case SO_RCVTIMEO:
		return put(value, appendTimeval(nil, timevalFrom(o.receiveTimeout)))
	case SO_SNDTIMEO:
		return put(value, appendTimeval(nil, timevalFrom(o.sendTimeout)))
	case SO_COOKIE:
		if len(value) < 8 {
			return 0, syscall.EINVAL
		}
		return put(value, binary.NativeEndian.AppendUint64(nil, b.cookie))
	case SO_BINDTODEVICE:
		name, _ := b.sys.interfaceName(o.device)
		if name == "" {
			return 0, nil
		}
		if len(value) < 16 {
			return 0, syscall.EINVAL
		}
		return put(value, append([]byte(name), 0))
	}
	return 0, syscall.ENOPROTOOPT
}

func orDefault(set, typ, stream int) int {
	switch {
	case set != 0:
		return set
	case typ == SOCK_STREAM:
		return stream
	}
	return datagramBuffer
}
