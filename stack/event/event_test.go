package event_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/event"
)

// diary is a handler that writes down its calls.
type diary struct {
	mu    sync.Mutex
	lines []string
	data  func(c *event.Conn, p []byte) int
	eof   func(c *event.Conn)
	begun chan struct{}
	over  chan error
}

func newDiary() *diary {
	return &diary{
		data: func(_ *event.Conn, p []byte) int { return len(p) },
		eof:  (*event.Conn).Close, over: make(chan error, 8), begun: make(chan struct{}, 8),
	}
}

func (d *diary) write(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

func (d *diary) OnOpen(*event.Conn) {
	d.write("open")
	d.begun <- struct{}{}
}
func (d *diary) OnWritable(*event.Conn) { d.write("writable") }
func (d *diary) OnEOF(c *event.Conn) {
	d.write("eof")
	d.eof(c)
}
func (d *diary) OnClose(_ *event.Conn, err error) {
	d.write("close %v", err)
	d.over <- err
}
func (d *diary) OnData(c *event.Conn, p []byte) int {
	n := d.data(c, p)
	d.write("data %d of %d", n, len(p))
	return n
}

func (d *diary) is(t *testing.T, want ...string) {
	t.Helper()
	if got := d.read(); !slices.Equal(got, want) {
		t.Errorf("the calls were %q, want %q", got, want)
	}
}

func listen(t *testing.T, st *stack.Stack, h event.Handler) *event.Listener {
	t.Helper()
	l, err := st.ListenEvents("tcp", ":7", h, event.Options{})
	must(t, err)
	return l
}

func closeWrite(t *testing.T, c net.Conn) {
	t.Helper()
	must(t, c.(interface{ CloseWrite() error }).CloseWrite())
}

func TestCallsComeInOrderAndOnCloseLast(t *testing.T) {
	a, b := pair(t, stack.Config{})
	d := newDiary()
	l := listen(t, b, d)
	c := dial(t, a)
	_, err := io.WriteString(c, "hello")
	must(t, err)
	closeWrite(t, c)
	if got, err := io.ReadAll(c); len(got) > 0 || err != nil {
		t.Errorf("%q came, %v", got, err)
	}
	if err := wait(t, "OnClose", d.over); err != nil {
		t.Errorf("OnClose says %v", err)
	}
	d.is(t, "open", "data 5 of 5", "eof", "close <nil>")
	eventually(t, "the end of the last OnClose", func() bool { return l.Open() == 0 })
}

func TestWhatOnDataLeavesComesAgainWithMoreBehindIt(t *testing.T) {
	a, b := pair(t, stack.Config{})
	d := newDiary()
	got := make(chan string, 1)
	want := string(bytes.Repeat([]byte("0123456789"), 30000))
	d.data = func(c *event.Conn, p []byte) int {
		if len(p) < len(want) {
			return 0
		}
		got <- string(p)
		return len(p)
	}
	listen(t, b, d)
	c := dial(t, a)
	for rest := want; rest != ""; {
		n := min(len(rest), 7001)
		_, err := io.WriteString(c, rest[:n])
		must(t, err)
		rest = rest[n:]
	}
	if text := wait(t, "all in one piece", got); text != want {
		t.Error("what was shown is not what was sent")
	}
}

func TestEOFIsToldThoughOnDataHasLeftSomething(t *testing.T) {
	a, b := pair(t, stack.Config{})
	d := newDiary()
	d.data = func(*event.Conn, []byte) int { return 0 }
	listen(t, b, d)
	c := dial(t, a)
	_, err := io.WriteString(c, "half a line")
	must(t, err)
	closeWrite(t, c)
	if err := wait(t, "OnClose", d.over); err != nil {
		t.Errorf("OnClose says %v", err)
	}
	if _, err := io.ReadAll(c); err != nil {
		t.Errorf("the peer, which had ended its stream, is told %v", err)
	}
	if got := d.read(); !slices.Contains(got, "eof") {
		t.Errorf("the calls were %q", got)
	}
}

func TestPauseHoldsBackDataAndEOFUntilResume(t *testing.T) {
	a, b := pair(t, stack.Config{})
	d := newDiary()
	conns := make(chan *event.Conn, 1)
	d.data = func(c *event.Conn, p []byte) int {
		if string(p) == "pause" {
			c.Pause()
			conns <- c
		}
		return len(p)
	}
	listen(t, b, d)
	c := dial(t, a)
	_, err := io.WriteString(c, "pause")
	must(t, err)
	ec := wait(t, "the connection", conns)
	_, err = io.WriteString(c, "hello")
	must(t, err)
	closeWrite(t, c)
	for until := time.Now().Add(bound); ; {
		n := make(chan int, 1)
		ec.Post(func(c *event.Conn) { n <- c.Buffered() })
		if wait(t, "the posted function", n) == 5 {
			break
		}
		if time.Now().After(until) {
			t.Fatal("the text never came")
		}
	}
	d.is(t, "open", "data 5 of 5")
	ec.Post((*event.Conn).Resume)
	wait(t, "OnClose", d.over)
	d.is(t, "open", "data 5 of 5", "data 5 of 5", "eof", "close <nil>")
}

func TestSlowReaderSlowsTheSenderByTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t, stack.Config{ReceiveBuffer: 64 << 10})
		d := newDiary()
		conns := make(chan *event.Conn, 1)
		total := 0
		d.data = func(c *event.Conn, p []byte) int {
			if total == 0 {
				conns <- c
				c.Pause()
			}
			total += len(p)
			return len(p)
		}
		listen(t, b, d)
		c := dial(t, a)
		must(t, c.SetWriteDeadline(time.Now().Add(300*time.Millisecond)))
		sent := make([]byte, 64<<20)
		n, err := c.Write(sent)
		if err == nil || n > 8<<20 { // the two buffers
			t.Fatalf("%d octets could be written to who does not read, %v", n, err)
		}
		wait(t, "the connection", conns).Post((*event.Conn).Resume)
		closeWrite(t, c)
		wait(t, "OnClose", d.over)
		if total != n {
			t.Errorf("%d octets were shown of %d", total, n)
		}
	})
}

func TestWritableComesAfterAShortWrite(t *testing.T) {
	a, b := pair(t, stack.Config{SendBuffer: 64 << 10})
	const size = 1 << 20
	left := size
	more := func(c *event.Conn) {
		for left > 0 {
			p := make([]byte, min(left, 100000))
			n := c.Write(p)
			if left -= n; n < len(p) {
				return
			}
		}
		c.Close()
	}
	over := make(chan error, 1)
	listen(t, b, &event.Funcs{Open: more, Writable: more, Close: func(_ *event.Conn, err error) { over <- err }})
	got, err := io.ReadAll(dial(t, a))
	if err != nil || len(got) != size {
		t.Errorf("%d octets came of %d, %v", len(got), size, err)
	}
	if err := wait(t, "OnClose", over); err != nil {
		t.Errorf("OnClose says %v", err)
	}
}

func TestDialIsToldHowItWent(t *testing.T) {
	a, b := pair(t, stack.Config{})
	listen(t, b, &event.Funcs{Data: (*event.Conn).Write})
	answer := make(chan string, 1)
	_, err := a.DialEvents(t.Context(), "tcp", "192.0.2.2:7", &event.Funcs{
		Open: func(c *event.Conn) { c.Write([]byte(c.Value().(string))) },
		Data: func(c *event.Conn, p []byte) int {
			answer <- string(p)
			c.Close()
			return len(p)
		},
	}, event.DialOptions{Value: "marmalade"})
	must(t, err)
	if got := wait(t, "an answer", answer); got != "marmalade" {
		t.Errorf("the answer is %q", got)
	}
	d := newDiary()
	_, err = a.DialEvents(t.Context(), "tcp", "192.0.2.2:8", d, event.DialOptions{})
	must(t, err)
	if err := wait(t, "OnClose", d.over); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a closed port's OnClose says %v", err)
	}
	d.is(t, "close connection refused")
	if _, err := a.DialEvents(t.Context(), "udp", "192.0.2.2:7", d, event.DialOptions{}); err == nil {
		t.Error("a handler of streams was let dial UDP")
	}
}

func TestDetachedConnectionIsANetConnWithWhatWasNotConsumed(t *testing.T) {
	a, b := pair(t, stack.Config{})
	conns := make(chan net.Conn, 1)
	l := listen(t, b, &event.Funcs{
		Data: func(c *event.Conn, p []byte) int {
			if len(p) < 9 {
				return 0
			}
			conns <- c.Detach()
			return 4
		},
		Close: func(*event.Conn, error) { t.Error("OnClose after Detach") },
	})
	c := dial(t, a)
	_, err := io.WriteString(c, "GET /path")
	must(t, err)
	n := wait(t, "the net.Conn", conns)
	n.SetDeadline(time.Now().Add(bound))
	expect(t, n, "/path")
	_, err = io.WriteString(n, "200")
	must(t, err)
	expect(t, c, "200")
	c.Close()
	if _, err := n.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a read of the net.Conn says %v, want EOF", err)
	}
	n.Close()
	if l.Open() != 0 {
		t.Errorf("the listener counts %d open connections after the one has moved", l.Open())
	}
}

func TestPostedFunctionsRunInOrderFromAnywhere(t *testing.T) {
	a, b := pair(t, stack.Config{})
	conns := make(chan *event.Conn, 1)
	over := make(chan error, 1)
	listen(t, b, &event.Funcs{
		Open:  func(c *event.Conn) { conns <- c },
		Close: func(_ *event.Conn, err error) { over <- err },
	})
	c := dial(t, a)
	ec := wait(t, "the connection", conns)
	const posters, each = 4, 500
	var wg sync.WaitGroup
	for n := range posters {
		wg.Go(func() {
			for k := range each {
				ec.Post(func(c *event.Conn) { c.Write([]byte{byte(n), byte(k), byte(k >> 8)}) })
			}
		})
	}
	next := make([]int, posters)
	for range posters * each {
		var m [3]byte
		_, err := io.ReadFull(c, m[:])
		must(t, err)
		if k := int(m[1]) | int(m[2])<<8; k != next[m[0]] {
			t.Fatalf("poster %d's number %d came when %d was due", m[0], k, next[m[0]])
		}
		next[m[0]]++
	}
	wg.Wait()
	c.Close()
	wait(t, "OnClose", over)
	late := make(chan bool, 1)
	ec.Post(func(c *event.Conn) { late <- c.Closed() && c.Write([]byte("x")) == 0 })
	if !wait(t, "a function posted after OnClose", late) {
		t.Error("a connection takes text after OnClose")
	}
}

// writeValue writes what it can of the octets that are kept with the connection.
func writeValue(c *event.Conn) {
	if p, _ := c.Value().([]byte); len(p) > 0 {
		c.SetValue(p[c.Write(p):])
	}
}

func TestTwoHandlersThatPostToEachOtherDoNotWaitForEachOther(t *testing.T) {
	a, b := pair(t, stack.Config{})
	var mu sync.Mutex
	var list []*event.Conn
	both := make(chan struct{})
	listen(t, b, &event.Funcs{
		Open: func(c *event.Conn) {
			mu.Lock()
			defer mu.Unlock()
			if list = append(list, c); len(list) == 2 {
				close(both)
			}
		},
		Data: func(c *event.Conn, p []byte) int {
			other := list[0]
			if other == c {
				other = list[1]
			}
			text := bytes.Clone(p)
			other.Post(func(c *event.Conn) {
				waits, _ := c.Value().([]byte)
				c.SetValue(append(waits, text...))
				writeValue(c)
			})
			return len(p)
		},
		Writable: writeValue,
	})
	c1, c2 := dial(t, a), dial(t, a)
	wait(t, "both connections", both)
	const size = 1 << 20
	var wg sync.WaitGroup
	for _, c := range []net.Conn{c1, c2} {
		wg.Go(func() { c.Write(make([]byte, size)) })
		wg.Go(func() {
			if n, err := io.CopyN(io.Discard, c, size); err != nil {
				t.Errorf("%d octets came, %v", n, err)
			}
		})
	}
	wg.Wait()
}

func TestAbortAndThePeersResetAreToldByErrno(t *testing.T) {
	a, b := pair(t, stack.Config{})
	d := newDiary()
	d.data = func(c *event.Conn, p []byte) int {
		if string(p) == "abort" {
			c.Abort()
		}
		return len(p)
	}
	l := listen(t, b, d)
	c := dial(t, a)
	io.WriteString(c, "abort")
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the peer of an aborted connection reads %v", err)
	}
	if err := wait(t, "OnClose", d.over); err != syscall.ECONNABORTED {
		t.Errorf("OnClose after Abort says %v", err)
	}
	c = dial(t, a)
	ask := c.(interface{ SetLinger(int) error })
	must(t, ask.SetLinger(0))
	c.Close()
	if err := wait(t, "OnClose", d.over); err != syscall.ECONNRESET {
		t.Errorf("OnClose after a reset says %v", err)
	}
	c = dial(t, a)
	for range 3 {
		wait(t, "OnOpen", d.begun)
	}
	l.Each((*event.Conn).Close)
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the peer of a connection closed by Each reads %v", err)
	}
	c.Close()
	if err := wait(t, "OnClose", d.over); err != nil {
		t.Errorf("OnClose after Close says %v", err)
	}
}
