package bench

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// session is a test on the server's side.
type session struct {
	server *Server
	token  token
	params Params
	began  time.Time
	phase  phase

	started chan struct{} // closed by the order to start
	ended   chan struct{} // closed with the session, or by the order to stop
	once    struct{ start, end sync.Once }

	mu     sync.Mutex
	conns  map[net.Conn]struct{} // nil when it is over
	joined map[uint16]bool       // streams and flows that have come
	all    chan struct{}         // closed when they all have
	wg     sync.WaitGroup

	received, sent atomic.Uint64
	flows          []flow
	senders        []*sender
}

func newSession(s *Server, t token, p Params) *session {
	n := &session{
		server: s, token: t, params: p, began: time.Now(),
		started: make(chan struct{}), ended: make(chan struct{}),
		conns: map[net.Conn]struct{}{}, joined: map[uint16]bool{}, all: make(chan struct{}),
	}
	if p.Test == Datagrams {
		n.flows = make([]flow, p.Streams)
	}
	if !p.connections() && !p.datagrams() {
		close(n.all)
	}
	return n
}

func (n *session) now() time.Duration { return time.Since(n.began) }

// join notes that a stream is there. It reports whether it is one of the test's and new.
func (n *session) join(stream uint16) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.joinLocked(stream)
}

func (n *session) joinLocked(stream uint16) bool {
	if n.conns == nil || int(stream) >= n.params.Streams || n.joined[stream] {
		return false
	}
	n.joined[stream] = true
	if len(n.joined) == n.params.Streams {
		close(n.all)
	}
	return true
}

// answer carries out an order.
func (n *session) answer(r request) response {
	switch r.Order {
	case orderStart:
		return n.start()
	case orderMeasure:
		n.phase.v.CompareAndSwap(phaseWarmup, phaseMeasure)
	case orderStop:
		n.phase.v.Store(phaseStopped)
		n.once.end.Do(func() { close(n.ended) })
		n.wg.Wait() // the senders of datagrams: what they have sent is final
	case orderSample:
	default:
		return response{Version: Version, Error: fmt.Sprintf("there is no order %q", r.Order)}
	}
	return response{Version: Version, Sample: n.sample()}
}

// start lets the data flow once every stream has come.
func (n *session) start() response {
	late := time.NewTimer(maxSilence / 2)
	defer late.Stop()
	select {
	case <-n.all:
	case <-late.C:
		return response{Version: Version, Error: "not every stream of the test has reached the server"}
	}
	n.once.start.Do(func() {
		n.mu.Lock()
		for _, s := range n.senders {
			n.wg.Go(s.run)
		}
		n.mu.Unlock()
		close(n.started)
	})
	return response{Version: Version, Sample: n.sample()}
}

func (n *session) sample() Sample {
	s := Sample{At: n.now(), CPU: cpuTime(), Received: n.received.Load(), Sent: n.sent.Load(), Flow: sum(n.flows)}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, f := range n.senders {
		s.Sent += f.octets.Load()
		s.Flow.Sent += f.sent.Load()
		s.Flow.Unsent += f.unsent.Load()
	}
	return s
}

// close ends what the session has open.
func (n *session) close() {
	n.phase.v.Store(phaseStopped)
	n.once.end.Do(func() { close(n.ended) })
	n.mu.Lock()
	for c := range n.conns {
		c.Close()
	}
	n.conns = nil
	n.mu.Unlock()
	n.wg.Wait()
}

// data serves one data connection.
func (n *session) data(c net.Conn, stream uint16) {
	if n.params.Test == Connections {
		_, _ = c.Write([]byte{1}) // and it is closed
		return
	}
	if !n.params.connections() || !n.join(stream) || !n.keep(c) {
		return
	}
	defer n.forget(c)
	_ = c.SetDeadline(time.Time{}) // the session's end closes it
	if n.params.Test == Requests {
		n.reply(c)
		return
	}
	var both sync.WaitGroup
	defer both.Wait()
	if n.params.Direction.from() {
		both.Go(func() { n.send(c) })
	}
	if n.params.Direction.to() {
		buf := make([]byte, n.params.Size)
		_ = countInto(&n.received, c, buf)
	}
}

func (n *session) keep(c net.Conn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conns == nil {
		return false
	}
	n.conns[c] = struct{}{}
	return true
}

func (n *session) forget(c net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.conns, c)
}

// send fills the connection until the test stops.
func (n *session) send(c net.Conn) {
	select {
	case <-n.started:
	case <-n.ended:
		return
	}
	buf := filling(n.params.Size)
	for !n.phase.stopped() {
		k, err := c.Write(buf)
		n.sent.Add(uint64(k))
		if err != nil {
			return
		}
	}
}

// reply answers each request.
func (n *session) reply(c net.Conn) {
	in, out := make([]byte, n.params.Size), filling(n.params.Reply)
	for {
		if _, err := io.ReadFull(c, in); err != nil {
			return
		}
		n.received.Add(uint64(len(in)))
		if _, err := c.Write(out); err != nil {
			return
		}
		n.sent.Add(uint64(len(out)))
	}
}

// datagram takes a datagram of the session's.
func (n *session) datagram(d *datagram, raw []byte, from netip.AddrPort, to netip.Addr, out []byte) {
	if int(d.flow) >= n.params.Streams {
		return
	}
	switch {
	case d.kind == kindHello && n.params.datagrams():
		n.hello(d.flow, from, to)
		d.put(out)
		_, _ = n.server.packets.WritePacket(out[:datagramHeader], to, from)
	case d.kind == kindData && n.params.Test == Datagrams && n.params.Direction.to():
		n.received.Add(uint64(len(raw)))
		if d.measured {
			n.flows[d.flow].receive(d, len(raw), n.now())
		}
	case d.kind == kindRequest && n.params.Test == Requests && n.params.UDP && len(raw) == n.params.Size:
		n.received.Add(uint64(len(raw)))
		d.kind = kindReply
		d.put(out)
		if k, err := n.server.packets.WritePacket(out[:n.params.Reply], to, from); err == nil {
			n.sent.Add(uint64(k))
		}
	}
}

// hello learns where a flow of the client's is. The first to say so holds.
func (n *session) hello(number uint16, from netip.AddrPort, to netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.joined[number] || n.conns == nil {
		return
	}
	if n.params.Test == Datagrams && n.params.Direction.from() {
		n.senders = append(n.senders, n.sender(number, from, to))
	}
	n.joinLocked(number) // last: then the test may start
}

func (n *session) sender(number uint16, client netip.AddrPort, here netip.Addr) *sender {
	return &sender{
		header: datagram{token: n.token, kind: kindData, flow: number},
		size:   n.params.Size, phase: &n.phase, clock: n.now, stopped: n.ended,
		pace: newPacer(n.params.Rate, n.params.Streams, n.params.Size, n.now()),
		write: func(b []byte) error {
			_, err := n.server.packets.WritePacket(b, here, client)
			return err
		},
	}
}
