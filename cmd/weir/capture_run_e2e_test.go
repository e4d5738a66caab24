package main_test

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/weirnet/weir/stack/link/pcapng"
	"github.com/weirnet/weir/stack/wire"
)

// TestTsharkFindsNoFaultInACapture runs the programs of the system against a weir up that
// captures, with a cable pulled and a peer killed in the middle of it.
func TestTsharkFindsNoFaultInACapture(t *testing.T) {
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "weir.pcapng")
			u := newLab(t).up(append(m.flags(), "--pcap", file)...)
			for _, f := range families {
				pings(u.lab, f.flag, f.weir)
				netcats(u.lab, f.weir)
				closedPorts(u.lab, f.weir)
				nmap(u.lab, f.flag, f.weir)
				transfers(t, u.dial, net.JoinHostPort(f.weir, "7"), 5, 1<<20)
			}
			u.cable("weir0", false)
			u.cable("weir0", true)
			u.in(t).ok("hello", "nc", "-N", "-w", "20", weir4, "7")
			u.stop(syscall.SIGTERM)
			checkCapture(t, file, faulty,
				"icmp.type == 0", "icmpv6.type == 129", // echo replies
				"icmp.type == 3 && icmp.code == 3", "icmpv6.type == 1 && icmpv6.code == 4", // port unreachable
				"ip.flags.mf == 1 && "+outbound, "ipv6.fraghdr && "+outbound,
				"tcp.flags.reset == 1 && ip", "tcp.flags.reset == 1 && ipv6",
				"udp && ip", "udp && ipv6", "tcp.len > 1000 && ip", "tcp.len > 1000 && ipv6")
		})
	}
}

// TestTsharkFindsAWrongChecksum holds that the check of captures is one: a packet that weir would
// have sent with a checksum that is off by one is found.
func TestTsharkFindsAWrongChecksum(t *testing.T) {
	for _, off := range []uint8{0, 1} {
		file := filepath.Join(t.TempDir(), "wrong.pcapng")
		out, err := os.Create(file)
		must(t, err)
		w := pcapng.NewWriter(out, pcapng.Options{})
		p := make([]byte, 40)
		src, dst := netip.MustParseAddr(weir4), netip.MustParseAddr(host4)
		wire.PutIPv4(p, &wire.IPv4Fields{TTL: 64, Protocol: wire.ProtoTCP, Src: src, Dst: dst, PayloadLen: 20})
		segment := wire.TCP(p[20:])
		wire.PutTCP(segment, &wire.TCPFields{SrcPort: 7, DstPort: 7100, Flags: wire.FlagSYN, Options: &wire.TCPOptions{}})
		segment.UpdateChecksum(src, dst)
		segment[17] += off
		must(t, w.WritePacket(pcapng.Packet{Interface: w.AddInterface("weir0", pcapng.LinkRaw), Direction: pcapng.DirectionOut}, p))
		must(t, w.Close())
		must(t, out.Close())
		if found := tshark(t, file, "-Y", faulty); (found != "") != (off != 0) {
			t.Errorf("with a checksum off by %d tshark finds %q", off, found)
		}
	}
}
