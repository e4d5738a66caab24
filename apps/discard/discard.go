package discard

import (
	"io"
	"net"

	"github.com/weirnet/weir/apps/serve"
	"github.com/weirnet/weir/stack/event"
)

// Port is the service's well-known port, TCP and UDP (RFC 863).
const Port = 9

// Service returns discard as a service on its well-known port: its Run serves both transports of a network, a *stack.Stack
// for one. For a single listener or socket there are serve.Stream with ServeConn, and serve.Packets with Answer.
func Service() serve.Service {
	return serve.Service{Name: "discard", Port: Port, Conn: ServeConn, Handler: Handler, Datagram: Answer}
}

// ServeConn throws away what c receives until the peer closes: "no response is
// sent. This continues until the calling user terminates the connection" (RFC 863).
func ServeConn(c net.Conn) {
	_, _ = serve.Copy(io.Discard, c)
}

// Handler is ServeConn for event handlers.
var Handler event.Handler = &event.Funcs{}

// Answer returns nil: "when a datagram is received, it is thrown away. No response
// is sent" (RFC 863).
func Answer(_, _ []byte) []byte { return nil }
