package discard

import (
	"context"
	"io"
	"net"
	"net/netip"

	"github.com/weirnet/weir/apps/serve"
	"github.com/weirnet/weir/stack/event"
)

// Port is the service's well-known port, TCP and UDP (RFC 863).
const Port = 9

// Service returns discard as a service on its well-known port.
func Service() serve.Service {
	return serve.Service{Name: "discard", Port: Port, Conn: ServeConn, Handler: Handler, Datagram: Answer}
}

// Serve runs discard on both transports of the network, a *stack.Stack for one,
// on each of the addresses or on all where none is given, until ctx is done. It
// returns nil then, or the error of a socket that could not be opened or failed.
func Serve(ctx context.Context, nw serve.Network, addrs ...netip.Addr) error {
	return Service().Run(ctx, nw, addrs...)
}

// ServeTCP discards on every connection that ln accepts: see serve.Stream.
func ServeTCP(ctx context.Context, ln net.Listener) error {
	return serve.Stream(ctx, ln, ServeConn)
}

// ServeUDP discards every datagram that pc receives: see serve.Packets.
func ServeUDP(ctx context.Context, pc net.PacketConn) error {
	return serve.Packets(ctx, pc, Answer)
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
