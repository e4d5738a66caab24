package serve_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/chargen"
	"github.com/weirnet/weir/apps/daytime"
	"github.com/weirnet/weir/apps/discard"
	"github.com/weirnet/weir/apps/echo"
	"github.com/weirnet/weir/apps/serve"
	"github.com/weirnet/weir/apps/serve/servetest"
	"github.com/weirnet/weir/stack/link/pipe"
)

// converse runs a service on a stack and a conversation with it from another.
func converse(t *testing.T, s serve.Service, talk func(c net.Conn)) {
	t.Helper()
	if s.Handler == nil {
		t.Fatalf("%s has no event handler", s.Name)
	}
	a, b := pipe.New(pipe.Options{MTU: 1500})
	server, client := newStack(t, a, serverAddrs), newStack(t, b, clientAddrs)
	srv, err := s.Listen(server)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx) }()
	c, err := client.Dial("tcp", net.JoinHostPort("192.0.2.2", strconv.Itoa(int(s.Port))))
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(servetest.Patience))
	talk(c)
	c.Close()
	if n := srv.Counters.Accepted.Load(); n != 1 {
		t.Errorf("%d connections were counted, want 1", n)
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("Serve says %v", err)
	}
}

func TestEventHandlersServe(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789"), 100000)
	end := func(c net.Conn) { c.(interface{ CloseWrite() error }).CloseWrite() }
	t.Run("echo", func(t *testing.T) {
		converse(t, echo.Service(), func(c net.Conn) {
			go func() {
				c.Write(text)
				end(c)
			}()
			if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, text) {
				t.Errorf("%d octets of %d came back, %v", len(got), len(text), err)
			}
		})
	})
	t.Run("discard", func(t *testing.T) {
		converse(t, discard.Service(), func(c net.Conn) {
			c.Write(text)
			end(c)
			if got, err := io.ReadAll(c); err != nil || len(got) > 0 {
				t.Errorf("%d octets came, %v", len(got), err)
			}
		})
	})
	t.Run("daytime", func(t *testing.T) {
		converse(t, daytime.Service(), func(c net.Conn) {
			if got, err := io.ReadAll(c); err != nil || !bytes.HasSuffix(got, []byte("-UTC\r\n")) {
				t.Errorf("%q came, %v", got, err)
			}
		})
	})
	t.Run("chargen", func(t *testing.T) {
		converse(t, chargen.Service(), func(c net.Conn) {
			got := make([]byte, 8<<20) // more than is queued
			if _, err := io.ReadFull(c, got); err != nil {
				t.Fatal(err)
			}
			const cycle = 95 * 74
			for i := range got[cycle:] {
				if got[i] != got[i+cycle] {
					t.Fatalf("octet %d is not that of a cycle before", i+cycle)
				}
			}
		})
	})
}
