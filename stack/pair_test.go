package stack_test

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/link/pipe"
)

// The addresses of a pair: near is 1, far is 2.
var (
	near = prefixes("192.0.2.1/24", "2001:db8::1/64")
	far  = prefixes("192.0.2.2/24", "2001:db8::2/64")
)

func prefixes(list ...string) (p []netip.Prefix) {
	for _, s := range list {
		p = append(p, netip.MustParsePrefix(s))
	}
	return p
}

// pair returns two stacks joined by a pipe, closed when the test ends.
func pair(t testing.TB, opt pipe.Options, cfg stack.Config) (a, b *stack.Stack) {
	t.Helper()
	da, db := pipe.New(opt)
	a, b = newStack(t, da, near, cfg), newStack(t, db, far, cfg)
	return a, b
}

func newStack(t testing.TB, dev stack.Device, addrs []netip.Prefix, cfg stack.Config) *stack.Stack {
	t.Helper()
	st, err := stack.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	if dev != nil {
		if _, err := st.AddInterface(dev, stack.InterfaceConfig{Addresses: addrs}); err != nil {
			t.Fatal(err)
		}
	}
	return st
}

// connect returns both ends of a TCP connection between the stacks of a pair.
func connect(t testing.TB, a, b *stack.Stack, host string) (ca, cb net.Conn) {
	t.Helper()
	l, err := b.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ca, err = a.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if cb, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return ca, cb
}

// noneHeld fails the test where the stack holds on to anything but what allow names. A
// goroutine that was inside a call when the stack closed is given a moment to leave it.
func noneHeld(t testing.TB, st *stack.Stack, allow ...string) {
	t.Helper()
	var left []stack.Counter
	for range 6000 {
		if left = held(st, allow); len(left) == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("the stack still holds %v", left)
}

func held(st *stack.Stack, allow []string) (left []stack.Counter) {
	for _, c := range st.Stats() {
		if strings.HasPrefix(c.Name, "held.") && c.Value != 0 && !slices.Contains(allow, c.Name) {
			left = append(left, c)
		}
	}
	return left
}
