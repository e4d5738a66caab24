package wire

import "encoding/binary"

// The BSDs write each option at the next place where its values lie aligned, with NOPs before it
// and an end of the option list, and zeros, behind the last: MSS, window scale (at an odd place),
// SACK permitted (at an even one), timestamps and SACK (two octets past a word).

// bsdAt returns where an option goes that wants its place to be rest modulo size.
func bsdAt(n, size, rest int) int {
	for n%size != rest {
		n++
	}
	return n
}

// bsdLen returns the octets of the options before padding.
func (o *TCPOptions) bsdLen() int {
	n := 0
	if o.MSS != 0 {
		n = 4
	}
	if o.HasWindowScale {
		n = bsdAt(n, 2, 1) + 3
	}
	if o.SACKPermitted {
		n = bsdAt(n, 2, 0) + 2
	}
	if o.HasTimestamps {
		n = bsdAt(n, 4, 2) + 10
	}
	if o.HasUserTimeout {
		n = bsdAt(n, 4, 0) + 4
	}
	if k := o.bsdSACK(n); k > 0 {
		n = bsdAt(n, 4, 2) + 2 + 8*k
	}
	return n
}

// bsdSACK returns how many SACK blocks fit behind n octets of other options.
func (o *TCPOptions) bsdSACK(n int) int {
	return max(0, min(o.NumSACK, len(o.SACK), (TCPMaxOptions-bsdAt(n, 4, 2)-2)/8))
}

// putBSD is PutTCPOptions in the order of the BSDs.
func (o *TCPOptions) putBSD(b []byte) int {
	n := 0
	at := func(size, rest int) []byte {
		for ; n%size != rest; n++ {
			b[n] = TCPOptionNop
		}
		return b[n:]
	}
	if o.MSS != 0 {
		binary.BigEndian.PutUint32(b, TCPOptionMSS<<24|4<<16|uint32(o.MSS))
		n = 4
	}
	if o.HasWindowScale {
		p := at(2, 1)
		p[0], p[1], p[2] = TCPOptionWindowScale, 3, o.WindowScale
		n += 3
	}
	if o.SACKPermitted {
		p := at(2, 0)
		p[0], p[1] = TCPOptionSACKPermitted, 2
		n += 2
	}
	if o.HasTimestamps {
		p := at(4, 2)
		p[0], p[1] = TCPOptionTimestamps, 10
		binary.BigEndian.PutUint32(p[2:], o.TSVal)
		binary.BigEndian.PutUint32(p[6:], o.TSEcr)
		n += 10
	}
	if o.HasUserTimeout {
		binary.BigEndian.PutUint32(at(4, 0), TCPOptionUserTimeout<<24|4<<16|uint32(o.UserTimeout))
		n += 4
	}
	if k := o.bsdSACK(n); k > 0 {
		p := at(4, 2)
		p[0], p[1] = TCPOptionSACK, byte(2+8*k)
		for i, s := range o.SACK[:k] {
			binary.BigEndian.PutUint32(p[2+8*i:], s.Left)
			binary.BigEndian.PutUint32(p[6+8*i:], s.Right)
		}
		n += 2 + 8*k
	}
	for n%4 != 0 {
		b[n] = TCPOptionEnd
		n++
	}
	return n
}
