package echo

import (
	"net"

	"github.com/weirnet/weir/apps/serve"
	"github.com/weirnet/weir/stack/event"
)

// Port is the service's well-known port, TCP and UDP (RFC 862).
const Port = 7

// Service returns echo as a service on its well-known port: its Run serves both transports of a network, a *stack.Stack
// for one. For a single listener or socket there are serve.Stream with ServeConn, and serve.Packets with Answer.
func Service() serve.Service {
	return serve.Service{Name: "echo", Port: Port, Conn: ServeConn, Handler: Handler, Datagram: Answer}
}

// ServeConn sends back what c receives until the peer closes its half, then
// closes ours: "once a connection is established any data received is sent back.
// This continues until the calling user terminates the connection" (RFC 862).
func ServeConn(c net.Conn) {
	w := serve.NewPatientWriter(c, serve.StallTimeout)
	if _, err := serve.Copy(w, c); err == nil {
		_ = serve.CloseWrite(c) // c is closed next in any case
	}
}

// Handler is ServeConn for event handlers: the octets go from the frame that they came in to the
// send queue. What that has no room for stays in the receive queue, whose window holds the peer up.
var Handler event.Handler = &event.Funcs{Data: (*event.Conn).Write}

// Answer returns the datagram itself: "when a datagram is received, the data from
// it is sent back in an answering datagram" (RFC 862).
func Answer(in, _ []byte) []byte { return in }
