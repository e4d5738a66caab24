package main

import (
	"net"
	"runtime"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/waiter"
)

// gvisorEchoes echoes on gVisor's connections with no goroutine for an idle one: the stack's
// notification puts a connection into a line, and a few workers answer. An idle connection
// takes half the memory that it takes with a goroutine, at some less requests a second;
// so it is what is asked for idle connections, and not for requests.
type gvisorEchoes struct{ line chan *gvisorEcho }

// gvisorEcho is one of the connections.
type gvisorEcho struct {
	echoes *gvisorEchoes
	conn   *gvisorConn
	entry  waiter.Entry
	inLine atomic.Bool
	closed bool
}

func newGVisorEchoes() *gvisorEchoes {
	e := &gvisorEchoes{line: make(chan *gvisorEcho, 1<<20)}
	for range runtime.GOMAXPROCS(0) {
		go e.work()
	}
	return e
}

func (e *gvisorEchoes) take(ep tcpip.Endpoint, queue *waiter.Queue) {
	c := &gvisorEcho{echoes: e, conn: &gvisorConn{ep: ep, queue: queue}}
	c.entry.Init(c, waiter.ReadableEvents|waiter.EventHUp|waiter.EventErr)
	queue.EventRegister(&c.entry)
	c.NotifyEvent(0) // what came before
}

// NotifyEvent implements waiter.EventListener.
func (c *gvisorEcho) NotifyEvent(waiter.EventMask) {
	if c.inLine.CompareAndSwap(false, true) {
		c.echoes.line <- c
	}
}

func (e *gvisorEchoes) work() {
	buf := make([]byte, 64)
	for c := range e.line {
		for more := true; more; {
			for c.answer(buf) {
			}
			c.inLine.Store(false)
			// What came since has found it in the line.
			more = !c.closed && c.conn.ep.Readiness(waiter.ReadableEvents) != 0 && c.inLine.CompareAndSwap(false, true)
		}
	}
}

// answer sends back what is there, and reports whether there may be more.
func (c *gvisorEcho) answer(buf []byte) bool {
	w := tcpip.SliceWriter(buf)
	result, err := c.conn.ep.Read(&w, tcpip.ReadOptions{})
	if _, wait := err.(*tcpip.ErrWouldBlock); wait || c.closed {
		return false
	}
	if err == nil {
		c.conn.source.Reset(buf[:result.Count])
		n, err := c.conn.ep.Write(&c.conn.source, tcpip.WriteOptions{})
		if err == nil && int(n) == result.Count {
			return true
		}
	}
	// Its end; and nobody here sends more than the send buffer holds.
	c.closed = true
	c.conn.queue.EventUnregister(&c.entry)
	c.conn.ep.Close()
	return false
}

// acceptEchoes accepts for e until the listener is closed.
func (l *gvisorListener) acceptEchoes(e *gvisorEchoes) error {
	for {
		ep, queue, err := l.accept()
		if err != nil {
			return net.ErrClosed
		}
		e.take(ep, queue)
	}
}
