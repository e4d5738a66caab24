package node

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/link/pcapng"
)

// flushEvery is how long a packet may be missing from the file while weir runs.
const flushEvery = time.Second

// capture writes what passes the devices to a file.
type capture struct {
	file   *os.File
	writer *pcapng.Writer
	stop   chan struct{}
	done   chan struct{}
}

func newCapture(path string) (*capture, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) // packets are private
	if err != nil {
		return nil, fmt.Errorf("--pcap: %w", err)
	}
	w := pcapng.NewWriter(file, pcapng.Options{})
	if err := w.Flush(); err != nil { // the file's header: a full disk shows at once
		file.Close()
		return nil, fmt.Errorf("--pcap: %w", err)
	}
	c := &capture{file: file, writer: w, stop: make(chan struct{}), done: make(chan struct{})}
	go c.flush()
	return c, nil
}

func (c *capture) wrap(d stack.Device) stack.Device { return pcapng.Wrap(d, c.writer) }

// flush keeps the file readable while it grows.
func (c *capture) flush() {
	defer close(c.done)
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = c.writer.Flush() // close tells of an error that stays
		case <-c.stop:
			return
		}
	}
}

func (c *capture) close() error {
	close(c.stop)
	<-c.done
	if err := errors.Join(c.writer.Close(), c.file.Close()); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("--pcap: %w", err)
	}
	return nil
}
