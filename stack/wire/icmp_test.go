package wire

import (
	"errors"
	"net/netip"
	"testing"
)

func TestICMPFieldsComeBackAsTheyWerePut(t *testing.T) {
	b := make([]byte, 12)
	PutICMP(b, ICMPv4Echo, 3, EchoRest(0x1234, 0x5678))
	copy(b[8:], "ping")
	h4, err4 := ParseICMPv4(b)
	h6, err6 := ParseICMPv6(b)
	if err4 != nil || err6 != nil {
		t.Fatal(err4, err6)
	}
	if h4.Type() != 8 || h4.Code() != 3 || h4.Checksum() != 0 || h4.Rest() != 0x12345678 || h4.ID() != 0x1234 || h4.Seq() != 0x5678 || string(h4.Body()) != "ping" {
		t.Errorf("ICMP %x", h4)
	}
	if h6.Type() != 8 || h6.Code() != 3 || h6.Checksum() != 0 || h6.Rest() != 0x12345678 || h6.ID() != 0x1234 || h6.Seq() != 0x5678 || string(h6.Body()) != "ping" {
		t.Errorf("ICMPv6 %x", h6)
	}
	for n := range ICMPHeader {
		if _, err := ParseICMPv4(b[:n]); !errors.Is(err, ErrTruncated) {
			t.Errorf("%d octets: %v", n, err)
		}
		if _, err := ParseICMPv6(b[:n]); !errors.Is(err, ErrTruncated) {
			t.Errorf("%d octets: %v", n, err)
		}
	}
}

// The second word has another shape in each family: RFC 792, RFC 1191 §4, RFC 4884 §4 and
// RFC 4443 §3.
func TestICMPErrorFieldsLieWhereTheirFamilyHasThem(t *testing.T) {
	b := make([]byte, 8)
	PutICMP(b, ICMPv4Unreachable, ICMPv4CodeFragmentation, 0x07200578)
	h4, h6 := ICMPv4(b), ICMPv6(b)
	if h4.MTU() != 0x578 || h4.Pointer() != 7 || h4.QuoteLen() != 0x20*4 || h4.Gateway() != netip.AddrFrom4([4]byte{7, 0x20, 5, 0x78}) {
		t.Errorf("ICMP: MTU %d, pointer %d, quote %d, gateway %v", h4.MTU(), h4.Pointer(), h4.QuoteLen(), h4.Gateway())
	}
	if h6.MTU() != 0x07200578 || h6.Pointer() != 0x07200578 || h6.QuoteLen() != 56 {
		t.Errorf("ICMPv6: MTU %d, pointer %d, quote %d", h6.MTU(), h6.Pointer(), h6.QuoteLen())
	}
	if h6.SetRest(0xffffffff); h6.MTU() != 1<<31-1 || h6.Pointer() != 1<<31-1 {
		t.Error("ICMPv6: a length that no int of 32 bits holds is not bounded")
	}
}

// RFC 4443 §2.3: only ICMPv6 has a pseudo-header.
func TestICMPChecksumCoversThePseudoHeaderInIPv6Only(t *testing.T) {
	b := make([]byte, 11)
	PutICMP(b, 128, 0, 1)
	h4, h6 := ICMPv4(b), ICMPv6(b)
	if h4.UpdateChecksum(); !h4.ChecksumOK() || h6.ChecksumOK(src6, dst6) {
		t.Error("ICMP checksum")
	}
	if h6.UpdateChecksum(src6, dst6); !h6.ChecksumOK(src6, dst6) || h6.ChecksumOK(src6, src6) || h4.ChecksumOK() {
		t.Error("ICMPv6 checksum")
	}
	h6.SetType(129)
	h6.SetCode(1)
	h4.SetRest(5)
	if h4.Type() != 129 || h4.Code() != 1 || h6.Rest() != 5 || h6.ChecksumOK(src6, dst6) {
		t.Error("setters")
	}
	h4.SetType(0)
	h4.SetCode(0)
	h4.SetChecksum(0xaaaa)
	if h6.Type() != 0 || h6.Code() != 0 || h6.Checksum() != 0xaaaa {
		t.Error("setters")
	}
}

// RFC 1122 §3.2.2 lists the errors; RFC 4443 §2.1: types below 128.
func TestICMPErrorsAreToldFromInformation(t *testing.T) {
	errors4 := map[uint8]bool{3: true, 4: true, 5: true, 11: true, 12: true}
	for typ := range 256 {
		b := make([]byte, 8)
		b[0] = byte(typ)
		if got := ICMPv4(b).IsError(); got != errors4[byte(typ)] {
			t.Errorf("ICMP type %d: %t", typ, got)
		}
		if got := ICMPv6(b).IsError(); got != (typ < 128) {
			t.Errorf("ICMPv6 type %d: %t", typ, got)
		}
	}
}
