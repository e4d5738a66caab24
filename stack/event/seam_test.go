package event_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/event"
)

// handedOver returns a handler that hands its connections over when they open, and where to.
func handedOver() (*event.Funcs, chan *event.Conn) {
	conns := make(chan *event.Conn, 8)
	return &event.Funcs{Open: func(c *event.Conn) { conns <- c }}, conns
}

func TestDetachInAPostedFunctionMakesANetConnThatIsWoken(t *testing.T) {
	a, b := pair(t, stack.Config{})
	f, conns := handedOver()
	f.Close = func(*event.Conn, error) { t.Error("OnClose after Detach") }
	listen(t, b, f)
	c := dial(t, a)
	moved := make(chan net.Conn, 1)
	wait(t, "the connection", conns).Post(func(c *event.Conn) { moved <- c.Detach() })
	n := wait(t, "the net.Conn", moved)
	n.SetDeadline(time.Now().Add(bound))
	reader := make(chan error, 1)
	go func() {
		_, err := io.CopyN(n, n, 50*5)
		reader <- err
	}()
	for range 50 { // sooner or later it waits
		ask(t, c, "hello")
	}
	must(t, wait(t, "the reader", reader))
	must(t, n.Close())
}

func TestTimerThatPassesDuringACallIsToldAndCanBeSetAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t, stack.Config{Logger: make(logged, 1)})
		h := newStaller()
		fired := make(chan int)
		n := 0
		h.Timer = func(c *event.Conn) {
			n++
			if fired <- n; n < 3 {
				c.SetTimer(time.Millisecond)
			}
		}
		data := h.Data
		h.Data = func(c *event.Conn, p []byte) int {
			c.SetTimer(time.Millisecond)
			c.Post(func(c *event.Conn) { // by now the timer is in the wheel
				data(c, []byte("stall"))
			})
			return len(p)
		}
		listen(t, b, h)
		c := dial(t, a)
		io.WriteString(c, "x")
		wait(t, "the call that stalls", h.inside)
		eventually(t, "a stall", func() bool { return b.Stats().Get("tcp.handler_stalls") == 1 })
		close(h.release)
		for want := 1; want <= 3; want++ {
			if got := wait(t, "OnTimer", fired); got != want {
				t.Fatalf("OnTimer number %d came, want %d", got, want)
			}
		}
	})
}

// eventually waits for what takes no time.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for until := time.Now().Add(bound); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%s did not come", what)
		}
	}
}

func TestDialThatFailsAtOnceIsNotToldByOnClose(t *testing.T) {
	a, b := pair(t, stack.Config{})
	f, conns := handedOver()
	listen(t, b, f)
	d := newDiary()
	from := event.DialOptions{Local: netip.MustParseAddrPort("192.0.2.1:4000")}
	_, err := a.DialEvents(t.Context(), "tcp", "192.0.2.2:7", d, from)
	must(t, err)
	wait(t, "the connection", conns)
	wait(t, "OnOpen", d.begun)
	if _, err = a.DialEvents(t.Context(), "tcp", "192.0.2.2:7", d, from); err == nil {
		t.Fatal("two connections of the same ends")
	}
	must(t, a.Close())
	d.is(t, "open", "close software caused connection abort")
}

func TestStackCloseEndsAPausedConnectionWhoseStreamsHaveEnded(t *testing.T) {
	a, b := pair(t, stack.Config{})
	d := newDiary()
	conns := make(chan *event.Conn, 1)
	d.data = func(c *event.Conn, p []byte) int {
		c.Pause()
		conns <- c
		return len(p)
	}
	listen(t, b, d)
	c := dial(t, a)
	io.WriteString(c, "pause")
	ec := wait(t, "the connection", conns)
	closeWrite(t, c)
	is := func(want string) func() bool {
		return func() bool {
			state := make(chan string, 1)
			ec.Post(func(c *event.Conn) { state <- c.Info().State.String() })
			return wait(t, "the state", state) == want
		}
	}
	eventually(t, "the peer's FIN", is("CLOSE-WAIT"))
	ec.Post((*event.Conn).CloseWrite)
	eventually(t, "the end of both streams", is("CLOSED"))
	must(t, b.Close())
	d.is(t, "open", "data 5 of 5", "close software caused connection abort")
}

func TestFunctionsPostedToAStalledConnectionRunThoughTheStackIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t, stack.Config{Logger: make(logged, 1)})
		h := newStaller()
		conns := make(chan *event.Conn, 1)
		h.Open = func(c *event.Conn) { conns <- c }
		over, ran := make(chan error, 2), make(chan bool, 1)
		h.Close = func(_ *event.Conn, err error) { over <- err }
		listen(t, b, h)
		c := dial(t, a)
		io.WriteString(c, "stall")
		ec := wait(t, "the connection", conns)
		wait(t, "the call that stalls", h.inside)
		ec.Post(func(c *event.Conn) { ran <- c.Closed() })
		must(t, b.Close())
		close(h.release)
		wait(t, "the posted function", ran)
		if err := wait(t, "OnClose", over); err != syscall.ECONNABORTED {
			t.Errorf("OnClose says %v", err)
		}
	})
}

// Close waits for a handler that has its connection just then, however long the handler's goroutine waits for a
// processor: the peer learns of the end.
func TestPeerIsResetWhenTheStackClosesInTheMiddleOfACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t, stack.Config{Logger: make(logged, 1)})
		inside := make(chan struct{}, 1)
		listen(t, b, &event.Funcs{Data: func(_ *event.Conn, p []byte) int {
			inside <- struct{}{}
			time.Sleep(3 * time.Second)
			return len(p)
		}})
		c := dial(t, a)
		io.WriteString(c, "x")
		wait(t, "the call", inside)
		must(t, b.Close())
		must(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the peer's read ends with %v", err)
		}
	})
}

func TestTimerOfADialFiresBeforeTheConnectionIsOpen(t *testing.T) {
	a, _ := pair(t, stack.Config{})
	over := make(chan error, 1)
	c, err := a.DialEvents(t.Context(), "tcp", "192.0.2.77:7", &event.Funcs{
		Timer: (*event.Conn).Abort,
		Close: func(_ *event.Conn, err error) { over <- err },
	}, event.DialOptions{})
	must(t, err)
	c.Post(func(c *event.Conn) {
		if c.Detach() != nil {
			t.Error("a connection that is not open was made a net.Conn")
		}
		c.SetTimer(time.Millisecond)
	})
	if err := wait(t, "OnClose", over); err != syscall.ECONNABORTED {
		t.Errorf("OnClose says %v", err)
	}
}

func TestStalledPacketHandlerSlowsOnlyItsPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		warned := make(logged, 1)
		a, b := pair(t, stack.Config{Logger: warned})
		inside, release := make(chan struct{}, 1), make(chan struct{})
		_, err := b.ListenPacketEvents("udp", ":7", event.PacketFunc(func(s *event.PacketSocket, p []byte, _ event.PacketMeta) {
			s.Reply(p)
			if string(p) == "stall" {
				inside <- struct{}{}
				<-release
			}
		}))
		must(t, err)
		_, err = b.ListenPacketEvents("udp", ":8", event.PacketFunc(func(s *event.PacketSocket, p []byte, _ event.PacketMeta) { s.Reply(p) }))
		must(t, err)
		listen(t, b, &event.Funcs{Data: (*event.Conn).Write})
		stalled, other := dialUDP(t, a, "192.0.2.2:7"), dialUDP(t, a, "192.0.2.2:8")
		c := dial(t, a)
		ask(t, stalled, "hello")
		ask(t, other, "hello")
		io.WriteString(stalled, "stall")
		wait(t, "the call that stalls", inside)
		ask(t, c, "others go on")
		ask(t, other, "others go on")
		if w := wait(t, "a warning", warned); !strings.Contains(w, "PacketFunc") || !strings.Contains(w, ":7") {
			t.Errorf("the warning %q does not name the handler and the port", w)
		}
		for i := range 3 {
			fmt.Fprintf(stalled, "wait %d", i)
		}
		ask(t, other, "still")
		if n := b.Stats().Get("tcp.handler_stalls"); n != 1 {
			t.Errorf("%d stalls were counted, want 1", n)
		}
		close(release)
		expect(t, stalled, "stall")
		for i := range 3 {
			expect(t, stalled, fmt.Sprintf("wait %d", i))
		}
		if n := b.Stats().Get("udp.drop.handler_busy"); n != 0 {
			t.Errorf("%d datagrams were dropped", n)
		}
		eventually(t, "the end of the stall", func() bool { return b.Stats().Get("held.handlers_stalled") == 0 })
		ask(t, stalled, "and on it goes")
	})
}

// What waits for a handler is bounded, in order, and handed over with the handler watched: where it does not return again, the
// rest waits on, and others go on all the while.
func TestDatagramsWaitForTheirHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t, stack.Config{Logger: make(logged, 9), DatagramBuffer: 64 << 10})
		inside, release := make(chan struct{}, 1), make(chan struct{})
		_, err := b.ListenPacketEvents("udp", ":7", event.PacketFunc(func(s *event.PacketSocket, p []byte, _ event.PacketMeta) {
			s.Reply(p)
			if string(p[:5]) == "stall" {
				inside <- struct{}{}
				<-release
			}
		}))
		must(t, err)
		_, err = b.ListenPacketEvents("udp", ":8", event.PacketFunc(func(s *event.PacketSocket, p []byte, _ event.PacketMeta) { s.Reply(p) }))
		must(t, err)
		stalled, other := dialUDP(t, a, "192.0.2.2:7"), dialUDP(t, a, "192.0.2.2:8")
		io.WriteString(stalled, "stall 0")
		wait(t, "the call that stalls", inside)
		ask(t, other, "others go on")
		eventually(t, "a stall", func() bool { return b.Stats().Get("held.handlers_stalled") == 1 })
		const sent = 500
		io.WriteString(stalled, "before")
		io.WriteString(stalled, "stall 1")
		for i := range sent {
			fmt.Fprintf(stalled, "wait %*d", 800, i)
			ask(t, other, "others go on")
		}
		dropped := int(b.Stats().Get("udp.drop.handler_busy"))
		if dropped == 0 || dropped >= sent {
			t.Errorf("%d of %d datagrams were dropped", dropped, sent)
		}
		release <- struct{}{}
		for _, want := range []string{"stall 0", "before"} {
			expect(t, stalled, want)
		}
		wait(t, "the second call that stalls", inside)
		ask(t, other, "others go on")
		eventually(t, "a second stall", func() bool {
			return b.Stats().Get("held.handlers_stalled") == 1 && b.Stats().Get("tcp.handler_stalls") == 2
		})
		ask(t, other, "others go on")
		close(release)
		expect(t, stalled, "stall 1")
		for i := range sent - dropped {
			expect(t, stalled, fmt.Sprintf("wait %*d", 800, i))
		}
		ask(t, stalled, "and on it goes")
		eventually(t, "no stall", func() bool { return b.Stats().Get("held.handlers_stalled") == 0 })
	})
}

func dialUDP(t *testing.T, st *stack.Stack, to string) net.Conn {
	t.Helper()
	c, err := st.Dial("udp", to)
	must(t, err)
	c.SetDeadline(time.Now().Add(bound))
	return c
}

func TestStalledOnSYNSlowsOnlyItsPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t, stack.Config{Logger: make(logged, 1)})
		inside, release := make(chan struct{}, 1), make(chan struct{})
		_, err := b.ListenEvents("tcp", ":7", &event.Funcs{Data: (*event.Conn).Write}, event.Options{})
		must(t, err)
		_, err = b.ListenEvents("tcp", ":8", &event.Funcs{}, event.Options{OnSYN: func(*event.SYN) event.Verdict {
			inside <- struct{}{}
			<-release
			return event.AcceptSYN
		}})
		must(t, err)
		c := dial(t, a)
		d := newDiary()
		_, err = a.DialEvents(t.Context(), "tcp", "192.0.2.2:8", d, event.DialOptions{})
		must(t, err)
		wait(t, "the call that stalls", inside)
		ask(t, c, "others go on")
		ask(t, dial(t, a), "also new ones")
		close(release)
		wait(t, "OnOpen", d.begun)
	})
}
