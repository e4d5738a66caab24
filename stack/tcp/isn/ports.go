package isn

import (
	"net/netip"
	"sync/atomic"
)

const (
	// DefaultLow and DefaultHigh are the ephemeral ports, both included: the dynamic
	// ports of RFC 6335 §6 and, because a larger range is harder to guess
	// (RFC 6056 §3.2), those below them from where Linux begins.
	DefaultLow, DefaultHigh = 32768, 65535

	// tableSize is TABLE_LENGTH of RFC 6056 §3.3.4.
	tableSize = 64
)

// Ports chooses ephemeral ports by the double-hash algorithm (RFC 6056 §3.3.4).
// Set Generator; the rest of the zero value is ready. It is safe for concurrent use
// and must not be copied.
type Ports struct {
	// Generator hashes.
	Generator *Generator
	// Low and High are the first and the last port of the range; both zero stands
	// for the default.
	Low, High uint16

	table [tableSize]atomic.Uint32
}

// Pick returns a port for a connection from local to remote, the first from its
// place in the range on for which free answers true, and false when there is none.
// An unset local address is allowed where it is not chosen yet.
func (p *Ports) Pick(local netip.Addr, remote netip.AddrPort, free func(port uint16) bool) (uint16, bool) {
	low, high := uint32(p.Low), uint32(p.High)
	if low == 0 && high == 0 {
		low, high = DefaultLow, DefaultHigh
	}
	if high < low {
		return 0, false
	}
	num := high - low + 1
	offset := p.Generator.PortOffset(local, remote)
	next := &p.table[p.Generator.portIndex(local, remote)%tableSize]
	for range num {
		// "port = min_ephemeral + (offset + table[index]) % num_ephemeral;
		// table[index]++"
		port := uint16(low + (offset+next.Add(1)-1)%num)
		if free(port) {
			return port, true
		}
	}
	return 0, false
}
