package kernelhost

import (
	"encoding/binary"
	"slices"

	"github.com/weirnet/weir/stack/script"
)

// read keeps what the kernel sends until the device is closed.
func (h *Host) read() {
	const room = headerLen + 65536
	bufs := make([][]byte, 16)
	for i := range bufs {
		bufs[i] = make([]byte, room)
	}
	sizes := make([]int, len(bufs))
	for {
		n, err := h.dev.ReadFrames(0, bufs, sizes)
		at := h.Now()
		for i := range n {
			h.keep(script.Captured{
				At: at, Packet: slices.Clone(bufs[i][headerLen:sizes[i]]),
				Unsummed: bufs[i][0]&needsChecksum != 0, SegmentSize: segmentSize(bufs[i]),
			})
		}
		h.happened()
		if err != nil {
			return
		}
	}
}

// needsChecksum is the flag of a virtio-net header which says that the transport checksum is
// unfinished (VIRTIO_NET_HDR_F_NEEDS_CSUM).
const needsChecksum = 1

// segmentSize is gso_size of a virtio-net header whose gso_type says that there is one (Virtual
// I/O Device 1.2 §5.1.6).
func segmentSize(frame []byte) int {
	if frame[1] == 0 {
		return 0
	}
	return int(binary.LittleEndian.Uint16(frame[4:]))
}

func (h *Host) keep(c script.Captured) {
	if housekeeping(c.Packet) {
		return
	}
	h.mu.Lock()
	h.sent = append(h.sent, c)
	h.mu.Unlock()
}

// housekeeping reports whether a packet is what a kernel sends for itself on a new interface:
// router solicitations, neighbour discovery and group memberships. No script is about them.
func housekeeping(p []byte) bool {
	switch {
	case len(p) >= 20 && p[0]>>4 == 4:
		return p[9] == 2 // IGMP
	case len(p) < 41 || p[0]>>4 != 6:
		return false
	}
	next, rest := p[6], p[40:]
	if next == 0 && len(rest) > 8 { // hop-by-hop: MLD's router alert
		next, rest = rest[0], rest[8+8*int(rest[1]):]
	}
	if next != 58 || len(rest) == 0 {
		return false
	}
	t := rest[0]
	return t >= 130 && t <= 137 || t == 143
}
