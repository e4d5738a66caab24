package stack

import (
	"github.com/weirnet/weir/stack/socket"
)

// Sockets gives the stack a process's worth of BSD sockets: descriptors, and the calls on them with
// Linux's names, numbers and errors. They are the same connections and ports that Dial and Listen
// have, with another face, and count among Connections. Each call of Sockets makes a table of
// descriptors of its own; close it when it is no longer needed. Once the stack is closed its calls fail.
//
//	sys := st.Sockets(socket.Config{})
//	fd, err := sys.Socket(socket.AF_INET, socket.SOCK_STREAM, 0)
//	...
//	err = sys.SetsockoptInt(fd, socket.SOL_TCP, socket.TCP_NODELAY, 1)
//	err = sys.Connect(fd, socket.NewSockaddr(netip.MustParseAddrPort("192.0.2.1:7")))
func (s *Stack) Sockets(cfg socket.Config) *socket.System { return socket.New(s.h, cfg) }

// Abort ends every TCP connection for which match says so, and returns how many they were: the
// peer gets a reset where the state has one, the user's calls fail with ECONNABORTED, and
// TIME-WAIT records are forgotten. match is asked about connections in any state but LISTEN:
//
//	st.Abort(func(c stack.ConnInfo) bool { return c.State == "FIN-WAIT-2" })
func (s *Stack) Abort(match func(ConnInfo) bool) int { return s.h.Abort(match) }
