// Package shard is the driver: it joins the protocols, which are functions of
// (state, now, input), to devices, clocks, goroutines and locks. Everything below
// it is told the time and holds no lock; the first package that may block is
// netconn above it.
//
// # The way of a packet in
//
// One receive loop per device queue (receiver) reads a batch of up to 48 frames,
// reads the clock once and makes a round of them:
//
//	frame → ip.Parse → classify (ours, to forward, neither)
//	      → reassembly, when it is a fragment
//	      → a copy to each raw socket that wants one
//	      → ICMP | UDP: to its socket's queue | TCP: to its connection, by four-tuple,
//	        else to its half-open or TIME-WAIT record, else to a listener, else a reset
//
// Before a receive loop sleeps it looks again, for up to 50 µs, where frames of late have come that
// soon (inlet): waking costs more than that where a processor must leave its idle state first. It
// yields between the looks, and does without where GOMAXPROCS or the machine has no processor to
// spare, or another thread has wanted the one it is on. After frames that come seldom it
// sleeps at once. Where it is awake for one connection alone, a reader of that waits awake too
// (TCP.Linger). A goroutine that a handler or a datagram socket's function made ready (TCP.Woke) runs before
// that, on the loop's own thread.
//
// A writer that waits for room does not run rounds in the loop's stead: it waits once for dozens of super-segments
// and sends most of them itself, so that little is saved (the figures are in the commit that says so).
//
// The frame is lent: what must stay is copied by whoever keeps it. A small text for a reader who waits is read out of
// the frame into the reader's own buffer (UserTakes). But a TCP segment that
// fills most of its block is kept with the block, and the receive loop takes a fresh one
// from the pool (round.feed). A connection
// that got a segment is touched, not answered: when the batch has been fed, each
// touched connection is pushed once, so acknowledgements coalesce and sends grow. The ACK of a small
// request is left, for 4 ms at most, to the goroutine that was woken for it, whose answer carries
// it; and so is that of a FIN (tcp.Conn.AckMayWait). That is not so where a host is
// stepped, nor in the profiles of kernels.
//
// # Finding a connection
//
// The table of connections (flowtable.go) is keyed by the two ends. It is read without a lock, and
// grows by a segment at a time, so that no packet waits for a million entries to move. The key is
// the connection's own, and a way that many connections take, its route, interface and addresses, is one
// record for all of them.
//
// A connection that has had nothing to do for a quarter of a second parks: its state machine gives back
// what it needs only while something is under way (tcp.Conn.Park), and takes it up again with the next
// segment or call. An idle one is this package's TCP alone, with the tcp.Conn that lies in it, and its entries
// in the table and in no queue.
//
// A device with several queues has a loop for each, and they share the tables, whose readers take no lock. A
// connection is not of one loop: its lock orders what two of them have for it, and it answers by the queue that its last
// segment came in (TCP.queue), which a kernel takes as where the flow is to stay. When the kernel moves a flow, what the old
// queue still has, at most a batch and what its ring holds, may be fed after what the new one has. TCP takes that
// as the reordering it is: the text is put aside and sorted, at the cost of duplicate ACKs.
// Datagrams that a handler answers leave by the queue they came in; those of other senders by the first.
// What is counted for each segment and datagram is counted with its queue (lane.go), so that no two loops write to one
// cache line for it; the host's counters are the sums.
//
// # The way of a packet out
//
// TCP.push asks the state machine for segments until it has none, builds the
// headers backwards from the payload in one buffer, and hands each to the device
// of the route. A text that begins a block of the send queue is not copied for it: the block keeps room
// for the headers before it (txFrame), and a bulk writer fills its blocks with as much as leaves at once. Whoever holds the connection's lock pushes: a writing goroutine sends
// from its own Write. The lock is let go during the write to the device, because
// the far kernel's receive path runs inside that call; the flag TCP.sending keeps
// one sender per connection and so the order.
//
// A super-segment for a device that cannot cut is cut as it is handed over (Interface.sendCut). TCP is
// asked for such only where its settings say so: SoftwareGSO.
//
// A device that is full (link.Notifier) pushes back: the segment that did not fit
// is held by its connection, the connection waits in the interface's line, and
// the state machine is not asked again until there is room. A UDP writer waits
// likewise. What has no owner who could wait (echo replies, ICMP errors, resets)
// goes to a short bounded backlog of the interface; only what overflows that is
// dropped, and counted.
//
// # Datagrams in the round
//
// A UDP socket has a queue or a handler. A queue's reader is told once, when the round has been fed
// (round.flushUDP), however much has come. A PacketHandler is called where the datagram is found to be
// the socket's, with nothing locked, and what it sends goes into the round's outlet: up to sixteen
// frames that go to the device in one call when the round ends, when the outlet is full, or before
// another socket's or connection's handler is called. A datagram joins the one before it to the same peer where both are of
// one size and the device cuts super-segments (USO); the last may be shorter. What comes as a
// super-segment is queued whole and taken apart by its reader, or given to the handler whole if that is a
// TrainHandler; a large one that is answered leaves in the very block that it came in.
//
// What is found out about a peer before a datagram is built, route, source, path MTU, options, is a way.
// It is kept by the round, and by the socket for its own sends, and holds while the network, the path MTU
// cache, the socket and the interface's MTU are those that it was made from: each counts its changes.
//
// # Sockets
//
// What a BSD socket does in several calls is here in several parts. Host.Bind takes a port
// and makes a Binding, by Linux's rules of SO_REUSEADDR and SO_REUSEPORT: other bindings
// stand in its way, and connections and TIME-WAIT records, which hold their port themselves
// (portUse counts them, so that a port with none is known without a search). ConnectTCP and
// ListenTCP go on from a Binding, with TCPOptions that a listener's connections inherit; UDP
// and Raw sockets are opened first and bound, connected and disconnected as often as one likes.
//
// A listener bounds by Linux's rules (backlogs.go) its half-open connections, as many as
// its backlog, and those to be accepted, one more than that. With the second full a SYN
// is ignored, and so is the ACK that would end a handshake: Listener.admit keeps it from the
// state machine, which then sends its SYN,ACK again. ListenOptions.OnSYN is asked before any of that.
//
// A half-open connection that a SYN has asked for is a record (halfopen.go), of some two hundred
// octets. For each thing that happens to it, a connection that nobody else knows
// stands in: tcp.HalfOpen makes it anew, the usual code runs, what there is to send is sent,
// and the record is made of it again. The one for which the handshake is done stays. It has the listener's options of
// that moment, as the child of Linux's listener has.
//
// A datagram to one host is for one socket (findUDP); one to a group or a broadcast address is for
// all that want it, where anybody here has joined the group on that interface. What the
// host itself sends to a group comes back to its members by loopBack, not by the device.
// Nobody is told of groups by IGMP or MLD.
//
// An ICMP error is first checked to be about what we sent, then enters the path MTU cache
// and goes to its connection or socket. Hard ones end a connection that is being opened
// and are told to connected datagram sockets; with RecvErr every one is queued with what it quotes.
//
// # Handlers
//
// A Handler of the packages above is called where something happens, and only wakes somebody. A UserHandler runs
// the code of the stack's user, and is treated with care (inplace.go): its calls come where the connection's lock is
// let go, or, with text still lying in the frame, in TCP.input. Nobody waits for the lock of such a connection: who
// finds it taken leaves a bit in TCP.pending, and segments and functions in Host.deferred, and who has it does that
// before letting go. Where somebody is sending, it is done by the sender.
//
// Receive loops, the service and the sweep at Close keep all that they are about in a struct (receiver, service,
// sweeper), and say in a watch when they go into a UserHandler. The watchdog, which runs only while there are calls,
// takes that from one that has been inside for three looks of 10 ms, and starts another goroutine with it. The
// old one keeps its connection and its frame, and ends when it comes out; of a datagram's handler it first hands over
// what has waited for that (udpstall.go).
//
// # Time
//
// Two wheels hold one entry for each that has a deadline: one for connections, whose entry leads back
// to its connection by where it lies (timed), and one for half-open and TIME-WAIT records and what all receive loops share (alarm). The
// service goroutine sleeps until the next entry of both, or until somebody enters an
// earlier one. A connection's deadline that moves later moves nothing: the entry
// fires early, looks, and goes back to sleep. A connection that has had nothing to do when its
// entry fires is parked (tcp.Conn.Park), and is in no wheel until something happens, unless
// keep-alives or its user want it to be.
//
// # Memory
//
// A connection is one object, TCP, whose size a test bounds: an end of one that is idle costs about 600 octets
// of heap, and nothing else but its place in a table. The tables (flows) are of segments that
// split or join one at a time, each bounded, so that no step becomes longer as a table grows, and readers take
// no lock. A net.Conn has its own object besides; a handler of package event has none. What is needed only
// while a device is full hangs off a pointer (jam), and paths are shared (sharedPath).
//
// # Stepping instead of running
//
// A Host that is not started has no goroutine. Its owner calls Deliver with
// frames, Deadline, and Expire: package sim runs whole networks so, in virtual
// time and from one seed.
//
// # Locks
//
// In the order in which they may nest: halfOpen.mu, TCP.mu, UDP.mu or Raw.mu, then timeWait.mu or sockets.mu, then one of
// Listener.mu, ports.mu, groups.mu, a flow bucket, Host.timerMu, Interface.mu. Host.netMu guards writers of the network
// snapshot only; readers load a pointer. None of them is held across a write to a
// device, and a handler runs under its own connection's lock only.
package shard
