package socket

import (
	"encoding/binary"
	"syscall"
	"time"
)

// Setsockopt is setsockopt(2): value is what the option takes, in C's layout and native order. The
// errors are ENOPROTOOPT, EINVAL, EDOM and those of each option.
func (s *System) Setsockopt(fd, level, name int, value []byte) error {
	e, _, err := s.sock(fd)
	if err != nil {
		return err
	}
	b := e.base()
	b.mu.Lock()
	defer b.mu.Unlock()
	if level == SOL_SOCKET {
		err = setSocketOption(e, name, value)
	} else {
		err = setProtocolOption(e, level, name, value)
	}
	if err == nil {
		e.apply()
	}
	return err
}

func setProtocolOption(e endpoint, level, name int, value []byte) error {
	b := e.base()
	switch {
	case level == SOL_TCP && b.typ == SOCK_STREAM:
		return setTCPOption(e.(*stream), name, value)
	case level == SOL_UDP && b.typ == SOCK_DGRAM:
		return setUDPOption(e.(*datagram), name, value)
	case b.typ == SOCK_RAW && b.isRawOption(level, name):
		return setRawOption(e.(*datagram), level, name, value)
	case level == SOL_IP && (b.domain == AF_INET || b.typ != SOCK_RAW):
		return setIPOption(e, name, value)
	case level == SOL_IPV6 && b.domain == AF_INET6:
		return setIPv6Option(e, name, value)
	}
	return syscall.ENOPROTOOPT
}

// Getsockopt is getsockopt(2): it fills value and returns how many octets are of meaning.
func (s *System) Getsockopt(fd, level, name int, value []byte) (int, error) {
	e, _, err := s.sock(fd)
	if err != nil {
		return -1, err
	}
	b := e.base()
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case level == SOL_SOCKET:
		return num(getSocketOption(e, name, value))
	case level == SOL_TCP && b.typ == SOCK_STREAM:
		return num(getTCPOption(e.(*stream), name, value))
	case level == SOL_UDP && b.typ == SOCK_DGRAM:
		return num(getUDPOption(e.(*datagram), name, value))
	case b.typ == SOCK_RAW && b.isRawOption(level, name):
		return num(getRawOption(e.(*datagram), level, name, value))
	case level == SOL_IP && (b.domain == AF_INET || b.typ != SOCK_RAW):
		return num(getIPOption(e, name, value))
	case level == SOL_IPV6 && b.domain == AF_INET6:
		return num(getIPv6Option(e, name, value))
	case b.domain == AF_INET:
		return -1, syscall.EOPNOTSUPP // so Linux says, over IPv4 only
	}
	return -1, syscall.ENOPROTOOPT
}

// SetsockoptInt sets an option that is an int.
func (s *System) SetsockoptInt(fd, level, name, v int) error {
	return s.Setsockopt(fd, level, name, appendInt(nil, v))
}

// GetsockoptInt returns an option that is an int.
func (s *System) GetsockoptInt(fd, level, name int) (int, error) {
	var b [4]byte
	if _, err := s.Getsockopt(fd, level, name, b[:]); err != nil {
		return -1, err
	}
	return intOf(b[:]), nil
}

// SetsockoptString sets an option that is a name: SO_BINDTODEVICE, TCP_CONGESTION.
func (s *System) SetsockoptString(fd, level, name int, v string) error {
	return s.Setsockopt(fd, level, name, []byte(v))
}

// GetsockoptString returns an option that is a name.
func (s *System) GetsockoptString(fd, level, name int) (string, error) {
	var b [16]byte
	n, err := s.Getsockopt(fd, level, name, b[:])
	if err != nil {
		return "", err
	}
	return cString(b[:n]), nil
}

// SetsockoptLinger sets SO_LINGER.
func (s *System) SetsockoptLinger(fd, level, name int, l *Linger) error {
	return s.Setsockopt(fd, level, name, appendInt(appendInt(nil, l.OnOff), l.Linger))
}

// GetsockoptLinger returns SO_LINGER.
func (s *System) GetsockoptLinger(fd, level, name int) (Linger, error) {
	var b [SizeofLinger]byte
	if _, err := s.Getsockopt(fd, level, name, b[:]); err != nil {
		return Linger{}, err
	}
	return Linger{OnOff: intOf(b[:]), Linger: intOf(b[4:])}, nil
}

// SetsockoptTimeval sets SO_RCVTIMEO or SO_SNDTIMEO.
func (s *System) SetsockoptTimeval(fd, level, name int, tv *Timeval) error {
	return s.Setsockopt(fd, level, name, appendTimeval(nil, *tv))
}

// GetsockoptTimeval returns SO_RCVTIMEO or SO_SNDTIMEO.
func (s *System) GetsockoptTimeval(fd, level, name int) (Timeval, error) {
	var b [SizeofTimeval]byte
	if _, err := s.Getsockopt(fd, level, name, b[:]); err != nil {
		return Timeval{}, err
	}
	return timevalOf(b[:]), nil
}

func appendInt(b []byte, v int) []byte {
	return binary.NativeEndian.AppendUint32(b, uint32(int32(v)))
}

func intOf(b []byte) int { return int(int32(binary.NativeEndian.Uint32(b))) }

func appendTimeval(b []byte, tv Timeval) []byte {
	b = binary.NativeEndian.AppendUint64(b, uint64(tv.Sec))
	return binary.NativeEndian.AppendUint64(b, uint64(tv.Usec))
}

func timevalOf(b []byte) Timeval {
	return Timeval{int64(binary.NativeEndian.Uint64(b)), int64(binary.NativeEndian.Uint64(b[8:]))}
}

func timevalFrom(d time.Duration) Timeval {
	return Timeval{int64(d / time.Second), int64(d % time.Second / time.Microsecond)}
}

// cString cuts at the first zero octet.
func cString(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// put copies what an option is to the caller's buffer, as much as there is room for.
func put(value, option []byte) (int, error) { return copy(value, option), nil }

func putInt(value []byte, v int) (int, error) { return put(value, appendInt(nil, v)) }

func putBool(value []byte, v bool) (int, error) { return putInt(value, boolInt(v)) }

func boolInt(v bool) int {
	if v {
		return 1
	}
	return 0
}

// putShort is putInt for SOL_IP, where a buffer of less than an int is given one octet.
func putShort(value []byte, v int) (int, error) {
	if len(value) > 0 && len(value) < 4 && v >= 0 && v <= 255 {
		value[0] = byte(v)
		return 1, nil
	}
	return putInt(value, v)
}

// within returns EINVAL where v is not in the range.
func within(v, lo, hi int) error {
	if v < lo || v > hi {
		return syscall.EINVAL
	}
	return nil
}

// assign sets an option within its range.
func assign(to *int, v, lo, hi int) error {
	if err := within(v, lo, hi); err != nil {
		return err
	}
	*to = v
	return nil
}
