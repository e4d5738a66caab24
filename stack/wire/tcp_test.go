package wire

import (
	"bytes"
	"errors"
	"testing"
)

func TestTCPFieldsComeBackAsTheyWerePut(t *testing.T) {
	b := make([]byte, 64)
	f := TCPFields{
		SrcPort: 40000, DstPort: 80, Seq: 0xfffffff0, Ack: 0x80000001, Flags: FlagSYN | FlagACK | FlagAE | FlagCWR,
		Window: 65535, Urgent: 77, Options: &TCPOptions{MSS: 1460},
	}
	n := PutTCP(b, &f)
	if f.HeaderLen() != n || (&TCPFields{}).HeaderLen() != TCPMinHeader {
		t.Errorf("HeaderLen %d and %d, want %d and 20", f.HeaderLen(), (&TCPFields{}).HeaderLen(), n)
	}
	copy(b[n:], "data")
	h, err := ParseTCP(b[:n+4])
	if err != nil || n != 24 {
		t.Fatal(n, err)
	}
	if h.SrcPort() != 40000 || h.DstPort() != 80 || h.Seq() != 0xfffffff0 || h.Ack() != 0x80000001 || h.DataOffset() != 24 ||
		h.Flags() != FlagSYN|FlagACK|FlagAE|FlagCWR || h.Window() != 65535 || h.Urgent() != 77 || h.Checksum() != 0 ||
		!bytes.Equal(h.Options(), []byte{2, 4, 5, 0xb4}) || string(h.Payload()) != "data" {
		t.Errorf("read back %x", h)
	}
	h.SetSrcPort(1)
	h.SetDstPort(2)
	h.SetSeq(3)
	h.SetAck(4)
	h[12] |= 0x0e // the reserved bits
	h.SetFlags(FlagFIN)
	h.SetWindow(5)
	h.SetUrgent(6)
	h.SetChecksum(7)
	if h.SrcPort() != 1 || h.DstPort() != 2 || h.Seq() != 3 || h.Ack() != 4 || h.DataOffset() != 24 || h.Flags() != FlagFIN ||
		h[12]&0x0f != 0x0e || h.Window() != 5 || h.Urgent() != 6 || h.Checksum() != 7 {
		t.Errorf("after the setters %x", h)
	}
}

func TestTCPRefusesImpossibleDataOffsets(t *testing.T) {
	b := make([]byte, 30)
	for _, c := range []struct {
		n, words int
		err      error
	}{
		{0, 5, ErrTruncated}, {19, 5, ErrTruncated}, {20, 5, nil}, {20, 4, ErrHeaderLength}, {20, 0, ErrHeaderLength},
		{20, 6, ErrTruncated}, {23, 6, ErrTruncated}, {24, 6, nil}, {30, 15, ErrTruncated},
	} {
		b[12] = byte(c.words << 4)
		if _, err := ParseTCP(b[:c.n]); !errors.Is(err, c.err) {
			t.Errorf("%d octets, data offset %d words: %v, want %v", c.n, c.words, err, c.err)
		}
	}
}

// RFC 9293 §3.1: the checksum covers the pseudo-header, the header and the text.
func TestTCPChecksumCoversAddressesHeaderAndText(t *testing.T) {
	b := make([]byte, 27)
	PutTCP(b, &TCPFields{SrcPort: 1, DstPort: 2, Flags: FlagACK})
	copy(b[20:], "odd len")
	h := TCP(b)
	h.UpdateChecksum(src4, dst4)
	if !h.ChecksumOK(src4, dst4) || h.ChecksumOK(src4, src4) || h.ChecksumOK(src6, dst6) {
		t.Error("IPv4: the addresses do not count")
	}
	for i := range h {
		h[i] ^= 4
		if h.ChecksumOK(src4, dst4) {
			t.Errorf("octet %d does not count", i)
		}
		h[i] ^= 4
	}
	h.UpdateChecksum(src6, dst6)
	if !h.ChecksumOK(src6, dst6) {
		t.Error("IPv6: checksum wrong")
	}
}

func TestTCPFlagsAreWrittenAsLetters(t *testing.T) {
	for f, want := range map[TCPFlags]string{
		0: "-", FlagSYN | FlagACK: "SA", FlagSYN: "S", FlagFIN | FlagPSH | FlagACK: "FPA", FlagRST: "R",
		FlagSYN | FlagECE | FlagCWR: "SEW", 0x1ff: "FSRPAUEWN", 0x200: "-",
	} {
		if got := f.String(); got != want {
			t.Errorf("%#x: %s, want %s", uint16(f), got, want)
		}
	}
	if !FlagAE.Has(0x100) || (FlagSYN).Has(FlagSYN|FlagACK) {
		t.Error("Has")
	}
}

// The option order of a Linux kernel, octet for octet.
func TestTCPOptionsStandInLinuxOrder(t *testing.T) {
	blocks := [4]SACKBlock{{1, 2}, {3, 4}, {5, 6}, {7, 8}}
	for _, c := range []struct {
		name string
		o    TCPOptions
		want []byte
	}{
		{"none", TCPOptions{}, nil},
		{"SYN", TCPOptions{MSS: 1460, SACKPermitted: true, HasTimestamps: true, TSVal: 0x01020304, HasWindowScale: true, WindowScale: 7},
			[]byte{2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7}},
		{"SYN without timestamps", TCPOptions{MSS: 536, SACKPermitted: true, HasWindowScale: true},
			[]byte{2, 4, 2, 24, 1, 1, 4, 2, 1, 3, 3, 0}},
		{"data", TCPOptions{HasTimestamps: true, TSVal: 1, TSEcr: 2}, []byte{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}},
		{"user timeout", TCPOptions{HasUserTimeout: true, UserTimeout: 0x8001}, []byte{28, 4, 0x80, 1}},
		{"SACK", TCPOptions{NumSACK: 1, SACK: blocks}, []byte{1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2}},
	} {
		b := make([]byte, 40)
		if n := PutTCPOptions(b, &c.o); !bytes.Equal(b[:n], c.want) || n != c.o.Len() {
			t.Errorf("%s: %v (Len %d), want %v", c.name, b[:n], c.o.Len(), c.want)
		}
	}
}

// RFC 2018 §3: beside timestamps three blocks fit, and the first is the newest.
func TestSACKBlocksAreCutToWhatFits(t *testing.T) {
	blocks := [4]SACKBlock{{1, 2}, {3, 4}, {5, 6}, {7, 8}}
	for _, c := range []struct {
		o    TCPOptions
		want int
	}{
		{TCPOptions{NumSACK: 4, SACK: blocks}, 4},
		{TCPOptions{NumSACK: 9, SACK: blocks}, 4},
		{TCPOptions{NumSACK: -1, SACK: blocks}, 0},
		{TCPOptions{NumSACK: 4, SACK: blocks, HasTimestamps: true}, 3},
		{TCPOptions{NumSACK: 4, SACK: blocks, HasTimestamps: true, HasUserTimeout: true}, 2},
		{TCPOptions{NumSACK: 4, SACK: blocks, HasTimestamps: true, HasUserTimeout: true, HasWindowScale: true, MSS: 9}, 1},
	} {
		b := make([]byte, 40)
		n := PutTCPOptions(b, &c.o)
		var got TCPOptions
		if err := ParseTCPOptions(b[:n], &got); err != nil || got.NumSACK != c.want || n != c.o.Len() || n > TCPMaxOptions {
			t.Errorf("%+v: %v, %d blocks in %d octets, want %d", c.o, err, got.NumSACK, n, c.want)
		}
		if c.want > 0 && got.SACK[0] != blocks[0] {
			t.Errorf("first block %v", got.SACK[0])
		}
	}
}

// RFC 9293 §3.1: MUST-5 (options at any octet boundary), MUST-6 (unknown ones ignored),
// MUST-7 (impossible lengths survived).
func TestTCPOptionsAreReadWhateverTheirOrder(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
		want TCPOptions
		err  error
	}{
		{"none", nil, TCPOptions{}, nil},
		{"NOPs", []byte{1, 1, 1, 1}, TCPOptions{}, nil},
		{"what follows the end is padding", []byte{0, 2, 4, 5}, TCPOptions{}, nil},
		{"not aligned", []byte{3, 3, 14, 2, 4, 5, 0xb4, 0}, TCPOptions{MSS: 1460, HasWindowScale: true, WindowScale: 14}, nil},
		{"unknown kind skipped", []byte{254, 6, 1, 2, 3, 4, 4, 2}, TCPOptions{SACKPermitted: true}, nil},
		{"unknown kind of length 2", []byte{99, 2, 4, 2}, TCPOptions{SACKPermitted: true}, nil},
		{"timestamps alone", []byte{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}, TCPOptions{HasTimestamps: true, TSVal: 1, TSEcr: 2}, nil},
		{"timestamps first", []byte{8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1}, TCPOptions{HasTimestamps: true, TSVal: 1, TSEcr: 2}, nil},
		{"shift count above 14 is reported as sent", []byte{3, 3, 99, 0}, TCPOptions{HasWindowScale: true, WindowScale: 99}, nil},
		{"length 0", []byte{4, 2, 2, 0}, TCPOptions{SACKPermitted: true}, ErrTCPOption},
		{"length 1", []byte{4, 2, 99, 1}, TCPOptions{SACKPermitted: true}, ErrTCPOption},
		{"length beyond the header", []byte{4, 2, 2, 5}, TCPOptions{SACKPermitted: true}, ErrTCPOption},
		{"length one octet beyond the header", []byte{4, 2, 99, 3}, TCPOptions{SACKPermitted: true}, ErrTCPOption},
		{"no length", []byte{4, 2, 1, 2}, TCPOptions{SACKPermitted: true}, ErrTCPOption},
		{"MSS of length 3, then another", []byte{2, 3, 9, 4, 2, 1}, TCPOptions{SACKPermitted: true}, ErrTCPOption},
		{"wrong lengths", []byte{3, 2, 4, 3, 0, 8, 2, 28, 3, 0, 5, 2}, TCPOptions{}, ErrTCPOption},
		{"SACK of odd length", []byte{5, 9, 0, 0, 0, 1, 0, 0, 0, 0}, TCPOptions{}, ErrTCPOption},
	} {
		got := TCPOptions{MSS: 7, NumSACK: 3, HasTimestamps: true}
		if err := ParseTCPOptions(c.b, &got); !errors.Is(err, c.err) || got != c.want {
			t.Errorf("%s: %v, %+v, want %+v", c.name, err, got, c.want)
		}
	}
}
