package main

import (
	"bytes"
	"errors"
	"io"
	"net"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	gtcp "gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// gvisorConn is a connection of gVisor's with less around it than its own package gonet has: it
// registers once for what it waits for, not with every call, has no deadlines, and takes no
// lock of its own. It has what serve.go calls and no more.
type gvisorConn struct {
	net.Conn // nil: nothing else is called
	ep       tcpip.Endpoint
	queue    *waiter.Queue
	entry    waiter.Entry
	changed  chan struct{} // one goroutine reads and writes
	source   bytes.Reader
}

func newGVisorConn(ep tcpip.Endpoint, queue *waiter.Queue) *gvisorConn {
	c := &gvisorConn{ep: ep, queue: queue}
	c.entry, c.changed = waiter.NewChannelEntry(waiter.ReadableEvents | waiter.WritableEvents | waiter.EventHUp | waiter.EventErr)
	queue.EventRegister(&c.entry)
	return c
}

func (c *gvisorConn) Read(p []byte) (int, error) {
	for {
		w := tcpip.SliceWriter(p)
		result, err := c.ep.Read(&w, tcpip.ReadOptions{})
		switch err.(type) {
		case nil:
			c.ep.ModerateRecvBuf(result.Count)
			return result.Count, nil
		case *tcpip.ErrWouldBlock:
			<-c.changed
		case *tcpip.ErrClosedForReceive:
			return 0, io.EOF
		default:
			return 0, errors.New(err.String())
		}
	}
}

func (c *gvisorConn) Write(p []byte) (done int, err error) {
	for done < len(p) {
		c.source.Reset(p[done:])
		n, err := c.ep.Write(&c.source, tcpip.WriteOptions{})
		done += int(n)
		switch err.(type) {
		case nil:
		case *tcpip.ErrWouldBlock:
			<-c.changed
		default:
			return done, errors.New(err.String())
		}
	}
	return done, nil
}

func (c *gvisorConn) Close() error {
	c.queue.EventUnregister(&c.entry)
	c.ep.Close()
	return nil
}

// gvisorListener accepts gvisorConns.
type gvisorListener struct {
	net.Listener // nil: nothing else is called
	ep           tcpip.Endpoint
	changed      chan struct{}
}

func (l *gvisorListener) Accept() (net.Conn, error) {
	ep, queue, err := l.accept()
	if err != nil {
		return nil, err
	}
	return newGVisorConn(ep, queue), nil
}

func (l *gvisorListener) accept() (tcpip.Endpoint, *waiter.Queue, error) {
	for {
		ep, queue, err := l.ep.Accept(nil)
		if err == nil {
			return ep, queue, nil
		}
		if _, ok := err.(*tcpip.ErrWouldBlock); !ok {
			return nil, nil, errors.New(err.String())
		}
		<-l.changed
	}
}

// gvisorBest is gvisorEndpoint with these connections.
type gvisorBest struct {
	*gvisorEndpoint
	super int
}

// writeSize is that of four super-segments without a short one: gVisor neither
// splits nor merges what is written so.
func (g gvisorBest) writeSize() int { return 4 * g.super }

// serveIdle starts gvisorEchoes.
func (g gvisorBest) serveIdle() error {
	l, err := g.listen(idlePort)
	if err != nil {
		return err
	}
	go l.(*gvisorListener).acceptEchoes(newGVisorEchoes())
	return nil
}

func (g gvisorBest) listen(port int) (net.Listener, error) {
	var queue waiter.Queue
	ep, err := g.NewEndpoint(gtcp.ProtocolNumber, ipv4.ProtocolNumber, &queue)
	if err != nil {
		return nil, errors.New(err.String())
	}
	at := tcpip.FullAddress{Addr: tcpip.AddrFrom4(stackPrefix.Addr().As4()), Port: uint16(port)}
	if err := ep.Bind(at); err != nil {
		return nil, errors.New(err.String())
	}
	if err := ep.Listen(4096); err != nil {
		return nil, errors.New(err.String())
	}
	entry, changed := waiter.NewChannelEntry(waiter.ReadableEvents)
	queue.EventRegister(&entry)
	return &gvisorListener{ep: ep, changed: changed}, nil
}

// superSegment is the largest number of octets that gVisor puts into one packet, in segments that
// are all as long as the MTU allows with timestamps.
func superSegment(mtu int) int {
	mss := mtu - header.IPv4MinimumSize - header.TCPMinimumSize - 12
	return (65535 - header.TCPTotalHeaderMaximumSize - 1) / mss * mss
}
