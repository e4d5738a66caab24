package script

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/weirnet/weir/stack/socket"
)

// Calls are the system calls that a script may make, with Linux's numbers and layouts. An
// error is always a syscall.Errno; the number is then -1. *socket.System has these methods; a
// kernel's own calls can be dressed so.
type Calls interface {
	Socket(domain, typ, protocol int) (int, error)
	Bind(fd int, sa *socket.Sockaddr) error
	Listen(fd, backlog int) error
	Accept(fd int) (int, *socket.Sockaddr, error)
	Accept4(fd, flags int) (int, *socket.Sockaddr, error)
	Connect(fd int, sa *socket.Sockaddr) error
	Read(fd int, p []byte) (int, error)
	Readv(fd int, iov [][]byte) (int, error)
	Recv(fd int, p []byte, flags int) (int, error)
	RecvFrom(fd int, p []byte, flags int) (int, *socket.Sockaddr, error)
	RecvMsg(fd int, m *socket.Msghdr, flags int) (int, error)
	Write(fd int, p []byte) (int, error)
	Writev(fd int, iov [][]byte) (int, error)
	Send(fd int, p []byte, flags int) (int, error)
	SendTo(fd int, p []byte, flags int, to *socket.Sockaddr) (int, error)
	SendMsg(fd int, m *socket.Msghdr, flags int) (int, error)
	Shutdown(fd, how int) error
	CloseFD(fd int) error
	Getsockname(fd int) (*socket.Sockaddr, error)
	Getpeername(fd int) (*socket.Sockaddr, error)
	Fcntl(fd, cmd, arg int) (int, error)
	// Ioctl returns what the request writes through its argument, IoctlSet makes one that
	// reads it.
	Ioctl(fd, req int) (int, error)
	IoctlSet(fd, req, arg int) error
	Setsockopt(fd, level, name int, value []byte) error
	// Getsockopt fills value and returns how much of it, as the kernel's socklen_t argument does.
	Getsockopt(fd, level, name int, value []byte) (int, error)
	Poll(fds []socket.PollFD, timeout time.Duration) (int, error)
	Select(nfds int, r, w, e *socket.FDSet, timeout time.Duration) (int, error)
	EpollCreate(flags int) (int, error)
	EpollCtl(epfd, op, fd int, ev *socket.EpollEvent) error
	EpollWait(epfd int, events []socket.EpollEvent, timeout time.Duration) (int, error)
	GetTCPInfo(fd int) (socket.TCPInfo, error)
}

// Backend is what a script is run against: system calls, a wire and a clock. A Backend is
// used by one goroutine, and by one script only.
//
// Its time begins at zero when it is made. It may be virtual: then it stands still but in Wait
// and in a call that Start waits for. Or real: then Wait sleeps.
type Backend interface {
	// Calls returns the system calls. They may block only inside a function given to Start.
	Calls() Calls

	// Now returns the present instant.
	Now() time.Duration

	// Wait lets time pass to the instant until, or less: to the moment at which stop reports
	// true. It is asked at once, and after everything that happens. Wait reports what stop said last.
	Wait(until time.Duration, stop func() bool) bool

	// Start calls f, which makes one system call, and returns when f has returned or is
	// blocked. What it returns reports whether f has returned, and when.
	Start(f func()) *Pending

	// Inject gives the stack a packet, from its IP header on with all checksums, as if it came in by
	// the device. Where segment is not 0 and the payload is longer, the device has put it together from
	// segments of that size. The packet is the Backend's afterwards.
	Inject(packet []byte, segment int) error

	// Sent returns the oldest packet that the stack sent and that was not returned yet.
	Sent() (Captured, bool)

	// Sysctl changes a setting, by the name that the profile's kernel gives it; names that
	// begin with "route." are the metrics of the route to the remote side (route.initcwnd).
	// Where the stack has nothing for the name or the value, the error says what. With try, nothing
	// is changed.
	Sysctl(name, value string, try bool) error

	// Abort aborts the connection between the two ends and reports whether there was one
	// (FreeBSD's tcpdrop).
	Abort(local, remote netip.AddrPort) bool

	// Connections lists the stack's listeners, connections and TIME-WAIT records.
	Connections() []Connection

	// Counter returns one of the counters that Linux's nstat shows (TcpExtBeyondWindow), and false where the
	// stack does not count such a thing.
	Counter(name string) (uint64, bool)

	// Close ends everything. Calls that are still blocked return an error first.
	Close() error
}

// Connection is a connection, a listener or a socket of the stack.
type Connection struct {
	Protocol string // "tcp", "udp"
	State    string // as RFC 9293 writes it: SYN-RECEIVED, TIME-WAIT
	Local    netip.AddrPort
	Remote   netip.AddrPort // not valid where there is none
	Details  string         // figures, for a person
}

// String is the connection in one line.
func (c Connection) String() string {
	remote := "*"
	if c.Remote.IsValid() {
		remote = c.Remote.String()
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %v > %s %s", c.Protocol, c.State, c.Local, remote, c.Details))
}

// Pending is a system call that was started.
type Pending struct {
	// Done reports whether it has returned, and End when.
	Done bool
	End  time.Duration
}

// Network is what a Backend is made for: the stack's side and the device.
type Network struct {
	Profile string       // "weir", "linux" or "freebsd"
	Local   netip.Prefix // the stack's address, and its subnet's length
	Remote  netip.Addr   // the script's; what is not local goes to the device, too
	MTU     int
	Offload bool // the device takes super-segments and leaves checksums to others
}
