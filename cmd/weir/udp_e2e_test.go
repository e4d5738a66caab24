package main_test

import (
	"bytes"
	numbers "encoding/binary"
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/weirnet/weir/tun"
)

// TestSuperSegmentsOfUDPGoBothWays has a socket of the kernel's send many datagrams at once (UDP_SEGMENT) to
// weir's echo, and takes the answers as they come (UDP_GRO) and one by one: none is wrong, lost or out of
// order, with offloads, where they cross as super-segments, and without.
func TestSuperSegmentsOfUDPGoBothWays(t *testing.T) {
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			l := newLab(t)
			u := l.up(m.flags()...)
			for _, f := range families {
				for _, merged := range []bool{true, false} {
					for _, c := range []struct{ octets, size int }{{30000, 1000}, {64 * 100, 100}, {60000, 1400}, {2001, 1000}, {500, 500}} {
						udpEchoed(l.in(t), net.JoinHostPort(f.weir, "7"), c.octets, c.size, merged)
					}
				}
			}
			var n map[string]uint64
			happens(func() bool { // a datagram is counted when it has been sent
				n = u.counters(t)
				return n["udp.in"] == n["udp.out"]
			})
			if in, frames := n["udp.in"], n["link.weir0.frames_in"]; m.offload == tun.OffloadOn && hasUSO(l.in(t)) && frames*5 > in {
				t.Errorf("%d datagrams came in %d frames", in, frames)
			} else if in != n["udp.out"] {
				t.Errorf("%d datagrams came and %d left", in, n["udp.out"])
			}
			u.stop(syscall.SIGTERM)
		})
	}
}

// hasUSO reports whether the kernel has USO for TUN devices.
func hasUSO(l *lab) (has bool) {
	l.do(func() error {
		d, err := tun.Open(tun.Config{Name: "probe%d", Offload: tun.OffloadOn})
		if err == nil {
			has = d.Features()>>54&7 == 7
			d.Close()
		}
		return nil
	})
	return has
}

// udpEchoed sends octets in datagrams of a size in one call to an echo and reads them back.
func udpEchoed(l *lab, addr string, octets, size int, merged bool) {
	l.t.Helper()
	conn := l.mustDial("udp", addr).(*net.UDPConn)
	defer conn.Close()
	must(l.t, conn.SetDeadline(time.Now().Add(patience)))
	raw, err := conn.SyscallConn()
	must(l.t, err)
	option := func(name, value int) {
		must(l.t, raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_UDP, name, value) }))
		must(l.t, err)
	}
	option(unix.UDP_SEGMENT, size)
	if merged {
		option(unix.UDP_GRO, 1)
	}
	sent := make([]byte, octets)
	for i := range sent {
		sent[i] = byte(i * 7 / 3)
	}
	if _, err := conn.Write(sent); err != nil {
		l.t.Fatal(err)
	}
	var got []byte
	buf, oob := make([]byte, 65535), make([]byte, 100)
	for len(got) < len(sent) {
		n, k, _, _, err := conn.ReadMsgUDP(buf, oob)
		if err != nil {
			l.t.Fatalf("%d octets of %d each: %d came: %v", octets, size, len(got), err)
		}
		each := segmentSize(oob[:k])
		if want := min(size, len(sent)-len(got)); each == 0 && n != want || each > 0 && each != size {
			l.t.Fatalf("%d octets of %d each: a datagram of %d, said to be of %d each", octets, size, n, each)
		}
		got = append(got, buf[:n]...)
	}
	if !bytes.Equal(got, sent) {
		l.t.Errorf("%d octets of %d each came back otherwise", octets, size)
	}
}

// segmentSize returns what UDP_GRO says of the datagrams in a message, or 0.
func segmentSize(oob []byte) int {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return 0
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_UDP && m.Header.Type == unix.UDP_GRO && len(m.Data) >= 4 {
			return int(numbers.NativeEndian.Uint32(m.Data))
		}
	}
	return 0
}
