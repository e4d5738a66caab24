package wire

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"
)

var (
	src4 = netip.MustParseAddr("192.0.2.1")
	dst4 = netip.MustParseAddr("198.51.100.7")
	src6 = netip.MustParseAddr("2001:db8::1")
	dst6 = netip.MustParseAddr("2001:db8::2")
)

// packet4 returns an IPv4 packet with the options and the payload.
func packet4(proto uint8, options, payload []byte) []byte {
	b := make([]byte, IPv4MaxHeader+len(payload))
	n := PutIPv4(b, &IPv4Fields{TTL: 64, Protocol: proto, ID: 7, Src: src4, Dst: dst4, Options: options, PayloadLen: len(payload)})
	return b[:n+copy(b[n:], payload)]
}

func TestIPv4FieldsComeBackAsTheyWerePut(t *testing.T) {
	f := IPv4Fields{
		TOS: 0xb9, ID: 0xbeef, DontFragment: true, MoreFragments: true, FragmentOffset: 8 * 0x1abc,
		TTL: 3, Protocol: ProtoUDP, Src: src4, Dst: dst4, Options: []byte{148, 4, 0, 0, 1}, PayloadLen: 5,
	}
	b := make([]byte, 100)
	n := PutIPv4(b, &f)
	if n != 28 || n != f.HeaderLen() {
		t.Fatalf("header of %d octets, HeaderLen %d, want 28", n, f.HeaderLen())
	}
	copy(b[n:], "hello, and padding")
	h, err := ParseIPv4(b)
	if err != nil {
		t.Fatal(err)
	}
	if h.HeaderLen() != 28 || h.TotalLen() != 33 || h.TOS() != 0xb9 || h.ID() != 0xbeef ||
		!h.DontFragment() || !h.MoreFragments() || !h.IsFragment() || h.FragmentOffset() != 8*0x1abc ||
		h.TTL() != 3 || h.Protocol() != ProtoUDP || h.Src() != src4 || h.Dst() != dst4 {
		t.Errorf("read back: %s", Describe(b))
	}
	if !h.ChecksumOK() {
		t.Error("PutIPv4 left a wrong checksum")
	}
	if want := []byte{148, 4, 0, 0, 1, 0, 0, 0}; !bytes.Equal(h.Options(), want) {
		t.Errorf("options %v, want %v", h.Options(), want)
	}
	if string(h.Payload()) != "hello" || cap(h) != 33 {
		t.Errorf("payload %q, capacity %d: the link's padding is not cut off", h.Payload(), cap(h))
	}
}

func TestIPv4SettersChangeTheirFieldAlone(t *testing.T) {
	b := packet4(ProtoTCP, nil, []byte("abcd"))
	h := IPv4(b)
	h.SetTotalLen(23)
	h.SetID(99)
	h.SetTOS(3)
	h.SetFragment(1480, true, false)
	h.SetSrc(dst4)
	h.SetDst(src4)
	if h.ChecksumOK() {
		t.Error("the checksum changed without UpdateChecksum")
	}
	h.UpdateChecksum()
	if !h.ChecksumOK() || h.TotalLen() != 23 || h.ID() != 99 || h.TOS() != 3 || h.FragmentOffset() != 1480 ||
		!h.MoreFragments() || h.DontFragment() || h.Src() != dst4 || h.Dst() != src4 || h.TTL() != 64 || h.Protocol() != ProtoTCP {
		t.Errorf("after the setters: %s", Describe(b))
	}
	h.SetFragment(0, false, true)
	if h.IsFragment() || !h.DontFragment() {
		t.Error("DF alone makes a fragment")
	}
}

// RFC 1624: the checksum follows the TTL, and a header that was damaged stays damaged.
func TestTTLChangeKeepsTheChecksumRightAndWrong(t *testing.T) {
	h := IPv4(packet4(ProtoTCP, []byte{1, 1, 1, 1}, nil))
	for ttl := 255; ttl >= 0; ttl-- {
		if h.SetTTL(uint8(ttl)); !h.ChecksumOK() || h.TTL() != uint8(ttl) {
			t.Fatalf("TTL %d: checksum wrong", ttl)
		}
	}
	h[1] ^= 0x10
	if h.SetTTL(77); h.ChecksumOK() {
		t.Error("a TTL change repaired a damaged header")
	}
}

func TestIPv4RefusesImpossibleLengths(t *testing.T) {
	good := packet4(ProtoUDP, []byte{1, 1, 1, 1}, []byte("payload"))
	change := func(at int, v ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[at:], v)
		return b
	}
	for _, c := range []struct {
		name   string
		b      []byte
		err    error
		quoted error
	}{
		{"empty", nil, ErrTruncated, ErrTruncated},
		{"shorter than a header", good[:19], ErrTruncated, ErrTruncated},
		{"version 6", change(0, 0x65), ErrVersion, ErrVersion},
		{"header length 16", change(0, 0x44), ErrHeaderLength, ErrHeaderLength},
		{"header beyond the packet", change(0, 0x4f), ErrTruncated, ErrTruncated},
		{"options cut short", good[:23], ErrTruncated, ErrTruncated},
		{"total length below the header", change(2, 0, 23), ErrTotalLength, ErrTotalLength},
		{"total length beyond the packet", change(2, 0, 32), ErrTotalLength, nil},
		{"total length 0", change(2, 0, 0), ErrTotalLength, ErrTotalLength},
		{"total length the header alone", change(2, 0, 24), nil, nil},
		{"whole", good, nil, nil},
	} {
		if _, err := ParseIPv4(c.b); !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
		}
		if _, err := ParseQuotedIPv4(c.b); !errors.Is(err, c.quoted) {
			t.Errorf("%s, quoted: %v, want %v", c.name, err, c.quoted)
		}
	}
}

// RFC 792 quotes the header and eight octets of a packet whose length field says more.
func TestQuotedIPv4MayBeCutShort(t *testing.T) {
	b := packet4(ProtoUDP, nil, make([]byte, 100))[:28]
	h, err := ParseQuotedIPv4(b)
	if err != nil || len(h.Payload()) != 8 || h.TotalLen() != 120 {
		t.Errorf("%v, payload of %d octets, total length %d; want 8 of 120", err, len(h.Payload()), h.TotalLen())
	}
}

// RFC 1122 §3.2.2.5 and RFC 792: the pointer says which octet is in error.
func TestIPv4OptionProblemsArePointedAt(t *testing.T) {
	for _, c := range []struct {
		name    string
		options []byte
		pointer int // 0: no problem
	}{
		{"none", nil, 0},
		{"padding", []byte{1, 1, 1, 0}, 0},
		{"what follows the end is not an option", []byte{0, 7, 99, 99}, 0},
		{"unknown", []byte{222, 4, 9, 9}, 0},
		{"unknown of length 2", []byte{222, 2, 1, 1}, 0},
		{"kind without a length", []byte{1, 1, 1, 222}, 23},
		{"length 0", []byte{222, 0, 1, 1}, 21},
		{"length 1", []byte{1, 222, 1, 1}, 22},
		{"length beyond the header", []byte{222, 5, 1, 1}, 21},
		{"record route", []byte{7, 7, 4, 0, 0, 0, 0, 0}, 0},
		{"record route full", []byte{7, 7, 8, 0, 0, 0, 0, 0}, 0},
		{"record route without a pointer", []byte{7, 2, 0, 0}, 21},
		{"record route of odd length", []byte{7, 6, 4, 0, 0, 0, 0, 0}, 21},
		{"record route's pointer below 4", []byte{7, 7, 3, 0, 0, 0, 0, 0}, 22},
		{"record route's pointer between addresses", []byte{7, 7, 5, 0, 0, 0, 0, 0}, 22},
		{"record route twice", []byte{7, 3, 4, 7, 3, 4, 0, 0}, 23},
		{"two source routes", []byte{131, 3, 4, 137, 3, 4, 0, 0}, 23},
		{"timestamp", []byte{68, 8, 5, 0, 0, 0, 0, 0}, 0},
		{"timestamp with addresses", []byte{68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 0},
		{"timestamp too short", []byte{68, 3, 5, 0}, 21},
		{"timestamp's pointer below 5", []byte{68, 4, 4, 0}, 22},
		{"timestamp of an unknown flag", []byte{68, 4, 5, 2}, 23},
		{"timestamp twice", []byte{68, 4, 5, 0, 68, 4, 5, 0}, 24},
		{"router alert", []byte{148, 4, 0, 0}, 0},
		{"router alert of length 3", []byte{148, 3, 0, 0}, 21},
	} {
		h, err := ParseIPv4(packet4(ProtoUDP, c.options, nil))
		if err != nil {
			t.Fatal(err)
		}
		i, err := h.CheckOptions()
		if (err != nil) != (c.pointer != 0) || i.ProblemPointer != c.pointer {
			t.Errorf("%s %v: %v at %d, want pointer %d", c.name, c.options, err, i.ProblemPointer, c.pointer)
		}
		if err != nil && i.Problem != ProblemHeaderField {
			t.Errorf("%s: problem %v", c.name, i.Problem)
		}
	}
}

// RFC 1122 §3.2.1.8: a host must know a source route that is not finished.
func TestIPv4OptionsThatMatterAreFound(t *testing.T) {
	h := IPv4(packet4(ProtoUDP, []byte{1, 131, 7, 4, 9, 9, 9, 9, 148, 4, 0, 0, 68, 4, 5, 0, 7, 3, 4}, nil))
	i, err := h.CheckOptions()
	if err != nil || i.SourceRoute != 21 || !i.SourceRouteLeft || !i.RouterAlert || i.Timestamp != 32 || i.RecordRoute != 36 {
		t.Errorf("%v %+v", err, i)
	}
	h = IPv4(packet4(ProtoUDP, []byte{137, 7, 8, 9, 9, 9, 9}, nil))
	if i, err = h.CheckOptions(); err != nil || i.SourceRoute != 20 || i.SourceRouteLeft {
		t.Errorf("finished source route: %v %+v", err, i)
	}
}

// RFC 791 §3.1: options with the copied flag go to every fragment, the others stay in the first.
func TestOnlyOptionsWithTheCopiedFlagAreCopied(t *testing.T) {
	for _, c := range []struct{ in, want []byte }{
		{nil, nil},
		{[]byte{7, 7, 4, 0, 0, 0, 0, 0}, nil},
		{[]byte{7, 3, 4, 148, 4, 0, 0, 0}, []byte{148, 4, 0, 0}},
		{[]byte{131, 7, 4, 1, 2, 3, 4, 1}, []byte{131, 7, 4, 1, 2, 3, 4, 0}},
		{[]byte{1, 148, 4, 0, 0, 131, 3, 4}, []byte{148, 4, 0, 0, 131, 3, 4, 0}},
		{[]byte{148, 4, 0, 0, 131, 0, 4, 0}, []byte{148, 4, 0, 0}},
	} {
		dst := make([]byte, 40)
		if n := CopiedIPv4Options(dst, c.in); !bytes.Equal(dst[:n], c.want) {
			t.Errorf("of %v: %v, want %v", c.in, dst[:n], c.want)
		}
		in := bytes.Clone(c.in)
		if n := CopiedIPv4Options(in, in); !bytes.Equal(in[:n], c.want) {
			t.Errorf("in place, of %v: %v, want %v", c.in, in[:n], c.want)
		}
	}
}
