package wire

import (
	"testing"
)

var (
	allocBuf  = make([]byte, 2048)
	allocSink int
)

// allocates fails the test where f allocates.
func allocates(t *testing.T, name string, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(100, f); n != 0 {
		t.Errorf("%s allocates %v times", name, n)
	}
}

func TestReadingAPacketAllocatesNothing(t *testing.T) {
	p4 := segment4(&TCPOptions{HasTimestamps: true, NumSACK: 2, SACK: [4]SACKBlock{{1, 2}, {3, 4}}}, "data")
	p4o := packet4(ProtoUDP, []byte{148, 4, 0, 0, 222, 0, 0, 0}, nil)
	p6 := packet6(0, options(ProtoUDP, 0x9e, 0), make([]byte, 8))
	var o TCPOptions
	allocates(t, "IPv4 and TCP", func() {
		h, _ := ParseIPv4(p4)
		tcp, _ := ParseTCP(h.Payload())
		if ParseTCPOptions(tcp.Options(), &o) == nil && h.ChecksumOK() && tcp.ChecksumOK(h.Src(), h.Dst()) {
			allocSink += int(tcp.Seq()) + len(tcp.Payload()) + o.NumSACK
		}
		h.SetTTL(h.TTL() - 1)
	})
	allocates(t, "IPv4 options", func() {
		h, _ := ParseIPv4(p4o)
		if i, err := h.CheckOptions(); err != nil {
			allocSink += i.ProblemPointer
		}
	})
	allocates(t, "IPv6 extension headers", func() {
		h, _ := ParseIPv6(p6)
		if i, err := h.Extensions(); err != nil {
			allocSink += i.ProblemPointer
		}
		_, off, _ := h.UpperLayer()
		u, err := ParseUDP(h[off:])
		if err == nil && u.ChecksumOK(h.Src(), h.Dst()) {
			allocSink++
		}
	})
	allocates(t, "a packet refused", func() {
		_, e1 := ParseIPv4(p4[:5])
		_, e2 := ParseIPv6(p6[:5])
		_, e3 := ParseTCP(p4[:5])
		_, e4 := ParseUDP(p4[:5])
		_, e5 := ParseICMPv4(p4[:5])
		if e1 != nil && e2 != nil && e3 != nil && e4 != nil && e5 != nil {
			allocSink++
		}
	})
}

func TestWritingAPacketAllocatesNothing(t *testing.T) {
	f4 := IPv4Fields{TTL: 64, Src: src4, Dst: dst4, Options: []byte{148, 4, 0, 0}}
	f6 := IPv6Fields{HopLimit: 64, Src: src6, Dst: dst6}
	ft := TCPFields{Options: &TCPOptions{MSS: 1, HasTimestamps: true, SACKPermitted: true, HasWindowScale: true, NumSACK: 4}}
	allocates(t, "IPv4 and TCP", func() {
		n := PutIPv4(allocBuf, &f4)
		m := PutTCP(allocBuf[n:], &ft)
		TCP(allocBuf[n:n+m]).UpdateChecksum(src4, dst4)
	})
	allocates(t, "TCP fields made on the way", func() {
		o := TCPOptions{MSS: 1460}
		allocSink += PutTCP(allocBuf, &TCPFields{Seq: 1, Options: &o})
	})
	allocates(t, "IPv6, UDP and ICMP", func() {
		n := PutIPv6(allocBuf, &f6)
		PutUDP(allocBuf[n:], 1, 2, 3)
		UDP(allocBuf[n:n+11]).UpdateChecksum(src6, dst6)
		PutICMP(allocBuf[n:], ICMPv6Echo, 0, 0)
		ICMPv6(allocBuf[n:n+8]).UpdateChecksum(src6, dst6)
	})
	allocates(t, "Ethernet, ARP and neighbor discovery", func() {
		n := PutEthernet(allocBuf, macA, macB, EtherTypeARP)
		PutARP(allocBuf[n:], &ARPFields{Op: ARPRequest, SenderIP: src4, TargetIP: dst4})
		n = PutNeighborSolicit(allocBuf, dst6)
		n += PutLinkAddr(allocBuf[n:], NDPOptionSourceLinkAddr, macA)
		m, _ := ParseNeighborSolicit(allocBuf[:n])
		mac, _ := m.Options().LinkAddr(NDPOptionSourceLinkAddr)
		allocSink += int(mac[5])
	})
}

func BenchmarkParseTCPOptions(b *testing.B) {
	buf := make([]byte, 40)
	for _, c := range []struct {
		name string
		o    TCPOptions
	}{
		{"data", TCPOptions{HasTimestamps: true}},
		{"SYN", TCPOptions{MSS: 1460, SACKPermitted: true, HasTimestamps: true, HasWindowScale: true}},
		{"SACK", TCPOptions{HasTimestamps: true, NumSACK: 3}},
	} {
		n := PutTCPOptions(buf, &c.o)
		b.Run(c.name, func(b *testing.B) {
			var o TCPOptions
			for b.Loop() {
				if ParseTCPOptions(buf[:n], &o) != nil {
					b.Fatal("malformed")
				}
			}
		})
	}
}

func BenchmarkPseudoHeaderSum(b *testing.B) {
	b.Run("IPv4", func(b *testing.B) {
		for b.Loop() {
			allocSink += int(PseudoHeaderSum(ProtoTCP, src4, dst4, 1460))
		}
	})
	b.Run("IPv6", func(b *testing.B) {
		for b.Loop() {
			allocSink += int(PseudoHeaderSum(ProtoTCP, src6, dst6, 1460))
		}
	})
	b.Run("IPv6 header", func(b *testing.B) {
		h := IPv6(packet6(ProtoTCP))
		for b.Loop() {
			allocSink += int(h.PseudoHeaderSum(ProtoTCP, 1460))
		}
	})
}

func BenchmarkSetTTL(b *testing.B) {
	h := IPv4(packet4(ProtoUDP, nil, nil))
	for b.Loop() {
		h.SetTTL(h.TTL() - 1)
	}
}
