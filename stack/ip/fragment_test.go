package ip

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/wire"
)

// cut returns the fragments of a packet, each in a slice of its own.
func cut(t testing.TB, b []byte, mtu int) [][]byte {
	t.Helper()
	var all [][]byte
	scratch := &link.Frame{Buf: make([]byte, link.Headroom+mtu)}
	err := Fragment(frame(b), mtu, 0xabcd1234, scratch, func(f *link.Frame) error {
		all = append(all, bytes.Clone(f.Packet()))
		return nil
	})
	if err != nil {
		t.Fatalf("Fragment of %d octets to %d: %v", len(b), mtu, err)
	}
	return all
}

// RFC 791 §3.2, RFC 8200 §4.5: whatever the size, the MTU and the order, what was cut
// comes together again, and every fragment but the last is full and a multiple of eight.
func TestFragmentsComeTogetherAgain(t *testing.T) {
	var pool mem.Pool
	r := NewReassembler(&pool, Limits{Fragments: 1 << 13})
	rng := rand.New(rand.NewPCG(1, 2))
	options := []byte{148, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0}
	for _, mtu := range []int{68, 69, 75, 88, 100, 296, 552, 576, 1006, 1280, 1281, 1500, 4352, 9000, 65535} {
		for _, n := range []int{1, 7, 8, 9, 1000, 1480, 1481, 8000, 60008, 65495} {
			packets := [][]byte{packet4(n, nil)}
			if n <= 65535-32 {
				packets = append(packets, packet4(n, func(f *wire.IPv4Fields) { f.Options = options }))
			}
			if mtu >= 100 {
				packets = append(packets, packet6(wire.ProtoUDP, octets(n), nil))
				packets = append(packets, packet6(wire.ProtoHopByHop, join(ext(wire.ProtoUDP), octets(n)), nil))
			}
			for i, b := range packets {
				frags := cut(t, b, mtu)
				checkFragments(t, b, mtu, frags)
				rng.Shuffle(len(frags), func(i, j int) { frags[i], frags[j] = frags[j], frags[i] })
				got := feed(t, r, frags)
				if !bytes.Equal(got, b) {
					t.Fatalf("mtu %d, %d octets, packet %d: %d fragments did not make the packet again", mtu, n, i, len(frags))
				}
			}
		}
	}
	if r.InUse() != 0 || r.Len() != 0 || pool.Outstanding() != 0 {
		t.Errorf("left over: %d octets, %d datagrams, %d blocks", r.InUse(), r.Len(), pool.Outstanding())
	}
}

// feed gives fragments to the reassembler, or a whole packet back at once, and
// returns what comes of the last.
func feed(t testing.TB, r *Reassembler, frags [][]byte) []byte {
	t.Helper()
	for i, b := range frags {
		p := mustParse(t, b)
		if !p.Fragment {
			return b
		}
		d, drop := r.Input(0, p)
		if drop != DropNone || (d != nil) != (i == len(frags)-1) {
			t.Fatalf("fragment %d of %d at %d: datagram %v, %v", i, len(frags), p.FragOffset, d != nil, drop)
		}
		if d != nil {
			whole := bytes.Clone(d.Packet())
			if d.Off != link.Headroom || d.Checksum != link.ChecksumInPacket {
				t.Fatalf("datagram at %d with checksum state %d", d.Off, d.Checksum)
			}
			d.Release()
			mustParse(t, whole)
			return whole
		}
	}
	return nil
}

func checkFragments(t *testing.T, b []byte, mtu int, frags [][]byte) {
	t.Helper()
	if len(b) <= mtu {
		if len(frags) != 1 || !bytes.Equal(frags[0], b) {
			t.Fatalf("a packet that fits was changed")
		}
		return
	}
	for i, f := range frags {
		p := mustParse(t, f)
		last := i == len(frags)-1
		if len(f) > mtu || p.MoreFragments == last || !last && (len(p.Payload)%8 != 0 || mtu-len(f) >= 8) {
			t.Fatalf("mtu %d: fragment %d of %d has %d octets, more %v", mtu, i, len(frags), len(f), p.MoreFragments)
		}
	}
}

// RFC 791 §3.1: only options with the copied flag are in fragments other than the first.
func TestOnlyCopiedOptionsAreInLaterFragments(t *testing.T) {
	b := packet4(100, func(f *wire.IPv4Fields) {
		f.Options = []byte{7, 7, 4, 0, 0, 0, 0, 1, 148, 4, 0, 0, 0x9e, 3, 5, 0}
	})
	frags := cut(t, b, 76)
	first, later := wire.IPv4(frags[0]), wire.IPv4(frags[1])
	if first.HeaderLen() != 36 || !bytes.Equal(first.Options(), wire.IPv4(b).Options()) {
		t.Errorf("first fragment has options %x", first.Options())
	}
	if want := []byte{148, 4, 0, 0, 0x9e, 3, 5, 0}; !bytes.Equal(later.Options(), want) {
		t.Errorf("later fragment has options %x, want %x", later.Options(), want)
	}
}

// RFC 791 §3.2: a router fragments a fragment again; the flag that more follow stays.
func TestFragmentIsFragmentedAgain(t *testing.T) {
	b := packet4(4000, nil)
	var again [][]byte
	for _, f := range cut(t, b, 1500) {
		again = append(again, cut(t, f, 576)...)
	}
	var pool mem.Pool
	if got := feed(t, NewReassembler(&pool, Limits{}), again); !bytes.Equal(got, b) {
		t.Error("not the same packet again")
	}
}

func TestFragmentRefuses(t *testing.T) {
	v6 := packet6(wire.ProtoUDP, octets(2000), nil)
	partial, segments := frame(v6), frame(v6)
	partial.Checksum = link.ChecksumPartial
	segments.SegmentSize = 500
	small := &link.Frame{Buf: make([]byte, link.Headroom+1000)}
	large := &link.Frame{Buf: make([]byte, link.FrameSize)}
	tests := []struct {
		name    string
		f       *link.Frame
		mtu     int
		scratch *link.Frame
		want    error
	}{
		{"DF (RFC 791 §3.1)", frame(packet4(2000, func(f *wire.IPv4Fields) { f.DontFragment = true })), 1500, large, ErrFragmentationNeeded},
		{"an IPv6 fragment (RFC 8200 §4.5)", frame(packet6(wire.ProtoFragment, join(fragHeader(17, 0, true, 1), octets(2000)), nil)), 1500, large, ErrFragmentationNeeded},
		{"a piece beyond every datagram", frame(piece4(65528, 2000, false, nil)), 1500, large, ErrTooLong},
		{"unfinished checksum", partial, 1500, large, ErrUnfinished},
		{"super-segment", segments, 1500, large, ErrUnfinished},
		{"MTU with no room", frame(packet4(2000, nil)), 27, large, ErrMTU},
		{"IPv6 MTU with no room", frame(v6), 55, large, ErrMTU},
		{"short buffer", frame(v6), 1500, small, ErrScratch},
		{"no packet", frame(make([]byte, 2000)), 1500, large, wire.ErrVersion},
	}
	for _, tt := range tests {
		err := Fragment(tt.f, tt.mtu, 1, tt.scratch, func(*link.Frame) error { return nil })
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	stop := errors.New("stop")
	n := 0
	if err := Fragment(frame(v6), 1280, 1, large, func(*link.Frame) error { n++; return stop }); err != stop || n != 1 {
		t.Errorf("after an error of emit: %v, %d calls", err, n)
	}
}

func TestFragmentAllocatesNothing(t *testing.T) {
	f, scratch := frame(packet4(8000, nil)), &link.Frame{Buf: make([]byte, link.FrameSize)}
	f6 := frame(packet6(wire.ProtoUDP, octets(8000), nil))
	emit := func(*link.Frame) error { return nil }
	if n := testing.AllocsPerRun(100, func() { Fragment(f, 1500, 1, scratch, emit); Fragment(f6, 1500, 1, scratch, emit) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
