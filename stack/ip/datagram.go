package ip

import (
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/mem"
)

// Datagram is a reassembled packet in a buffer of its own: the packet begins at
// link.Headroom, its header is that of a packet that never was fragmented.
// Its transport checksum is to be verified.
type Datagram struct {
	link.Frame
	block *mem.Block
}

// Release gives the buffer back. The Datagram and what points into it must not be
// used afterwards. A second call does nothing.
func (d *Datagram) Release() {
	if d.block != nil {
		d.block.Release()
		d.block, d.Buf = nil, nil
	}
}
