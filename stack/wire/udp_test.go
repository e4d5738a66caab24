package wire

import (
	"bytes"
	"errors"
	"testing"
)

func TestUDPFieldsComeBackAsTheyWerePut(t *testing.T) {
	b := make([]byte, 32)
	n := PutUDP(b, 53, 40000, 5)
	copy(b[n:], "hello, and padding")
	h, err := ParseUDP(b)
	if err != nil || n != UDPHeader {
		t.Fatal(n, err)
	}
	if h.SrcPort() != 53 || h.DstPort() != 40000 || h.Length() != 13 || h.Checksum() != 0 || string(h.Payload()) != "hello" || cap(h) != 13 {
		t.Errorf("read back %x, payload %q", h, h.Payload())
	}
	h.SetSrcPort(1)
	h.SetDstPort(2)
	h.SetLength(9)
	h.SetChecksum(4)
	if !bytes.Equal(h[:8], []byte{0, 1, 0, 2, 0, 9, 0, 4}) {
		t.Errorf("after the setters %x", h)
	}
}

// A length of zero is a jumbogram's (RFC 2675 §4), which weir does not take.
func TestUDPRefusesImpossibleLengths(t *testing.T) {
	b := make([]byte, 12)
	for _, c := range []struct {
		n, length int
		err       error
	}{
		{0, 8, ErrTruncated}, {7, 8, ErrTruncated}, {8, 8, nil}, {12, 8, nil}, {12, 12, nil},
		{12, 13, ErrTotalLength}, {12, 7, ErrHeaderLength}, {12, 0, ErrHeaderLength},
	} {
		UDP(b).SetLength(c.length)
		if _, err := ParseUDP(b[:c.n]); !errors.Is(err, c.err) {
			t.Errorf("%d octets, length %d: %v, want %v", c.n, c.length, err, c.err)
		}
	}
}

// RFC 768: zero says that there is no checksum, so a sum of zero is sent as all ones.
// RFC 8200 §8.1: over IPv6 there always is one.
func TestUDPChecksumOfZeroMeansNoneOverIPv4Only(t *testing.T) {
	b := make([]byte, 10)
	PutUDP(b, 1, 2, 2)
	h := UDP(b)
	if !h.ChecksumOK(src4, dst4) || h.ChecksumOK(src6, dst6) {
		t.Error("no checksum: want it accepted over IPv4, refused over IPv6")
	}
	h.UpdateChecksum(src4, dst4)
	if h.Checksum() == 0 || !h.ChecksumOK(src4, dst4) {
		t.Error("checksum wrong")
	}
	h.SetSrcPort(3)
	if h.ChecksumOK(src4, dst4) {
		t.Error("the source port does not count")
	}
	// Two octets of text that bring the sum to all ones.
	copy(h[8:], []byte{0, 0})
	h.SetChecksum(0)
	sum := ^Sum(h, PseudoHeaderSum(ProtoUDP, src6, dst6, len(h)))
	h[8], h[9] = byte(sum>>8), byte(sum)
	if h.UpdateChecksum(src6, dst6); h.Checksum() != 0xffff || !h.ChecksumOK(src6, dst6) {
		t.Errorf("checksum of zero sent as %#04x", h.Checksum())
	}
}
