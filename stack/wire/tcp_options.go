package wire

import "encoding/binary"

// The kinds of TCP options that are understood (IANA "TCP Option Kind Numbers").
const (
	TCPOptionEnd           = 0  // end of option list (RFC 9293 §3.2)
	TCPOptionNop           = 1  // no-operation
	TCPOptionMSS           = 2  // maximum segment size (RFC 9293 §3.7.1)
	TCPOptionWindowScale   = 3  // window scale (RFC 7323 §2.2)
	TCPOptionSACKPermitted = 4  // SACK permitted (RFC 2018 §2)
	TCPOptionSACK          = 5  // selective acknowledgment (RFC 2018 §3)
	TCPOptionTimestamps    = 8  // timestamps (RFC 7323 §3.2)
	TCPOptionUserTimeout   = 28 // user timeout (RFC 5482 §2)
)

// TCPMaxOptions is the most that the options of a TCP header may occupy, in octets.
const TCPMaxOptions = TCPMaxHeader - TCPMinHeader

// timestampsWord is NOP, NOP, Timestamps, 10: how the option nearly always comes
// (RFC 7323 appendix A).
const timestampsWord = TCPOptionNop<<24 | TCPOptionNop<<16 | TCPOptionTimestamps<<8 | 10

// SACKBlock is one block of a SACK option: the numbers from Left up to, not
// including, Right (RFC 2018 §3).
type SACKBlock struct{ Left, Right uint32 }

// TCPOptions are the options of a TCP header, parsed. The zero value is none.
type TCPOptions struct {
	MSS            uint16 // octets; 0 where absent
	UserTimeout    uint16 // as on the wire: the granularity bit, then 15 bits (RFC 5482 §2)
	WindowScale    uint8  // shift count as on the wire, so it may exceed 14
	HasWindowScale bool
	SACKPermitted  bool
	HasTimestamps  bool
	HasUserTimeout bool
	// BSD has PutTCPOptions write them in the order and with the padding of the BSDs.
	BSD          bool
	NumSACK      int // how many of SACK count
	TSVal, TSEcr uint32
	SACK         [4]SACKBlock
}

// ParseTCPOptions reads the options b of a TCP header into o, whose former content is
// lost. Options of an unknown kind are skipped (RFC 9293 §3.1, MUST-6).
//
// It returns ErrTCPOption where a length is impossible (MUST-7): what was read before it
// stays in o. An option of a known kind with a wrong but walkable length is skipped
// and makes the same error.
func ParseTCPOptions(b []byte, o *TCPOptions) error {
	*o = TCPOptions{}
	if len(b) == 12 && binary.BigEndian.Uint32(b) == timestampsWord {
		o.setTimestamps(b[4:])
		return nil
	}
	var err error
	for len(b) > 0 {
		if b[0] == TCPOptionNop {
			b = b[1:]
			continue
		}
		if b[0] == TCPOptionEnd {
			break
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return ErrTCPOption
		}
		n := int(b[1])
		if !o.set(b[0], b[2:n]) {
			err = ErrTCPOption
		}
		b = b[n:]
	}
	return err
}

// set takes over one option; it reports false where its length is wrong for its kind.
func (o *TCPOptions) set(kind uint8, v []byte) bool {
	switch kind {
	case TCPOptionMSS:
		if len(v) != 2 {
			return false
		}
		o.MSS = binary.BigEndian.Uint16(v)
	case TCPOptionWindowScale:
		if len(v) != 1 {
			return false
		}
		o.HasWindowScale, o.WindowScale = true, v[0]
	case TCPOptionSACKPermitted:
		if len(v) != 0 {
			return false
		}
		o.SACKPermitted = true
	case TCPOptionSACK:
		return o.setSACK(v)
	case TCPOptionTimestamps:
		if len(v) != 8 {
			return false
		}
		o.setTimestamps(v)
	case TCPOptionUserTimeout:
		if len(v) != 2 {
			return false
		}
		o.HasUserTimeout, o.UserTimeout = true, binary.BigEndian.Uint16(v)
	}
	return true
}

func (o *TCPOptions) setTimestamps(v []byte) {
	o.HasTimestamps = true
	o.TSVal, o.TSEcr = binary.BigEndian.Uint32(v), binary.BigEndian.Uint32(v[4:])
}

func (o *TCPOptions) setSACK(v []byte) bool {
	if len(v) == 0 || len(v)%8 != 0 {
		return false
	}
	o.NumSACK = min(len(v)/8, len(o.SACK))
	for i := range o.NumSACK {
		o.SACK[i] = SACKBlock{binary.BigEndian.Uint32(v[8*i:]), binary.BigEndian.Uint32(v[8*i+4:])}
	}
	return true
}

// Len returns the octets that PutTCPOptions writes, a multiple of 4, at most 40.
func (o *TCPOptions) Len() int {
	if o.BSD {
		return (o.bsdLen() + 3) &^ 3
	}
	n := o.fixedLen()
	if k := o.sackBlocks(n); k > 0 {
		n += 4 + 8*k
	}
	return n
}

// fixedLen is the length of all options but SACK.
func (o *TCPOptions) fixedLen() int {
	n := 0
	if o.MSS != 0 {
		n += 4
	}
	if o.HasTimestamps {
		n += 12
	} else if o.SACKPermitted {
		n += 4
	}
	if o.HasWindowScale {
		n += 4
	}
	if o.HasUserTimeout {
		n += 4
	}
	return n
}

// sackBlocks returns how many SACK blocks fit beside n octets of other options.
func (o *TCPOptions) sackBlocks(n int) int {
	return max(0, min(o.NumSACK, len(o.SACK), (TCPMaxOptions-n-4)/8))
}

// PutTCPOptions writes the options at the front of b, padded with NOPs to a multiple of
// four octets, and returns how many octets it wrote: o.Len(). It panics when b is shorter.
//
// They stand in the order that Linux uses (MSS, SACK permitted, timestamps, NOP, window
// scale, user timeout, NOP, NOP, SACK), since middleboxes have been seen to know no
// other. SACK blocks that do not fit are left off, the last ones first: the first
// is the newest (RFC 2018 §4).
//
// With o.BSD they stand in the order of the BSDs: see putBSD.
func PutTCPOptions(b []byte, o *TCPOptions) int {
	if o.BSD {
		return o.putBSD(b)
	}
	n := 0
	if o.MSS != 0 {
		binary.BigEndian.PutUint32(b, TCPOptionMSS<<24|4<<16|uint32(o.MSS))
		n = 4
	}
	n += o.putTimestamps(b[n:])
	if o.HasWindowScale {
		binary.BigEndian.PutUint32(b[n:], TCPOptionNop<<24|TCPOptionWindowScale<<16|3<<8|uint32(o.WindowScale))
		n += 4
	}
	if o.HasUserTimeout {
		binary.BigEndian.PutUint32(b[n:], TCPOptionUserTimeout<<24|4<<16|uint32(o.UserTimeout))
		n += 4
	}
	k := o.sackBlocks(n)
	if k == 0 {
		return n
	}
	binary.BigEndian.PutUint32(b[n:], TCPOptionNop<<24|TCPOptionNop<<16|TCPOptionSACK<<8|uint32(2+8*k))
	n += 4
	for _, s := range o.SACK[:k] {
		binary.BigEndian.PutUint32(b[n:], s.Left)
		binary.BigEndian.PutUint32(b[n+4:], s.Right)
		n += 8
	}
	return n
}

// putTimestamps writes SACK permitted and timestamps, which share a word where both are there.
func (o *TCPOptions) putTimestamps(b []byte) int {
	const permitted = TCPOptionSACKPermitted<<8 | 2
	switch {
	case o.HasTimestamps && o.SACKPermitted:
		binary.BigEndian.PutUint32(b, permitted<<16|TCPOptionTimestamps<<8|10)
	case o.HasTimestamps:
		binary.BigEndian.PutUint32(b, timestampsWord)
	case o.SACKPermitted:
		binary.BigEndian.PutUint32(b, TCPOptionNop<<24|TCPOptionNop<<16|permitted)
		return 4
	default:
		return 0
	}
	binary.BigEndian.PutUint32(b[4:], o.TSVal)
	binary.BigEndian.PutUint32(b[8:], o.TSEcr)
	return 12
}
