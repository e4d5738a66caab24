package tsig

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Fudge is how far the clocks of both sides may be apart in what is sent (RFC 8945 section 10),
// MaxFudge how much of it another side may ask for.
const (
	Fudge    = 300 * time.Second
	MaxFudge = 3600 * time.Second
)

var (
	errRdata = errors.New("malformed rdata")
	errShort = errors.New("the message ends too early")
)

// record is the rdata of a TSIG record (RFC 8945 section 4.2), and its owner.
type record struct {
	key       msg.Name
	algorithm Algorithm
	signed    uint64 // seconds since 1970, 48 bits
	fudge     uint16 // seconds
	mac       []byte
	id        uint16 // the message's, before somebody forwarded it
	err       msg.Rcode
	other     []byte
}

func parseRecord(r msg.RR) (t record, err error) {
	if r.Class != msg.ClassANY || r.TTL != 0 {
		return t, errRdata
	}
	t.key = r.Name.Fold()
	d := []byte(r.Data)
	n := nameLen(d)
	if n == 0 || len(d) < n+10 {
		return t, errRdata
	}
	t.algorithm = Algorithm(msg.Name(d[:n]).Fold())
	d = d[n:]
	t.signed = uint64(binary.BigEndian.Uint16(d))<<32 | uint64(binary.BigEndian.Uint32(d[2:]))
	t.fudge = binary.BigEndian.Uint16(d[6:])
	n = int(binary.BigEndian.Uint16(d[8:]))
	if d = d[10:]; len(d) < n+6 {
		return t, errRdata
	}
	t.mac, d = d[:n], d[n:]
	t.id = binary.BigEndian.Uint16(d)
	t.err = msg.Rcode(binary.BigEndian.Uint16(d[2:]))
	n = int(binary.BigEndian.Uint16(d[4:]))
	if t.other = d[6:]; len(t.other) != n {
		return t, errRdata
	}
	return t, nil
}

// nameLen returns the octets of the name that d begins with, 0 for none.
func nameLen(d []byte) int {
	for i := 0; i < len(d); i += 1 + int(d[i]) {
		if d[i] == 0 {
			return i + 1
		}
	}
	return 0
}

// appendTo appends the record to a packed message and counts it in.
func (t *record) appendTo(p []byte) []byte {
	p = append(p, t.key...)
	p = binary.BigEndian.AppendUint16(p, uint16(msg.TypeTSIG))
	p = binary.BigEndian.AppendUint16(p, uint16(msg.ClassANY))
	p = binary.BigEndian.AppendUint32(p, 0)
	p = binary.BigEndian.AppendUint16(p, uint16(len(t.algorithm)+16+len(t.mac)+len(t.other)))
	p = append(p, t.algorithm...)
	p = t.appendTimers(p)
	p = binary.BigEndian.AppendUint16(p, uint16(len(t.mac)))
	p = append(p, t.mac...)
	p = binary.BigEndian.AppendUint16(p, t.id)
	return t.appendError(p)
}

func (t *record) appendTimers(p []byte) []byte {
	p = append(p, byte(t.signed>>40), byte(t.signed>>32))
	p = binary.BigEndian.AppendUint32(p, uint32(t.signed))
	return binary.BigEndian.AppendUint16(p, t.fudge)
}

func (t *record) appendError(p []byte) []byte {
	p = binary.BigEndian.AppendUint16(p, uint16(t.err))
	p = binary.BigEndian.AppendUint16(p, uint16(len(t.other)))
	return append(p, t.other...)
}

// appendVariables appends what the MAC covers beside the message (RFC 8945 section 4.3.3).
func (t *record) appendVariables(p []byte) []byte {
	p = append(p, t.key...)
	p = binary.BigEndian.AppendUint16(p, uint16(msg.ClassANY))
	p = binary.BigEndian.AppendUint32(p, 0)
	p = append(p, t.algorithm...)
	return t.appendError(t.appendTimers(p))
}

// cut returns the TSIG record of the packed message p, and p as it was before it was signed:
// without that record, with the original id. found is false for a message without one.
func cut(p []byte) (t record, plain []byte, found bool, err error) {
	if len(p) < 12 {
		return t, nil, false, errShort
	}
	additional := binary.BigEndian.Uint16(p[10:])
	if additional == 0 {
		return t, nil, false, nil
	}
	at, r, err := msg.LastRecord(p)
	if err != nil {
		return t, nil, false, err
	}
	if r.Type != msg.TypeTSIG {
		return t, nil, false, nil
	}
	if t, err = parseRecord(r); err != nil {
		return t, nil, true, err
	}
	plain = append([]byte(nil), p[:at]...)
	binary.BigEndian.PutUint16(plain, t.id)
	binary.BigEndian.PutUint16(plain[10:], additional-1)
	return t, plain, true, nil
}
