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
// A service with an event handler, on a network that has such ([Events]), has no Stream and no goroutines: the
// stack calls the handler, from Listen on, inside [EventHandler], which counts connections, turns
// keep-alive on and gives up a peer that takes nothing of what it is sent. The end of the context
// aborts those that are open.
//
// # The way of a datagram
//
// Packets reads one at a time. A source that no honest client would have is
// refused (see [Refuse]) and counted; otherwise the service's answer, if it has one, goes back
// to where the datagram came from. An answer leaves from the address that the
// socket is bound to, so Listen opens one socket per address when it is given
// addresses: the answer then comes from the address that was asked, as a client
// that connected its socket needs.
//
// Where the network has handlers of datagrams, the same happens in its receive path ([PacketEvents]), and
// one port for all addresses is enough: a datagram is answered from the address that it came to.
package serve
