// Package socket is the BSD socket calls over package shard, with Linux's names, numbers,
// layouts and errors: a [System] has a table of descriptors, and a method for each call.
//
// # Theory of operation
//
// A descriptor stands for a file, which duplicates share, and a file is an object: a TCP
// socket (stream), a UDP or raw socket (datagram), or an epoll set. A socket keeps its options,
// and asks the driver for the rest: a stream has at most one listener or one connection of the
// driver's, and its state is theirs. Nothing is kept twice; where Linux's answer depends
// on what has been (whether connect(2) was told of its success, which error nobody has
// taken yet, whether a FIN came before the reset), the socket remembers that and no more.
//
// Every call that may wait is an attempt that answers EAGAIN where it cannot get on, and a
// condition for which it is worth trying again: see System.retry. In between, the
// goroutine is suspended by [Config].Block; a runner of scripts in virtual time lets its other
// coroutines go on there, and nothing else in the package waits. Without Block the
// goroutine sleeps until the object's watchers are told that something has happened.
//
// What is ready is never stored either. Poll, select and epoll ask the object, which looks at
// its queues and states as Linux's tcp_poll and udp_poll do. An epoll set only remembers
// to which of its items something has happened since they were last asked.
//
// # What is promised
//
//   - The errno, the result and the readiness are Linux's, for each call and each misuse. The
//     tables in the tests say which, and each row of them also runs on the kernel.
//   - A socket may be used from several goroutines at once. Closing its last descriptor
//     wakes all who wait on it: they get EBADF, where on Linux they would go on waiting.
//   - Options have their effect, or are refused with ENOPROTOOPT. SO_DEBUG, SO_DONTROUTE, SO_PRIORITY,
//     SO_MARK, IP_RECVERR on TCP and SO_SNDBUF on UDP are kept and told again, and there
//     is nothing here that they could have an effect on.
//   - No signal is sent: MSG_NOSIGNAL is what every call does.
//
// # Buffers
//
// SO_RCVBUF and SO_SNDBUF are doubled when they are set, as Linux does it to have room for its
// own administration; half of it again is octets that the stack queues. A socket for
// which they are not set has the host's buffers, and reports where Linux's begin to grow. Where the host's
// TCP behaves like Linux, connections have all of it and count packets as Linux does, and what is not set grows.
//
// # Locks
//
// In the order in which they may nest: epoll.scan, socket.mu, the driver's locks, watchers.mu,
// epoll.mu. The driver calls its handlers under its own locks, so these touch watchers and epoll
// sets and nothing of the socket that mu guards.
package socket
