package stack_test

import (
	"bytes"
	"io"
	"net"
	"testing"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/event"
	"github.com/weirnet/weir/stack/link/pipe"
)

func TestOneMethodIsAnEchoServer(t *testing.T) {
	a, b := pair(t, pipe.Options{}, stack.Config{})
	closed := make(chan error, 1)
	l, err := b.ListenEvents("tcp", ":7", &event.Funcs{
		Data:  (*event.Conn).Write,
		Close: func(c *event.Conn, err error) { closed <- err },
	}, event.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, host := range []string{"192.0.2.2", "2001:db8::2"} {
		c, err := a.Dial("tcp", net.JoinHostPort(host, "7"))
		if err != nil {
			t.Fatal(err)
		}
		want := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
		go func() {
			c.Write(want)
			c.(interface{ CloseWrite() error }).CloseWrite()
		}()
		got, err := io.ReadAll(c)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d octets of %d came back, equal %v, %v", len(got), len(want), bytes.Equal(got, want), err)
		}
		if err := <-closed; err != nil {
			t.Errorf("OnClose says %v after an orderly end", err)
		}
	}
}
