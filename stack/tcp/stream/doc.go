// Package stream holds the octets of a connection's two directions: those written
// by the user and not yet acknowledged, and those received in order and not
// yet read.
//
// # Theory of operation
//
// Both queues are a first-in first-out run of octets in blocks of a [mem.Pool].
// Octets are never moved once they are in; a block is filled to its end before the
// next one is taken, so where an octet lies follows from its position alone. Each
// block is entered in an ordered index under the position of its first octet. A
// look-up tries the block that the last one ended in and the block after it, which
// is where a sender going on from snd.nxt looks, and searches the index by halves
// otherwise: an octet 16 MiB deep is found in eight steps.
//
// A new block is as large as what is to be put in it, or as what the queue already
// holds, rounded down to a power of two, where that is more, up to 64 KiB. So a write of ten octets takes the smallest
// block, a bulk write takes 64 KiB blocks from the first one on, and a program that
// writes octet by octet gets there by doubling. The blocks of a queue never have
// more than twice the octets that went into them, or the smallest block's 256; a block that was
// taken whole has what its giver put in it, and one that is not half full together with its neighbour is
// copied from instead.
//
// # The way of an octet
//
// Out: Write copies it to the tail with [SendQueue.Append], or gives a block away with
// [SendQueue.Take], or fills the last block without the queue's lock with [SendQueue.Tail] and
// [SendQueue.Extend]; Output copies it to a
// segment with [SendQueue.CopyAt], and again for each retransmission, or where a segment is
// what a block begins with, sends it from there with [SendQueue.Block]; the
// acknowledgement lets it go with [SendQueue.Discard], which gives back each block
// whose last octet was let go.
//
// In: Input copies it from the segment with [RecvQueue.Append], or keeps the block that
// it came in with [RecvQueue.Take]; the user takes it
// with [RecvQueue.Read], or without a copy with [RecvQueue.Next] and
// [RecvQueue.Discard], or takes it away in its blocks with [RecvQueue.Lend].
//
// # What is promised
//
//   - An empty queue holds no block. A connection that is idle has no queue either: both are part of
//     what package tcp lends it while it has something to do.
//   - Append, CopyAt, Read and Discard allocate nothing once the pool and the index
//     are warm. The index of a queue that ran empty is kept where it is small.
//   - No call takes time in proportion to the depth of the queue.
//   - A queue is not bounded by itself: the caller keeps it below 2³¹ octets.
//   - Queues are not safe for concurrent use, and must not be copied once in use.
package stream
