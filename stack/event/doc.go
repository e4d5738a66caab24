// Package event gives connections and datagrams to handlers that run inside the stack's receive path: for
// servers with very many connections, or that answer at once. Package stack's ListenEvents,
// DialEvents and ListenPacketEvents are its ways in; for programs that would rather block there are net.Conns.
//
// # The way of an octet
//
// A receive loop reads a batch of frames and feeds each to its connection. Text that comes in order,
// where nothing is queued, is shown to OnData right where it lies in the frame; what that consumes is
// never copied. The rest goes to the connection's receive queue, and what OnData left comes again
// from there, always as one piece: when more has arrived, behind what was left; after OnWritable; after
// Resume. Write copies to the send queue, and WriteBlock has the handler write there itself. When the
// batch is fed, each connection that was touched sends, once:
// acknowledgements ride on answers, and many small writes are one segment. Between a device and a handler and
// back nothing is allocated, and no goroutine is woken.
//
// # Who may call what from where
//
// The calls for one connection come one at a time, with the connection locked, and from whatever goroutine
// has something for it: a receive loop, the one that runs timers, one that has called Post. Calls for different
// connections of the same handler run at the same time, where there are several queues or goroutines;
// what a handler shares between its connections it must guard. Methods of Conn are for calls of that very
// connection's handler, because the lock is theirs. Everybody else has Post: other goroutines, and
// handlers of other connections too, such as the two sides of a proxy. Post never waits for a lock, so that two
// handlers that post to each other cannot stop each other.
//
// # Order
//
// OnOpen comes first, then any number of OnData, OnWritable and OnTimer; OnEOF at most once, after all
// OnData but such as follow an OnWritable; OnClose once, last, for every connection that had OnOpen and for every
// dial. What a call asks for by Close, Abort or Detach is done when that call has returned.
//
// # Back-pressure
//
// Who cannot take more leaves octets in OnData, or calls Pause. The receive queue then fills to
// stack.Config.ReceiveBuffer, the window closes and the peer waits; other connections do not. The other way
// a write takes what the send queue has room for, but nothing while 512 KiB of what it took wait to be sent, or
// some 900 KiB are unacknowledged where no path could carry more in a round trip: what is written in the receive loop
// is sent by it, too, and best while it is in the processor's cache. OnWritable is called when all but 32 KiB was
// sent and a third of the queue is free, as a rule once for each super-segment. Who has much to send does best with
// WriteBlock, which asks for as much as leaves at once. An echo is both in one line, as what Write did not take is left:
//
//	&event.Funcs{Data: (*event.Conn).Write}
//
// # The end
//
// The peer's FIN is OnEOF, and our half goes on. Close ends ours after what was written, and what the peer still
// says is refused; OnClose(nil) comes when the peer has acknowledged everything. CloseWrite ends our half
// only. A reset, a timeout or Abort is OnClose with the errno, at once; what was received and not consumed
// is gone then. After OnClose a Conn may be held but is dead: see Closed.
//
// # Handlers that do not return
//
// A handler must not block: have a goroutine do what takes long, and Post the outcome. One that does so all the
// same slows only its own connection. The stack notices a call that takes longer than some 20 ms, counts it
// (tcp.handler_stalls), and has a fresh goroutine go on with the frames and the timers that were to be next. Of one
// that has not returned 200 ms later it tells stack.Config.Logger, with the handler's type and the connection's ends.
// Segments for the connection wait, up to 64 of them or 256 KiB, and beyond that are lost as on a wire
// (tcp.drop.handler_busy); listings show it as stalled. When the call returns, what waited follows in order. That
// goes for calls from Post as well. Handlers of datagrams and OnSYN are looked after in the same way: while a call
// does not return, datagrams for the port wait, up to stack.Config.DatagramBuffer, and beyond that are dropped
// (udp.drop.handler_busy); SYNs are dropped (tcp.drop.handler_busy), for their senders send them again.
//
// # Memory
//
// A Conn is the stack's own record of the connection, and a listener's handler is shared by all its connections:
// an idle one has nothing else. SetValue, SetTimer and Pause cost no object.
//
// # Moving to a net.Conn
//
// Detach makes a net.Conn of a connection, with what was not consumed, for a goroutine to go on with: after the
// first line of a request, say, for the few connections that need it.
package event
