// Package netconn gives connections and sockets the shapes of package net: net.Conn,
// net.Listener and net.PacketConn, with deadlines, half-close and errors that
// errors.Is finds as it finds the kernel's. It is the first package of the stack that
// may block.
//
// # The way of a byte
//
// Read takes bytes from the connection's receive queue, under the connection's lock,
// straight into the caller's buffer; where there are none it waits on a condition that
// OnEvent, which runs in the receive path, signals. A small text has by then been read into the buffer of who
// waits, from the frame that it came in (takeIn). Write copies into the send queue
// and pushes: the segment leaves from the writing goroutine's own call. Where the queue
// is full, Write waits until an acknowledgement has made room, which is how a
// slow path or a full link slows its writer. From some kilobytes on the lock is not held for the
// copy, which the receive path would wait for (tcpcopy.go): Read takes the queue's blocks away under it
// and copies them afterwards, Write fills blocks before it has them queued. They are as
// long as what the link cuts at once and have room for headers, so that they are sent as they lie.
//
// A packet connection moves many datagrams in a call by ReadPackets and WritePackets, without an
// allocation, or by ReadBatch and WriteBatch in the shape of golang.org/x/net/ipv4. Those
// that go to one peer in one size leave as super-segments where the device takes them.
//
// A connection that is idle has no goroutine, no runtime timer and no buffer. A timer
// runs only while an operation waits under a deadline.
//
// # Errors
//
// Every error is a *net.OpError, as package net's are, around a syscall errno
// (ECONNREFUSED, ECONNRESET, ETIMEDOUT, EPIPE …), os.ErrDeadlineExceeded or net.ErrClosed.
// The end of the stream is io.EOF, plain.
//
// # What is not as in package net
//
// There is no descriptor, so no File and no SyscallConn, and no options to ask for control messages: ReadMsgUDP gives
// those that there are, and ReadPacket the address that a datagram was sent to, without any. A connection that was reset says so to each Write, where the kernel's says
// EPIPE from the second error on.
package netconn
