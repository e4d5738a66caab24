package wire

import (
	"bytes"
	"strings"
	"testing"
)

// segment4 returns an IPv4 packet with a TCP segment whose checksum is right.
func segment4(o *TCPOptions, payload string) []byte {
	b := make([]byte, 200)
	n := PutTCP(b, &TCPFields{SrcPort: 40000, DstPort: 80, Seq: 1, Ack: 2, Flags: FlagSYN | FlagACK, Window: 512, Options: o})
	n += copy(b[n:], payload)
	TCP(b[:n]).UpdateChecksum(src4, dst4)
	return packet4(ProtoTCP, nil, b[:n])
}

func TestDescriptionHasOneLineALayer(t *testing.T) {
	syn := segment4(&TCPOptions{MSS: 1460, SACKPermitted: true, HasTimestamps: true, TSVal: 5, HasWindowScale: true, WindowScale: 7}, "data")
	icmp := make([]byte, 36)
	PutICMP(icmp, ICMPv4Unreachable, ICMPv4CodeFragmentation, 1400)
	copy(icmp[8:], syn)
	ICMPv4(icmp).UpdateChecksum()

	udp := make([]byte, 10)
	PutUDP(udp, 53, 1024, 2)
	UDP(udp).SetChecksum(PseudoHeaderSum(ProtoUDP, src6, dst6, 10))

	ns := make([]byte, 24)
	PutNeighborSolicit(ns, dst6)
	ICMPv6(ns).UpdateChecksum(src6, dst6)

	bad := segment4(nil, "x")
	bad[len(bad)-1] ^= 1

	for _, c := range []struct {
		name   string
		packet []byte
		want   string
	}{
		{"TCP", syn, `IPv4 192.0.2.1 > 198.51.100.7 TCP ttl 64 tos 0x00 id 7 len 64
TCP 40000 > 80 [SA] seq 1 ack 2 win 512 <mss 1460,sackOK,TS val 5 ecr 0,wscale 7> payload 4`},
		{"quotation", packet4(ProtoICMP, nil, icmp), `IPv4 192.0.2.1 > 198.51.100.7 ICMP ttl 64 tos 0x00 id 7 len 56
ICMP destination unreachable code 4 mtu 1400
  IPv4 192.0.2.1 > 198.51.100.7 TCP ttl 64 tos 0x00 id 7 len 64
  TCP 40000 > 80 seq 1 (cut short)`},
		{"extension headers and a checksum for the device", packet6(0, options(ProtoUDP, 5, 2, 0, 0), udp),
			`IPv6 2001:db8::1 > 2001:db8::2 HopByHop hlim 64 class 0x00 flow 0x00000 len 18
extension headers 1, 8 octets, router alert
UDP 53 > 1024 payload 2 checksum partial`},
		{"neighbor discovery", packet6(ProtoICMPv6, ns), `IPv6 2001:db8::1 > 2001:db8::2 ICMPv6 hlim 64 class 0x00 flow 0x00000 len 24
ICMPv6 neighbor solicitation code 0 who has 2001:db8::2`},
		{"wrong checksum", bad, "IPv4 192.0.2.1 > 198.51.100.7 TCP ttl 64 tos 0x00 id 7 len 41\n" +
			"TCP 40000 > 80 [SA] seq 1 ack 2 win 512 payload 1 checksum 0x" + hex16(TCP(bad[20:]).Checksum()) + " wrong"},
		{"nothing", nil, "empty packet"},
		{"not IP", []byte{0x12, 0x34}, "IP malformed: wrong IP version; 2 octets: 1234"},
		{"cut short", syn[:10], "IPv4 malformed: packet shorter than its header; 10 octets: 45000040000700004006"},
	} {
		if got := Describe(c.packet); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

func hex16(v uint16) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[v>>12], digits[v>>8&15], digits[v>>4&15], digits[v&15]})
}

func TestFrameDescriptionBeginsWithEthernet(t *testing.T) {
	b := make([]byte, 42)
	n := PutEthernet(b, BroadcastMAC, macA, EtherTypeARP)
	PutARP(b[n:], &ARPFields{Op: ARPRequest, SenderMAC: macA, SenderIP: src4, TargetIP: dst4})
	want := `Ethernet 02:00:00:00:00:0a > ff:ff:ff:ff:ff:ff type 0x0806 len 42
ARP who has 198.51.100.7, tell 192.0.2.1 (02:00:00:00:00:0a)`
	if got := DescribeFrame(b); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestDescriptionIsBounded(t *testing.T) {
	// As many packets in packets as fit: only the first few are opened.
	b := make([]byte, 60000)
	for at := 0; at+20 <= len(b); at += 20 {
		PutIPv4(b[at:], &IPv4Fields{Protocol: ProtoIPv4, Src: src4, Dst: dst4, PayloadLen: len(b) - at - 20})
	}
	got := Describe(b)
	if strings.Count(got, "\n") != maxNesting+1 || len(got) > maxDescription {
		t.Errorf("%d octets:\n%s", len(got), got)
	}
	// The longest chain of extension headers, with a fragment among them.
	got = Describe(packet6(60, bytes.Repeat(options(60), 15), fragment(60, 0, false)))
	if len(got) > maxDescription {
		t.Errorf("%d octets:\n%s", len(got), got)
	}
}

func TestNamesAreTheUsualOnes(t *testing.T) {
	if ProtocolName(ProtoTCP) != "TCP" || ProtocolName(253) != "protocol 253" {
		t.Error(ProtocolName(ProtoTCP), ProtocolName(253))
	}
	for p := range 256 {
		if ProtocolName(uint8(p)) == "" || Problem(p).String() == "" || !strings.HasPrefix(Problem(p).Error(), "wire: ") {
			t.Errorf("%d has no name", p)
		}
	}
}

// The lines of messages that have a shape of their own.
func TestControlMessagesSayWhatTheyAreAbout(t *testing.T) {
	v6 := func(typ, code uint8, rest uint32, body ...byte) []byte {
		b := append(make([]byte, ICMPHeader), body...)
		PutICMP(b, typ, code, rest)
		ICMPv6(b).UpdateChecksum(src6, dst6)
		return packet6(ProtoICMPv6, b)
	}
	v4 := func(typ, code uint8, rest uint32, body ...byte) []byte {
		b := append(make([]byte, ICMPHeader), body...)
		PutICMP(b, typ, code, rest)
		ICMPv4(b).UpdateChecksum()
		return packet4(ProtoICMP, nil, b)
	}
	target := dst6.As16()
	both := append(target[:], target[:]...)
	for _, c := range []struct {
		packet []byte
		want   string
	}{
		{v4(ICMPv4Echo, 0, EchoRest(1, 2), 9, 9), "ICMP echo code 0 id 1 seq 2 payload 2"},
		{v4(ICMPv4EchoReply, 0, EchoRest(1, 2)), "ICMP echo reply code 0 id 1 seq 2 payload 0"},
		{v4(ICMPv4TimeExceeded, 1, 0), "ICMP time exceeded code 1\n  empty packet"},
		{v4(ICMPv4ParameterProblem, 0, 20<<24), "ICMP parameter problem code 0 pointer 20\n  empty packet"},
		{v4(ICMPv4Redirect, 1, 0x01020304), "ICMP redirect code 1 to 1.2.3.4\n  empty packet"},
		{v4(ICMPv4SourceQuench, 0, 0), "ICMP source quench code 0\n  empty packet"},
		{v4(ICMPv4Timestamp, 0, 0), "ICMP type 13 code 0"},
		{v6(ICMPv6Echo, 0, EchoRest(1, 2)), "ICMPv6 echo code 0 id 1 seq 2 payload 0"},
		{v6(ICMPv6EchoReply, 0, EchoRest(1, 2), 1), "ICMPv6 echo reply code 0 id 1 seq 2 payload 1"},
		{v6(ICMPv6PacketTooBig, 0, 1280), "ICMPv6 packet too big code 0 mtu 1280\n  empty packet"},
		{v6(ICMPv6ParameterProblem, 2, 42, packet4(1, nil, nil)...), "ICMPv6 parameter problem code 2 pointer 42\n" +
			"  IPv4 192.0.2.1 > 198.51.100.7 ICMP ttl 64 tos 0x00 id 7 len 20\n  ICMP malformed: packet shorter than its header; 0 octets: "},
		{v6(ICMPv6TimeExceeded, 0, 0), "ICMPv6 time exceeded code 0\n  empty packet"},
		// RFC 4884 §4.3: the quotation is as long as its field says, and extensions follow it.
		{v6(ICMPv6Unreachable, 4, 1<<24, 0x99, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3), "ICMPv6 destination unreachable code 4\n" +
			"  IP malformed: wrong IP version; 8 octets: 9900000000000000"},
		{v6(ICMPv6NeighborAdvert, 0, 0xe0000000, append(target[:], 2, 1, 2, 0, 0, 0, 0, 10)...),
			"ICMPv6 neighbor advertisement code 0 2001:db8::2 is at 02:00:00:00:00:0a router solicited override"},
		{v6(ICMPv6RouterAdvert, 0, 60, make([]byte, 8)...), "ICMPv6 router advertisement code 0 lifetime 1m0s"},
		{v6(ICMPv6RouterSolicit, 0, 0), "ICMPv6 router solicitation code 0"},
		{v6(ICMPv6Redirect, 0, 0, both...), "ICMPv6 redirect code 0 2001:db8::2 by 2001:db8::2"},
		{v6(ICMPv6Redirect, 0, 0), "ICMPv6 redirect code 0 malformed"},
		{v6(200, 0, 0), "ICMPv6 type 200 code 0"},
		{packet6(44, fragment(ProtoUDP, 16, true), []byte("rest")), "Fragment at 16 id 0x0000002a more, then UDP\nextension headers 1, 8 octets"},
		{packet6(0, options(ProtoUDP, 0x9e, 0)), "extension headers: unrecognized option at octet 42"},
		{packet6(253, []byte("x")), "protocol 253 payload 1"},
	} {
		if _, got, _ := strings.Cut(Describe(c.packet), "\n"); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestIPv4DescriptionTellsOfFragmentsAndOptions(t *testing.T) {
	h := IPv4(packet4(ProtoUDP, []byte{131, 0, 0, 0}, []byte("12345678")))
	h.SetFragment(16, true, true)
	want := "IPv4 192.0.2.1 > 198.51.100.7 UDP ttl 64 tos 0x00 id 7 len 32 DF MF header checksum 0x" + hex16(h.Checksum()) +
		" wrong fragment at 16 options 4 octets (erroneous header field at octet 21)"
	if got := Describe(h); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
