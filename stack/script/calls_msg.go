package script

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/weirnet/weir/stack/script/ast"
	"github.com/weirnet/weir/stack/socket"
)

// message is a struct msghdr of a script.
type message struct {
	named   bool
	name    *socket.Sockaddr
	iov     [][]byte
	control []controlMessage
	hasCtl  bool
	flags   int // as good as zero where the script has none
}

// controlMessage is one of msg_control: what it is to hold, octet by octet.
type controlMessage struct {
	level, typ int
	data       []byte
	compare    int // so many octets of data count
}

// message reads the argument of recvmsg and sendmsg.
func (r *runner) message(e ast.Expr) (*message, error) {
	s, ok := e.(*ast.Struct)
	if !ok {
		return nil, invalidf("line %d: %s is not a message header", e.At().Line, e)
	}
	m := &message{}
	for _, f := range s.Fields {
		var err error
		switch f.Name {
		case "msg_name":
			m.named = true
			m.name, err = r.sockaddr(f.Value, netip.AddrPortFrom(r.cfg.remote, r.cfg.connectPort))
		case "msg_iov":
			m.iov, err = r.iovec(f.Value)
			if n, ok := f.Count.(*ast.Int); ok && err == nil && int(n.Value) != len(m.iov) {
				err = invalidf("line %d: msg_iov has %d buffers, not %d", f.Pos.Line, len(m.iov), n.Value)
			}
		case "msg_flags":
			var v int64
			v, err = r.integer(f.Value)
			m.flags = int(v)
		case "msg_control":
			m.hasCtl = true
			m.control, err = r.control(f.Value)
		default:
			err = skipf("uses the member %s of a message", f.Name)
		}
		if err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (r *runner) control(e ast.Expr) (list []controlMessage, err error) {
	l, ok := e.(*ast.List)
	if !ok {
		return nil, invalidf("line %d: %s is not an array of control messages", e.At().Line, e)
	}
	for _, x := range l.Elems {
		s, ok := x.(*ast.Struct)
		if !ok || s.Field("cmsg_level") == nil || s.Field("cmsg_type") == nil || s.Field("cmsg_data") == nil {
			return nil, invalidf("line %d: %s is not a control message", x.At().Line, x)
		}
		level, err := r.integer(s.Field("cmsg_level"))
		if err != nil {
			return nil, err
		}
		typ, err := r.integer(s.Field("cmsg_type"))
		if err != nil {
			return nil, err
		}
		data, compare, err := r.controlData(s.Field("cmsg_data"))
		if err != nil {
			return nil, err
		}
		list = append(list, controlMessage{int(level), int(typ), data, compare})
	}
	return list, nil
}

// controlData is an int, or a sock_extended_err, of which the address behind it is not compared.
func (r *runner) controlData(e ast.Expr) (data []byte, compare int, err error) {
	s, ok := e.(*ast.Struct)
	if !ok {
		v, err := r.integer(e)
		return binary.NativeEndian.AppendUint32(nil, uint32(v)), 4, err
	}
	var v [6]int64
	for i, name := range []string{"ee_errno", "ee_origin", "ee_type", "ee_code", "ee_info", "ee_data"} {
		f := s.Field(name)
		if f == nil {
			return nil, 0, skipf("uses the control message %s", s)
		}
		if v[i], err = r.integer(f); err != nil {
			return nil, 0, err
		}
	}
	b := binary.NativeEndian.AppendUint32(nil, uint32(v[0]))
	b = append(b, byte(v[1]), byte(v[2]), byte(v[3]), 0)
	b = binary.NativeEndian.AppendUint32(b, uint32(v[4]))
	return binary.NativeEndian.AppendUint32(b, uint32(v[5])), socket.SizeofSockExtErr, nil
}

// maxControl is the room for control messages that recvmsg is given.
const maxControl = 512

func (r *runner) callRecvmsg(c *ast.Syscall) (*invocation, error) {
	if err := argCount(c, 3); err != nil {
		return nil, err
	}
	fd, _, err := r.live(c, 0)
	if err != nil {
		return nil, err
	}
	want, err := r.message(c.Args[1])
	if err != nil {
		return nil, err
	}
	v, err := r.ints(c, 2)
	if err != nil {
		return nil, err
	}
	for _, b := range want.iov {
		clear(b)
	}
	m := &socket.Msghdr{Iov: want.iov}
	if want.hasCtl {
		m.Control = make([]byte, maxControl)
	}
	inv := &invocation{do: func() (int, error) { return r.b.Calls().RecvMsg(fd, m, v[0]) }}
	inv.check = func(n int, err error) error {
		if n < 0 {
			return nil
		}
		if m.Flags != want.flags {
			return r.fail(fmt.Sprintf("recvmsg() set msg_flags %#x, not %#x", m.Flags, want.flags), fmt.Sprintf("%#x", want.flags), fmt.Sprintf("%#x", m.Flags))
		}
		for _, f := range c.Args[1].(*ast.Struct).Fields {
			var err error
			switch f.Name {
			case "msg_name":
				err = r.compareName(f.Value, m.Name)
			case "msg_iov":
				err = r.checkVector(c, f.Value, want.iov, n)
			case "msg_control":
				err = r.compareControl(want.control, m.Control)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	return inv, nil
}

// compareName compares the address that recvmsg wrote, where the script has one.
func (r *runner) compareName(e ast.Expr, got *socket.Sockaddr) error {
	s, ok := e.(*ast.Struct)
	if !ok {
		return nil
	}
	if got == nil {
		return r.fail("recvmsg() wrote no address", s.String(), "")
	}
	want, err := r.sockaddr(s, got.AddrPort())
	if err == nil && (want.AddrPort() != got.AddrPort() || want.Family != got.Family) {
		return r.fail("recvmsg() wrote another address", want.AddrPort().String(), got.AddrPort().String())
	}
	return err
}

func (r *runner) compareControl(want []controlMessage, control []byte) error {
	got, err := socket.ParseCmsgs(control)
	if err != nil {
		return r.fail("recvmsg() wrote control messages that cannot be read", "", fmt.Sprintf("%x", control))
	}
	if len(got) != len(want) {
		return r.fail(fmt.Sprintf("recvmsg() wrote %d control messages, not %d", len(got), len(want)), "", cmsgsText(got))
	}
	for i, w := range want {
		g := got[i]
		n := min(w.compare, len(g.Data))
		if g.Level != w.level || g.Type != w.typ || n < w.compare || string(g.Data[:n]) != string(w.data[:n]) {
			return r.fail(fmt.Sprintf("control message %d differs", i),
				cmsgsText([]socket.Cmsg{{Level: w.level, Type: w.typ, Data: w.data}}), cmsgsText(got[i:i+1]))
		}
	}
	return nil
}

func cmsgsText(list []socket.Cmsg) (s string) {
	for _, m := range list {
		s += fmt.Sprintf("{cmsg_level=%d, cmsg_type=%d, cmsg_data=%x}", m.Level, m.Type, m.Data)
	}
	return s
}

func (r *runner) callSendmsg(c *ast.Syscall) (*invocation, error) {
	if err := argCount(c, 3); err != nil {
		return nil, err
	}
	fd, e, err := r.live(c, 0)
	if err != nil {
		return nil, err
	}
	w, err := r.message(c.Args[1])
	if err != nil {
		return nil, err
	}
	v, err := r.ints(c, 2)
	if err != nil {
		return nil, err
	}
	m := &socket.Msghdr{Iov: w.iov, Flags: w.flags}
	if w.named && (e == nil || e.typ != socket.SOCK_STREAM) { // a stream has nobody else to send to
		m.Name = w.name
		r.connecting(e, w.name)
	}
	for _, x := range w.control {
		m.Control = socket.AppendCmsg(m.Control, socket.Cmsg{Level: x.level, Type: x.typ, Data: x.data})
	}
	return &invocation{do: func() (int, error) { return r.b.Calls().SendMsg(fd, m, v[0]) }}, nil
}
