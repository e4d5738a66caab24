package wire

import (
	"errors"
	"net/netip"
	"testing"
)

var (
	macA = MAC{2, 0, 0, 0, 0, 0xa}
	macB = MAC{2, 0, 0, 0, 0, 0xb}
)

func TestEthernetFieldsComeBackAsTheyWerePut(t *testing.T) {
	b := make([]byte, 20)
	n := PutEthernet(b, macA, macB, EtherTypeIPv6)
	copy(b[n:], "packet")
	h, err := ParseEthernet(b)
	if err != nil || n != EthernetHeader {
		t.Fatal(n, err)
	}
	if _, tagged := h.VLAN(); h.Dst() != macA || h.Src() != macB || h.EtherType() != EtherTypeIPv6 || h.HeaderLen() != 14 || tagged || string(h.Payload()) != "packet" {
		t.Errorf("read back %x", h)
	}
	h.SetDst(macB)
	h.SetSrc(macA)
	if h.Dst() != macB || h.Src() != macA {
		t.Errorf("after the setters %x", h)
	}
}

// IEEE 802.1Q and 802.1ad: the payload's type follows the tags.
func TestVLANTagsAreSteppedOver(t *testing.T) {
	frame := func(types ...uint16) []byte {
		b := make([]byte, 12)
		for i, v := range types {
			if i > 0 {
				b = append(b, 0x20, byte(i))
			}
			b = append(b, byte(v>>8), byte(v))
		}
		return b
	}
	for _, c := range []struct {
		b      []byte
		typ    uint16
		header int
		vlan   uint16
		err    error
	}{
		{frame(0x8100, 0x0800), 0x0800, 18, 1, nil},
		{frame(0x88a8, 0x8100, 0x86dd), 0x86dd, 22, 1, nil},
		{frame(0x8100, 0x8100, 0x8100), 0x8100, 22, 1, nil},
		{frame(0x8100), 0, 0, 0, ErrTruncated},
		{frame(0x8100, 0x8100), 0, 0, 0, ErrTruncated},
		{frame(0x8100, 0x8100)[:17], 0, 0, 0, ErrTruncated},
		{frame(), 0, 0, 0, ErrTruncated},
	} {
		h, err := ParseEthernet(c.b)
		if !errors.Is(err, c.err) {
			t.Errorf("%x: %v, want %v", c.b, err, c.err)
		}
		if err != nil {
			continue
		}
		if id, _ := h.VLAN(); h.EtherType() != c.typ || h.HeaderLen() != c.header || id != c.vlan || len(h.Payload()) != 0 {
			t.Errorf("%x: type %#04x, header %d, VLAN %d", c.b, h.EtherType(), h.HeaderLen(), id)
		}
	}
}

// RFC 1112 §6.4 and RFC 2464 §7.
func TestMulticastAddressesMapToEthernet(t *testing.T) {
	for ip, want := range map[string]string{
		"224.0.0.1": "01:00:5e:00:00:01", "239.129.2.3": "01:00:5e:01:02:03", "255.255.255.255": "ff:ff:ff:ff:ff:ff",
		"ff02::1": "33:33:00:00:00:01", "ff02::1:ff12:3456": "33:33:ff:12:34:56",
	} {
		m := MulticastMAC(netip.MustParseAddr(ip))
		if m.String() != want || !m.IsMulticast() {
			t.Errorf("%s: %v, want %s", ip, m, want)
		}
	}
	if macA.IsMulticast() || macA.IsBroadcast() || !BroadcastMAC.IsBroadcast() {
		t.Error("a station's address is taken for a group's")
	}
}

func TestARPFieldsComeBackAsTheyWerePut(t *testing.T) {
	b := make([]byte, 46) // a short frame's payload, padded
	n := PutARP(b, &ARPFields{Op: ARPReply, SenderMAC: macA, SenderIP: src4, TargetMAC: macB, TargetIP: dst4})
	h, err := ParseARP(b)
	if err != nil || n != ARPLen || len(h) != ARPLen {
		t.Fatal(n, len(h), err)
	}
	if h.Op() != ARPReply || h.SenderMAC() != macA || h.SenderIP() != src4 || h.TargetMAC() != macB || h.TargetIP() != dst4 {
		t.Errorf("read back %x", h)
	}
}

// RFC 826: the receiver asks first whether it has the hardware type and speaks the protocol.
func TestARPForOtherHardwareIsRefused(t *testing.T) {
	b := make([]byte, ARPLen)
	PutARP(b, &ARPFields{Op: ARPRequest, SenderIP: src4, TargetIP: dst4})
	for i := range 6 {
		b[i] ^= 1
		if _, err := ParseARP(b); !errors.Is(err, ErrHardware) {
			t.Errorf("octet %d changed: %v", i, err)
		}
		b[i] ^= 1
	}
	if _, err := ParseARP(b[:27]); !errors.Is(err, ErrTruncated) {
		t.Errorf("27 octets: %v", err)
	}
}
