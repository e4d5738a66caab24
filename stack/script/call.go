package script

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/weirnet/weir/stack/script/ast"
)

// invocation is one system call, ready to be made.
type invocation struct {
	// do makes the call and returns what it returns.
	do func() (int, error)
	// fd says that the result is a new descriptor: any will do where one is expected.
	fd bool
	// check compares what the call wrote through its arguments. It is called after a call
	// whose result is as expected, be that an error or not.
	check func(n int, err error) error

	n   int
	err error
}

// callTable is the system calls that scripts may make.
var callTable map[string]func(r *runner, c *ast.Syscall) (*invocation, error)

func init() {
	callTable = map[string]func(*runner, *ast.Syscall) (*invocation, error){
		"socket": (*runner).callSocket, "bind": (*runner).callBind, "listen": (*runner).callListen,
		"accept": (*runner).callAccept, "accept4": (*runner).callAccept, "connect": (*runner).callConnect,
		"read": (*runner).callRead, "readv": (*runner).callReadv, "recv": (*runner).callRecv,
		"recvfrom": (*runner).callRecvfrom, "recvmsg": (*runner).callRecvmsg,
		"write": (*runner).callWrite, "writev": (*runner).callWritev, "send": (*runner).callSend,
		"sendto": (*runner).callSendto, "sendmsg": (*runner).callSendmsg,
		"fcntl": (*runner).callFcntl, "ioctl": (*runner).callIoctl, "close": (*runner).callClose,
		"shutdown": (*runner).callShutdown, "getsockopt": (*runner).callGetsockopt, "setsockopt": (*runner).callSetsockopt,
		"getsockname": (*runner).callGetname, "getpeername": (*runner).callGetname,
		"poll": (*runner).callPoll, "epoll_create": (*runner).callEpollCreate, "epoll_create1": (*runner).callEpollCreate,
		"epoll_ctl": (*runner).callEpollCtl, "epoll_wait": (*runner).callEpollWait,
	}
}

// endless is how long a call that the script does not mark as blocking may block.
const endless = 2 * time.Hour

// call makes a system call.
func (r *runner) call() error {
	c := r.ev.Syscall
	if err := r.waitForEvent("the call begins"); err != nil {
		return err
	}
	begin, ok := callTable[c.Name]
	if !ok {
		return skipf("needs the system call %s()", c.Name)
	}
	inv, err := begin(r, c)
	if err != nil {
		return err
	}
	p := &pendingCall{ev: r.ev, begun: r.b.Now(), end: r.base + c.End, inv: inv}
	p.p = r.b.Start(func() { inv.n, inv.err = inv.do() })
	if c.Blocking {
		if len(r.pending) >= maxPending {
			return invalidf("line %d: more than %d calls are blocked at once", c.Pos.Line, maxPending)
		}
		r.pending = append(r.pending, p)
		return r.reap()
	}
	if err := r.wait(p.begun+r.patience(endless), func() bool { return p.p.Done }); err != nil {
		return err
	}
	if !p.p.Done {
		return r.fail(fmt.Sprintf("%s() blocks; it was to return at once", c.Name), "", "")
	}
	return r.returned(p)
}

// reap looks at the calls that have returned.
func (r *runner) reap() error {
	for i := 0; i < len(r.pending); i++ {
		p := r.pending[i]
		if !p.p.Done {
			continue
		}
		r.pending = append(r.pending[:i:i], r.pending[i+1:]...)
		if err := r.reapOne(p); err != nil {
			return err
		}
		i = -1
	}
	return nil
}

// reapOne judges a call that was to block, in its own event's place.
func (r *runner) reapOne(p *pendingCall) error {
	ev := r.ev
	r.ev = p.ev
	defer func() { r.ev = ev }()
	d := r.allowance(p.end, p.begun, true)
	if p.p.End < p.end-d || p.p.End > p.end+d {
		err := r.fail(fmt.Sprintf("%s() returned %s at %s, not at %s (±%s)", p.ev.Syscall.Name,
			resultText(p.inv.n, p.inv.err), seconds(p.p.End), seconds(p.end), seconds(d)), "", "")
		if err != nil {
			return err
		}
	}
	return r.returned(p)
}

// returned compares a call's result with what the script expects.
func (r *runner) returned(p *pendingCall) error {
	c, inv := p.ev.Syscall, p.inv
	n := inv.n
	if inv.err != nil {
		n = -1
	}
	if !isEllipsis(c.Result) {
		want, err := r.integer(c.Result)
		if err != nil {
			return err
		}
		if err := r.compareResult(c, inv, want, n); err != nil {
			return err
		}
	}
	if inv.check == nil {
		return nil
	}
	return inv.check(n, inv.err)
}

func (r *runner) compareResult(c *ast.Syscall, inv *invocation, want int64, n int) error {
	wantText := c.Result.String()
	if c.Errno != "" {
		wantText += " " + c.Errno
	}
	got := resultText(inv.n, inv.err)
	if inv.fd && want >= 0 {
		if n < 0 {
			return r.fail(fmt.Sprintf("%s() returned %s, not a descriptor", c.Name, got), wantText, got)
		}
		return nil
	}
	if int64(int32(n)) != want && int64(uint32(n)) != want {
		return r.fail(fmt.Sprintf("%s() returned %s, not %s", c.Name, got, wantText), wantText, got)
	}
	if c.Errno == "" {
		return nil
	}
	e, ok := errnos[c.Errno]
	if !ok {
		return skipf("uses the error %s, which weir does not have", c.Errno)
	}
	if !errors.Is(inv.err, e) {
		return r.fail(fmt.Sprintf("%s() returned %s, not %s", c.Name, got, wantText), wantText, got)
	}
	return nil
}

// resultText is a result as a script writes it.
func resultText(n int, err error) string {
	if err == nil {
		return fmt.Sprint(n)
	}
	var e syscall.Errno
	if errors.As(err, &e) {
		return "-1 " + errnoName(e)
	}
	return "-1 " + err.Error()
}

// argCount complains where a call has not so many arguments.
func argCount(c *ast.Syscall, counts ...int) error {
	for _, n := range counts {
		if len(c.Args) == n {
			return nil
		}
	}
	return invalidf("line %d: %s() takes %d arguments, not %d", c.Pos.Line, c.Name, counts[0], len(c.Args))
}

// ints works out the arguments with the given places.
func (r *runner) ints(c *ast.Syscall, places ...int) ([]int, error) {
	list := make([]int, len(places))
	for i, at := range places {
		if at >= len(c.Args) {
			return nil, invalidf("line %d: %s() takes more arguments", c.Pos.Line, c.Name)
		}
		v, err := r.integer(c.Args[at])
		if err != nil {
			return nil, err
		}
		list[i] = int(v)
	}
	return list, nil
}

// find returns the socket with a script's descriptor, or nil.
func (r *runner) find(fd int) *endpoint {
	for _, e := range r.endpoints {
		if !e.closed && e.scriptFD == fd && e.liveFD >= 0 {
			return e
		}
	}
	return nil
}

// live returns the descriptor that a script's stands for. One that the script never opened is
// passed as it is, so that it may show EBADF.
func (r *runner) live(c *ast.Syscall, at int) (int, *endpoint, error) {
	fd, err := r.ints(c, at)
	if err != nil {
		return 0, nil, err
	}
	return r.liveOf(fd[0]), r.find(fd[0]), nil
}

func (r *runner) liveOf(fd int) int {
	if e := r.find(fd); e != nil {
		return e.liveFD
	}
	if fd < 0 {
		return fd
	}
	return unusedFD + fd
}

// unusedFD is above every descriptor that a stack gives out.
const unusedFD = 1 << 30

// opened enters a new descriptor.
func (r *runner) opened(c *ast.Syscall, e *endpoint, live int) error {
	v, err := r.integer(c.Result)
	if err != nil {
		return err
	}
	if v < 0 {
		return nil // it was expected to fail, and the result was found wrong before
	}
	if r.find(int(v)) != nil {
		return invalidf("line %d: the descriptor %d is open already", c.Pos.Line, v)
	}
	e.scriptFD, e.liveFD = int(v), live
	return nil
}
