package ip

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/wire"
)

// piece4 and piece6 are fragments of a counted payload.
func piece4(off, n int, more bool, edit func(*wire.IPv4Fields)) []byte {
	b := packet4(n, func(f *wire.IPv4Fields) {
		f.FragmentOffset, f.MoreFragments = off, more
		if edit != nil {
			edit(f)
		}
	})
	copy(b[len(b)-n:], octets(off + n)[off:])
	return b
}

func piece6(off, n int, more bool, edit func(*wire.IPv6Fields)) []byte {
	return packet6(wire.ProtoFragment, join(fragHeader(wire.ProtoUDP, off, more, 9), octets(off + n)[off:]), edit)
}

// step is a fragment and what is to come of it.
type step struct {
	b    []byte
	want Drop
	done bool
}

func keep(b []byte) step         { return step{b: b} }
func drop(b []byte, d Drop) step { return step{b: b, want: d} }
func done(b []byte) step         { return step{b: b, done: true} }

// changed is b with its last octet changed.
func changed(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)-1] ^= 1
	return b
}

func TestReassemblyRules(t *testing.T) {
	ce, ect, not := uint8(3), uint8(2), uint8(0)
	tos := func(v uint8) func(*wire.IPv4Fields) { return func(f *wire.IPv4Fields) { f.TOS = v } }
	tests := []struct {
		name  string
		steps []step
	}{
		{"in order", []step{keep(piece4(0, 16, true, nil)), done(piece4(16, 3, false, nil))}},
		{"out of order", []step{keep(piece4(16, 3, false, nil)), keep(piece4(8, 8, true, nil)), done(piece4(0, 8, true, nil))}},
		{"IPv6", []step{keep(piece6(16, 3, false, nil)), done(piece6(0, 16, true, nil))}},
		{"the same fragment again is ignored (RFC 8200 §4.5)", []step{
			keep(piece6(0, 16, true, nil)), drop(piece6(0, 16, true, nil), DropFragmentDuplicate), done(piece6(16, 8, false, nil))}},
		{"the same last fragment again", []step{
			keep(piece4(16, 8, false, nil)), drop(piece4(16, 8, false, nil), DropFragmentDuplicate), done(piece4(0, 16, true, nil))}},
		{"the same place with other octets is an overlap", []step{
			keep(piece4(0, 16, true, nil)), drop(changed(piece4(0, 16, true, nil)), DropFragmentOverlap),
			drop(piece4(16, 8, false, nil), DropFragmentOverlap)}},
		{"overlap refuses all, to come included (RFC 5722 §4)", []step{
			keep(piece6(0, 16, true, nil)), drop(piece6(8, 16, true, nil), DropFragmentOverlap),
			drop(piece6(16, 8, false, nil), DropFragmentOverlap), drop(piece6(0, 16, true, nil), DropFragmentOverlap)}},
		{"overlap from below", []step{keep(piece4(8, 16, true, nil)), drop(piece4(0, 16, true, nil), DropFragmentOverlap)}},
		{"overlap that swallows", []step{keep(piece4(8, 8, true, nil)), drop(piece4(0, 24, true, nil), DropFragmentOverlap)}},
		{"overlap in the middle", []step{keep(piece4(0, 8, true, nil)), keep(piece4(24, 8, true, nil)), drop(piece4(16, 16, true, nil), DropFragmentOverlap)}},
		{"two ends", []step{keep(piece4(16, 8, false, nil)), drop(piece4(24, 8, false, nil), DropFragmentOverlap)}},
		{"data past the end", []step{keep(piece4(16, 8, false, nil)), drop(piece4(24, 8, true, nil), DropFragmentOverlap)}},
		{"an end before the data", []step{keep(piece4(16, 8, true, nil)), drop(piece4(8, 8, false, nil), DropFragmentOverlap)}},
		{"an end that comes again with more to follow", []step{keep(piece4(16, 8, false, nil)), drop(piece4(16, 8, true, nil), DropFragmentOverlap)}},
		{"IPv4 length not a multiple of eight (RFC 791 §3.1)", []step{drop(piece4(0, 15, true, nil), DropFragmentLength)}},
		{"IPv6 length not a multiple of eight (RFC 8200 §4.5)", []step{drop(piece6(0, 15, true, nil), DropFragmentLength)}},
		{"empty fragment", []step{drop(piece4(8, 0, true, nil), DropFragmentLength), drop(piece4(8, 0, false, nil), DropFragmentLength)}},
		{"IPv4 datagram too large", []step{drop(piece4(65512, 8, false, nil), DropFragmentTooLarge)}},
		{"IPv6 datagram too large (RFC 8200 §4.5)", []step{drop(piece6(65528, 8, true, nil), DropFragmentTooLarge)}},
		{"IPv6 datagram as large as can be", []step{keep(piece6(65528, 7, false, nil))}},
		{"other ends are other datagrams (RFC 791 §3.2)", []step{
			keep(piece4(0, 16, true, nil)),
			keep(piece4(16, 8, false, func(f *wire.IPv4Fields) { f.ID++ })),
			keep(piece4(16, 8, false, func(f *wire.IPv4Fields) { f.Protocol = wire.ProtoTCP })),
			keep(piece4(16, 8, false, func(f *wire.IPv4Fields) { f.Src = f.Src.Next() })),
			keep(piece4(16, 8, false, func(f *wire.IPv4Fields) { f.Dst = f.Dst.Next() })),
			done(piece4(16, 8, false, nil))}},
		{"congestion that a fragment met is kept (RFC 3168 §5.3)", []step{
			keep(piece4(0, 16, true, tos(ect))), done(piece4(16, 8, false, tos(ce)))}},
		{"fragments that disagree on ECN (RFC 3168 §5.3)", []step{
			keep(piece4(0, 16, true, tos(not))), drop(piece4(16, 8, false, tos(ce)), DropFragmentECN)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { runSteps(t, tt.steps) })
	}
}

func runSteps(t *testing.T, steps []step) {
	var pool mem.Pool
	r := NewReassembler(&pool, Limits{})
	for i, s := range steps {
		d, got := r.Input(0, mustParse(t, s.b))
		if got != s.want || (d != nil) != s.done {
			t.Fatalf("step %d: %v, done %v; want %v, done %v", i, got, d != nil, s.want, s.done)
		}
		if d != nil {
			p := mustParse(t, d.Packet())
			if !bytes.Equal(p.Payload, octets(len(p.Payload))) || p.Fragment {
				t.Errorf("step %d: wrong payload %x", i, p.Payload)
			}
			if want := steps[0].b[1] | s.b[1]; p.Version == 4 && p.TOS != want {
				t.Errorf("step %d: TOS %#x, want %#x", i, p.TOS, want)
			}
			d.Release()
			d.Release()
		}
	}
	r.Expire(clock.Time(time.Hour), nil)
	if r.InUse() != 0 || r.Len() != 0 || len(r.sources) != 0 || pool.Outstanding() != 0 || r.Deadline() != clock.Never {
		t.Errorf("left over: %d octets, %d datagrams, %d sources, %d blocks", r.InUse(), r.Len(), len(r.sources), pool.Outstanding())
	}
}

// The total is too large only together with the first fragment's own header.
func TestDatagramTooLargeWithItsHeaderIsDropped(t *testing.T) {
	options := func(f *wire.IPv4Fields) { f.Options = make([]byte, 40) }
	var pool mem.Pool
	r := NewReassembler(&pool, Limits{})
	r.Input(0, mustParse(t, piece4(0, 8, true, options)))
	for off := 8; off < 65504; off += 8 * 1024 {
		r.Input(0, mustParse(t, piece4(off, min(8*1024, 65504-off), true, nil)))
	}
	if d, got := r.Input(0, mustParse(t, piece4(65504, 11, false, nil))); d != nil || got != DropFragmentTooLarge {
		t.Errorf("got %v, %v", d, got)
	}
	if r.Len() != 0 || pool.Outstanding() != 0 {
		t.Error("the datagram was kept")
	}
}

// RFC 8200 §4.5: the parameter problem points to the length field, or to the offset field.
func TestRefusedFragmentIsReported(t *testing.T) {
	for _, tt := range []struct {
		b  []byte
		at uint32
	}{{piece6(0, 15, true, nil), 4}, {piece6(65528, 8, true, nil), 42}} {
		p := mustParse(t, tt.b)
		NewReassembler(new(mem.Pool), Limits{}).Input(0, p)
		if q := p.Problem; q.Kind != ProblemReportUnicast || q.Code != 0 || q.Pointer != tt.at {
			t.Errorf("problem %+v, want one at %d", q, tt.at)
		}
	}
}

// RFC 1122 §3.3.2, RFC 8200 §4.5: after 30 s and 60 s the datagram is given up, and the
// first fragment, if it came, is what the error is about.
func TestTimeoutHandsOutTheFirstFragment(t *testing.T) {
	var pool mem.Pool
	var drops Drops
	r := NewReassembler(&pool, Limits{Drops: &drops})
	first4, first6 := piece4(0, 16, true, nil), piece6(0, 16, true, nil)
	lone := piece4(16, 8, true, func(f *wire.IPv4Fields) { f.ID = 99 })
	p := mustParse(t, first4)
	p.NoError = true
	r.Input(0, p)
	r.Input(0, mustParse(t, first6))
	r.Input(clock.Time(time.Second), mustParse(t, lone))
	if r.Deadline() != clock.Time(30*time.Second) {
		t.Errorf("deadline %v", r.Deadline())
	}
	var got [][]byte
	emit := func(p *Packet) {
		got = append(got, bytes.Clone(p.Frame.Packet()))
		if p.NoError != (p.Version == 4) || p.Len() != p.Frame.Len() {
			t.Errorf("NoError %v, length %d", p.NoError, p.Len())
		}
	}
	r.Expire(clock.Time(30*time.Second-1), emit)
	if len(got) != 0 {
		t.Error("too early")
	}
	r.Expire(clock.Time(31*time.Second), emit)
	if len(got) != 1 || !bytes.Equal(got[0], first4) || r.Len() != 1 || r.Deadline() != clock.Time(60*time.Second) {
		t.Fatalf("after 31 s: %d emitted, %d left, deadline %v", len(got), r.Len(), r.Deadline())
	}
	r.Expire(clock.Time(60*time.Second), emit)
	if len(got) != 2 || !bytes.Equal(got[1], first6) {
		t.Fatalf("after 60 s: %d emitted", len(got))
	}
	if n := drops.Get(DropFragmentTimeout); n != 3 || pool.Outstanding() != 0 {
		t.Errorf("%d timeouts counted, %d blocks out", n, pool.Outstanding())
	}
}

// A refused datagram is refused in silence, its timeout too (RFC 5722 §4).
func TestRefusedDatagramTimesOutInSilence(t *testing.T) {
	r := NewReassembler(new(mem.Pool), Limits{})
	r.Input(0, mustParse(t, piece4(0, 16, true, nil)))
	r.Input(0, mustParse(t, piece4(8, 16, true, nil)))
	r.Expire(clock.Time(time.Hour), func(*Packet) { t.Error("an error is due for it") })
	if r.Len() != 0 {
		t.Error("still there")
	}
}

// One source has a share; its own oldest makes way, not another's.
func TestSourceEvictsItsOwnOldest(t *testing.T) {
	var pool mem.Pool
	var drops Drops
	r := NewReassembler(&pool, Limits{Bytes: 64 << 10, SourceBytes: 16 << 10, Drops: &drops})
	other := func(f *wire.IPv4Fields) { f.Src = netip.MustParseAddr("203.0.113.9") }
	r.Input(0, mustParse(t, piece4(0, 16, true, other)))
	for id := range uint16(1000) {
		r.Input(clock.Time(id), mustParse(t, piece4(0, 1400, true, func(f *wire.IPv4Fields) { f.ID = id })))
		if r.InUse() > 17<<10 {
			t.Fatalf("%d octets in use", r.InUse())
		}
	}
	if drops.Get(DropFragmentEvicted) < 990 {
		t.Errorf("%d evicted", drops.Get(DropFragmentEvicted))
	}
	if d, _ := r.Input(0, mustParse(t, piece4(16, 8, false, other))); d == nil {
		t.Error("the other source's datagram was evicted")
	}
	if d, _ := r.Input(0, mustParse(t, piece4(1400, 8, false, func(f *wire.IPv4Fields) { f.ID = 999 }))); d == nil {
		t.Error("the source's newest datagram was evicted")
	}
}

// An IPv6 source is a /64: the rest of the address is the sender's to choose.
func TestIPv6SourcesOfOneNetworkShare(t *testing.T) {
	r := NewReassembler(new(mem.Pool), Limits{Bytes: 64 << 10, SourceBytes: 16 << 10})
	src := src6
	for range 1000 {
		src = src.Next()
		r.Input(0, mustParse(t, piece6(0, 1200, true, func(f *wire.IPv6Fields) { f.Src = src })))
	}
	if r.InUse() > 17<<10 || len(r.sources) != 1 {
		t.Errorf("%d octets in use by %d sources", r.InUse(), len(r.sources))
	}
}

// Whatever comes, memory stays within the bound, and the oldest of all makes way.
func TestOldestDatagramIsEvicted(t *testing.T) {
	var pool mem.Pool
	r := NewReassembler(&pool, Limits{Bytes: 64 << 10, SourceBytes: 64 << 10})
	a4, a6 := src4, src6.As16()
	for i := range 2000 {
		a4 = a4.Next()
		a6[3]++
		a6[2] += byte(i & 1)
		r.Input(clock.Time(2*i), mustParse(t, piece4(8, 1400, true, func(f *wire.IPv4Fields) { f.Src = a4 })))
		r.Input(clock.Time(2*i+1), mustParse(t, piece6(8, 1200, true, func(f *wire.IPv6Fields) { f.Src = netip.AddrFrom16(a6) })))
		if r.InUse() > 65<<10 || pool.InUse() > 64<<10 {
			t.Fatalf("%d octets counted, %d out", r.InUse(), pool.InUse())
		}
	}
	if v4, v6 := r.byAge[0].front, r.byAge[1].front; v4 == nil || v6 == nil || v4.deadline < clock.Time(30*time.Second)+3900 {
		t.Error("the oldest are still there, or one family drove out the other")
	}
	r.Reset()
	if r.InUse() != 0 || r.Len() != 0 || pool.Outstanding() != 0 {
		t.Error("Reset left something")
	}
}

// Age counts across the families, although their timeouts differ.
func TestOldestOfEitherFamilyIsEvicted(t *testing.T) {
	for _, first := range []int{4, 6} {
		r := NewReassembler(new(mem.Pool), Limits{Bytes: 6 << 10, SourceBytes: 6 << 10})
		parts := map[int][2][]byte{
			4: {piece4(0, 1400, true, nil), piece4(1400, 8, false, nil)},
			6: {piece6(0, 1200, true, nil), piece6(1200, 8, false, nil)},
		}
		second := 10 - first
		r.Input(0, mustParse(t, parts[first][0]))
		r.Input(1, mustParse(t, parts[second][0]))
		r.Input(2, mustParse(t, piece4(0, 1400, true, func(f *wire.IPv4Fields) { f.ID = 99 })))
		if d, _ := r.Input(3, mustParse(t, parts[second][1])); d == nil {
			t.Errorf("IPv%d was evicted although IPv%d was older", second, first)
		}
		if d, _ := r.Input(3, mustParse(t, parts[first][1])); d != nil {
			t.Errorf("IPv%d was not evicted", first)
		}
	}
}

func TestOtherFamilyMakesWayToo(t *testing.T) {
	r := NewReassembler(new(mem.Pool), Limits{Bytes: 6 << 10, SourceBytes: 6 << 10})
	r.Input(0, mustParse(t, piece4(0, 1400, true, nil)))
	r.Input(1, mustParse(t, piece6(0, 1200, true, nil)))
	if _, d := r.Input(2, mustParse(t, piece4(1400, 1400, true, nil))); d != DropNone || r.Len() != 1 {
		t.Errorf("%v, %d datagrams", d, r.Len())
	}
}

// A datagram that needs room makes others go, newer ones too, and never itself.
func TestDatagramDoesNotEvictItself(t *testing.T) {
	var pool mem.Pool
	r := NewReassembler(&pool, Limits{Bytes: 64 << 10, SourceBytes: 16 << 10})
	b := packet4(6000, nil)
	frags := cut(t, b, 1500)
	r.Input(0, mustParse(t, frags[0]))
	for id := range uint16(5) {
		r.Input(1, mustParse(t, piece4(0, 1400, true, func(f *wire.IPv4Fields) { f.ID = 100 + id })))
	}
	for i, f := range frags[1:] {
		d, drop := r.Input(2, mustParse(t, f))
		if drop != DropNone || (d != nil) != (i == len(frags)-2) {
			t.Fatalf("fragment %d: %v, %v", i+1, d != nil, drop)
		}
		if d != nil {
			d.Release()
		}
	}
	r.Reset()
	if r.InUse() != 0 || pool.Outstanding() != 0 {
		t.Errorf("%d octets, %d blocks left", r.InUse(), pool.Outstanding())
	}
}

func TestTooManyFragmentsAreRefused(t *testing.T) {
	var pool mem.Pool
	r := NewReassembler(&pool, Limits{Fragments: 10})
	for i := range 10 {
		if _, d := r.Input(0, mustParse(t, piece4(8*i, 8, true, nil))); d != DropNone {
			t.Fatalf("fragment %d: %v", i, d)
		}
	}
	if _, d := r.Input(0, mustParse(t, piece4(80, 8, false, nil))); d != DropFragmentTooMany || pool.Outstanding() != 0 {
		t.Errorf("%v, %d blocks out", d, pool.Outstanding())
	}
}

func TestFragmentLargerThanTheBudgetIsRefused(t *testing.T) {
	var pool mem.Pool
	r := NewReassembler(&pool, Limits{Bytes: 1024})
	if _, d := r.Input(0, mustParse(t, piece4(0, 1400, true, nil))); d != DropFragmentTooMany || pool.Outstanding() != 0 {
		t.Errorf("%v, %d blocks out", d, pool.Outstanding())
	}
}

// A ping of 60,000 octets comes over an MTU of 1500, many times, and holds nothing after.
func TestLargePingsOverASmallMTU(t *testing.T) {
	var pool mem.Pool
	r := NewReassembler(&pool, Limits{})
	for _, b := range [][]byte{packet4(60008, nil), packet6(wire.ProtoICMPv6, octets(60008), nil)} {
		frags := cut(t, b, 1500)
		for range 10 {
			if got := feed(t, r, frags); !bytes.Equal(got, b) {
				t.Fatal("not the same packet")
			}
		}
	}
	if r.InUse() != 0 || pool.Outstanding() != 0 {
		t.Errorf("%d octets, %d blocks left", r.InUse(), pool.Outstanding())
	}
}
