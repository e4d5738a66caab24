package server

import "encoding/binary"

// Sizes and codes of messages, RFC 1035 §4.1 and RFC 6891 §6.1.
const (
	headerLen = 12
	optLen    = 11 // an OPT record without options
	typeOPT   = 41
)

func opcodeOf(p []byte) uint8         { return p[2] >> 3 & 0x0f }
func questions(p []byte) uint16       { return binary.BigEndian.Uint16(p[4:]) }
func setCounts(p []byte, qd, ar byte) { copy(p[4:headerLen], []byte{0, qd, 0, 0, 0, 0, 0, ar}) }

// questionEnd returns where the one question of a message ends, or 0 where it does not have one or it cannot be
// read. p has a header.
func questionEnd(p []byte) int {
	if questions(p) != 1 {
		return 0
	}
	at := headerLen
	for at < len(p) && p[at] != 0 {
		if p[at] > 63 {
			return 0
		}
		at += 1 + int(p[at])
	}
	if at += 5; at > len(p) || at > headerLen+255+4 {
		return 0
	}
	return at
}

// appendShort appends an answer without records to dst: the header of a query, its question up to end, and an OPT
// record where edns says that the query had one.
func appendShort(dst, query []byte, end int, rcode uint16, truncated, edns bool, size int) []byte {
	at := len(dst)
	dst = append(dst, query[:headerLen]...)
	h := dst[at:]
	h[2] = h[2]&0x79 | 0x80 // opcode and RD stay
	if truncated {
		h[2] |= 0x02
	}
	h[3] = h[3]&0x10 | byte(rcode&0x0f) // and CD
	setCounts(h, 0, 0)
	if end > headerLen {
		h[5] = 1
		dst = append(dst, query[headerLen:end]...)
	}
	if !edns {
		return dst
	}
	dst[at+11] = 1
	return append(dst, 0, 0, typeOPT, byte(size>>8), byte(size), byte(rcode>>4), 0, 0, 0, 0, 0)
}

// finalOPT returns where the OPT record of a message begins that is the message's last record, or 0 where there
// is none.
func finalOPT(p []byte) int {
	if at := len(p) - optLen; at >= headerLen && p[11]|p[10] != 0 && p[at] == 0 && p[at+1] == 0 && p[at+2] == typeOPT && p[at+9]|p[at+10] == 0 && p[at+6] == 0 {
		return at
	}
	at := headerLen
	for range questions(p) {
		if at = skipName(p, at) + 4; at < headerLen {
			return 0
		}
	}
	records := int(binary.BigEndian.Uint16(p[6:])) + int(binary.BigEndian.Uint16(p[8:])) + int(binary.BigEndian.Uint16(p[10:]))
	for ; records > 0; records-- {
		begin := at
		if at = skipName(p, at); at < 0 || at+10 > len(p) {
			return 0
		}
		opt := p[begin] == 0 && binary.BigEndian.Uint16(p[at:]) == typeOPT
		at += 10 + int(binary.BigEndian.Uint16(p[at+8:]))
		if opt && records == 1 && at == len(p) {
			return begin
		}
	}
	return 0
}

// skipName returns where a name ends, or a number far below 0 where it does not.
func skipName(p []byte, at int) int {
	for at < len(p) {
		switch c := int(p[at]); {
		case c == 0:
			return at + 1
		case c >= 0xc0:
			return at + 2
		default:
			at += 1 + c
		}
	}
	return -1 << 16
}

// appendOption appends an option to the OPT record that begins at opt and ends the message.
func appendOption(p []byte, opt int, code uint16, data []byte) []byte {
	p = binary.BigEndian.AppendUint16(p, code)
	p = binary.BigEndian.AppendUint16(p, uint16(len(data)))
	p = append(p, data...)
	binary.BigEndian.PutUint16(p[opt+9:], uint16(len(p)-opt-optLen))
	return p
}

// hasOption reports whether there is an option among those of an OPT record.
func hasOption(options []byte, code uint16) bool {
	for len(options) >= 4 {
		if binary.BigEndian.Uint16(options) == code {
			return true
		}
		options = options[min(len(options), 4+int(binary.BigEndian.Uint16(options[2:]))):]
	}
	return false
}

// rcodeOf returns the rcode of an answer whose OPT record begins at opt, if that is not 0.
func rcodeOf(p []byte, opt int) uint16 {
	rcode := uint16(p[3] & 0x0f)
	if opt > 0 {
		rcode |= uint16(p[opt+5]) << 4
	}
	return rcode
}
