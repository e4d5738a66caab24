package node

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/weirnet/weir/tun"
)

// watched is a device that tells when it was deleted by somebody else. A stack
// whose device is gone just goes quiet; a command should say so and end.
type watched struct {
	*tun.Device
	gone chan<- error
}

func (w *watched) ReadFrames(queue int, bufs [][]byte, sizes []int) (int, error) {
	n, err := w.Device.ReadFrames(queue, bufs, sizes)
	if err != nil && errors.Is(err, syscall.ENODEV) {
		select {
		case w.gone <- fmt.Errorf("the device %s was deleted by somebody else", w.Name()):
		default: // one is enough to end
		}
	}
	return n, err
}
