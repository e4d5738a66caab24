// Package gso does in software what a device without offloads cannot: it cuts
// super-segments into packets and finishes checksums.
//
// # Theory of operation
//
// A super-segment is one packet whose payload is that of many segments; its frame says
// how large each is (link.Frame.SegmentSize). [Cut] writes each segment in turn into
// a scratch frame: the super-segment's headers, with lengths, identification, sequence
// number and flags made right for the piece, then the piece, then the checksums.
//
// Frames may come from a kernel or a peer that says untrue things about them, so the
// headers are derived from the packet here; of the frame's metadata only the segment
// size, the protocol and the state of the checksum are believed.
//
// # What is promised
//
//   - [Cut] does not change the frame that it cuts, allocates nothing, and keeps no
//     reference when it returns. It never panics, whatever the frame holds.
//   - The pieces' payloads in order are the super-segment's payload, each is
//     SegmentSize octets long but the last, and all their checksums are complete.
//   - A super-segment whose checksum is in the packet and wrong is refused: cutting
//     would put right checksums on wrong octets.
package gso
