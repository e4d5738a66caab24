package msg

import (
	"encoding/binary"
	"fmt"
)

// LastRecord returns the last record of the packed message p and where it begins, without reading
// the others; an error where p ends too early, goes on too long or has no record.
func LastRecord(p []byte) (at int, r RR, err error) {
	if len(p) < headerSize {
		return 0, r, fmt.Errorf("message of %d octets: %w", len(p), errShort)
	}
	records := 0
	for i := 6; i < headerSize; i += 2 {
		records += int(binary.BigEndian.Uint16(p[i:]))
	}
	next := headerSize
	for range binary.BigEndian.Uint16(p[4:]) {
		if next, err = skipName(p, next); err != nil {
			return 0, r, err
		}
		next += 4
	}
	for range records {
		at = next
		if next, err = skipName(p, at); err != nil {
			return 0, r, err
		}
		if next+10 > len(p) {
			return 0, r, errShort
		}
		next += 10 + int(binary.BigEndian.Uint16(p[next+8:]))
	}
	if at == 0 || next != len(p) {
		return 0, r, fmt.Errorf("message of %d octets with %d records that end at %d: %w", len(p), records, next, errCounts)
	}
	r, _, err = unpacker{p}.record(at)
	return at, r, err
}

// skipName returns where the name at p[at:] ends.
func skipName(p []byte, at int) (int, error) {
	for at < len(p) {
		switch l := int(p[at]); {
		case l == 0:
			return at + 1, nil
		case l >= 0xc0:
			return at + 2, nil
		case l > maxLabel:
			return 0, errLabel
		default:
			at += 1 + l
		}
	}
	return 0, errShort
}
