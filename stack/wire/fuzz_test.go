package wire

import (
	"bytes"
	"testing"
)

// seeds adds packets of every kind, so that each target begins beyond the first check.
func seeds(f *testing.F, more ...[]byte) {
	for _, b := range more {
		f.Add(b)
	}
	f.Add([]byte{})
	f.Add(segment4(&TCPOptions{MSS: 1460, SACKPermitted: true, HasTimestamps: true, HasWindowScale: true}, "data"))
	f.Add(packet4(ProtoUDP, []byte{131, 7, 4, 1, 2, 3, 4, 0, 68, 8, 5, 0, 0, 0, 0, 0}, []byte("some payload")))
	f.Add(packet6(0, options(60, 5, 2, 0, 0), options(43, 0x9e, 1, 1), routing(44, 0, 0), fragment(ProtoUDP, 0, false), make([]byte, 16)))
}

func FuzzIPv4(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		b = bytes.Clone(b) // what fails is written down from b, which is not to be changed
		q, qerr := ParseQuotedIPv4(b)
		h, err := ParseIPv4(b)
		if err != nil {
			if qerr == nil {
				_, _ = q.CheckOptions()
				_, _, _ = q.Payload(), q.ChecksumOK(), q.Options()
			}
			return
		}
		if qerr != nil || !bytes.Equal(q, h) {
			t.Fatalf("quoted, the packet reads otherwise: %v", qerr)
		}
		if len(h) != h.TotalLen() || len(h.Options())+len(h.Payload())+IPv4MinHeader != len(h) {
			t.Fatalf("lengths of %x", h)
		}
		ok := h.ChecksumOK()
		h.SetTTL(h.TTL() + 1)
		if h.ChecksumOK() != ok {
			t.Fatalf("SetTTL changed whether the checksum is right: %x", h)
		}
		if i, err := h.CheckOptions(); err != nil && (i.ProblemPointer < IPv4MinHeader || i.ProblemPointer >= h.HeaderLen()) {
			t.Fatalf("pointer %d outside of the options of %x", i.ProblemPointer, h)
		}
		checkCopied(t, h)

		again := make([]byte, len(h))
		n := PutIPv4(again, &IPv4Fields{
			TOS: h.TOS(), ID: h.ID(), DontFragment: h.DontFragment(), MoreFragments: h.MoreFragments(),
			FragmentOffset: h.FragmentOffset(), TTL: h.TTL(), Protocol: h.Protocol(), Src: h.Src(), Dst: h.Dst(),
			Options: h.Options(), PayloadLen: len(h.Payload()),
		})
		copy(again[n:], h.Payload())
		h[6] &^= 0x80 // the reserved flag
		h.UpdateChecksum()
		if !bytes.Equal(again, h) {
			t.Fatalf("round trip\n%x\n%x", h, again)
		}
	})
}

// checkCopied: the copied options are options that read as well, all with the copied flag.
func checkCopied(t *testing.T, h IPv4) {
	var dst [40]byte
	n := CopiedIPv4Options(dst[:], h.Options())
	if n > len(h.Options()) || n%4 != 0 {
		t.Fatalf("%d octets copied of %x", n, h.Options())
	}
	w := IPv4Options{rest: dst[:n]}
	for o, ok := w.Next(); ok; o, ok = w.Next() {
		if !o.Copied() {
			t.Fatalf("option %d copied", o.Kind)
		}
	}
	if p, _ := w.Problem(); p != ProblemNone {
		t.Fatalf("%x copied as %x", h.Options(), dst[:n])
	}
}

func FuzzIPv6(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		if q, err := ParseQuotedIPv6(b); err == nil {
			_, _ = q.Extensions()
			_, _, _ = q.UpperLayer()
			_ = q.ChainComplete()
		}
		h, err := ParseIPv6(b)
		if err != nil {
			return
		}
		again := make([]byte, len(h))
		n := PutIPv6(again, &IPv6Fields{
			TrafficClass: h.TrafficClass(), FlowLabel: h.FlowLabel(), NextHeader: h.NextHeader(), HopLimit: h.HopLimit(),
			Src: h.Src(), Dst: h.Dst(), PayloadLen: h.PayloadLen(),
		})
		copy(again[n:], h.Payload())
		if !bytes.Equal(again, h) {
			t.Fatalf("round trip\n%x\n%x", h, again)
		}
		i, err := h.Extensions()
		checkExtInfo(t, h, &i, err)
		if hbh, err := h.HopByHop(); err == nil && hbh.Offset > len(h) {
			t.Fatalf("hop-by-hop %+v", hbh)
		}
	})
}

// checkExtInfo: every offset lies in the packet and says what it should.
func checkExtInfo(t *testing.T, h IPv6, i *ExtInfo, err error) {
	if i.Offset > len(h) || i.Offset < IPv6Header || i.NextOffset >= i.Offset || h[i.NextOffset] != i.Protocol ||
		i.Headers > MaxExtensionHeaders || i.Offset-IPv6Header > MaxExtensionOctets ||
		i.Unfragmentable > i.Offset || i.UnfragmentableNext >= i.Unfragmentable {
		t.Fatalf("%+v of %x", i, h)
	}
	if (err != nil) != (i.Problem != ProblemNone) || i.ProblemPointer > len(h) {
		t.Fatalf("%v, %+v", err, i)
	}
	if i.FragOffset != 0 {
		if _, err := ParseIPv6Fragment(h[i.FragOffset:]); err != nil {
			t.Fatalf("no fragment header at %d", i.FragOffset)
		}
	}
	if err == nil && !i.Fragment {
		if proto, off, ok := h.UpperLayer(); !ok || proto != i.Protocol || off != i.Offset {
			t.Fatalf("UpperLayer %d at %d, %t; Extensions %+v", proto, off, ok, i)
		}
	}
}

func FuzzTCP(f *testing.F) {
	seeds(f, segment4(&TCPOptions{MSS: 9, NumSACK: 3}, "data")[20:])
	f.Fuzz(func(t *testing.T, b []byte) {
		b = bytes.Clone(b) // what fails is written down from b, which is not to be changed
		h, err := ParseTCP(b)
		if err != nil {
			return
		}
		if TCPMinHeader+len(h.Options())+len(h.Payload()) != len(h) {
			t.Fatalf("lengths of %x", h)
		}
		_, _ = h.ChecksumOK(src4, dst4), h.Flags().String()
		again := make([]byte, TCPMinHeader)
		PutTCP(again, &TCPFields{
			SrcPort: h.SrcPort(), DstPort: h.DstPort(), Seq: h.Seq(), Ack: h.Ack(), Flags: h.Flags(), Window: h.Window(), Urgent: h.Urgent(),
		})
		TCP(again).SetChecksum(h.Checksum())
		again[12] = again[12]&0x0f | h[12]&0xfe // the data offset and the reserved bits
		if !bytes.Equal(again, h[:TCPMinHeader]) {
			t.Fatalf("round trip\n%x\n%x", h[:TCPMinHeader], again)
		}
		h.UpdateChecksum(src6, dst6)
		if !h.ChecksumOK(src6, dst6) {
			t.Fatal("checksum")
		}
	})
}

func FuzzTCPOptions(f *testing.F) {
	f.Add([]byte{2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7})
	f.Add([]byte{1, 1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 28, 4, 0, 9, 254, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		var o, again TCPOptions
		_ = ParseTCPOptions(b, &o)
		var buf [TCPMaxOptions]byte
		n := PutTCPOptions(buf[:], &o)
		if n != o.Len() || n%4 != 0 || n > TCPMaxOptions {
			t.Fatalf("%+v: wrote %d octets, Len %d", o, n, o.Len())
		}
		if err := ParseTCPOptions(buf[:n], &again); err != nil {
			t.Fatalf("%+v written as %x: %v", o, buf[:n], err)
		}
		// Blocks that did not fit are left off; all else comes back.
		for k := again.NumSACK; k < len(o.SACK); k++ {
			o.SACK[k] = SACKBlock{}
		}
		if o.NumSACK = again.NumSACK; o != again {
			t.Fatalf("round trip\n%+v\n%+v", o, again)
		}
	})
}

func FuzzUDP(f *testing.F) {
	f.Add([]byte{0, 53, 0, 99, 0, 10, 0, 0, 1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		b = bytes.Clone(b) // what fails is written down from b, which is not to be changed
		h, err := ParseUDP(b)
		if err != nil {
			return
		}
		again := make([]byte, len(h))
		n := PutUDP(again, h.SrcPort(), h.DstPort(), len(h.Payload()))
		copy(again[n:], h.Payload())
		UDP(again).SetChecksum(h.Checksum())
		if !bytes.Equal(again, h) || h.Length() != len(h) {
			t.Fatalf("round trip\n%x\n%x", h, again)
		}
		h.UpdateChecksum(src6, dst6)
		if h.Checksum() == 0 || !h.ChecksumOK(src6, dst6) {
			t.Fatal("checksum")
		}
	})
}

func FuzzICMP(f *testing.F) {
	f.Add([]byte{8, 0, 0, 0, 0, 1, 0, 2, 3})
	f.Add(append([]byte{3, 4, 0, 0, 0, 0, 5, 0}, segment4(nil, "")...))
	f.Fuzz(func(t *testing.T, b []byte) {
		b = bytes.Clone(b) // what fails is written down from b, which is not to be changed
		h4, err := ParseICMPv4(b)
		h6, err6 := ParseICMPv6(b)
		if (err == nil) != (err6 == nil) {
			t.Fatal(err, err6)
		}
		if err != nil {
			return
		}
		again := make([]byte, ICMPHeader)
		PutICMP(again, h4.Type(), h4.Code(), h4.Rest())
		ICMPv4(again).SetChecksum(h6.Checksum())
		if !bytes.Equal(again, b[:ICMPHeader]) || len(h4.Body()) != len(b)-ICMPHeader || !bytes.Equal(h4.Body(), h6.Body()) {
			t.Fatalf("round trip\n%x\n%x", b[:ICMPHeader], again)
		}
		if h4.MTU() < 0 || h6.MTU() < 0 || h4.Pointer() < 0 || h6.Pointer() < 0 || !h4.Gateway().Is4() {
			t.Fatalf("fields of %x", b)
		}
		if h6.UpdateChecksum(src6, dst6); !h6.ChecksumOK(src6, dst6) {
			t.Fatal("ICMPv6 checksum")
		}
		if h4.UpdateChecksum(); !h4.ChecksumOK() {
			t.Fatal("ICMP checksum")
		}
	})
}

func FuzzEthernet(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x81, 0, 0, 1, 8, 0, 1})
	f.Add(append([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 0}, segment4(nil, "")...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got := DescribeFrame(b); got == "" || len(got) > maxDescription {
			t.Fatalf("description of %d octets", len(got))
		}
		h, err := ParseEthernet(b)
		if err != nil {
			return
		}
		if h.HeaderLen()+len(h.Payload()) != len(b) {
			t.Fatalf("lengths of %x", b)
		}
		if _, tagged := h.VLAN(); tagged != (h.HeaderLen() > EthernetHeader) {
			t.Fatalf("tags of %x", b)
		} else if tagged {
			return
		}
		again := make([]byte, EthernetHeader)
		PutEthernet(again, h.Dst(), h.Src(), h.EtherType())
		if !bytes.Equal(again, b[:EthernetHeader]) {
			t.Fatalf("round trip\n%x\n%x", b, again)
		}
	})
}

func FuzzARP(f *testing.F) {
	b := make([]byte, ARPLen)
	PutARP(b, &ARPFields{Op: ARPRequest, SenderMAC: macA, SenderIP: src4, TargetIP: dst4})
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseARP(b)
		if err != nil {
			return
		}
		again := make([]byte, ARPLen)
		PutARP(again, &ARPFields{Op: h.Op(), SenderMAC: h.SenderMAC(), SenderIP: h.SenderIP(), TargetMAC: h.TargetMAC(), TargetIP: h.TargetIP()})
		if !bytes.Equal(again, h) {
			t.Fatalf("round trip\n%x\n%x", h, again)
		}
	})
}

func FuzzNDP(f *testing.F) {
	for typ := byte(ICMPv6RouterSolicit); typ <= ICMPv6Redirect; typ++ {
		b := make([]byte, RedirectLen+48)
		b[0] = typ
		PutPrefixInfo(b[len(b)-48:], &PrefixInfo{})
		PutNDPMTU(b[len(b)-16:], 1500)
		PutLinkAddr(b[len(b)-8:], NDPOptionSourceLinkAddr, macA)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := ParseNeighborSolicit(b); err == nil {
			again := make([]byte, NeighborSolicitLen)
			PutNeighborSolicit(again, m.Target())
			if !bytes.Equal(again[8:], m[8:NeighborSolicitLen]) {
				t.Fatalf("round trip\n%x\n%x", m, again)
			}
			walkNDP(t, m.Options(), len(m)-NeighborSolicitLen)
		}
		if m, err := ParseNeighborAdvert(b); err == nil {
			again := make([]byte, NeighborAdvertLen)
			PutNeighborAdvert(again, &NeighborAdvertFields{m.Router(), m.Solicited(), m.Override(), m.Target()})
			if again[4] != m[4]&0xe0 || !bytes.Equal(again[8:], m[8:NeighborAdvertLen]) {
				t.Fatalf("round trip\n%x\n%x", m, again)
			}
			walkNDP(t, m.Options(), len(m)-NeighborAdvertLen)
		}
		if m, err := ParseRouterSolicit(b); err == nil {
			walkNDP(t, m.Options(), len(m)-RouterSolicitLen)
		}
		if m, err := ParseRouterAdvert(b); err == nil {
			again := make([]byte, RouterAdvertLen)
			PutRouterAdvert(again, &RouterAdvertFields{m.HopLimit(), m.Managed(), m.OtherConfig(), m.Lifetime(), m.ReachableTime(), m.RetransTimer()})
			if again[4] != m[4] || again[5] != m[5]&0xc0 || !bytes.Equal(again[6:], m[6:RouterAdvertLen]) {
				t.Fatalf("round trip\n%x\n%x", m, again)
			}
			walkNDP(t, m.Options(), len(m)-RouterAdvertLen)
		}
		if m, err := ParseRedirect(b); err == nil {
			walkNDP(t, m.Options(), len(m)-RedirectLen)
		}
	})
}

// walkNDP: the options of a checked message fill it to its end, and none panics.
func walkNDP(t *testing.T, w NDPOptions, n int) {
	for o, ok := w.Next(); ok; o, ok = w.Next() {
		n -= len(o)
		_, _ = o.MTU()
		_, _ = o.LinkAddr()
		if len(o.Data()) != len(o)-2 {
			t.Fatal("data")
		}
		if p, ok := o.PrefixInfo(); ok && !p.Prefix.IsValid() {
			t.Fatalf("prefix %v of %x", p, o)
		}
		if _, n, ok := o.RDNSS(); ok {
			for i := range n {
				_ = o.DNSServer(i)
			}
		}
	}
	if n != 0 {
		t.Fatalf("%d octets of options left", n)
	}
}

func FuzzDescribe(f *testing.F) {
	seeds(f)
	icmp := make([]byte, 8)
	PutICMP(icmp, ICMPv4TimeExceeded, 0, 0)
	f.Add(packet4(ProtoICMP, nil, append(icmp, segment4(nil, "x")...)))
	f.Add(packet6(ProtoICMPv6, []byte{2, 0, 0, 0, 0, 0, 5, 0}, packet6(ProtoUDP, make([]byte, 8))))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got := Describe(b); got == "" || len(got) > maxDescription {
			t.Fatalf("description of %d octets", len(got))
		}
	})
}

func FuzzSum(f *testing.F) {
	f.Add([]byte("some octets"), uint16(1), uint8(3))
	f.Add(bytes.Repeat([]byte{0xff}, 1<<17+2), uint16(2), uint8(3)) // 32 bits run over
	f.Fuzz(func(t *testing.T, b []byte, initial uint16, cut uint8) {
		want := naiveSum(b, initial)
		if got := Sum(b, initial); got != want {
			t.Fatalf("Sum(%x, %#04x) = %#04x, want %#04x", b, initial, got, want)
		}
		n := min(int(cut), len(b))
		sum, odd := SumAt(b[:n], initial, false)
		if sum, _ = SumAt(b[n:], sum, odd); sum != want {
			t.Fatalf("in two pieces %#04x, want %#04x", sum, want)
		}
	})
}
