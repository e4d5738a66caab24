package tun

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// threadNS is the namespace of the calling thread, whichever it is.
const threadNS = "/proc/thread-self/ns/net"

// Namespace is a network namespace, kept in being by a descriptor.
type Namespace struct {
	mu   sync.RWMutex // held for writing by Close, so that no descriptor is used after it
	h    netns.NsHandle
	path string // for errors; empty where it has none
}

// NewNamespace makes a network namespace that has no name and ends with the last
// descriptor, process and socket in it. Its loopback interface is up. It needs
// CAP_SYS_ADMIN.
func NewNamespace() (*Namespace, error) {
	n := &Namespace{h: netns.None()}
	err := visit("make", func() error {
		h, err := netns.New()
		if err != nil {
			return namespaceError("make", "", err)
		}
		n.h = h
		return loopbackUp()
	})
	if err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// OpenNamespace opens the namespace of a name below /run/netns, or of a path where there is
// a slash in it.
func OpenNamespace(name string) (*Namespace, error) {
	path := name
	if !strings.Contains(name, "/") {
		path = "/run/netns/" + name
	}
	h, err := netns.GetFromPath(path)
	if err != nil {
		return nil, namespaceError("open", path, err)
	}
	return &Namespace{h: h, path: path}, nil
}

// Path returns a path under which this process can open the namespace while it is not
// closed, for Config.Namespace.
func (n *Namespace) Path() string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), int(n.h))
}

// Do runs fn on the calling goroutine, with its thread in the namespace, and then puts the
// thread back. Sockets that fn opens, and programs that it starts, are in the namespace and
// stay there; goroutines that it starts are not. (Package net opens the sockets of Listen,
// and of a Dial of an address rather than a name, on the calling goroutine.)
//
// Where the thread cannot be put back, Do returns an error and leaves it locked to the
// goroutine, so that no other goroutine comes to run in the wrong namespace.
func (n *Namespace) Do(fn func() error) error {
	return visit("enter", func() error {
		n.mu.RLock()
		var err error = os.ErrClosed
		if n.h.IsOpen() {
			err = netns.Set(n.h)
		}
		n.mu.RUnlock()
		if err != nil {
			return namespaceError("enter", n.path, err)
		}
		return fn()
	})
}

// Close gives the descriptor back. It may be called more than once.
func (n *Namespace) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.h.IsOpen() {
		return nil
	}
	return n.h.Close()
}

// visit runs fn, which may take the thread to another namespace, and comes back.
func visit(op string, fn func() error) (err error) {
	runtime.LockOSThread()
	home, err := netns.GetFromPath(threadNS)
	if err == nil {
		// What needs permission is done once for nothing, so that who may not return does
		// not leave.
		if err = netns.Set(home); err != nil {
			home.Close()
		}
	}
	if err != nil {
		runtime.UnlockOSThread()
		return namespaceError(op, "", err)
	}
	defer func() {
		back := netns.Set(home)
		home.Close()
		if back != nil {
			err = errors.Join(err, namespaceError("return from", "", back))
			return
		}
		runtime.UnlockOSThread()
	}()
	return fn()
}

// loopbackUp sets the loopback interface of the thread's namespace up.
func loopbackUp() error {
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		return hostError("set up", "lo", err)
	}
	return nil
}

func namespaceError(op, path string, err error) error {
	e := &Error{Op: op + " the network namespace", On: path, Err: err}
	switch {
	case path == "":
		e.Op = op + " a network namespace"
	case errors.Is(err, unix.ENOENT):
		e.Why = "it does not exist"
		e.Hint = "make it (ip netns add NAME) or give the path of one (/proc/PID/ns/net)"
	}
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		e.Why = "no permission"
		e.Hint = "run as root or with CAP_SYS_ADMIN"
	case errors.Is(err, unix.EINVAL):
		e.Why = "it is not a network namespace"
	}
	return e
}
