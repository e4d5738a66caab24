package main_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The kinds of conversation, chosen by the first octet that the caller sends.
const (
	idle     = 'i' // neither says anything more
	upload   = 'u' // the caller sends for ever
	download = 'd' // the callee sends for ever
	both     = 'b' // both send for ever
	stuck    = 's' // both send as much as they can and read nothing
)

const kinds = "iudbs"

// speak carries on a conversation until it fails or the peer ends it, and closes the
// connection. It returns the error of reading, io.EOF included.
func speak(c net.Conn, kind byte, caller bool, heard *atomic.Int64) (err error) {
	defer c.Close()
	if kind == stuck {
		send(c, 0)
	}
	var writing sync.WaitGroup
	if kind == both || kind == upload && caller || kind == download && !caller {
		writing.Go(func() { send(c, 20*time.Millisecond) })
	}
	buf := make([]byte, 64<<10)
	for err == nil {
		var n int
		n, err = c.Read(buf)
		heard.Add(int64(n))
	}
	c.Close() // a writer that waits learns of it
	writing.Wait()
	return err
}

// send sends until that fails. The pauses keep captures small, and many conversations from being
// a flood in which a SYN is lost more often than not.
func send(c net.Conn, pause time.Duration) {
	text := make([]byte, 16<<10)
	for {
		if _, err := c.Write(text); err != nil {
			return
		}
		time.Sleep(pause)
	}
}

// call begins conversations of every kind over connections that dial makes.
func call(dial func() (net.Conn, error), each int, talk func(c net.Conn, kind byte)) error {
	for _, kind := range []byte(kinds) {
		for range each {
			c, err := dial()
			if err != nil {
				return err
			}
			if _, err := c.Write([]byte{kind}); err != nil {
				return err
			}
			talk(c, kind)
		}
	}
	return nil
}

// answer takes conversations from a listener until it is closed.
func answer(ln net.Listener, talk func(c net.Conn, kind byte)) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		kind := make([]byte, 1)
		if _, err := io.ReadFull(c, kind); err != nil {
			c.Close()
			continue
		}
		talk(c, kind[0])
	}
}

// child is what the test's program is when it runs as another: a far end to be killed.
func child(role string, args []string) {
	fail := func(err error) {
		fmt.Fprintln(os.Stderr, role+":", err)
		os.Exit(1)
	}
	if role == "resolver" {
		lookups(args)
		return
	}
	if role != "caller and callee" {
		fail(fmt.Errorf("no such role"))
	}
	// The arguments are addresses to listen on, and after a + those to call.
	listen, dial, _ := strings.Cut(strings.Join(args, " "), "+")
	var heard atomic.Int64
	for _, address := range strings.Fields(listen) {
		ln, err := net.Listen("tcp", address)
		if err != nil {
			fail(err)
		}
		go answer(ln, func(c net.Conn, kind byte) { go speak(c, kind, false, &heard) })
	}
	for _, address := range strings.Fields(dial) {
		err := call(func() (net.Conn, error) { return net.Dial("tcp", address) }, each,
			func(c net.Conn, kind byte) { go speak(c, kind, true, &heard) })
		if err != nil {
			fail(err)
		}
	}
	fmt.Println("ready")
	select {}
}

// each is how many conversations of each kind there are.
const each = 2
