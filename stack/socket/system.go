package socket

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/tcp"
)

// Config is what a System is made with. The zero value is Linux's defaults, in real time.
type Config struct {
	// Block suspends the calling goroutine until ready holds or the deadline, on the
	// host's clock, has passed (clock.Never: there is none), and reports whether ready
	// holds. ready may be called from any goroutine and any number of times. Nil waits in
	// real time, woken by the stack; a script runner in virtual time lets its other
	// coroutines go on.
	Block func(deadline clock.Time, ready func() bool) bool
	// Hostname is what Gethostname says; empty is "weir".
	Hostname string
	// Resolver looks up names for Getaddrinfo that are neither an address nor the local
	// host. Nil knows none.
	Resolver func(name string) ([]netip.Addr, error)
	// MaxDescriptors bounds the descriptors; 0 stands for 65536.
	MaxDescriptors int
	// Somaxconn bounds the backlog of Listen (net.core.somaxconn); 0 stands for 4096.
	Somaxconn int
	// RmemMax and WmemMax bound SO_RCVBUF and SO_SNDBUF before they are doubled
	// (net.core.rmem_max, wmem_max); 0 stands for 212992.
	RmemMax, WmemMax int
	// RefuseOverflow answers the SYN of a connection for which there is no room in the accept queue with a
	// reset, which Linux never does, so that its peer knows at once.
	RefuseOverflow bool
	// V6Only is what IPV6_V6ONLY is at first (net.ipv6.bindv6only).
	V6Only bool
}

func (c Config) withDefaults() Config {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	if c.Hostname == "" {
		c.Hostname = "weir"
	}
	def(&c.MaxDescriptors, 1<<16)
	def(&c.Somaxconn, SOMAXCONN)
	def(&c.RmemMax, 212992)
	def(&c.WmemMax, 212992)
	return c
}

// profile is the stack that the host's TCP behaves like.
func (s *System) profile() tcp.Profile { return s.host.Config().TCP.Profile }

// System is a process as far as sockets go: a table of descriptors, and the calls on them. Its
// methods are safe for concurrent use. The error of each is nil or a syscall.Errno; numbers
// that they return are -1 with an error, as in C.
type System struct {
	host *shard.Host
	cfg  Config

	mu     sync.Mutex
	table  []*descriptor
	free   int // no descriptor below it is free
	epolls sync.Mutex
	cookie atomic.Uint64
}

// New returns the calls on the host's sockets.
func New(h *shard.Host, cfg Config) *System {
	return &System{host: h, cfg: cfg.withDefaults(), free: firstDescriptor}
}

// Host returns the host.
func (s *System) Host() *shard.Host { return s.host }

// Close closes every descriptor, as the end of a process does: without lingering.
func (s *System) Close() {
	s.mu.Lock()
	fds := make([]int, 0, len(s.table))
	for fd, d := range s.table {
		if d != nil && d.file != nil {
			fds = append(fds, fd)
		}
	}
	s.mu.Unlock()
	for _, fd := range fds {
		s.closeFD(fd, false)
	}
}

// errno makes any error of the layers below one of the kernel's.
func errno(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := err.(syscall.Errno); ok {
		return e
	}
	return syscall.ENETDOWN // net.ErrClosed: the host is closed
}

// num is the pair that a call returns: -1 with an error.
func num(n int, err error) (int, error) {
	if err != nil {
		return -1, err
	}
	return n, nil
}
