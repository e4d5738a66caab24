package msg

import (
	"encoding/binary"
	"errors"
)

// DefaultSize is the octets of a message over UDP that EDNS is negotiated for where nothing else
// is said: what passes everywhere without fragments (dnsflagday.net/2020). MinSize is what every host
// takes without EDNS (RFC 1035 section 4.2.1), MaxSize what the wire's 16 bits of length allow.
const (
	DefaultSize = 1232
	MinSize     = 512
	MaxSize     = 1<<16 - 1
)

// EDNS is what the OPT record says (RFC 6891 section 6.1), but for the upper bits of the
// response code, which are in Header.Rcode.
type EDNS struct {
	Size    uint16 // octets over UDP that the sender takes
	Version uint8
	DO      bool // DNSSEC records are wanted (RFC 3225)
	Options []Option
}

// Option is one option of EDNS.
type Option struct {
	Code uint16
	Data []byte
}

// The codes of options.
const (
	OptionNSID      uint16 = 3  // RFC 5001
	OptionECS       uint16 = 8  // RFC 7871
	OptionExpire    uint16 = 9  // RFC 7314
	OptionCookie    uint16 = 10 // RFC 7873
	OptionKeepalive uint16 = 11 // RFC 7828
	OptionPadding   uint16 = 12 // RFC 7830
	OptionChain     uint16 = 13 // RFC 7901
	OptionKeyTag    uint16 = 14 // RFC 8145
	OptionEDE       uint16 = 15 // RFC 8914
	OptionReportTo  uint16 = 18 // RFC 9567
	OptionZoneVer   uint16 = 19 // RFC 9660
)

const flagDO = 1 << 15

var errOption = errors.New("an option of EDNS is longer than the record that has it (RFC 6891 section 6.1.2)")

// Option returns the data of the first option with that code, and whether there is one. e may be nil.
func (e *EDNS) Option(code uint16) ([]byte, bool) {
	if e == nil {
		return nil, false
	}
	for _, o := range e.Options {
		if o.Code == code {
			return o.Data, true
		}
	}
	return nil, false
}

// SetOption puts data in place of the first option with that code, or at the end where there is none.
func (e *EDNS) SetOption(code uint16, data []byte) {
	for i := range e.Options {
		if e.Options[i].Code == code {
			e.Options[i].Data = data
			return
		}
	}
	e.Options = append(e.Options, Option{code, data})
}

// parseEDNS reads an OPT record, and gives the upper bits of the response code as well.
func parseEDNS(class Class, ttl uint32, data []byte) (*EDNS, Rcode, error) {
	e := &EDNS{Size: uint16(class), Version: uint8(ttl >> 16), DO: ttl&flagDO != 0}
	for len(data) > 0 {
		if len(data) < 4 {
			return nil, 0, errOption
		}
		n := int(binary.BigEndian.Uint16(data[2:]))
		if 4+n > len(data) {
			return nil, 0, errOption
		}
		e.Options = append(e.Options, Option{binary.BigEndian.Uint16(data), append([]byte(nil), data[4:4+n]...)})
		data = data[4+n:]
	}
	return e, Rcode(ttl>>24) << 4, nil
}

// size is the octets of the OPT record.
func (e *EDNS) size() int {
	n := 11
	for _, o := range e.Options {
		n += 4 + len(o.Data)
	}
	return n
}

func (e *EDNS) appendTo(b []byte, rcode Rcode) []byte {
	b = append(b, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(TypeOPT))
	b = binary.BigEndian.AppendUint16(b, e.Size)
	ttl := uint32(rcode>>4)<<24 | uint32(e.Version)<<16
	if e.DO {
		ttl |= flagDO
	}
	b = binary.BigEndian.AppendUint32(b, ttl)
	b = binary.BigEndian.AppendUint16(b, uint16(e.size()-11))
	for _, o := range e.Options {
		b = binary.BigEndian.AppendUint16(b, o.Code)
		b = binary.BigEndian.AppendUint16(b, uint16(len(o.Data)))
		b = append(b, o.Data...)
	}
	return b
}
