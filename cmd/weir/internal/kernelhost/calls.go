package kernelhost

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/weirnet/weir/stack/script"
	"github.com/weirnet/weir/stack/socket"
	"github.com/weirnet/weir/stack/socket/kernel"
)

// tracked are the kernel's calls, with a note of which descriptors the script has: Close lets go
// of those that it left, and wakes who waits for them.
type tracked struct {
	*kernel.Calls
	h *Host
}

func (t tracked) note(fd int, open bool) {
	t.h.mu.Lock()
	defer t.h.mu.Unlock()
	if open {
		t.h.sockets[fd] = true
		return
	}
	delete(t.h.sockets, fd)
}

func (t tracked) opened(fd int, err error) (int, error) {
	if err == nil {
		t.note(fd, true)
	}
	return fd, err
}

func (t tracked) Socket(domain, typ, protocol int) (int, error) {
	fd, err := t.opened(t.Calls.Socket(domain, typ, protocol))
	if err == nil && t.h.congestion != "" {
		// A socket that is not TCP's has no such option.
		_ = t.Calls.Setsockopt(fd, socket.SOL_TCP, socket.TCP_CONGESTION, []byte(t.h.congestion))
	}
	return fd, err
}

func (t tracked) EpollCreate(flags int) (int, error) { return t.opened(t.Calls.EpollCreate(flags)) }

func (t tracked) Accept(fd int) (int, *socket.Sockaddr, error) { return t.Accept4(fd, 0) }

func (t tracked) Accept4(fd, flags int) (int, *socket.Sockaddr, error) {
	n, sa, err := t.Calls.Accept4(fd, flags)
	t.opened(n, err)
	return n, sa, err
}

func (t tracked) CloseFD(fd int) error {
	t.h.mu.Lock()
	mine := t.h.sockets[fd]
	t.h.mu.Unlock()
	if !mine {
		return unix.EBADF // a descriptor of this program's own is not the script's to close
	}
	t.note(fd, false)
	return t.Calls.CloseFD(fd)
}

// call is a system call on a thread of its own.
type call struct {
	pending script.Pending
	end     time.Duration
	tid     int
	done    chan struct{}
}

// Start runs f on a thread of its own until it has returned or the thread sleeps in the kernel.
func (h *Host) Start(f func()) *script.Pending {
	c := &call{done: make(chan struct{})}
	began := make(chan struct{})
	h.mu.Lock()
	h.blocked[c] = struct{}{}
	h.mu.Unlock()
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		c.tid = unix.Gettid()
		close(began)
		f()
		h.mu.Lock()
		c.end = h.Now()
		h.returned = append(h.returned, c)
		delete(h.blocked, c)
		h.mu.Unlock()
		close(c.done)
		h.happened()
	}()
	<-began
	h.settle(c)
	h.collect()
	return &c.pending
}

// collect enters which calls have returned. What the runner looks at changes on the runner's
// own goroutine only.
func (h *Host) collect() {
	h.mu.Lock()
	list := h.returned
	h.returned = nil
	h.mu.Unlock()
	for _, c := range list {
		c.pending = script.Pending{Done: true, End: c.end}
	}
}

// settle waits until the call has returned or is blocked: asleep in the same system call, which
// is no lock of the runtime's, twice in a row.
func (h *Host) settle(c *call) {
	asleep := 0
	tick := time.NewTicker(100 * time.Microsecond)
	defer tick.Stop()
	for range 10_000 {
		select {
		case <-c.done:
			return
		case <-tick.C:
		}
		if !sleeps(c.tid) {
			asleep = 0
		} else if asleep++; asleep == 3 {
			return
		}
	}
}

// sleeps reports whether a thread of this process sleeps in a system call other than futex.
func sleeps(tid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/stat", tid))
	if i := bytes.LastIndexByte(stat, ')'); err != nil || i < 0 || i+2 >= len(stat) || stat[i+2] != 'S' {
		return false
	}
	in, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/syscall", tid))
	return err != nil || !bytes.HasPrefix(in, fmt.Appendf(nil, "%d ", unix.SYS_FUTEX))
}

// release ends the calls that are blocked and closes what the script left open.
func (h *Host) release() (err error) {
	h.mu.Lock()
	h.closing = true
	var waiting []*call
	for c := range h.blocked {
		waiting = append(waiting, c)
	}
	h.mu.Unlock()
	for _, c := range waiting {
		err = errors.Join(err, h.interrupt(c))
	}
	for _, fd := range h.descriptors() { // one more, where accept returned after all
		// With a linger time of zero the kernel does not go on with the connection in a
		// namespace that is gone.
		h.calls.Setsockopt(fd, socket.SOL_SOCKET, socket.SO_LINGER, []byte{1, 0, 0, 0, 0, 0, 0, 0})
		h.calls.CloseFD(fd)
	}
	return err
}

// descriptors lists what the script has open.
func (h *Host) descriptors() []int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Sorted(maps.Keys(h.sockets))
}

// interrupt ends a call: by shutting down every socket, and if that does not do by a signal to its
// thread. Go's runtime uses SIGURG for itself and is not disturbed by one more. The signal comes
// second and both are tried again, for a signal has the kernel begin a connect() anew, which then
// waits once more although the socket has been shut down.
func (h *Host) interrupt(c *call) error {
	for pause := time.Millisecond; pause < 3*time.Second; pause *= 2 {
		for _, fd := range h.descriptors() {
			h.calls.Shutdown(fd, socket.SHUT_RDWR)
		}
		if c.over(pause) {
			return nil
		}
		unix.Tgkill(os.Getpid(), c.tid, unix.SIGURG)
		if c.over(pause) {
			return nil
		}
	}
	return fmt.Errorf("end a system call of the script: its thread %d does not answer signals", c.tid)
}

// over waits for the call to return.
func (c *call) over(patience time.Duration) bool {
	select {
	case <-c.done:
		return true
	case <-time.After(patience):
		return false
	}
}

// stopped reports whether the host is being closed.
func (h *Host) stopped() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.closing
}
