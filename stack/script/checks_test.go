package script

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/weirnet/weir/stack/wire"
)

// spoiler is weir with what it sends spoiled on the way.
type spoiler struct {
	Backend
	spoil func(packet []byte)
}

func (s spoiler) Sent() (Captured, bool) {
	c, ok := s.Backend.Sent()
	if ok {
		s.spoil(c.Packet)
	}
	return c, ok
}

// What no script writes down is looked at all the same.
func TestWhatEverySegmentMustBe(t *testing.T) {
	sum := func(p []byte) { wire.TCP(p[20:]).UpdateChecksum(wire.IPv4(p).Src(), wire.IPv4(p).Dst()) }
	src := "0 < S 5:5(0) win 1000 <mss 1000>\n+0 > R. 0:0(0) ack 1\n+0 < . 6:6(0) ack 9 win 100\n+0 > R 9:9(0)\n"
	for _, c := range []struct {
		name, want string
		spoil      func(p []byte)
	}{
		{"as it is", "", func([]byte) {}},
		{"the IP checksum", "the checksum of IPv4 is wrong", func(p []byte) { p[10]++ }},
		{"the TCP checksum", "the checksum of TCP is wrong", func(p []byte) { p[36]++ }},
		{"a reserved bit", "reserved bits 4, not 0", func(p []byte) { p[32] |= 8; sum(p) }},
		{"a number without ACK", "acknowledgment 77, not 0", func(p []byte) {
			if p[33]&16 == 0 {
				binary.BigEndian.PutUint32(p[28:], 77)
				sum(p)
			}
		}},
	} {
		o := Options{Backend: func(n Network) (Backend, error) {
			b, err := NewWeir(n)
			return spoiler{b, c.spoil}, err
		}}
		r := run(t, src, o)
		if c.want == "" && r.Outcome != Pass || c.want != "" && !strings.Contains(r.Reason, c.want) {
			t.Errorf("%s: want %q\n%v", c.name, c.want, r)
		}
	}
}

// Segments that make one packet have one IP header.
func TestPiecesOfOnePacketHaveOneTOS(t *testing.T) {
	sent := 0
	o := Options{Backend: func(n Network) (Backend, error) {
		b, err := NewWeir(n)
		return spoiler{b, func(p []byte) {
			if sent++; sent == 3 {
				p[1] = 2
				wire.IPv4(p).UpdateChecksum()
			}
		}}, err
	}}
	src := handshake + "+0 write(4, ..., 2000) = 2000\n+0 > P. 1:2001(2000) ack 1\n"
	if r := run(t, src, o); r.Outcome != Fail || !strings.Contains(r.Reason, "the IP headers differ") {
		t.Errorf("%v", r)
	}
	mustPass(t, src, Options{})
}
