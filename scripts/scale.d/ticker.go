package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// ticker is a clock that ticks in the kernel. While the collector marks on every processor that is idle,
// the runtime looks at its own timers 10 ms late and more, but goes on looking at descriptors: a
// generator that sleeps by a timer would have all the requests of that time late, and measure itself.
type ticker struct{ f *os.File }

func newTicker(every time.Duration) (*ticker, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("timerfd_create: %w", err)
	}
	t := &ticker{os.NewFile(uintptr(fd), "timerfd")}
	at := unix.NsecToTimespec(int64(every))
	if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Interval: at, Value: at}, nil); err != nil {
		t.close()
		return nil, fmt.Errorf("timerfd_settime: %w", err)
	}
	return t, nil
}

// wait returns at the next tick, or at once where one has passed.
func (t *ticker) wait() error {
	var ticks [8]byte
	_, err := t.f.Read(ticks[:])
	return err
}

func (t *ticker) close() { t.f.Close() }
