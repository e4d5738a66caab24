package msg

import (
	"encoding/binary"
	"errors"
	"testing"
)

// chained returns a query with a record of a type that nobody knows, whose data are a chain of so many pointers, and as
// many records after it whose names begin at its end.
func chained(pointers, records int) []byte {
	p := make([]byte, headerSize, MaxSize)
	binary.BigEndian.PutUint16(p[4:], 1)
	binary.BigEndian.PutUint16(p[6:], uint16(1+records))
	p = append(p, 1, 'a', 0, 0, 1, 0, 1)
	p = append(p, 0, 0xff, 0x01, 0, 1, 0, 0, 0, 0)
	p = binary.BigEndian.AppendUint16(p, uint16(2*pointers))
	to := headerSize
	for range pointers {
		at := len(p)
		p = append(p, 0xc0|byte(to>>8), byte(to))
		to = at
	}
	for range records {
		p = append(p, 0xc0|byte(to>>8), byte(to), 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 192, 0, 2, 1)
	}
	return p
}

// A message of 64 KiB whose names are chains of thousands of pointers costs a tenth of a second to walk.
func TestNamesOfManyPointersAreRefused(t *testing.T) {
	var m Message
	if err := m.Unpack(chained(8000, 3000)); !errors.Is(err, errPointers) {
		t.Errorf("8000 pointers: %v", err)
	}
	if err := m.Unpack(chained(maxPointers-1, 10)); err != nil {
		t.Errorf("%d pointers: %v", maxPointers, err)
	}
	if err := m.Unpack(chained(maxPointers, 10)); !errors.Is(err, errPointers) {
		t.Errorf("%d pointers: %v", maxPointers+1, err)
	}
}
