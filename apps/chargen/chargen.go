package chargen

import (
	"io"
	"math/rand/v2"
	"net"

	"github.com/weirnet/weir/apps/serve"
	"github.com/weirnet/weir/stack/event"
)

// Port is the service's well-known port, TCP and UDP (RFC 864).
const Port = 19

// MaxDatagram is the most characters that a datagram is answered with (RFC 864).
const MaxDatagram = 512

// Service returns chargen as a service on its well-known port: its Run serves both transports of a network, a *stack.Stack
// for one. For a single listener or socket there are serve.Stream with ServeConn, and serve.Packets with Answer.
func Service() serve.Service {
	return serve.Service{Name: "chargen", Port: Port, Conn: ServeConn, Handler: Handler, Datagram: Answer}
}

// ServeConn sends the pattern until the connection ends: "a stream of data is sent
// out the connection (and any data received is thrown away). This continues until the
// calling user terminates the connection" (RFC 864). A peer that closes only its
// own half may still want to read, so that alone does not end it.
func ServeConn(c net.Conn) {
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = serve.Copy(io.Discard, c)
	}()
	w := serve.NewPatientWriter(c, serve.StallTimeout)
	for {
		if _, err := w.Write(stream); err != nil {
			break
		}
	}
	c.Close() // ends the draining too
	<-drained
}

// Handler is ServeConn for event handlers.
var Handler event.Handler = handler{}

type handler struct{}

// place is where in the pattern a connection is.
type place struct {
	serve.Progress
	at int
}

// OnOpen begins the pattern, and OnWritable goes on with it where the send queue was full.
func (h handler) OnOpen(c *event.Conn) {
	c.SetValue(new(place))
	h.OnWritable(c)
}

// OnWritable implements event.Handler.
func (handler) OnWritable(c *event.Conn) {
	for p := c.Value().(*place); c.WriteBlock(p.fill) > 0; {
	}
}

// fill goes on with the pattern in room.
func (p *place) fill(room []byte) int {
	n := copy(room, stream[p.at:])
	p.at = (p.at + n) % len(stream)
	return n
}

// OnData throws away what is received.
func (handler) OnData(_ *event.Conn, p []byte) int { return len(p) }

// OnEOF does nothing: a peer that closes only its own half may still want to read.
func (handler) OnEOF(*event.Conn) {}

// OnClose implements event.Handler.
func (handler) OnClose(*event.Conn, error) {}

// Answer returns between 0 and 512 characters of the pattern, "a random number"
// of them, whatever the datagram says (RFC 864).
func Answer(_, _ []byte) []byte { return stream[:rand.IntN(MaxDatagram+1)] }
