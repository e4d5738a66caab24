package script

import (
	"encoding/binary"

	"github.com/weirnet/weir/stack/socket"
)

// freebsdCalls is the system calls where FreeBSD's answers differ from Linux's: what
// SO_RCVBUF and SO_SNDBUF hold is not twice what was asked for, and the size that a connection begins
// with is a whole number of segments.
type freebsdCalls struct {
	*socket.System
	w   *weir
	set map[[2]int]int // what the script asked for, by descriptor and option
}

func newFreebsdCalls(w *weir) *freebsdCalls {
	return &freebsdCalls{System: w.sys, w: w, set: map[[2]int]int{}}
}

func isBufferOption(level, name int) bool {
	return level == socket.SOL_SOCKET && (name == socket.SO_RCVBUF || name == socket.SO_SNDBUF)
}

func (f *freebsdCalls) Setsockopt(fd, level, name int, value []byte) error {
	err := f.System.Setsockopt(fd, level, name, value)
	if err == nil && isBufferOption(level, name) && len(value) >= 4 {
		f.set[[2]int{fd, name}] = int(binary.NativeEndian.Uint32(value))
	}
	return err
}

func (f *freebsdCalls) Getsockopt(fd, level, name int, value []byte) (int, error) {
	n, err := f.System.Getsockopt(fd, level, name, value)
	if err != nil || n < 4 || !isBufferOption(level, name) {
		return n, err
	}
	typ := make([]byte, 4)
	if _, err := f.System.Getsockopt(fd, socket.SOL_SOCKET, socket.SO_TYPE, typ); err != nil || binary.NativeEndian.Uint32(typ) != socket.SOCK_STREAM {
		return n, nil
	}
	size, asked := f.set[[2]int{fd, name}]
	if !asked {
		size = f.w.settings.tcp.ReceiveSizes[1]
		if name == socket.SO_SNDBUF {
			size = f.w.settings.tcp.SendSizes[1]
		}
	}
	if mss := f.segment(fd); mss > 0 {
		size = (size + mss - 1) / mss * mss
	}
	binary.NativeEndian.PutUint32(value, uint32(size))
	return 4, nil
}

// segment is the segment size of a connection without its options, 0 of what is none yet.
func (f *freebsdCalls) segment(fd int) int {
	info, err := f.GetTCPInfo(fd)
	if err != nil || info.State == socket.TCP_LISTEN || info.State == socket.TCP_CLOSE || info.State == socket.TCP_SYN_SENT {
		return 0
	}
	mss := int(info.SndMSS)
	if info.Options&socket.TCPI_OPT_TIMESTAMPS != 0 {
		mss += 12
	}
	return mss
}

func (f *freebsdCalls) CloseFD(fd int) error {
	delete(f.set, [2]int{fd, socket.SO_RCVBUF})
	delete(f.set, [2]int{fd, socket.SO_SNDBUF})
	return f.System.CloseFD(fd)
}
