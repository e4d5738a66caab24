// Package pcapng writes captures in the pcapng format (draft-ietf-opsawg-pcapng),
// which Wireshark, tshark and tcpdump read.
//
// # Theory of operation
//
// A [Writer] writes one section: a header, an interface description for each device, and
// an enhanced packet block for each packet, with its direction and a time in
// nanoseconds. [Wrap] puts a capture around a device.
//
// A capture shows packets as they are on a wire as far as it can: the virtio-net header
// is left out and an unfinished checksum is finished in the capture's copy, so that
// a reader that checks checksums finds none that is bad. A super-segment is stored
// whole, as the kernel's own captures have it.
//
// # The order of packets
//
// A frame that is written to a device may be answered before the call that wrote it
// returns, and only then is it known which frames the device took. So a place in the
// file is reserved, and the time read, before the frames are written; the answer, should it be
// captured first, waits in memory behind that place. When more than a bound would
// wait, a device is stuck; the place is given up and its packets are written where they
// end up, with the time at which they were sent.
//
// # What is promised
//
//   - A Writer is safe for concurrent use. No lock is held while a device reads or
//     writes.
//   - Capturing never makes a device fail: an error of the file is kept and returned by
//     Flush and Close, and packets after it are not captured.
//   - Octets are in the file only after Flush or Close.
package pcapng
