// Package serve is the machinery that the small servers share: accept loops that
// outlive a passing error, connections that are closed and goroutines that are
// gone when a server stops, datagram loops that refuse to be used as a reflector.
//
// A server is a [Service]: a port, what it does with a connection and what it
// answers to a datagram. [Service.Listen] opens its sockets on any [Network],
// a *stack.Stack for one, and [Server.Serve] runs it until its context is done.
// [Stream] and [Packets] do the same for a listener or a packet connection
// that the caller has, of whatever origin.
//
// # The way of a connection
//
// Stream accepts it, turns keep-alive on so that a peer that vanished is noticed,
// remembers it and runs the service's handler in a goroutine. The handler
// returning closes it. When the context ends, Stream closes the listener and
// every connection it remembers, which makes the handlers return, and waits for
// them.
//
// # The way of a datagram
//
// Packets reads one at a time. A source that no honest client would have is
// refused (see [Refuse]) and counted; otherwise the service's answer, if it has one, goes back
// to where the datagram came from. An answer leaves from the address that the
// socket is bound to, so Listen opens one socket per address when it is given
// addresses: the answer then comes from the address that was asked, as a client
// that connected its socket needs.
package serve
