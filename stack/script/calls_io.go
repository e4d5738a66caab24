package script

import (
	"bytes"
	"fmt"
	"net/netip"

	"github.com/weirnet/weir/stack/script/ast"
	"github.com/weirnet/weir/stack/socket"
)

func (r *runner) callRead(c *ast.Syscall) (*invocation, error)  { return r.input(c, 3) }
func (r *runner) callRecv(c *ast.Syscall) (*invocation, error)  { return r.input(c, 4) }
func (r *runner) callWrite(c *ast.Syscall) (*invocation, error) { return r.output(c, 3) }
func (r *runner) callSend(c *ast.Syscall) (*invocation, error)  { return r.output(c, 4) }

// transfer works out the arguments that the calls on one buffer have in common: descriptor,
// buffer, length and, of those that take at least four, flags.
func (r *runner) transfer(c *ast.Syscall, count int) (fd int, e *endpoint, b []byte, flags int, err error) {
	if err = argCount(c, count); err != nil {
		return
	}
	if fd, e, err = r.live(c, 0); err != nil {
		return
	}
	v, err := r.ints(c, 2)
	if err != nil {
		return
	}
	if count > 3 {
		f, err := r.ints(c, 3)
		if err != nil {
			return 0, nil, nil, 0, err
		}
		flags = f[0]
	}
	if x, ok := c.Args[1].(*ast.Int); ok && x.Value == 0 && flags&socket.MSG_TRUNC != 0 {
		b, err = r.octets(int64(min(max(v[0], 0), maxBuffer))) // discarded, wherever it is
		return fd, e, b, flags, err
	}
	b, err = r.buffer(c.Args[1], int64(v[0]))
	return
}

func (r *runner) input(c *ast.Syscall, count int) (*invocation, error) {
	fd, _, b, flags, err := r.transfer(c, count)
	if err != nil {
		return nil, err
	}
	want, _ := c.Args[1].(*ast.String)
	clear(b)
	inv := &invocation{do: func() (int, error) {
		if count == 3 {
			return r.b.Calls().Read(fd, b)
		}
		return r.b.Calls().Recv(fd, b, flags)
	}}
	inv.check = func(n int, err error) error { return r.checkRead(c, want, b, n) }
	return inv, nil
}

// checkRead compares what was read with a string of the script, where it has one.
func (r *runner) checkRead(c *ast.Syscall, want *ast.String, b []byte, n int) error {
	if want == nil || n < 0 || bytes.HasPrefix(b[:min(n, len(b))], []byte(want.Value)) {
		return nil
	}
	return r.fail(c.Name+"() read something else", want.Value, string(b[:min(n, len(b))]))
}

func (r *runner) output(c *ast.Syscall, count int) (*invocation, error) {
	fd, _, b, flags, err := r.transfer(c, count)
	if err != nil {
		return nil, err
	}
	return &invocation{do: func() (int, error) {
		if count == 3 {
			return r.b.Calls().Write(fd, b)
		}
		return r.b.Calls().Send(fd, b, flags)
	}}, nil
}

func (r *runner) callReadv(c *ast.Syscall) (*invocation, error)  { return r.vector(c, true) }
func (r *runner) callWritev(c *ast.Syscall) (*invocation, error) { return r.vector(c, false) }

func (r *runner) vector(c *ast.Syscall, read bool) (*invocation, error) {
	if err := argCount(c, 3); err != nil {
		return nil, err
	}
	fd, _, err := r.live(c, 0)
	if err != nil {
		return nil, err
	}
	iov, err := r.iovec(c.Args[1])
	if err != nil {
		return nil, err
	}
	v, err := r.ints(c, 2)
	if err != nil {
		return nil, err
	}
	if v[0] != len(iov) {
		return nil, invalidf("line %d: the array has %d buffers, not %d", c.Pos.Line, len(iov), v[0])
	}
	if !read {
		return &invocation{do: func() (int, error) { return r.b.Calls().Writev(fd, iov) }}, nil
	}
	for _, b := range iov {
		clear(b)
	}
	inv := &invocation{do: func() (int, error) { return r.b.Calls().Readv(fd, iov) }}
	inv.check = func(n int, _ error) error { return r.checkVector(c, c.Args[1], iov, n) }
	return inv, nil
}

// checkVector compares what was read into each buffer of an array with the string that the script has
// there.
func (r *runner) checkVector(c *ast.Syscall, e ast.Expr, iov [][]byte, n int) error {
	l, ok := e.(*ast.List)
	if !ok {
		return nil
	}
	for i, x := range l.Elems {
		part := min(max(n, 0), len(iov[i]))
		n -= part
		s, ok := x.(*ast.Struct)
		if !ok || part == 0 {
			continue
		}
		want, _ := s.Fields[0].Value.(*ast.String)
		if err := r.checkRead(c, want, iov[i], part); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) callRecvfrom(c *ast.Syscall) (*invocation, error) {
	fd, _, b, flags, err := r.transfer(c, 6)
	if err != nil {
		return nil, err
	}
	want, _ := c.Args[1].(*ast.String)
	clear(b)
	var from *socket.Sockaddr
	inv := &invocation{do: func() (n int, err error) {
		n, from, err = r.b.Calls().RecvFrom(fd, b, flags)
		return n, err
	}}
	inv.check = func(n int, err error) error {
		if n < 0 {
			return nil
		}
		if err := r.checkRead(c, want, b, n); err != nil {
			return err
		}
		return r.compareAddress(c, 4, from)
	}
	return inv, nil
}

func (r *runner) callSendto(c *ast.Syscall) (*invocation, error) {
	fd, e, b, flags, err := r.transfer(c, 6)
	if err != nil {
		return nil, err
	}
	var to *socket.Sockaddr
	if x, ok := c.Args[4].(*ast.Int); !ok || x.Value != 0 {
		to, err = r.sockaddr(c.Args[4], netip.AddrPortFrom(r.cfg.remote, r.cfg.connectPort))
		if err != nil {
			return nil, err
		}
	}
	r.connecting(e, to)
	return &invocation{do: func() (int, error) { return r.b.Calls().SendTo(fd, b, flags, to) }}, nil
}

func (r *runner) callFcntl(c *ast.Syscall) (*invocation, error) {
	if err := argCount(c, 2, 3); err != nil {
		return nil, err
	}
	fd, e, err := r.live(c, 0)
	if err != nil {
		return nil, err
	}
	v, err := r.ints(c, []int{1, 2}[:len(c.Args)-1]...)
	if err != nil {
		return nil, err
	}
	v = append(v, 0)
	if e == nil {
		return &invocation{do: func() (int, error) { return r.b.Calls().Fcntl(fd, v[0], v[1]) }}, nil
	}
	inv := &invocation{do: func() (int, error) { return r.b.Calls().Fcntl(fd, v[0], v[1]) }}
	if v[0] == socket.F_DUPFD || v[0] == socket.F_DUPFD_CLOEXEC {
		return nil, skipf("needs duplicated descriptors")
	}
	return inv, nil
}

func (r *runner) callIoctl(c *ast.Syscall) (*invocation, error) {
	if err := argCount(c, 2, 3); err != nil {
		return nil, err
	}
	fd, _, err := r.live(c, 0)
	if err != nil {
		return nil, err
	}
	v, err := r.ints(c, 1)
	if err != nil {
		return nil, err
	}
	if v[0] == socket.FIONBIO && len(c.Args) == 3 {
		arg, err := r.bracketed(c.Args[2])
		if err != nil {
			return nil, err
		}
		return &invocation{do: func() (int, error) { return done(r.b.Calls().IoctlSet(fd, v[0], int(arg))) }}, nil
	}
	var value int
	inv := &invocation{do: func() (n int, err error) {
		value, err = r.b.Calls().Ioctl(fd, v[0])
		return done(err)
	}}
	if len(c.Args) == 3 {
		inv.check = func(n int, err error) error {
			if n < 0 {
				return nil
			}
			return r.compareWritten(c, c.Args[2], int64(value))
		}
	}
	return inv, nil
}

// bracketed works out [n], or n.
func (r *runner) bracketed(e ast.Expr) (int64, error) {
	if l, ok := e.(*ast.List); ok && len(l.Elems) == 1 {
		e = l.Elems[0]
	}
	return r.integer(e)
}

// compareWritten compares a number that a call wrote with [n] of the script.
func (r *runner) compareWritten(c *ast.Syscall, e ast.Expr, got int64) error {
	if l, ok := e.(*ast.List); ok && len(l.Elems) == 1 {
		e = l.Elems[0]
	}
	if isEllipsis(e) {
		return nil
	}
	want, err := r.integer(e)
	if err != nil {
		return err
	}
	if int32(want) != int32(got) {
		return r.fail(fmt.Sprintf("%s() wrote %d, not %d", c.Name, int32(got), want), fmt.Sprint(want), fmt.Sprint(got))
	}
	return nil
}
