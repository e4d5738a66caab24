package main_test

import (
	"net"
	"testing"

	"golang.org/x/net/nettest"

	"github.com/weirnet/weir/stack"
)

// TestConnWithTheKernelIsANetConn holds connections between weir and the kernel to what package
// net's own are held to, with the two as dialer and as listener.
func TestConnWithTheKernelIsANetConn(t *testing.T) {
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			n := newLocal(t, m, stack.Config{TCP: hasty()})
			for _, f := range families {
				for _, dialer := range []string{"weir dials", "the kernel dials"} {
					t.Run(f.name+" "+dialer, func(t *testing.T) {
						nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
							c1, c2, err = n.connect(f.weir, f.host, dialer == "weir dials")
							if err != nil {
								return nil, nil, nil, err
							}
							return c1, c2, func() { c1.Close(); c2.Close() }, nil
						})
					})
				}
			}
			n.close()
		})
	}
}

// connect returns weir's end and the kernel's end of a connection.
func (n *local) connect(weir, host string, weirDials bool) (w, k net.Conn, err error) {
	var ln net.Listener
	if weirDials {
		err = n.ns.Do(func() (err error) { ln, err = net.Listen("tcp", net.JoinHostPort(host, "0")); return err })
	} else {
		ln, err = n.Stack.Listen("tcp", net.JoinHostPort(weir, "0"))
	}
	if err != nil {
		return nil, nil, err
	}
	defer ln.Close()
	if weirDials {
		if w, err = n.Dial("tcp", ln.Addr().String()); err == nil {
			k, err = ln.Accept()
		}
		return w, k, err
	}
	if k, err = n.dial(n.t.Context(), "tcp", ln.Addr().String()); err == nil {
		w, err = ln.Accept()
	}
	return w, k, err
}
