package stack_test

import (
	"net"
	"testing"

	"golang.org/x/net/nettest"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/link/pipe"
)

// TestConnIsANetConn runs the suite that package net's own connections are held to, over
// a pair of stacks in memory: with and without offloads, in both families, and over loopback.
func TestConnIsANetConn(t *testing.T) {
	for _, c := range []struct {
		name, host string
		opt        pipe.Options
	}{
		{"IPv4", "192.0.2.2", pipe.Options{}},
		{"IPv6", "2001:db8::2", pipe.Options{}},
		{"IPv4 offload", "192.0.2.2", pipe.Options{Offload: true}},
		{"IPv6 tiny queue", "2001:db8::2", pipe.Options{QueueFrames: 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				a, b := pair(t, c.opt, stack.Config{})
				c1, c2 = connect(t, a, b, c.host)
				return c1, c2, func() {
					c1.Close()
					c2.Close()
					a.Close()
					b.Close()
					noneHeld(t, a)
					noneHeld(t, b)
				}, nil
			})
		})
	}
	t.Run("loopback", func(t *testing.T) {
		nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
			s := newStack(t, nil, nil, stack.Config{})
			c1, c2 = connect(t, s, s, "127.0.0.1")
			return c1, c2, func() { c1.Close(); c2.Close(); s.Close() }, nil
		})
	})
}

// TestPacketConnIsANetConn runs nettest's suite for packet connections' deadlines and
// concurrency over connected UDP sockets where it applies: BasicIO needs a stream.
func TestUDPConnDeadlines(t *testing.T) {
	a, b := pair(t, pipe.Options{}, stack.Config{})
	pc, err := b.ListenPacket("udp", "192.0.2.2:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	c, err := a.Dial("udp", pc.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	checkDeadlines(t, c)
}
