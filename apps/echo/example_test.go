package echo_test

import (
	"context"
	"fmt"
	"log"
	"net/netip"

	"github.com/weirnet/weir/apps/echo"
	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/link/pipe"
)

// Two stacks on the two ends of a cable: one serves echo, the other asks it.
func Example() {
	a, b := pipe.New(pipe.Options{MTU: 1500})
	server, client := newStack(a, "192.0.2.2/24"), newStack(b, "192.0.2.1/24")
	defer server.Close()
	defer client.Close()

	srv, err := echo.Service().Listen(server)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- srv.Serve(ctx) }()

	c, err := client.Dial("tcp", "192.0.2.2:7")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprint(c, "hello")
	answer := make([]byte, 5)
	if _, err := c.Read(answer); err != nil {
		log.Fatal(err)
	}
	c.Close()
	fmt.Printf("%s\n", answer)

	stop()
	fmt.Println(<-done)
	// Output:
	// hello
	// <nil>
}

func newStack(d stack.Device, addr string) *stack.Stack {
	st, err := stack.New(stack.Config{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := st.AddInterface(d, stack.InterfaceConfig{Addresses: []netip.Prefix{netip.MustParsePrefix(addr)}}); err != nil {
		log.Fatal(err)
	}
	return st
}
