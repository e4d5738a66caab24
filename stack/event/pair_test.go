package event_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/link/pipe"
)

const bound = 5 * time.Minute // for what takes no time, but on a machine that has much else to do

// pair returns two stacks at the ends of a pipe, 192.0.2.1 and 192.0.2.2.
func pair(t testing.TB, cfg stack.Config) (a, b *stack.Stack) {
	t.Helper()
	da, db := pipe.New(pipe.Options{})
	return newStack(t, da, "192.0.2.1/24", stack.Config{}), newStack(t, db, "192.0.2.2/24", cfg)
}

func newStack(t testing.TB, dev stack.Device, addr string, cfg stack.Config) *stack.Stack {
	t.Helper()
	st, err := stack.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	_, err = st.AddInterface(dev, stack.InterfaceConfig{Addresses: []netip.Prefix{netip.MustParsePrefix(addr)}})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// wait returns what comes, or fails the test.
func wait[T any](t testing.TB, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(bound):
		t.Fatalf("%s did not come", what)
	}
	return v
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
