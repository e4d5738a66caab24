package event_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/event"
	"github.com/weirnet/weir/stack/link/pipe"
)

// newHosts returns two stacks at the ends of a cable.
func newHosts() (client, server *stack.Stack) {
	a, b := pipe.New(pipe.Options{})
	for _, h := range []struct {
		st   **stack.Stack
		dev  stack.Device
		addr string
	}{{&client, a, "192.0.2.1/24"}, {&server, b, "192.0.2.2/24"}} {
		st, err := stack.New(stack.Config{})
		if err != nil {
			log.Fatal(err)
		}
		_, err = st.AddInterface(h.dev, stack.InterfaceConfig{Addresses: []netip.Prefix{netip.MustParsePrefix(h.addr)}})
		if err != nil {
			log.Fatal(err)
		}
		*h.st = st
	}
	return client, server
}

// A server of lines: each comes back in capitals. What is not a whole line yet is left, and comes again
// with more.
func Example() {
	client, server := newHosts()
	defer client.Close()
	defer server.Close()

	_, err := server.ListenEvents("tcp", ":7", &event.Funcs{
		Data: func(c *event.Conn, p []byte) int {
			n := bytes.LastIndexByte(p, '\n') + 1
			return c.Write(bytes.ToUpper(p[:n]))
		},
	}, event.Options{})
	if err != nil {
		log.Fatal(err)
	}

	c, err := client.Dial("tcp", "192.0.2.2:7")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprint(c, "hel")
	fmt.Fprint(c, "lo\n")
	answer := make([]byte, 6)
	io.ReadFull(c, answer)
	fmt.Printf("%s", answer)
	// Output: HELLO
}

// The answer takes a while, so that a goroutine works it out, and posts it. Until then the connection takes
// no more questions.
func ExampleConn_Post() {
	client, server := newHosts()
	defer client.Close()
	defer server.Close()

	slow := func(question string) string { return question + "? 42" }
	_, err := server.ListenEvents("tcp", ":7", &event.Funcs{
		Data: func(c *event.Conn, p []byte) int {
			question := string(p) // p is only lent
			c.Pause()
			go func() {
				answer := slow(question)
				c.Post(func(c *event.Conn) {
					c.Write([]byte(answer))
					c.Resume()
				})
			}()
			return len(p)
		},
	}, event.Options{})
	if err != nil {
		log.Fatal(err)
	}

	c, err := client.Dial("tcp", "192.0.2.2:7")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprint(c, "why")
	answer := make([]byte, 7)
	io.ReadFull(c, answer)
	fmt.Printf("%s\n", answer)
	// Output: why? 42
}

// Who says "upgrade" is served by a goroutine with a net.Conn from then on.
func ExampleConn_Detach() {
	client, server := newHosts()
	defer client.Close()
	defer server.Close()

	serve := func(c net.Conn) {
		defer c.Close()
		rest := make([]byte, 4)
		io.ReadFull(c, rest)
		fmt.Fprintf(c, "a goroutine read %q", rest)
	}
	_, err := server.ListenEvents("tcp", ":7", &event.Funcs{
		Data: func(c *event.Conn, p []byte) int {
			if !bytes.HasPrefix(p, []byte("upgrade ")) {
				return c.Write(p)
			}
			go serve(c.Detach())
			return len("upgrade ")
		},
	}, event.Options{})
	if err != nil {
		log.Fatal(err)
	}

	c, err := client.Dial("tcp", "192.0.2.2:7")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprint(c, "upgrade rest")
	answer, _ := io.ReadAll(c)
	fmt.Printf("%s\n", answer)
	// Output: a goroutine read "rest"
}
