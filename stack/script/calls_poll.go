package script

import (
	"fmt"
	"time"

	"github.com/weirnet/weir/stack/script/ast"
	"github.com/weirnet/weir/stack/socket"
)

// millis is a timeout argument: less than 0 waits for ever.
func millis(ms int) time.Duration {
	if ms < 0 {
		return -1
	}
	return time.Duration(ms) * time.Millisecond
}

func (r *runner) callPoll(c *ast.Syscall) (*invocation, error) {
	if err := argCount(c, 3); err != nil {
		return nil, err
	}
	list, ok := c.Args[0].(*ast.List)
	if !ok {
		return nil, invalidf("line %d: %s is not an array of pollfds", c.Pos.Line, c.Args[0])
	}
	v, err := r.ints(c, 1, 2)
	if err != nil {
		return nil, err
	}
	if v[0] != len(list.Elems) {
		return nil, invalidf("line %d: the array has %d pollfds, not %d", c.Pos.Line, len(list.Elems), v[0])
	}
	fds, want, err := r.pollfds(list)
	if err != nil {
		return nil, err
	}
	inv := &invocation{do: func() (int, error) { return r.b.Calls().Poll(fds, millis(v[1])) }}
	inv.check = func(n int, _ error) error {
		for i := range fds {
			if n >= 0 && fds[i].Revents != want[i] {
				return r.fail(fmt.Sprintf("pollfd %d has revents %#x, not %#x", i, fds[i].Revents, want[i]),
					fmt.Sprintf("%#x", want[i]), fmt.Sprintf("%#x", fds[i].Revents))
			}
		}
		return nil
	}
	return inv, nil
}

func (r *runner) pollfds(list *ast.List) (fds []socket.PollFD, want []int, err error) {
	for _, x := range list.Elems {
		s, ok := x.(*ast.Struct)
		if !ok {
			return nil, nil, invalidf("line %d: %s is not a pollfd", x.At().Line, x)
		}
		var v [3]int64
		for i, name := range []string{"fd", "events", "revents"} {
			f := s.Field(name)
			if f == nil {
				return nil, nil, invalidf("line %d: %s has no %s", x.At().Line, x, name)
			}
			if v[i], err = r.integer(f); err != nil {
				return nil, nil, err
			}
		}
		fds = append(fds, socket.PollFD{FD: r.liveOf(int(v[0])), Events: int(v[1])})
		want = append(want, int(v[2]))
	}
	return fds, want, nil
}

func (r *runner) callEpollCreate(c *ast.Syscall) (*invocation, error) {
	if err := argCount(c, 1); err != nil {
		return nil, err
	}
	v, err := r.ints(c, 0)
	if err != nil {
		return nil, err
	}
	if c.Name == "epoll_create" {
		v[0] = 0 // a size, which has no meaning any more
	}
	inv := &invocation{fd: true, do: func() (int, error) { return r.b.Calls().EpollCreate(v[0]) }}
	inv.check = func(n int, _ error) error {
		if n < 0 {
			return nil
		}
		e := newEndpoint()
		e.protocol = -1
		r.endpoints = append(r.endpoints, e) // never the one under test
		return r.opened(c, e, n)
	}
	return inv, nil
}

// epollEvent reads {events=…, fd=…}. fd is the script's own number: the runner chooses what the
// stack is given as data, so that it can tell what comes back.
func (r *runner) epollEvent(e ast.Expr) (ev socket.EpollEvent, err error) {
	s, ok := e.(*ast.Struct)
	if !ok {
		return ev, invalidf("line %d: %s is not an epoll_event", e.At().Line, e)
	}
	for _, f := range s.Fields {
		v, err := r.integer(f.Value)
		if err != nil {
			return ev, err
		}
		switch f.Name {
		case "events":
			ev.Events = uint32(v)
		case "fd", "ptr", "u32", "u64", "data":
			ev.Data = uint64(v)
		default:
			return ev, skipf("uses the member %s of an epoll_event", f.Name)
		}
	}
	return ev, nil
}

func (r *runner) callEpollCtl(c *ast.Syscall) (*invocation, error) {
	if err := argCount(c, 4); err != nil {
		return nil, err
	}
	epfd, _, err := r.live(c, 0)
	if err != nil {
		return nil, err
	}
	v, err := r.ints(c, 1, 2)
	if err != nil {
		return nil, err
	}
	fd := r.liveOf(v[1])
	var ev *socket.EpollEvent
	if _, ok := c.Args[3].(*ast.Struct); ok {
		e, err := r.epollEvent(c.Args[3])
		if err != nil {
			return nil, err
		}
		ev = &e
	}
	return &invocation{do: func() (int, error) { return done(r.b.Calls().EpollCtl(epfd, v[0], fd, ev)) }}, nil
}

// callEpollWait compares the events that come back: one, or those of an array. As with
// packetdrill, an event is compared even where none came, with zeros.
func (r *runner) callEpollWait(c *ast.Syscall) (*invocation, error) {
	if err := argCount(c, 4); err != nil {
		return nil, err
	}
	epfd, _, err := r.live(c, 0)
	if err != nil {
		return nil, err
	}
	v, err := r.ints(c, 2, 3)
	if err != nil {
		return nil, err
	}
	if v[0] > maxEvents {
		return nil, skipf("waits for %d events", v[0])
	}
	var exprs []ast.Expr
	switch x := c.Args[1].(type) {
	case *ast.Ellipsis:
	case *ast.List:
		exprs = x.Elems
	default:
		exprs = []ast.Expr{x}
	}
	var want []socket.EpollEvent
	for _, x := range exprs {
		ev, err := r.epollEvent(x)
		if err != nil {
			return nil, err
		}
		want = append(want, ev)
	}
	events := make([]socket.EpollEvent, max(v[0], 0))
	inv := &invocation{do: func() (int, error) { return r.b.Calls().EpollWait(epfd, events, millis(v[1])) }}
	inv.check = func(n int, _ error) error { return r.checkEvents(want, events, n) }
	return inv, nil
}

func (r *runner) checkEvents(want, got []socket.EpollEvent, n int) error {
	for i, w := range want {
		var g socket.EpollEvent
		if i < len(got) && i < n {
			g = got[i]
		}
		if n <= 0 { // no event came, as expected: only what the script says of its bits counts
			g.Data = w.Data
		}
		if w != g {
			return r.fail(fmt.Sprintf("event %d is {events=%#x, data=%d}, not {events=%#x, data=%d}", i, g.Events, g.Data, w.Events, w.Data), "", "")
		}
	}
	return nil
}
