// Package pipe is a cable in memory: two link devices, each of which reads what the
// other writes.
//
// # Theory of operation
//
// Each direction is a ring of frames with a bound on frames and on octets, a lock and
// a condition that its reader waits on. There is no goroutine: a writer copies
// its frames into pooled blocks and leaves them in the ring, a reader copies them out
// into its own buffers and gives the blocks back.
//
// A pipe never waits in WriteFrames. When the ring is full it takes fewer frames
// than it was given and remembers that somebody is waiting; the read that makes
// room calls what OnWritable was given, after the lock is let go. Two stacks joined by a
// pipe therefore cannot deadlock on each other's full queues.
//
// # The way of a packet
//
// WriteFrames checks each frame's virtio-net header against what the pipe offers,
// reserves room, copies without holding the lock, and puts the blocks in the
// ring. ReadFrames takes as many blocks as it was given buffers for, and copies
// without holding the lock.
//
// # What is promised
//
//   - Frames of one writer come out in the order they went in, whole and unchanged.
//   - ReadFrames waits on a sync.Cond: it is durably blocked in the sense of
//     testing/synctest, so virtual time moves on while a pipe is idle.
//   - A frame that asks for what the pipe does not offer, or is larger than its MTU, is a
//     fault of the program that wrote it and comes back as an error.
//   - When both ends are closed InUse is zero.
package pipe
