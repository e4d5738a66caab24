package gso

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/link/internal/testpacket"
	"github.com/weirnet/weir/stack/wire"
)

func scratch() *link.Frame { return &link.Frame{Buf: make([]byte, link.FrameSize)} }

// cut returns copies of the packets that Cut makes.
func cut(t *testing.T, f *link.Frame) [][]byte {
	t.Helper()
	var out [][]byte
	before := bytes.Clone(f.Buf)
	err := Cut(f, scratch(), func(s *link.Frame) error {
		if s.Checksum == link.ChecksumPartial || s.SegmentSize != 0 {
			t.Errorf("segment still asks for offloads: %+v", s.Offload)
		}
		out = append(out, bytes.Clone(s.Packet()))
		clear(s.Packet()) // emit may do as it likes with it
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if f.SegmentSize != 0 && !bytes.Equal(before, f.Buf) {
		t.Error("Cut changed the frame that it cut")
	}
	return out
}

func random(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// TestPiecesJoinToWhatWasCut is the property that Cut promises, over random packets.
func TestPiecesJoinToWhatWasCut(t *testing.T) {
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 1))
		spec := testpacket.Spec{
			V6: rng.IntN(2) == 0, UDP: rng.IntN(3) == 0, Extensions: rng.IntN(3) == 0,
			Payload:     random(rng, rng.IntN(20000)),
			SegmentSize: 1 + rng.IntN(3000),
			Checksum:    link.Checksum(rng.IntN(3)),
			ID:          uint16(rng.Uint32()), Seq: rng.Uint32(), Flags: wire.FlagACK,
		}
		if !spec.UDP && rng.IntN(2) == 0 {
			spec.Options = &wire.TCPOptions{HasTimestamps: true, TSVal: 1, TSEcr: 2}
		}
		f := testpacket.New(spec)
		f.HeaderLen = uint16(rng.Uint32()) // must not be trusted
		if rng.IntN(4) == 0 && spec.Checksum != link.ChecksumPartial {
			f.End += rng.IntN(10) // link padding
		}
		checkPieces(t, fmt.Sprintf("seed %d", seed), spec, f)
	}
}

func checkPieces(t *testing.T, name string, spec testpacket.Spec, f *link.Frame) {
	t.Helper()
	pieces := cut(t, f)
	if n := Segments(f); n != len(pieces) {
		t.Errorf("%s: Segments = %d, Cut made %d", name, n, len(pieces))
	}
	var joined []byte
	for i, p := range pieces {
		if err := testpacket.Check(p); err != nil {
			t.Fatalf("%s: piece %d: %v\n%x", name, i, err, p)
		}
		b := testpacket.Payload(p)
		if i < len(pieces)-1 && len(b) != spec.SegmentSize || len(b) > spec.SegmentSize {
			t.Errorf("%s: piece %d of %d has %d octets, want %d", name, i, len(pieces), len(b), spec.SegmentSize)
		}
		_, h, _, _, _ := testpacket.Transport(p)
		if !spec.UDP && wire.TCP(h).Seq() != spec.Seq+uint32(len(joined)) {
			t.Errorf("%s: piece %d has seq %d, want %d", name, i, wire.TCP(h).Seq(), spec.Seq+uint32(len(joined)))
		}
		if !spec.V6 && wire.IPv4(p).ID() != spec.ID+uint16(i) {
			t.Errorf("%s: piece %d has ID %d, want %d", name, i, wire.IPv4(p).ID(), spec.ID+uint16(i))
		}
		joined = append(joined, b...)
	}
	if !bytes.Equal(joined, spec.Payload) {
		t.Errorf("%s: pieces join to other octets than were cut", name)
	}
}

func TestLargestSuperSegments(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, spec := range []testpacket.Spec{
		{Payload: random(rng, 65535-40), SegmentSize: 1460},
		{Payload: random(rng, 65535-40), SegmentSize: 65535},
		{V6: true, Payload: random(rng, 65535-20), SegmentSize: 1440},
		{V6: true, UDP: true, Payload: random(rng, 65535-8), SegmentSize: 1452},
		{Payload: random(rng, 1460), SegmentSize: 1460},
		{Payload: nil, SegmentSize: 1460},
	} {
		for _, c := range []link.Checksum{link.ChecksumInPacket, link.ChecksumPartial} {
			spec.Checksum = c
			checkPieces(t, fmt.Sprintf("v6 %v, %d octets", spec.V6, len(spec.Payload)), spec, testpacket.New(spec))
		}
	}
}

// RFC 9293 §3.1 and RFC 3168 §6.1.2: what belongs to the last octets is said there, and
// CWR is said once.
func TestFlagsStandOnTheSegmentsTheyBelongTo(t *testing.T) {
	f := testpacket.New(testpacket.Spec{
		Payload: make([]byte, 300), SegmentSize: 100, Checksum: link.ChecksumPartial, Urgent: 150,
		Flags: wire.FlagACK | wire.FlagPSH | wire.FlagFIN | wire.FlagCWR | wire.FlagECE | wire.FlagURG,
	})
	const all = wire.FlagACK | wire.FlagECE
	want := []struct {
		flags  wire.TCPFlags
		urgent uint16
	}{
		{all | wire.FlagCWR | wire.FlagURG, 150},
		{all | wire.FlagURG, 50},
		{all | wire.FlagPSH | wire.FlagFIN, 0},
	}
	for i, p := range cut(t, f) {
		_, b, _, _, _ := testpacket.Transport(p)
		if h := wire.TCP(b); h.Flags() != want[i].flags || h.Urgent() != want[i].urgent {
			t.Errorf("segment %d has %v urgent %d, want %v urgent %d",
				i, h.Flags(), h.Urgent(), want[i].flags, want[i].urgent)
		}
	}
}

// RFC 768: a checksum field of zero says that there is none.
func TestDatagramsWithoutChecksumStayWithout(t *testing.T) {
	f := testpacket.New(testpacket.Spec{UDP: true, Payload: make([]byte, 300), SegmentSize: 100})
	wire.UDP(f.Packet()[20:]).SetChecksum(0)
	for _, p := range cut(t, f) {
		if c := wire.UDP(p[20:]).Checksum(); c != 0 {
			t.Errorf("checksum %#x, want none", c)
		}
	}
}

func TestWrongChecksumIsNotMadeRight(t *testing.T) {
	f := testpacket.New(testpacket.Spec{Payload: make([]byte, 300), SegmentSize: 100})
	f.Packet()[100] ^= 1
	err := Cut(f, scratch(), func(*link.Frame) error { t.Error("segment emitted"); return nil })
	if !errors.Is(err, ErrChecksum) {
		t.Errorf("Cut = %v, want ErrChecksum", err)
	}
}

func TestFramesOfOneSegmentPass(t *testing.T) {
	for _, spec := range []testpacket.Spec{
		{Payload: make([]byte, 301), Checksum: link.ChecksumPartial},
		{V6: true, UDP: true, Payload: make([]byte, 301), Checksum: link.ChecksumPartial},
		{Payload: make([]byte, 301)},
		{Payload: make([]byte, 301), Checksum: link.ChecksumVerified},
	} {
		f := testpacket.New(spec)
		got := cut(t, f)
		if len(got) != 1 || Segments(f) != 1 {
			t.Fatalf("%d packets, want 1", len(got))
		}
		if spec.Checksum == link.ChecksumPartial {
			if err := testpacket.Check(got[0]); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestMismatchedPacketsAreRefused(t *testing.T) {
	spec := testpacket.Spec{Payload: make([]byte, 300), SegmentSize: 100, Checksum: link.ChecksumPartial}
	v6 := spec
	v6.V6 = true
	for name, breakIt := range map[string]func(f *link.Frame){
		"a fragment":          func(f *link.Frame) { wire.IPv4(f.Packet()).SetFragment(0, true, false) },
		"said to be UDP":      func(f *link.Frame) { f.UDP = true },
		"ICMP":                func(f *link.Frame) { f.Packet()[9] = 1 },
		"version 5":           func(f *link.Frame) { f.Packet()[0] = 0x55 },
		"empty":               func(f *link.Frame) { f.End = f.Off },
		"cut short":           func(f *link.Frame) { f.End -= 10 },
		"data offset too big": func(f *link.Frame) { wire.IPv4(f.Packet()).SetTotalLen(45); f.Packet()[32] = 0xf0 },
		"data offset small":   func(f *link.Frame) { f.Packet()[32] = 0x40 },
		"no TCP header":       func(f *link.Frame) { wire.IPv4(f.Packet()).SetTotalLen(30) },
	} {
		f := testpacket.New(spec)
		breakIt(f)
		err := Cut(f, scratch(), func(*link.Frame) error { t.Errorf("%s: segment emitted", name); return nil })
		if !errors.Is(err, ErrPacket) || Segments(f) != 0 {
			t.Errorf("%s: Cut = %v, Segments = %d; want ErrPacket, 0", name, err, Segments(f))
		}
	}
	v6.Extensions = true // its eight octets become a Fragment header
	f := testpacket.New(v6)
	f.Packet()[6] = wire.ProtoFragment
	wire.PutIPv6Fragment(f.Packet()[40:], wire.ProtoTCP, 0, true, 1)
	if err := Cut(f, scratch(), nil); !errors.Is(err, ErrPacket) {
		t.Errorf("IPv6 fragment: Cut = %v, want ErrPacket", err)
	}
}

func TestEmitErrorStopsTheCut(t *testing.T) {
	f := testpacket.New(testpacket.Spec{Payload: make([]byte, 300), SegmentSize: 100})
	stop, n := errors.New("stop"), 0
	err := Cut(f, scratch(), func(*link.Frame) error { n++; return stop })
	if err != stop || n != 1 {
		t.Errorf("Cut = %v after %d segments, want stop after 1", err, n)
	}
}

func TestScratchTooSmallIsAnError(t *testing.T) {
	small := &link.Frame{Buf: make([]byte, 100)}
	for _, spec := range []testpacket.Spec{
		{Payload: make([]byte, 300), SegmentSize: 100},
		{Payload: make([]byte, 300), Checksum: link.ChecksumPartial},
	} {
		if err := Cut(testpacket.New(spec), small, nil); !errors.Is(err, ErrScratch) {
			t.Errorf("Cut = %v, want ErrScratch", err)
		}
	}
}

func TestFinishChecksumOfEveryKind(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for _, udp := range []bool{false, true} {
			for _, n := range []int{0, 1, 300, 3001} {
				f := testpacket.New(testpacket.Spec{
					V6: v6, UDP: udp, Payload: make([]byte, n), SegmentSize: n / 3, Checksum: link.ChecksumPartial,
				})
				if err := FinishChecksum(f); err != nil {
					t.Fatal(err)
				}
				if err := testpacket.Check(f.Packet()); err != nil || f.Checksum != link.ChecksumInPacket {
					t.Errorf("v6 %v, UDP %v, %d octets: %v, %+v", v6, udp, n, err, f.Offload)
				}
			}
		}
	}
}

// RFC 768: a computed checksum of zero is sent as all ones. That is UDP's alone: TCP has
// no such rule (RFC 9293 §3.1), and a receiver that compares would call it wrong.
func TestChecksumOfZeroIsSentAsOnesByUDPAlone(t *testing.T) {
	for _, tt := range []struct {
		udp  bool
		want uint16
	}{{true, 0xffff}, {false, 0}} {
		f := testpacket.New(testpacket.Spec{UDP: tt.udp, Payload: make([]byte, 2), Checksum: link.ChecksumPartial})
		p := f.Packet()
		at := len(p) - 2
		want := wire.Sum(p[20:], 0)
		p[at], p[at+1] = byte(^want>>8), byte(^want) // the sum becomes 0xffff
		if err := FinishChecksum(f); err != nil {
			t.Fatal(err)
		}
		got := wire.TCP(p[20:]).Checksum
		if tt.udp {
			got = wire.UDP(p[20:]).Checksum
		}
		if c := got(); c != tt.want {
			t.Errorf("UDP %v: checksum %#x, want %#x", tt.udp, c, tt.want)
		}
	}
}

func TestFinishChecksumStaysInsideThePacket(t *testing.T) {
	f := testpacket.New(testpacket.Spec{Payload: make([]byte, 2), Checksum: link.ChecksumPartial})
	for _, c := range [][2]uint16{{41, 0}, {20, 21}, {0xffff, 0xffff}, {0, 0xffff}} {
		f.ChecksumStart, f.ChecksumOffset = c[0], c[1]
		if err := FinishChecksum(f); !errors.Is(err, ErrPacket) {
			t.Errorf("start %d, offset %d: %v, want ErrPacket", c[0], c[1], err)
		}
	}
}

func TestCutAllocatesNothing(t *testing.T) {
	f := testpacket.New(testpacket.Spec{Payload: make([]byte, 30000), SegmentSize: 1460, Checksum: link.ChecksumPartial})
	s, n := scratch(), 0
	emit := func(*link.Frame) error { n++; return nil }
	if got := testing.AllocsPerRun(20, func() { Cut(f, s, emit) }); got != 0 {
		t.Errorf("%v allocations per Cut, want 0", got)
	}
}

func BenchmarkCut(b *testing.B) {
	f := testpacket.New(testpacket.Spec{Payload: make([]byte, 65000), SegmentSize: 1460, Checksum: link.ChecksumPartial})
	s := scratch()
	b.SetBytes(65000)
	for b.Loop() {
		Cut(f, s, func(*link.Frame) error { return nil })
	}
}

// FuzzCut feeds frames as a device would: whatever the octets, Cut must neither panic nor
// make anything but packets with right checksums.
func FuzzCut(f *testing.F) {
	for _, spec := range []testpacket.Spec{
		{Payload: make([]byte, 300), SegmentSize: 100, Checksum: link.ChecksumPartial},
		{V6: true, Extensions: true, Payload: make([]byte, 300), SegmentSize: 100},
		{UDP: true, Extensions: true, Payload: make([]byte, 300), SegmentSize: 100, Checksum: link.ChecksumVerified},
		{V6: true, UDP: true, Payload: make([]byte, 3), Checksum: link.ChecksumPartial},
	} {
		f.Add(bytes.Clone(testpacket.New(spec).Wire()))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var fr link.Frame
		if len(b) > link.FrameSize-link.Headroom || fr.SetWire(bytes.Clone(b)) != nil {
			return
		}
		n, want := 0, Segments(&fr)
		err := Cut(&fr, scratch(), func(s *link.Frame) error {
			n++
			if fr.SegmentSize == 0 {
				return nil // one packet: nobody looked at its headers
			}
			if s.Checksum != link.ChecksumInPacket || s.SegmentSize != 0 {
				t.Fatalf("segment asks for offloads: %+v", s.Offload)
			}
			if err := testpacket.Check(s.Packet()); err != nil {
				t.Fatalf("segment %d: %v", n, err)
			}
			return nil
		})
		if err == nil && n != want || err != nil && n != 0 {
			t.Fatalf("Cut = %v after %d segments, Segments said %d", err, n, want)
		}
	})
}
