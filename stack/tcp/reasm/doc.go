// Package reasm keeps the octets that arrived ahead of their turn, until what is
// missing before them arrives.
//
// # Theory of operation
//
// A [Queue] is two ordered lists. The ranges say which sequence numbers are held:
// half-open, never overlapping, never touching. The pages hold the octets: each is
// a block of PageSize octets for a fixed part of the sequence space, beginning at a
// multiple of PageSize, so an octet's place follows from its sequence number. A
// thousand segments of one octet each, with gaps, share a page; merging two ranges
// moves no octet; and the memory held is never more than the window that the
// segments lie in, rounded up to pages.
//
// # The way of an octet
//
// Input finds that a segment begins after rcv.nxt and gives its octets to
// [Queue.Insert], which stores those that are not held yet; what is held already
// stays as it is and is returned, for a D-SACK. When the gap is filled, Input
// appends the segment to the receive queue and calls [Queue.Pull], which moves on
// what has become contiguous. [Queue.Blocks] says what is held, for the SACK option.
//
// # Bounds
//
// Memory counts whole pages, and SetLimit bounds it. There are at most MaxRanges
// ranges, so an insertion in the middle moves a few kilobytes of the list at worst.
// What fits neither bound is refused and not acknowledged, so the peer sends
// it again; what is held was reported and is not given up, but for [Queue.Prune].
//
// # What is promised
//
//   - No input panics, whatever its sequence number.
//   - An empty queue holds no page. Insert and Pull allocate nothing once the pool
//     and the lists are warm.
//   - A Queue is not safe for concurrent use.
package reasm
