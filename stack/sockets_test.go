package stack_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/socket"
)

// A server on BSD sockets and a client in the shapes of package net, over loopback.
func ExampleStack_Sockets() {
	st, err := stack.New(stack.Config{})
	if err != nil {
		panic(err)
	}
	defer st.Close()
	sys := st.Sockets(socket.Config{})
	listener, _ := sys.Socket(socket.AF_INET, socket.SOCK_STREAM, 0)
	_ = sys.Bind(listener, socket.NewSockaddr(netip.MustParseAddrPort("127.0.0.1:7")))
	_ = sys.Listen(listener, 8)
	go func() {
		fd, _, _ := sys.Accept(listener)
		buf := make([]byte, 64)
		n, _ := sys.Read(fd, buf)
		_, _ = sys.Send(fd, buf[:n], socket.MSG_NOSIGNAL)
		_ = sys.CloseFD(fd)
	}()
	c, err := st.Dial("tcp", "127.0.0.1:7")
	if err != nil {
		panic(err)
	}
	fmt.Fprint(c, "hello")
	var word string
	fmt.Fscan(c, &word)
	fmt.Println(word)
	// Output: hello
}

func TestProfilesAndSysctls(t *testing.T) {
	for _, tt := range []struct {
		cfg  stack.Config
		want string // of the error; empty: none
	}{
		{stack.Config{Profile: "linux"}, ""},
		{stack.Config{Profile: "freebsd", Sysctls: map[string]string{"net.inet.tcp.msl": "1000"}}, ""},
		{stack.Config{Sysctls: map[string]string{"net.ipv4.tcp_timestamps": "0", "net.ipv4.ip_default_ttl": "9"}}, ""},
		{stack.Config{Profile: "plan9"}, `no profile "plan9"`},
		{stack.Config{Sysctls: map[string]string{"net.ipv4.tcp_dance": "1"}}, "net.ipv4.tcp_dance"},
		{stack.Config{Sysctls: map[string]string{"net.ipv4.tcp_sack": "much"}}, "tcp_sack"},
	} {
		st, err := stack.New(tt.cfg)
		switch {
		case err == nil:
			st.Close()
			if tt.want != "" {
				t.Errorf("%+v: no error, want %q", tt.cfg, tt.want)
			}
		case tt.want == "" || !strings.Contains(err.Error(), tt.want):
			t.Errorf("%+v: %v, want %q", tt.cfg, err, tt.want)
		}
	}
}

func TestAbortEndsWhatItIsTold(t *testing.T) {
	st, err := stack.New(stack.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	l, err := st.Listen("tcp", "127.0.0.1:99")
	if err != nil {
		t.Fatal(err)
	}
	keep, err := st.Dial("tcp", "127.0.0.1:99")
	if err != nil {
		t.Fatal(err)
	}
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	lose, err := st.Dial("tcp", "127.0.0.1:99")
	if err != nil {
		t.Fatal(err)
	}
	local := lose.LocalAddr().String()
	if n := st.Abort(func(c stack.ConnInfo) bool { return c.Local.String() == local }); n != 1 {
		t.Errorf("aborted %d connections, want 1", n)
	}
	if _, err := lose.Write([]byte("x")); err == nil {
		t.Error("a write after the abort succeeded")
	}
	if _, err := keep.Write([]byte("x")); err != nil {
		t.Errorf("a write on the other connection: %v", err)
	}
	if n, err := far.Read(make([]byte, 1)); n != 1 {
		t.Errorf("its peer read %d, %v", n, err)
	}
}
