// Package mem lends out blocks of octets and knows how many are out.
//
// # Theory of operation
//
// A [Pool] keeps free blocks in classes, one for each power of two from
// [MinBlock] to [MaxBlock] and one of [FrameBlock] for whole packets. [Pool.Get] hands out a [Block] of the smallest class
// that holds what was asked for. Whoever has it is its owner; a further owner
// calls [Block.Retain], and each owner calls [Block.Release] once. The last
// release gives the block back to its class, where the next Get of that size
// finds it: from device to handler and back, nothing is allocated once the
// classes are warm.
//
// Behind every class is a sync.Pool, so the collector may take free blocks away
// when memory is short: an idle stack shrinks to nothing by itself. This is the one
// package below the driver that uses package sync, and it never blocks.
//
// # The way of a packet
//
// A receive loop fills blocks from the device. A small payload that must stay is
// copied into a block of the connection; a large one is kept by keeping its block
// and giving the receive loop a fresh one. Octets to be sent lie in blocks of the
// send queue until they are acknowledged; a retransmission retains the same
// block while it is on its way to the device, so that an acknowledgement
// meanwhile cannot pull it from under the write.
//
// # What is promised
//
//   - Get, Retain and Release may be called from any goroutine.
//   - The contents of a block are not cleared: they are what its last owner left.
//   - A release too many panics, where it is noticed before the block is lent
//     again; so does retaining a block that is not out. Both are faults of the
//     program, never of a packet.
//   - With the build tag poison a block is overwritten when its last owner lets it go, so that tests of
//     whole transfers, run with the tag, see who looks at one afterwards.
//   - [Pool.InUse] and [Pool.Outstanding] count every block that is out, so a test
//     proves that nothing leaked by finding both zero at its end. Between calls
//     that run at the same time they are exact for no single instant.
package mem
