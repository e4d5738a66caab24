package serve_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/chargen"
	"github.com/weirnet/weir/apps/daytime"
	"github.com/weirnet/weir/apps/discard"
	"github.com/weirnet/weir/apps/echo"
	"github.com/weirnet/weir/apps/serve"
	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/link/pipe"
)

var _ serve.Network = (*stack.Stack)(nil)

// The server has two addresses of each family: an answer must come from the one that
// was asked, which is not always the one that the stack would choose.
var (
	serverAddrs = prefixes("192.0.2.2/24", "192.0.2.3/24", "2001:db8:77::2/64", "2001:db8:77::3/64")
	clientAddrs = prefixes("192.0.2.1/24", "2001:db8:77::1/64")
)

func prefixes(texts ...string) (ps []netip.Prefix) {
	for _, s := range texts {
		ps = append(ps, netip.MustParsePrefix(s))
	}
	return ps
}

// serving runs all services on a stack and returns a stack that reaches it.
func serving(t *testing.T) (client *stack.Stack) {
	t.Helper()
	a, b := pipe.New(pipe.Options{MTU: 1500, Offload: true})
	server, client := newStack(t, a, serverAddrs), newStack(t, b, clientAddrs)
	var addrs []netip.Addr
	for _, p := range serverAddrs {
		addrs = append(addrs, p.Addr())
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, s := range []serve.Service{echo.Service(), discard.Service(), daytime.Service(), chargen.Service()} {
		srv, err := s.Listen(server, addrs...)
		if err != nil {
			t.Fatal(err)
		}
		running.Go(func() {
			if err := srv.Serve(ctx); err != nil {
				t.Errorf("%s ended with %v", s.Name, err)
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		running.Wait()
		for _, held := range []string{"held.tcp_listeners", "held.udp_sockets"} {
			if n := server.Stats().Get(held); n != 0 {
				t.Errorf("%s is %d after the services ended", held, n)
			}
		}
	})
	return client
}

func newStack(t *testing.T, d stack.Device, addrs []netip.Prefix) *stack.Stack {
	t.Helper()
	st, err := stack.New(stack.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	if _, err := st.AddInterface(d, stack.InterfaceConfig{Addresses: addrs}); err != nil {
		t.Fatal(err)
	}
	return st
}

func dial(t *testing.T, st *stack.Stack, network string, a netip.Addr, port int) net.Conn {
	t.Helper()
	c, err := st.Dial(network, net.JoinHostPort(a.String(), strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestServicesRunOnWeir(t *testing.T) {
	client := serving(t)
	for _, p := range serverAddrs {
		t.Run(p.Addr().String(), func(t *testing.T) {
			t.Run("echo", func(t *testing.T) { echoes(t, client, p.Addr()) })
			t.Run("discard", func(t *testing.T) {
				c := dial(t, client, "tcp", p.Addr(), discard.Port)
				c.Write(make([]byte, 1<<20))
				c.(interface{ CloseWrite() error }).CloseWrite()
				if got, err := io.ReadAll(c); len(got) != 0 || err != nil {
					t.Errorf("read %q, %v; want the end", got, err)
				}
			})
			t.Run("daytime", func(t *testing.T) {
				line, err := io.ReadAll(dial(t, client, "tcp", p.Addr(), daytime.Port))
				if err != nil || !strings.HasSuffix(string(line), "-UTC\r\n") {
					t.Errorf("read %q, %v", line, err)
				}
			})
			t.Run("chargen", func(t *testing.T) {
				c := dial(t, client, "tcp", p.Addr(), chargen.Port)
				got := make([]byte, 3<<20)
				if _, err := io.ReadFull(c, got); err != nil || !bytes.HasPrefix(got, []byte(" !\"#$%&'")) {
					t.Errorf("read %.20q, %v", got, err)
				}
			})
		})
	}
}

// echoes holds what is echoed against what was sent, by both transports.
func echoes(t *testing.T, client *stack.Stack, a netip.Addr) {
	c := dial(t, client, "tcp", a, echo.Port)
	sent := bytes.Repeat([]byte("weir "), 1<<19)
	go func() {
		c.Write(sent)
		c.(interface{ CloseWrite() error }).CloseWrite()
	}()
	if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("TCP: sent %d octets, %d came back, %v", len(sent), len(got), err)
	}
	u := dial(t, client, "udp", a, echo.Port)
	buf := make([]byte, 1<<16)
	for _, size := range []int{0, 1, 1472, 4000} {
		u.Write(sent[:size])
		if n, err := u.Read(buf); err != nil || !bytes.Equal(buf[:n], sent[:size]) {
			t.Errorf("UDP: sent %d octets, %d came back, %v", size, n, err)
		}
	}
}

func TestServicePortGetsNoAnswerOnWeir(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := serving(t)
		for _, service := range []int{echo.Port, chargen.Port, daytime.Port} {
			pc, err := client.ListenPacket("udp4", "192.0.2.1:"+strconv.Itoa(chargen.Port))
			if err != nil {
				t.Fatal(err)
			}
			pc.SetDeadline(time.Now().Add(time.Minute)) // passes when all wait for the answer
			pc.WriteTo([]byte("loop?"), &net.UDPAddr{IP: net.IPv4(192, 0, 2, 2), Port: service})
			if n, from, err := pc.ReadFrom(make([]byte, 1000)); err == nil {
				t.Errorf("port %d answered %d octets to a chargen port (%v)", service, n, from)
			}
			pc.Close()
		}
	})
}
