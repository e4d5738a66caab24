package bench

import (
	"encoding/binary"
	"time"
)

// Every datagram begins with a header; the rest is filling:
//
//	0   token
//	16  kind
//	17  measured, 1 where it is sent between measure and stop
//	18  flow     big-endian, as all that follows
//	20  sequence number, of the measured ones from 0 on
//	28  time     of sending, ns by the sender's clock
type datagram struct {
	token    token
	kind     kind
	measured bool
	flow     uint16
	seq      uint64
	sent     time.Duration
}

type kind uint8

const (
	kindHello   kind = iota // the client says where it is; the server says that it knows
	kindData                // one way
	kindRequest             // to be answered
	kindReply
)

const datagramHeader = 36

// put writes the header to b, which has room for it.
func (d *datagram) put(b []byte) {
	copy(b, d.token[:])
	b[16], b[17] = byte(d.kind), 0
	if d.measured {
		b[17] = 1
	}
	binary.BigEndian.PutUint16(b[18:], d.flow)
	binary.BigEndian.PutUint64(b[20:], d.seq)
	binary.BigEndian.PutUint64(b[28:], uint64(d.sent))
}

// parseDatagram reads a header. ok is false for what is none.
func parseDatagram(b []byte) (d datagram, ok bool) {
	if len(b) < datagramHeader || b[16] > byte(kindReply) || b[17] > 1 {
		return d, false
	}
	copy(d.token[:], b)
	d.kind, d.measured = kind(b[16]), b[17] == 1
	d.flow = binary.BigEndian.Uint16(b[18:])
	d.seq = binary.BigEndian.Uint64(b[20:])
	d.sent = time.Duration(binary.BigEndian.Uint64(b[28:]))
	return d, true
}
