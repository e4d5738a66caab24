package tun

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"
)

const (
	tcpSYN, tcpACK = 2, 16

	tcp4Segments, tcp6Segments = 1, 4 // VIRTIO_NET_HDR_GSO_TCPV4, TCPV6
)

// sink is as little of TCP as takes a connection and what the kernel sends on it, in order.
type sink struct {
	d          *Device
	next       uint32
	got        []byte
	largest    int
	superGSO   byte
	superMSS   int
	unfinished int // frames whose checksum was left to us
}

// take handles a frame, and acknowledges it.
func (s *sink) take(t *testing.T, frame []byte) {
	p := frame[vnetLen:]
	ipLen, proto := 20, p[9]
	if p[0]>>4 == 6 {
		ipLen, proto = 40, p[6]
	}
	if proto != 6 {
		return
	}
	tcp := p[ipLen:]
	payload := tcp[int(tcp[12]>>4)*4:]
	seq := binary.BigEndian.Uint32(tcp[4:])
	switch {
	case tcp[13]&tcpSYN != 0:
		s.next = seq + 1
		s.reply(t, p, tcp, ipLen, tcpSYN|tcpACK, []byte{2, 4, 1460 >> 8, 1460 & 0xff, 1, 3, 3, 7})
		return
	case seq != s.next || len(payload) == 0:
		return
	}
	s.got = append(s.got, payload...)
	s.next += uint32(len(payload))
	if len(p) > s.largest {
		s.largest, s.superGSO, s.superMSS = len(p), frame[1], int(binary.LittleEndian.Uint16(frame[4:]))
	}
	if frame[0]&needsCsum != 0 {
		s.unfinished++
	} else if got := sum(addresses(p), tcp, []byte{0, 6, byte(len(tcp) >> 8), byte(len(tcp))}); got != 0xffff {
		t.Errorf("checksum of a plain segment sums up to %#x", got)
	}
	s.reply(t, p, tcp, ipLen, tcpACK, nil)
}

// addresses returns both addresses of a packet.
func addresses(p []byte) []byte {
	if p[0]>>4 == 6 {
		return p[8:40]
	}
	return p[12:20]
}

// reply sends a segment back to where p came from.
func (s *sink) reply(t *testing.T, p, tcp []byte, ipLen int, flags byte, options []byte) {
	f := make([]byte, vnetLen+ipLen+20+len(options))
	r := f[vnetLen:]
	copy(r, p[:ipLen])
	seg := r[ipLen:]
	if ipLen == 20 {
		swap(r[12:16], r[16:20])
		binary.BigEndian.PutUint16(r[2:], uint16(len(r)))
		clear(r[10:12])
		binary.BigEndian.PutUint16(r[10:], ^sum(r[:20]))
	} else {
		swap(r[8:24], r[24:40])
		binary.BigEndian.PutUint16(r[4:], uint16(len(seg)))
	}
	copy(seg[0:2], tcp[2:4])
	copy(seg[2:4], tcp[0:2])
	iss := uint32(1000)
	if flags&tcpSYN == 0 {
		iss++
	}
	binary.BigEndian.PutUint32(seg[4:], iss)
	binary.BigEndian.PutUint32(seg[8:], s.next)
	seg[12] = byte((20+len(options))/4) << 4
	seg[13] = flags
	binary.BigEndian.PutUint16(seg[14:], 65535)
	copy(seg[20:], options)
	pseudo := sum(addresses(r), []byte{0, 6, byte(len(seg) >> 8), byte(len(seg))})
	if s.d.vnet { // the kernel is to finish it
		f[0] = needsCsum
		binary.LittleEndian.PutUint16(f[6:], uint16(ipLen))
		binary.LittleEndian.PutUint16(f[8:], 16)
		binary.BigEndian.PutUint16(seg[16:], pseudo)
	} else {
		binary.BigEndian.PutUint16(seg[16:], ^sum(seg, []byte{byte(pseudo >> 8), byte(pseudo)}))
	}
	if _, err := s.d.WriteFrames(0, [][]byte{f}); err != nil {
		t.Error(err)
	}
}

// The kernel's TCP hands over super-segments with unfinished checksums and takes segments
// with unfinished checksums where there are offloads; where there are none it gives whole
// packets of the MTU, each with a checksum that holds.
func TestSuperSegmentsFlowOnlyWithOffloads(t *testing.T) {
	for _, dst := range []netip.Addr{weir4, weir6} {
		eachBackend(t, func(t *testing.T, cfg Config) {
			d := mustOpenUp(t, cfg)
			want := make([]byte, 1<<20)
			for i := range want {
				want[i] = byte(i ^ i>>8 ^ i>>16)
			}
			s := &sink{d: d}
			taken := make(chan struct{})
			frames := make(chan []byte, 64)
			for q := range d.Queues() {
				go func() {
					bufs, sizes := buffers(1)
					for {
						copy(bufs[0], "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff") // what a frame before has left
						if _, err := d.ReadFrames(q, bufs, sizes); err != nil {
							return
						}
						frames <- bytes.Clone(bufs[0][:sizes[0]])
					}
				}()
			}
			go func() {
				defer close(taken)
				timeout := time.After(time.Minute)
				for len(s.got) < len(want) {
					select {
					case f := <-frames:
						s.take(t, f)
					case <-timeout:
						t.Errorf("%d octets of %d came", len(s.got), len(want))
						return
					}
				}
			}()
			c, err := net.DialTimeout("tcp", netip.AddrPortFrom(dst, 9).String(), 30*time.Second)
			must(t, err)
			defer c.Close()
			if _, err := c.Write(want); err != nil {
				t.Fatal(err)
			}
			<-taken
			if !bytes.Equal(s.got, want) {
				t.Error("what came is not what was sent")
			}
			t.Logf("largest packet %d, gso %d, segments of %d, %d unfinished checksums", s.largest, s.superGSO, s.superMSS, s.unfinished)
			gso, mss := byte(tcp4Segments), 1460
			if dst.Is6() {
				gso, mss = tcp6Segments, 1440
			}
			switch {
			case d.vnet && (s.largest < 8000 || s.superGSO != gso || s.superMSS != mss || s.unfinished == 0):
				t.Error("no super-segment with an unfinished checksum")
			case !d.vnet && (s.largest != 1500 || s.superGSO != 0 || s.superMSS != 0 || s.unfinished != 0):
				t.Error("a plain device gave something other than plain packets")
			}
		})
	}
}
