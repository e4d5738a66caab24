package daytime

import (
	"net"
	"time"

	"github.com/weirnet/weir/apps/serve"
	"github.com/weirnet/weir/stack/event"
)

// Port is the service's well-known port, TCP and UDP (RFC 867).
const Port = 13

// layout is the first of the syntaxes that RFC 867 recommends, "Weekday, Month
// Day, Year Time-Zone", as in "Tuesday, February 22, 1982 17:37:43-PST".
const layout = "Monday, January 2, 2006 15:04:05-MST\r\n"

// patience is how long a client may take to close after the answer.
const patience = 5 * time.Second

// Service returns daytime as a service on its well-known port: its Run serves both transports of a network, a *stack.Stack
// for one. For a single listener or socket there are serve.Stream with ServeConn, and serve.Packets with Answer.
func Service() serve.Service {
	return serve.Service{Name: "daytime", Port: Port, Conn: ServeConn, Handler: Handler, Datagram: Answer}
}

// ServeConn sends the time and closes: "the current date and time is sent out the
// connection as a ascii character string (and any data received is thrown away).
// The service closes the connection after sending" (RFC 867).
func ServeConn(c net.Conn) {
	w := serve.NewPatientWriter(c, serve.StallTimeout)
	if _, err := w.Write(Append(nil, time.Now())); err == nil {
		serve.Finish(c, patience)
	}
}

// Handler is ServeConn for event handlers.
var Handler event.Handler = handler{new(event.Funcs)} // what is received is thrown away, and the peer's end is ours

type handler struct{ *event.Funcs }

// OnOpen sends the time and ends our half. Who does not end the other one for long is left.
func (handler) OnOpen(c *event.Conn) {
	var line [64]byte
	c.Write(Append(line[:0], time.Now()))
	c.CloseWrite()
	c.SetTimer(patience)
}

// OnTimer implements event.TimerHandler.
func (handler) OnTimer(c *event.Conn) {
	if c.Unsent() > 0 {
		c.Abort()
		return
	}
	c.Close()
}

// Answer returns the time as a datagram (RFC 867).
func Answer(_, buf []byte) []byte { return Append(buf[:0], time.Now()) }

// Append appends the line for the time t to b. The time zone is UTC, so that the
// line means the same wherever it is read.
func Append(b []byte, t time.Time) []byte { return t.UTC().AppendFormat(b, layout) }
