package ip

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/wire"
)

// seeds are packets of every kind that Parse tells apart.
func seeds() [][]byte {
	return [][]byte{
		packet4(40, nil),
		packet4(8, func(f *wire.IPv4Fields) { f.Options = []byte{148, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0} }),
		piece4(8, 16, true, nil),
		piece4(65528, 200, true, nil),
		packet6(wire.ProtoTCP, octets(40), nil),
		packet6(wire.ProtoHopByHop, join(ext(wire.ProtoDestination), ext(wire.ProtoUDP), octets(16)), nil),
		packet6(wire.ProtoRouting, join([]byte{17, 0, 0, 0, 0, 0, 0, 0}, octets(16)), nil),
		packet6(wire.ProtoDestination, join(ext(17, 0xc2, 4), octets(16)), nil),
		piece6(0, 16, true, nil),
		packet6(wire.ProtoFragment, join(fragHeader(17, 0, false, 1), octets(16)), nil),
	}
}

// mend makes the IPv4 header checksum right, so that fuzzing comes past it.
func mend(b []byte) {
	if len(b) >= 20 && b[0]>>4 == 4 {
		n := min(int(b[0]&15)*4, len(b))
		b[10], b[11] = 0, 0
		binary.BigEndian.PutUint16(b[10:], ^wire.Sum(b[:n], 0))
	}
}

// Any packet: no panic, and what passes hangs together.
func FuzzParse(f *testing.F) {
	for _, b := range seeds() {
		f.Add(b, uint16(0), false)
		f.Add(b, uint16(500), true)
	}
	scratch := &link.Frame{Buf: make([]byte, link.FrameSize)}
	f.Fuzz(func(t *testing.T, b []byte, segment uint16, loopback bool) {
		b = bytes.Clone(b)
		mend(b)
		fr := frame(b)
		fr.SegmentSize = segment
		var p Packet
		if d := parse(fr, &p, loopback); d >= NumDrops {
			t.Fatalf("drop %d", d)
		} else if d != DropNone {
			return
		}
		if p.Len() != fr.Len() || !bytes.Equal(join(p.Header, p.Payload), fr.Packet()) {
			t.Fatalf("header %d and payload %d of %d octets", len(p.Header), len(p.Payload), fr.Len())
		}
		if p.CheckLocal() == DropNone && p.Header[p.ProtocolOffset] != p.Protocol {
			t.Fatalf("protocol %d is not at %d", p.Protocol, p.ProtocolOffset)
		}
		if n := p.WireSize(); n > p.Len() {
			t.Fatalf("%d octets on the wire of %d", n, p.Len())
		}
		hops := p.HopLimit
		if PrepareForward(&p) == ForwardOK {
			var q Packet
			if d := parse(fr, &q, loopback); d != DropNone || q.HopLimit != hops-1 {
				t.Fatalf("after forwarding: %v, hop limit %d of %d", d, q.HopLimit, hops)
			}
		}
		_ = Fragment(fr, 96, 1, scratch, func(f *link.Frame) error {
			var q Packet
			if h, err := wire.ParseIPv4(f.Packet()); err == nil && h.FragmentOffset() < p.FragOffset {
				t.Fatalf("a piece at %d of a fragment at %d", h.FragmentOffset(), p.FragOffset)
			}
			if d := parse(f, &q, loopback); d != DropNone && d != DropOptions {
				t.Fatalf("fragment: %v", d)
			}
			return nil
		})
	})
}

// The model: datagrams of both families cut at random, mixed, some fragments twice, make
// the same datagrams again. Then garbage: fragments at random places, and mutated
// packets. No panic, memory within its bound, every block back.
func FuzzReassembler(f *testing.F) {
	for i, b := range seeds() {
		f.Add(uint64(i), b)
	}
	f.Fuzz(func(t *testing.T, seed uint64, garbage []byte) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var pool mem.Pool
		r := NewReassembler(&pool, Limits{})
		model(t, rng, r)
		if r.Len() != 0 || pool.Outstanding() != 0 {
			t.Fatalf("after the model: %d datagrams, %d blocks", r.Len(), pool.Outstanding())
		}
		r = NewReassembler(&pool, Limits{Bytes: 32 << 10, SourceBytes: 12 << 10, Fragments: 20})
		now := clock.Time(0)
		for range 60 {
			now = now.Add(time.Duration(rng.IntN(int(2 * time.Second))))
			throw(t, rng, r, now, garbage)
			if r.InUse() > 33<<10 || int(pool.InUse()) > r.InUse() {
				t.Fatalf("%d octets counted, %d out", r.InUse(), pool.InUse())
			}
			if r.Deadline().Reached(now) {
				r.Expire(now, func(p *Packet) { _ = p.Header[0] })
			}
		}
		r.Reset()
		if r.Len() != 0 || r.InUse() != 0 || len(r.sources) != 0 || pool.Outstanding() != 0 {
			t.Fatalf("left over: %d datagrams, %d octets, %d blocks", r.Len(), r.InUse(), pool.Outstanding())
		}
	})
}

func model(t *testing.T, rng *rand.Rand, r *Reassembler) {
	want := map[string]bool{}
	var frags [][]byte
	for i := range 1 + rng.IntN(4) {
		n := 9 + rng.IntN(4000)
		b := packet4(n, func(f *wire.IPv4Fields) { f.ID = uint16(i) })
		if rng.IntN(2) == 0 {
			b = packet6(wire.ProtoUDP, octets(n), func(f *wire.IPv6Fields) { f.FlowLabel = uint32(i); f.Src = f.Src.Next() })
			b[39] = byte(i)
		}
		if len(b) <= 80 {
			continue
		}
		want[string(b)] = true
		frags = append(frags, cut(t, b, 72+rng.IntN(len(b)-72-8))...)
	}
	rng.Shuffle(len(frags), func(i, j int) { frags[i], frags[j] = frags[j], frags[i] })
	for _, b := range frags {
		p := mustParse(t, b)
		d, drop := r.Input(0, p)
		if drop != DropNone {
			t.Fatalf("fragment at %d: %v", p.FragOffset, drop)
		}
		if d == nil {
			if _, drop := r.Input(0, mustParse(t, b)); drop != DropFragmentDuplicate {
				t.Fatalf("the same fragment again: %v", drop)
			}
			continue
		}
		if !want[string(d.Packet())] {
			t.Fatal("a datagram that nobody sent")
		}
		delete(want, string(d.Packet()))
		d.Release()
	}
	if len(want) != 0 {
		t.Fatalf("%d datagrams did not come together", len(want))
	}
}

// throw gives the reassembler one fragment of a random kind.
func throw(t *testing.T, rng *rand.Rand, r *Reassembler, now clock.Time, garbage []byte) {
	off, n, more := 8*rng.IntN(40), rng.IntN(40), rng.IntN(3) > 0
	b := bytes.Clone(garbage)
	switch rng.IntN(3) {
	case 0:
		b = piece4(off, n, more, func(f *wire.IPv4Fields) { f.ID = uint16(rng.IntN(3)); f.TOS = uint8(rng.IntN(2)) })
	case 1:
		b = piece6(off, n, more, nil)
	}
	if len(b) > 0 && rng.IntN(4) == 0 {
		b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
	}
	mend(b)
	var p Packet
	if Parse(frame(b), &p) != DropNone || p.CheckLocal() != DropNone || !p.Fragment {
		return
	}
	d, drop := r.Input(now, &p)
	if d == nil {
		return
	}
	if drop != DropNone {
		t.Fatalf("a datagram and %v", drop)
	}
	var q Packet
	if drop := Parse(&d.Frame, &q); drop != DropNone && drop != DropOptions && drop != DropExtension {
		t.Fatalf("the datagram: %v", drop)
	}
	if q.Fragment {
		t.Fatal("the datagram is a fragment")
	}
	d.Release()
}
