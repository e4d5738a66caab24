package shard

import (
	"bytes"
	"net/netip"
	"slices"
	"syscall"
	"testing"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/link/gso"
)

// packetsOf returns a batch of datagrams to one peer.
func packetsOf(peer string, texts ...string) (ps []Packet) {
	for _, s := range texts {
		ps = append(ps, Packet{Buf: []byte(s), N: len(s), Peer: ap(peer)})
	}
	return ps
}

func TestBatchLeavesInOrder(t *testing.T) {
	for _, c := range []struct {
		name     string
		features uint64
		ps       []Packet
		want     []string
		frames   int
	}{
		{"one size", uso, packetsOf("192.0.2.9:1", "aa", "bb", "c"), []string{"1:aa", "1:bb", "1:c"}, 1},
		{"no device to cut", 0, packetsOf("192.0.2.9:1", "aa", "bb", "c"), []string{"1:aa", "1:bb", "1:c"}, 3},
		{"peers by turns", uso, slices.Concat(packetsOf("192.0.2.9:1", "aa"), packetsOf("192.0.2.9:2", "bb"), packetsOf("192.0.2.9:1", "cc", "dd")),
			[]string{"1:aa", "2:bb", "1:cc", "1:dd"}, 3},
		{"a train", uso, []Packet{{Buf: []byte("aabbc"), N: 5, Size: 2, Peer: ap("192.0.2.9:1")}}, []string{"1:aa", "1:bb", "1:c"}, 1},
		{"a train, no device to cut", offloads, []Packet{{Buf: []byte("aabbc"), N: 5, Size: 2, Peer: ap("192.0.2.9:1")}}, []string{"1:aa", "1:bb", "1:c"}, 3},
		{"a train, no offloads", 0, []Packet{{Buf: []byte("aabbc"), N: 5, Size: 2, Peer: ap("192.0.2.9:1")}}, []string{"1:aa", "1:bb", "1:c"}, 3},
		{"a train of one", uso, []Packet{{Buf: []byte("aa"), N: 2, Size: 2, Peer: ap("192.0.2.9:1")}}, []string{"1:aa"}, 1},
		{"empty ones", uso, packetsOf("192.0.2.9:1", "", "", "a"), []string{"1:", "1:", "1:a"}, 3},
	} {
		w := newWorld(t, Config{})
		w.ifcs[0].features = c.features
		u, err := w.ListenUDP(ap("[::]:7"), true)
		must(t, err)
		if n, err := u.SendBatch(c.ps); n != len(c.ps) || err != nil {
			t.Errorf("%s: sent %d, %v", c.name, n, err)
		}
		if list, frames := w.answers(0); frames != c.frames || !slices.Equal(list, c.want) {
			t.Errorf("%s: %q in %d frames, want %q in %d", c.name, list, frames, c.want, c.frames)
		}
		w.counted("udp.out", uint64(len(c.want)))
		u.Close()
		w.nothingHeld()
	}
}

// A full device takes what it takes: the rest can be sent later, none twice and none lost.
func TestBatchStopsAtAFullDevice(t *testing.T) {
	for _, features := range []uint64{0, uso} {
		w := newWorld(t, Config{})
		w.ifcs[0].features = features
		u, err := w.ListenUDP(ap("[::]:7"), true)
		must(t, err)
		told := 0
		u.OnEvent(func() { told++ })
		w.cables[0].makeRoom(2)
		ps := slices.Concat(packetsOf("192.0.2.9:1", "aa", "bb", "ccc"), packetsOf("192.0.2.9:2", "dd", "ee"))
		n, err := u.SendBatch(ps)
		if want := map[bool]int{true: 3, false: 2}[features != 0]; n != want || err != nil {
			t.Errorf("sent %d, %v, want %d", n, err, want)
		}
		if k, err := u.SendBatch(ps[n:]); k != 0 || err != syscall.EAGAIN {
			t.Errorf("sent %d, %v, want EAGAIN", k, err)
		}
		w.cables[0].makeRoom(-1)
		w.settle()
		if told == 0 {
			t.Error("nobody was told of the room")
		}
		if k, err := u.SendBatch(ps[n:]); k != len(ps)-n || err != nil {
			t.Errorf("sent %d, %v", k, err)
		}
		if list, _ := w.answers(0); !slices.Equal(list, []string{"1:aa", "1:bb", "1:ccc", "2:dd", "2:ee"}) {
			t.Errorf("%q", list)
		}
	}
}

// The error of a datagram is that of a call in which it is the first.
func TestBatchErrors(t *testing.T) {
	w := newWorld(t, Config{})
	w.ifcs[0].features = uso
	u, err := w.ListenUDP(ap("[::]:7"), true)
	must(t, err)
	ok := packetsOf("192.0.2.9:1", "aa")[0]
	big := Packet{Buf: text(70000), N: 65508, Peer: ok.Peer}
	for _, c := range []struct {
		p    Packet
		want error
	}{
		{big, syscall.EMSGSIZE}, {Packet{Peer: ap("192.0.2.9:0")}, syscall.EINVAL}, {Packet{}, syscall.EDESTADDRREQ},
		{Packet{Peer: ap("203.0.113.1:1")}, syscall.ENETUNREACH},
		{Packet{Buf: text(65 * 10), N: 650, Size: 10, Peer: ok.Peer}, syscall.EMSGSIZE},
		{Packet{Buf: text(3000), N: 3000, Size: 1473, Peer: ok.Peer}, syscall.EMSGSIZE},
		{Packet{Buf: text(65535), N: 65500, Size: 1400, Peer: ok.Peer}, syscall.EMSGSIZE},
	} {
		if n, err := u.SendBatch([]Packet{ok, c.p, ok}); n != 1 || err != nil {
			t.Errorf("%v: sent %d, %v, want one", c.want, n, err)
		}
		if n, err := u.SendBatch([]Packet{c.p, ok}); n != 0 || err != c.want {
			t.Errorf("sent %d, %v, want %v", n, err, c.want)
		}
		if list, _ := w.answers(0); !slices.Equal(list, []string{"1:aa"}) {
			t.Errorf("%v: %q", c.want, list)
		}
	}
	// What does not fit one packet leaves in fragments, in its turn.
	n, err := u.SendBatch([]Packet{ok, {Buf: text(3000), N: 3000, Peer: ok.Peer}, ok})
	if list := w.sent(0); n != 3 || err != nil || len(list) != 5 || list[1].offset != 0 || !list[1].more || list[3].more || list[3].offset == 0 {
		t.Errorf("sent %d, %v: %v", n, err, list)
	}
	u.Configure(func(o *DatagramOptions) { o.NoChecksum = true })
	if n, err := u.SendBatch([]Packet{{Buf: text(20), N: 20, Size: 10, Peer: ok.Peer}}); n != 0 || err != syscall.EINVAL {
		t.Errorf("sent %d without a checksum, %v", n, err)
	}
	u.Close()
	w.nothingHeld()
}

// A super-segment is one Packet where that was asked for and there is room, and else several.
func TestReceiveBatchOfTrains(t *testing.T) {
	for _, whole := range []bool{true, false} {
		for _, size := range []int{300, 4000} { // copied, and kept in its block
			w := newWorld(t, Config{})
			u, err := w.ListenUDP(ap("192.0.2.1:7"), false)
			must(t, err)
			r := round{h: w.Host, ifc: w.ifcs[0], block: w.pool.Get(link.FrameSize)}
			f := link.Frame{Buf: r.block.B, Off: link.Headroom, Offload: link.Offload{UDP: true, SegmentSize: uint16(size), Checksum: link.ChecksumVerified}}
			sent := text(9*size + 1)
			f.End = f.Off + copy(f.Buf[f.Off:], udpPacket(ap("192.0.2.9:9"), ap("192.0.2.1:7"), sent))
			r.input(&f)
			r.flush()
			if kept := r.block == nil; kept != (size == 4000) {
				t.Errorf("size %d: the block was kept: %v", size, kept)
			} else if !kept {
				r.block.Release()
			}
			ps := []Packet{{Buf: make([]byte, size-1)}, {Buf: make([]byte, 65535)}, {Buf: make([]byte, 65535)}}
			u.mu.Lock()
			if u.queue.Len() != 10 {
				t.Errorf("%d datagrams wait, want 10", u.queue.Len())
			}
			n := u.ReceiveBatch(ps, whole)
			u.mu.Unlock()
			if !ps[0].Truncated || ps[0].Size != 0 || !bytes.Equal(ps[0].Buf, sent[:size-1]) || ps[1].Peer != ap("192.0.2.9:9") || ps[1].Local != addr("192.0.2.1") {
				t.Errorf("%+v", ps)
			}
			switch {
			case whole && (n != 2 || ps[1].Size != size || !bytes.Equal(ps[1].Buf[:ps[1].N], sent[size:])):
				t.Errorf("%d, then %d octets of %d", n, ps[1].N, ps[1].Size)
			case !whole && (n != 3 || ps[1].Size != 0 || !bytes.Equal(ps[1].Buf[:ps[1].N], sent[size:2*size])):
				t.Errorf("%d, then %d octets of %d", n, ps[1].N, ps[1].Size)
			}
			u.Close()
			w.nothingHeld()
		}
	}
}

// FuzzUSO has super-segments, true ones and others, arrive at sockets and handlers of every kind.
func FuzzUSO(f *testing.F) {
	for _, ends := range [][2]string{{"192.0.2.9:999", "192.0.2.1:7"}, {"[2001:db8::9]:999", "[2001:db8::1]:8"}, {"192.0.2.9:999", "192.0.2.1:9"}} {
		for _, size := range []uint16{1, 7, 100, 65535} {
			f.Add(udpPacket(ap(ends[0]), ap(ends[1]), text(500)), size, true, uint16(8), uint8(2))
		}
	}
	f.Add(tcpPacket(ap("192.0.2.9:999"), ap("192.0.2.1:7"), fieldsOf(syn), nil), uint16(1), true, uint16(0), uint8(1))
	f.Fuzz(func(t *testing.T, packet []byte, size uint16, isUDP bool, reply uint16, sum uint8) {
		if len(packet) == 0 || len(packet) > link.MaxPacket {
			return
		}
		w := newWorld(t, Config{})
		w.ifcs[0].features = uso
		w.handle(7, packetFunc(echoPackets))
		w.handle(8, trainFunc{packetFunc(echoPackets), func(c *PacketCall, p []byte, size int) {
			c.ReplyTrain(p, size)
			c.ReplyTrain(p, int(reply))
			c.Reply(p[:min(len(p), int(reply))])
		}})
		u, err := w.ListenUDP(netip.MustParseAddrPort("[::]:9"), true)
		must(t, err)
		r := round{h: w.Host, ifc: w.ifcs[0], block: w.pool.Get(link.FrameSize)}
		in := link.Frame{Buf: r.block.B, Off: link.Headroom, Offload: link.Offload{UDP: isUDP, SegmentSize: size, Checksum: link.Checksum(sum % 3)}}
		in.End = in.Off + copy(in.Buf[in.Off:], packet)
		r.input(&in)
		r.flush()
		if r.block != nil {
			r.block.Release()
		}
		w.settle()
		for n := range w.cables {
			for _, b := range w.cables[n].out { // each is what a device takes
				var out link.Frame
				must(t, out.SetWire(b))
				if out.UDP && out.SegmentSize > 0 && (gso.Segments(&out) > maxTrain || gso.Segments(&out) < 2) {
					t.Errorf("a super-segment of %d", gso.Segments(&out))
				}
			}
		}
		u.Close()
		for _, held := range []string{"held.blocks", "held.frames", "held.octets"} {
			if w.reassembly.inUse() == 0 && w.conns.len() == 0 {
				w.counted(held, 0)
			}
		}
	})
}
