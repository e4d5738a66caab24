package wire

import (
	"bytes"
	"testing"
)

// The layouts as FreeBSD sends them.
func TestTCPOptionsOfTheBSDs(t *testing.T) {
	for _, tc := range []struct {
		name string
		o    TCPOptions
		want []byte
	}{
		{"SYN", TCPOptions{MSS: 1460, HasWindowScale: true, WindowScale: 6, SACKPermitted: true, HasTimestamps: true, TSVal: 1, TSEcr: 2},
			[]byte{2, 4, 5, 180, 1, 3, 3, 6, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}},
		{"without scale and timestamps", TCPOptions{MSS: 1460, SACKPermitted: true}, []byte{2, 4, 5, 180, 4, 2, 0, 0}},
		{"without timestamps", TCPOptions{MSS: 1460, HasWindowScale: true, WindowScale: 6, SACKPermitted: true},
			[]byte{2, 4, 5, 180, 1, 3, 3, 6, 4, 2, 0, 0}},
		{"without SACK", TCPOptions{MSS: 1460, HasWindowScale: true, HasTimestamps: true},
			[]byte{2, 4, 5, 180, 1, 3, 3, 0, 1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"timestamps", TCPOptions{HasTimestamps: true}, []byte{1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"SACK", TCPOptions{NumSACK: 1, SACK: [4]SACKBlock{{1, 2}}}, []byte{1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2}},
		{"MSS only", TCPOptions{MSS: 536}, []byte{2, 4, 2, 24}},
		{"none", TCPOptions{}, nil},
	} {
		tc.o.BSD = true
		var b [TCPMaxOptions]byte
		n := PutTCPOptions(b[:], &tc.o)
		if !bytes.Equal(b[:n], tc.want) || tc.o.Len() != n {
			t.Errorf("%s: % d, want % d (Len %d)", tc.name, b[:n], tc.want, tc.o.Len())
		}
		var back TCPOptions
		err := ParseTCPOptions(b[:n], &back)
		back.BSD = true
		if err != nil || back != tc.o {
			t.Errorf("%s: read back as %+v, %v", tc.name, back, err)
		}
	}
	full := TCPOptions{BSD: true, HasTimestamps: true, NumSACK: 4}
	if full.Len() != 40 {
		t.Errorf("timestamps and SACK take %d", full.Len())
	}
}
