// Package link says what a link is to the stack: a Device that carries batches of
// frames, and a Frame that is one packet with what is known about it.
//
// # Theory of operation
//
// A [Device] moves slices of octets. Each is a frame in wire form: the ten octets of a
// virtio-net header (Virtual I/O Device 1.2 §5.1.6), then a packet that
// begins with its network header. Offload metadata travels in that header rather
// than in Go values, so that a device is one by its methods alone and imports
// nothing of weir, and so that a TUN device with vnet_hdr passes octets through
// untouched.
//
// A [Frame] is the stack's view of the same buffer: where the packet begins and
// ends, and the header unpacked into an [Offload]. It answers two questions about
// a packet:
//
//   - Who computes the transport checksum? [ChecksumInPacket], nobody has to;
//     [ChecksumVerified], it was checked and is right; [ChecksumPartial], whoever
//     puts the packet on a wire must finish it.
//   - How many segments is it? SegmentSize zero says one. Otherwise the packet was
//     coalesced from, or is to be cut into, segments with that much payload.
//
// What the kernel says about header lengths is a hint that is not kept, because a
// frame may come from a peer that lies; package gso derives lengths from the packet.
//
// # The way of a packet
//
// In: the driver gives ReadFrames a batch of [Frame.ReadBuf]; each frame that
// comes is unpacked by [Frame.SetRead], which refuses a header that contradicts
// itself; the packet then lies at [Headroom], so that a longer link header may be
// put before it without moving it. The frame is lent for one call.
//
// Out: a protocol fills the packet and its Offload, [Frame.Wire] writes the
// virtio-net header into the headroom, and WriteFrames takes what it has room
// for. A device that was full says so by taking fewer; when it calls back
// (see [Notifier]) the rest is sent. Nothing is dropped on the way.
//
// A device that is handed frames (a pipe's other end, a capture, an impairment)
// views them by [Frame.SetWire].
//
// # What is promised
//
//   - Frame and Offload do not allocate, block or keep a reference beyond Buf.
//   - No sequence of octets makes SetRead or SetWire panic; after a nil error a
//     partial checksum lies inside the packet and SegmentSize is a kind of
//     segmentation that is known.
//   - SetRead and SetWire look at no octet of the packet itself: whether it is the
//     kind of packet that its header says is for its reader to find out.
package link
