// Package servetest runs a service on the host's own network for a test, so that
// what a server does can be tested apart from the stack it will run on.
package servetest

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/serve"
)

// Patience bounds every wait of a test that should not wait at all.
const Patience = time.Minute

// Families are the loopback addresses that each test runs over.
var Families = []struct{ Name, Host string }{{"IPv4", "127.0.0.1"}, {"IPv6", "::1"}}

// TCP serves the service's connections on a free port of the host and returns its
// address. At the end of the test it stops the server and fails the test when the
// server does not return.
func TCP(t testing.TB, host string, s serve.Service) string {
	t.Helper()
	ln, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	run(t, func(ctx context.Context) error { return serve.Stream(ctx, ln, s.Conn) })
	return ln.Addr().String()
}

// UDP does for datagrams what TCP does for connections.
func UDP(t testing.TB, host string, s serve.Service) string {
	t.Helper()
	pc, err := net.ListenPacket("udp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	run(t, func(ctx context.Context) error { return serve.Packets(ctx, pc, s.Datagram) })
	return pc.LocalAddr().String()
}

// Dial connects to the address; the connection has a deadline and is closed with the test.
func Dial(t testing.TB, network, address string) net.Conn {
	t.Helper()
	c, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(Patience)); err != nil {
		t.Fatal(err)
	}
	return c
}

func run(t testing.TB, serve func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("server ended with %v", err)
			}
		case <-time.After(Patience):
			t.Error("server did not return when its context ended")
		}
	})
}
