package pipe

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/weirnet/weir/stack/link"
)

// checkAll returns how many frames the pipe may carry, and what is wrong with the next.
func (o *Options) checkAll(frames [][]byte) (int, error) {
	for i, b := range frames {
		if err := o.check(b); err != nil {
			return i, err
		}
	}
	return len(frames), nil
}

var (
	errOffload = fmt.Errorf("pipe: frame asks for an offload on a pipe made without Offload: %w", syscall.EINVAL)
	errEmpty   = fmt.Errorf("pipe: frame holds no packet: %w", syscall.EINVAL)
	errTooBig  = fmt.Errorf("pipe: packet is larger than the MTU: %w", syscall.EMSGSIZE)
	errSegment = fmt.Errorf("pipe: segment of a super-segment is larger than the MTU: %w", syscall.EMSGSIZE)
)

// check says what is wrong with a written frame.
func (o *Options) check(b []byte) error {
	var f link.Frame
	err := f.SetWire(b)
	switch {
	case err != nil:
		return errors.Join(err, syscall.EINVAL)
	case f.Len() == 0:
		return errEmpty
	case !o.Offload && (f.Checksum == link.ChecksumPartial || f.SegmentSize > 0):
		return errOffload
	case f.SegmentSize == 0 && f.Len() > o.MTU, f.Len() > link.MaxPacket:
		return errTooBig
	case f.SegmentSize > 0 && int(f.SegmentSize) >= o.MTU:
		return errSegment
	}
	return nil
}
