package script

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/weirnet/weir/stack/script/ast"
	"github.com/weirnet/weir/stack/script/parse"
	"github.com/weirnet/weir/stack/wire"
)

// What is encoded decodes to the same, over both families, and with right checksums.
func TestPacketsAreEncodedAsTheyAreDecoded(t *testing.T) {
	ends := [][2]netip.AddrPort{
		{netip.MustParseAddrPort("192.0.2.1:8080"), netip.MustParseAddrPort("192.168.0.1:40000")},
		{netip.MustParseAddrPort("[2001:db8::1]:8080"), netip.MustParseAddrPort("[fd3d:fa7b:d17d::1]:40000")},
	}
	for _, line := range []string{
		"> S 5:5(0) win 1000 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>",
		"> [ce] FP.UEW 7:1007(1000) ack 9 win 65535 urg 3 <nop,nop,sack 1:2 3:4>",
		"> R 0:0(0) win 0",
		"> udp (1000)",
		"> icmp unreachable port_unreachable",
	} {
		s, err := parse.File("x", []byte("0 "+line+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range ends {
			p, err := fromScript(s.Events[0].Packet, e[0], e[1])
			if err != nil {
				t.Fatal(err)
			}
			b := p.encode()
			q, err := decode(Captured{Packet: b})
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if got := q.text(ast.Out); got != line {
				t.Errorf("%s came back as %s", line, got)
			}
			if !bytes.Equal(q.encode(), b) {
				t.Errorf("%s is encoded in two ways", line)
			}
			checkSums(t, line, b)
		}
	}
}

func checkSums(t *testing.T, line string, b []byte) {
	t.Helper()
	p, _ := decode(Captured{Packet: b})
	at := 20
	if p.is6() {
		at = 40
	} else if !wire.IPv4(b).ChecksumOK() {
		t.Errorf("%s: IPv4 checksum", line)
	}
	ok := true
	switch p.protocol {
	case wire.ProtoTCP:
		v, _ := wire.ParseTCP(b[at:])
		ok = v.ChecksumOK(p.src.Addr(), p.dst.Addr())
	case wire.ProtoUDP:
		ok = wire.Sum(b[at:], wire.PseudoHeaderSum(wire.ProtoUDP, p.src.Addr(), p.dst.Addr(), len(b)-at)) == 0xffff
	case wire.ProtoICMP:
		ok = wire.ICMPv4(b[at:]).ChecksumOK()
	case wire.ProtoICMPv6:
		ok = wire.ICMPv6(b[at:]).ChecksumOK(p.src.Addr(), p.dst.Addr())
	}
	if !ok {
		t.Errorf("%s: transport checksum", line)
	}
}

func TestCutAndJoinAreInverse(t *testing.T) {
	p := &packet{protocol: wire.ProtoTCP, seq: 100, flags: wire.FlagACK | wire.FlagPSH | wire.FlagFIN | wire.FlagCWR, payload: make([]byte, 2500), seg: 1000}
	list := p.cut()
	want := []wire.TCPFlags{wire.FlagACK | wire.FlagCWR, wire.FlagACK, wire.FlagACK | wire.FlagPSH | wire.FlagFIN}
	if len(list) != 3 || list[2].seq != 2100 || len(list[2].payload) != 500 {
		t.Fatalf("%d pieces", len(list))
	}
	for i, q := range list {
		if q.flags != want[i] {
			t.Errorf("piece %d has %v, want %v", i, q.flags, want[i])
		}
	}
	if j := join(list); j.seq != p.seq || j.flags != p.flags || len(j.payload) != 2500 {
		t.Errorf("joined: %v", j.text(ast.Out))
	}
}

func TestTruncatedPacketsAreErrors(t *testing.T) {
	p := &packet{src: netip.MustParseAddrPort("192.0.2.1:1"), dst: netip.MustParseAddrPort("192.0.2.2:2"), protocol: wire.ProtoTCP, ttl: 1}
	whole := p.encode()
	for n := range whole {
		if _, err := decode(Captured{Packet: whole[:n]}); err == nil {
			t.Errorf("%d of %d octets are a packet", n, len(whole))
		}
	}
}
