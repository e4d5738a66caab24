package ip

import "sync/atomic"

// Drop says why a packet goes no further. Its String is the name of the counter
// that it is counted under.
type Drop uint8

// The reasons. Those of the last block are for the driver, which knows of routes
// and listeners.
const (
	DropNone               Drop = iota
	DropVersion                 // neither 4 nor 6 in the version field
	DropTruncated               // shorter than its own header or total length says
	DropHeaderLength            // a header length that no header can have
	DropHeaderChecksum          // IPv4 header checksum wrong (RFC 1122 §3.2.1.2)
	DropOptions                 // IPv4 option that runs out of the header (RFC 1122 §3.2.1.8)
	DropSourceRoute             // IPv4 source route option (RFC 7126 §4.3, §4.4)
	DropExtension               // IPv6 extension header not to be passed (RFC 8200 §4); see Packet.Problem
	DropOffload                 // virtio-net header that contradicts the packet
	DropMartianSource           // source that no packet may carry (RFC 1122 §3.2.1.3, RFC 4291 §2.5, §2.7)
	DropMartianDestination      // destination that no packet may carry

	DropFragmentLength    // fragment not a multiple of eight octets, or empty (RFC 791 §3.1, RFC 8200 §4.5)
	DropFragmentTooLarge  // fragment past the largest datagram (RFC 8200 §4.5)
	DropFragmentOverlap   // fragment overlapped another, or the datagram's end: all of it refused (RFC 5722 §4)
	DropFragmentDuplicate // the fragment is here already, octet for octet (RFC 8200 §4.5)
	DropFragmentTooMany   // more fragments than Limits.Fragments, or a fragment larger than the budget
	DropFragmentECN       // fragments disagree on ECN (RFC 3168 §5.3)
	DropFragmentChain     // first fragment without the whole header chain (RFC 7112 §5)
	DropFragmentTimeout   // datagram not complete in time
	DropFragmentEvicted   // datagram given up, half done, for a newer one

	DropForwardHopLimit  // TTL or hop limit used up (RFC 1812 §5.3.1, RFC 8200 §3)
	DropForwardScope     // address that may not leave its link (RFC 3927 §2.7, RFC 4291 §2.5.6)
	DropForwardMulticast // multicast or broadcast destination
	DropForwardMartian   // source or destination that no router passes (RFC 1812 §5.3.7)

	DropNotLocal // not for us, and we do not forward
	DropNoRoute  // no route to the destination
	DropTooBig   // larger than the next link, and may not be fragmented
	DropNoGroup  // multicast group that nobody here has joined
	DropProtocol // upper-layer protocol that nobody here speaks

	// NumDrops is the number of values that Drop has.
	NumDrops
)

var dropNames = [NumDrops]string{
	DropNone:               "ip.drop.none",
	DropVersion:            "ip.drop.version",
	DropTruncated:          "ip.drop.truncated",
	DropHeaderLength:       "ip.drop.header_length",
	DropHeaderChecksum:     "ip.drop.header_checksum",
	DropOptions:            "ip.drop.options",
	DropSourceRoute:        "ip.drop.source_route",
	DropExtension:          "ip.drop.extension",
	DropOffload:            "ip.drop.offload",
	DropMartianSource:      "ip.drop.martian.source",
	DropMartianDestination: "ip.drop.martian.destination",
	DropFragmentLength:     "ip.drop.fragment.length",
	DropFragmentTooLarge:   "ip.drop.fragment.too_large",
	DropFragmentOverlap:    "ip.drop.fragment.overlap",
	DropFragmentDuplicate:  "ip.drop.fragment.duplicate",
	DropFragmentTooMany:    "ip.drop.fragment.too_many",
	DropFragmentECN:        "ip.drop.fragment.ecn",
	DropFragmentChain:      "ip.drop.fragment.chain",
	DropFragmentTimeout:    "ip.drop.fragment.timeout",
	DropFragmentEvicted:    "ip.drop.fragment.evicted",
	DropForwardHopLimit:    "ip.drop.forward.hop_limit",
	DropForwardScope:       "ip.drop.forward.scope",
	DropForwardMulticast:   "ip.drop.forward.multicast",
	DropForwardMartian:     "ip.drop.forward.martian",
	DropNotLocal:           "ip.drop.not_local",
	DropNoRoute:            "ip.drop.no_route",
	DropTooBig:             "ip.drop.too_big",
	DropNoGroup:            "ip.drop.no_group",
	DropProtocol:           "ip.drop.protocol",
}

// String returns the counter's name, "ip.drop." and the reason.
func (d Drop) String() string {
	if d < NumDrops {
		return dropNames[d]
	}
	return "ip.drop.unknown"
}

// Drops counts packets by the reason for which they were dropped. The zero value
// is ready. It is safe for concurrent use.
type Drops struct{ n [NumDrops]atomic.Uint64 }

// Add counts one packet. DropNone is not counted.
func (c *Drops) Add(d Drop) {
	if c != nil && d != DropNone && d < NumDrops {
		c.n[d].Add(1)
	}
}

// Get returns how many were dropped for the reason.
func (c *Drops) Get(d Drop) uint64 { return c.n[d].Load() }

// Each calls f with the name and the count of every reason.
func (c *Drops) Each(f func(name string, v uint64)) {
	for d := DropNone + 1; d < NumDrops; d++ {
		f(d.String(), c.n[d].Load())
	}
}
