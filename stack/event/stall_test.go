package event_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/event"
)

// staller echoes, but stays in the call that shows "stall" until it is let go.
type staller struct {
	event.Funcs
	inside  chan struct{}
	release chan struct{}
}

func newStaller() *staller {
	s := &staller{inside: make(chan struct{}, 1), release: make(chan struct{})}
	s.Data = func(c *event.Conn, p []byte) int {
		if bytes.HasPrefix(p, []byte("stall")) {
			s.inside <- struct{}{}
			<-s.release
		}
		return c.Write(p)
	}
	return s
}

// logged is a stack.Config.Logger.
type logged chan string

func (l logged) Warn(msg string, args ...any) {
	for _, a := range args {
		if s, ok := a.(string); ok {
			msg += " " + s
		}
	}
	select {
	case l <- msg:
	default:
	}
}

func dial(t *testing.T, a *stack.Stack) net.Conn {
	t.Helper()
	c, err := a.Dial("tcp", "192.0.2.2:7")
	must(t, err)
	c.SetDeadline(time.Now().Add(bound))
	return c
}

func ask(t *testing.T, c net.Conn, text string) {
	t.Helper()
	_, err := io.WriteString(c, text)
	must(t, err)
	expect(t, c, text)
}

func expect(t *testing.T, c net.Conn, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != text {
		t.Fatalf("%.40q came, %v; want %.40q", got, err, text)
	}
}

func TestStalledHandlerSlowsOnlyItsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		warned := make(logged, 1)
		a, b := pair(t, stack.Config{Logger: warned})
		h := newStaller()
		timer := make(chan struct{}, 1)
		h.Open = func(c *event.Conn) { c.SetTimer(50 * time.Millisecond) }
		h.Timer = func(*event.Conn) {
			select {
			case timer <- struct{}{}:
			default:
			}
		}
		_, err := b.ListenEvents("tcp", ":7", h, event.Options{})
		must(t, err)
		stalled, before := dial(t, a), dial(t, a)
		ask(t, stalled, "hello")
		ask(t, before, "hello")

		_, err = io.WriteString(stalled, "stall1")
		must(t, err)
		wait(t, "the call that stalls", h.inside)
		rest := strings.Repeat("0123456789", 20000)
		_, err = io.WriteString(stalled, rest)
		must(t, err)

		ask(t, before, "others go on")
		after := dial(t, a)
		ask(t, after, "also new ones")
		for range 3 {
			wait(t, "the others' timers", timer)
			break
		}
		w := wait(t, "a warning", warned)
		if !strings.Contains(w, "staller") || !strings.Contains(w, stalled.LocalAddr().String()) {
			t.Errorf("the warning %q does not name the handler and the connection", w)
		}
		if n := b.Stats().Get("tcp.handler_stalls"); n != 1 {
			t.Errorf("%d stalls were counted, want 1", n)
		}
		marked := 0
		for _, c := range b.Connections() {
			if c.Stalled {
				marked++
			}
		}
		if marked != 1 {
			t.Errorf("%d connections are listed as stalled, want 1", marked)
		}
		close(h.release)
		expect(t, stalled, "stall1")
		expect(t, stalled, rest)
		ask(t, stalled, "and on it goes")
		if n := b.Stats().Get("held.handlers_stalled"); n != 0 {
			t.Errorf("%d handlers count as stalled after all", n)
		}
	})
}

func TestStackClosesWhileAHandlerStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t, stack.Config{Logger: make(logged, 1)})
		h := newStaller()
		closed := make(chan error, 2)
		h.Close = func(_ *event.Conn, err error) { closed <- err }
		_, err := b.ListenEvents("tcp", ":7", h, event.Options{})
		must(t, err)
		stalled, other := dial(t, a), dial(t, a)
		ask(t, other, "hello")
		_, err = io.WriteString(stalled, "stall")
		must(t, err)
		wait(t, "the call that stalls", h.inside)
		done := make(chan struct{})
		go func() {
			b.Close()
			close(done)
		}()
		wait(t, "the stack's Close", done)
		wait(t, "the other connection's OnClose", closed)
		close(h.release)
		if err := wait(t, "the stalled connection's OnClose", closed); err == nil {
			t.Error("OnClose says nil where the stack was closed")
		}
	})
}

func TestTimerThatStallsHoldsUpNoOtherTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t, stack.Config{Logger: make(logged, 1)})
		release, inside, fired := make(chan struct{}), make(chan struct{}, 1), make(chan struct{}, 1)
		first := true
		_, err := b.ListenEvents("tcp", ":7", &event.Funcs{
			Data: func(c *event.Conn, p []byte) int {
				c.SetValue(string(p))
				c.SetTimer(5 * time.Millisecond)
				return len(p)
			},
			Timer: func(c *event.Conn) {
				switch {
				case c.Value() == "stall":
					inside <- struct{}{}
					<-release
				case first:
					first = false
					c.SetTimer(5 * time.Millisecond)
				default:
					fired <- struct{}{}
				}
			},
		}, event.Options{})
		must(t, err)
		stalled, other := dial(t, a), dial(t, a)
		io.WriteString(stalled, "stall")
		wait(t, "the timer that stalls", inside)
		io.WriteString(other, "x")
		wait(t, "the other's timer, twice", fired)
		close(release)
	})
}
