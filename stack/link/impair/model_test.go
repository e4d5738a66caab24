package impair

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/link/internal/testpacket"
)

// numbered returns a datagram of n octets whose payload begins with i.
func numbered(i, n int) *link.Frame {
	b := make([]byte, n-28)
	binary.BigEndian.PutUint32(b, uint32(i))
	return testpacket.New(testpacket.Spec{UDP: true, Payload: b, Checksum: link.ChecksumPartial})
}

type arrival struct {
	i  int // the packet's number
	at clock.Time
}

// drain pops everything at its time.
func drain(m *Model) (got []arrival) {
	for m.Deadline() != clock.Never {
		at := m.Deadline()
		if _, ok := m.Pop(at - 1); ok {
			panic("a packet arrived before the deadline")
		}
		f, ok := m.Pop(at)
		if !ok {
			panic("no packet at the deadline")
		}
		got = append(got, arrival{int(binary.BigEndian.Uint32(f.Packet()[28:])), at})
	}
	return got
}

// run pushes n packets of 100 octets, one each gap, and returns what arrives, after
// checking that nothing is lost uncounted and no buffer is kept.
func run(t testing.TB, m *Model, n int, gap time.Duration) []arrival {
	t.Helper()
	var now clock.Time
	f := numbered(0, 100)
	for i := range n {
		binary.BigEndian.PutUint32(f.Packet()[28:], uint32(i))
		m.Push(now, f)
		now = now.Add(gap)
	}
	got := drain(m)
	s := m.Stats()
	drops := s.DropBurst + s.DropHeld + s.DropLoss + s.DropMalformed + s.DropQueue
	if s.Packets != uint64(n) || s.Delivered != uint64(len(got)) || s.Packets+s.Duplicated != s.Delivered+drops {
		t.Errorf("counters do not add up: %+v", s)
	}
	m.Close()
	if m.InUse() != 0 || m.Len() != 0 {
		t.Errorf("%d buffers leaked", m.InUse())
	}
	return got
}

func inOrder(got []arrival) bool {
	for i := 1; i < len(got); i++ {
		if got[i].i < got[i-1].i {
			return false
		}
	}
	return true
}

func TestZeroConfigChangesNothing(t *testing.T) {
	got := run(t, New(Config{}), 100, time.Millisecond)
	for i, a := range got {
		if a.i != i || a.at != clock.Time(i)*clock.Time(time.Millisecond) {
			t.Fatalf("arrival %d is %+v", i, a)
		}
	}
	if len(got) != 100 {
		t.Errorf("%d of 100 arrived", len(got))
	}
}

func TestSameSeedDecidesTheSame(t *testing.T) {
	cfg := Config{
		Delay: 10 * time.Millisecond, Jitter: 5 * time.Millisecond, Rate: 1e6, QueueBytes: 5000,
		Loss: 0.1, Burst: Burst{Enter: 0.05, Leave: 0.3}, Duplicate: 0.1, Corrupt: 0.01, Reorder: 0.1, Seed: 7,
	}
	a, b := run(t, New(cfg), 2000, time.Millisecond), run(t, New(cfg), 2000, time.Millisecond)
	if fmt.Sprint(a) != fmt.Sprint(b) {
		t.Error("two runs of one seed differ")
	}
	cfg.Seed++
	if c := run(t, New(cfg), 2000, time.Millisecond); fmt.Sprint(a) == fmt.Sprint(c) {
		t.Error("runs of two seeds are alike")
	}
}

func TestOneImpairmentDoesNotChangeAnothersDecisions(t *testing.T) {
	lost := func(cfg Config) map[int]bool {
		m := map[int]bool{}
		for _, a := range run(t, New(cfg), 1000, time.Millisecond) {
			m[a.i] = true
		}
		return m
	}
	plain := lost(Config{Loss: 0.2, Seed: 3})
	more := lost(Config{Loss: 0.2, Seed: 3, Delay: time.Second, Jitter: time.Second, Duplicate: 0.5, Reorder: 0.5})
	if fmt.Sprint(plain) != fmt.Sprint(more) {
		t.Error("other packets are lost when jitter and duplication are turned on")
	}
}

func TestSharesHoldOverManyPackets(t *testing.T) {
	const n = 40_000
	m := New(Config{Loss: 0.1, Duplicate: 0.05, Corrupt: 0.02, Delay: time.Millisecond, Reorder: 0.03, Seed: 11})
	run(t, m, n, time.Microsecond)
	s := m.Stats()
	copies := float64(s.Packets - s.DropLoss + s.Duplicated)
	for _, c := range []struct {
		name     string
		of, want float64
		got      uint64
	}{
		{"loss", n, 0.1, s.DropLoss},
		{"duplicate", n - float64(s.DropLoss), 0.05, s.Duplicated},
		{"corrupt", copies, 0.02, s.Corrupted},
		{"reorder", copies, 0.03, s.Reordered},
	} {
		sigma := math.Sqrt(c.want * (1 - c.want) / c.of)
		if got := float64(c.got) / c.of; math.Abs(got-c.want) > 5*sigma {
			t.Errorf("%s: share %.4f, want %.4f ± %.4f", c.name, got, c.want, 5*sigma)
		}
	}
}

func TestBurstsHaveTheirLengthAndShare(t *testing.T) {
	const n, enter, leave = 60_000, 0.02, 0.25
	m := New(Config{Burst: Burst{Enter: enter, Leave: leave}, Seed: 5})
	got := run(t, m, n, time.Microsecond)
	bursts, next := 0, 0
	for _, a := range got {
		if a.i != next {
			bursts++
		}
		next = a.i + 1
	}
	lost := float64(m.Stats().DropBurst)
	if mean := lost / float64(bursts); math.Abs(mean-1/leave) > 0.3 {
		t.Errorf("mean burst %.2f packets, want %.2f", mean, 1/leave)
	}
	if share := lost / n; math.Abs(share-enter/(enter+leave)) > 0.01 {
		t.Errorf("lost %.4f, want %.4f", share, enter/(enter+leave))
	}
	half := New(Config{Burst: Burst{Enter: enter, Leave: leave, Survive: 0.5}, Seed: 5})
	run(t, half, n, time.Microsecond)
	if r := float64(half.Stats().DropBurst) / lost; math.Abs(r-0.5) > 0.1 {
		t.Errorf("with half surviving %.2f as many are lost, want 0.5", r)
	}
}

func TestCertainAndImpossibleShares(t *testing.T) {
	for _, p := range []float64{1, 2, math.Inf(1)} {
		if got := run(t, New(Config{Loss: p}), 50, 0); len(got) != 0 {
			t.Errorf("loss %v: %d arrived", p, len(got))
		}
	}
	for _, p := range []float64{0, -1, math.NaN()} {
		if got := run(t, New(Config{Loss: p}), 50, 0); len(got) != 50 {
			t.Errorf("loss %v: %d of 50 arrived", p, len(got))
		}
	}
}

func TestDelayIsExact(t *testing.T) {
	for _, a := range run(t, New(Config{Delay: 30 * time.Millisecond}), 10, time.Millisecond) {
		if want := clock.Time(a.i)*1e6 + 30e6; a.at != want {
			t.Errorf("packet %d arrives at %d, want %d", a.i, a.at, want)
		}
	}
}

func TestJitterKeepsOrderUnlessAsked(t *testing.T) {
	cfg := Config{Delay: 10 * time.Millisecond, Jitter: 10 * time.Millisecond, Seed: 2}
	if got := run(t, New(cfg), 1000, time.Millisecond); !inOrder(got) {
		t.Error("jitter alone changed the order")
	}
	cfg.JitterReorders = true
	got := run(t, New(cfg), 10000, time.Millisecond)
	if inOrder(got) {
		t.Error("JitterReorders did not change the order")
	}
	var sum, least, most = 0.0, math.Inf(1), 0.0
	for _, a := range got {
		d := (float64(a.at) - float64(a.i)*1e6) / 1e6
		sum, least, most = sum+d, min(least, d), max(most, d)
	}
	if mean := sum / float64(len(got)); math.Abs(mean-10) > 0.3 || least < 0 || least > 0.1 || most > 20 || most < 19.9 {
		t.Errorf("delays from %.2f to %.2f ms, mean %.2f; want 0 to 20, mean 10", least, most, mean)
	}
}

func TestJitterLargerThanDelayNeverGoesBack(t *testing.T) {
	for _, a := range run(t, New(Config{Delay: 1, Jitter: time.Second, JitterReorders: true}), 100, time.Millisecond) {
		if a.at < clock.Time(a.i)*1e6 {
			t.Fatalf("packet %d arrives before it was sent", a.i)
		}
	}
}

func TestReorderedPacketOvertakesThoseDelayed(t *testing.T) {
	m := New(Config{Delay: 10 * time.Millisecond, Reorder: 0.2, Seed: 1})
	got := run(t, m, 100, time.Millisecond)
	overtook := 0
	for _, a := range got {
		switch d := a.at.Sub(clock.Time(a.i) * 1e6); d {
		case 0:
			overtook++
		case 10 * time.Millisecond:
		default:
			t.Errorf("packet %d took %v", a.i, d)
		}
	}
	if overtook == 0 || uint64(overtook) != m.Stats().Reordered || inOrder(got) {
		t.Errorf("%d overtook, %d counted, in order %v", overtook, m.Stats().Reordered, inOrder(got))
	}
}

func TestDuplicateArrivesBehindItsOriginal(t *testing.T) {
	got := run(t, New(Config{Duplicate: 1, Delay: time.Millisecond}), 10, 0)
	if len(got) != 20 {
		t.Fatalf("%d arrived, want 20", len(got))
	}
	for i, a := range got {
		if a.i != i/2 {
			t.Errorf("arrival %d is packet %d, want %d", i, a.i, i/2)
		}
	}
}

func TestRateSendsOneAfterTheOther(t *testing.T) {
	m := New(Config{Rate: 8e6, Delay: time.Millisecond}) // 100 octets take 100 µs
	for i, a := range run(t, m, 50, time.Microsecond) {
		if want := clock.Time(i+1)*100e3 + 1e6; a.at != want {
			t.Errorf("packet %d arrives at %v, want %v", i, a.at, want)
		}
	}
}

func TestQueueDropsAtItsTail(t *testing.T) {
	m := New(Config{Rate: 8e6, QueueBytes: 450})
	got := run(t, m, 10, 0)
	if len(got) != 4 || m.Stats().DropQueue != 6 || !inOrder(got) || got[3].i != 3 {
		t.Errorf("%d arrived, %d dropped; want the first 4 and 6", len(got), m.Stats().DropQueue)
	}
	// 100 octets leave each 100 µs: just what one packet in that time needs.
	m = New(Config{Rate: 8e6, QueueBytes: 450})
	if got := run(t, m, 100, 100*time.Microsecond); len(got) != 100 {
		t.Errorf("%d of 100 arrived at the link's own rate", len(got))
	}
	m = New(Config{Rate: 8e6, QueueBytes: 10})
	if got := run(t, m, 1, 0); len(got) != 1 {
		t.Error("a packet that finds nothing waiting was dropped")
	}
	m = New(Config{Rate: 1, QueueBytes: math.MaxInt})
	if got := run(t, m, 10, 0); len(got) != 10 || got[9].at != clock.Time(8000*time.Second) {
		t.Errorf("at one bit a second %d arrived, %+v", len(got), got)
	}
}

func TestHeldOctetsAreBounded(t *testing.T) {
	m := New(Config{Delay: time.Hour, HeldBytes: 1000})
	if got := run(t, m, 20, 0); len(got) != 10 || m.Stats().DropHeld != 10 {
		t.Errorf("%d arrived, %d dropped; want 10 and 10", len(got), m.Stats().DropHeld)
	}
	for range 3 { // what has arrived or was given up is held no longer
		for i := range 10 {
			m.Push(0, numbered(i, 100))
		}
		if m.Len() != 10 {
			t.Fatalf("%d held, want 10", m.Len())
		}
		drain(m)
	}
	m.Close()
}

func TestCorruptFlipsOneBitUnderAFinishedChecksum(t *testing.T) {
	for _, c := range []link.Checksum{link.ChecksumInPacket, link.ChecksumPartial, link.ChecksumVerified} {
		spec := testpacket.Spec{Payload: make([]byte, 200), Checksum: c}
		m := New(Config{Corrupt: 1, Seed: uint64(c)})
		f := testpacket.New(spec)
		spec.Checksum = link.ChecksumInPacket
		right := testpacket.New(spec).Packet()
		for range 200 {
			m.Push(0, f)
			g, ok := m.Pop(0)
			if !ok || g.Checksum != link.ChecksumInPacket {
				t.Fatalf("Pop = %+v, %v; want a checksum in the packet", g, ok)
			}
			flipped := 0
			for i, b := range g.Packet() {
				flipped += bits.OnesCount8(b ^ right[i])
			}
			if flipped != 1 {
				t.Fatalf("%d bits differ, want 1", flipped)
			}
		}
		m.Close()
	}
}

func TestSuperSegmentsAreCutBeforeLoss(t *testing.T) {
	f := testpacket.New(testpacket.Spec{Payload: make([]byte, 10_000), SegmentSize: 1000, Checksum: link.ChecksumPartial})
	m := New(Config{Rate: 1e6})
	m.Push(0, f)
	var last clock.Time
	for range 10 {
		at := m.Deadline()
		g, ok := m.Pop(at)
		if !ok || g.Len() != 1040 || g.SegmentSize != 0 || at <= last {
			t.Fatalf("Pop at %d = %+v, %v", at, g, ok)
		}
		if err := testpacket.Check(g.Packet()); err != nil {
			t.Fatal(err)
		}
		last = at
	}
	m.Close()
	m = New(Config{KeepSegments: true})
	m.Push(0, f)
	if g, ok := m.Pop(0); !ok || g.Len() != f.Len() || g.Offload != f.Offload {
		t.Errorf("KeepSegments: Pop = %+v, %v", g, ok)
	}
	m.Close()
	if m.InUse() != 0 {
		t.Errorf("%d buffers leaked", m.InUse())
	}
}

func TestMalformedSuperSegmentsAreCounted(t *testing.T) {
	f := testpacket.New(testpacket.Spec{Payload: make([]byte, 1000), SegmentSize: 100})
	f.UDP = true
	m := New(Config{})
	m.Push(0, f)
	g := testpacket.New(testpacket.Spec{Payload: make([]byte, 1000), Checksum: link.ChecksumPartial})
	g.ChecksumStart = 2000
	m.Configure(Config{Corrupt: 1})
	m.Push(0, g)
	if s := m.Stats(); s.DropMalformed != 2 || m.Len() != 0 || m.InUse() != 0 {
		t.Errorf("%+v with %d on the way, want two malformed", s, m.Len())
	}
}

func TestPoppedFramesHaveHeadroomAndOffload(t *testing.T) {
	f := numbered(1, 200)
	m := New(Config{})
	m.Push(0, f)
	g, _ := m.Pop(0)
	if g.Off < link.Headroom || g.Offload != f.Offload || string(g.Packet()) != string(f.Packet()) {
		t.Errorf("Pop = %+v, want what was pushed", g)
	}
	m.Close()
}

func TestConfigureActsFromNowOn(t *testing.T) {
	m := New(Config{Delay: time.Second})
	m.Push(0, numbered(0, 100))
	m.Configure(Config{})
	m.Push(0, numbered(1, 100))
	m.Configure(Config{Loss: 1})
	m.Push(0, numbered(2, 100))
	got := drain(m)
	if len(got) != 2 || !inOrder(got) || got[0].at != clock.Time(time.Second) {
		t.Errorf("arrivals %+v", got)
	}
	m.Close()
}

func TestModelAllocatesNothingWhenWarm(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool forgets at random under the race detector")
	}
	m := New(Config{Rate: 1e9, Loss: 0.1, Duplicate: 0.1, Corrupt: 0.1, Seed: 4})
	f := testpacket.New(testpacket.Spec{Payload: make([]byte, 30_000), SegmentSize: 1460, Checksum: link.ChecksumPartial})
	var now clock.Time
	round := func() {
		m.Push(now, f)
		for m.Deadline() != clock.Never {
			now = m.Deadline()
			m.Pop(now)
		}
	}
	for range 20 {
		round()
	}
	if got := testing.AllocsPerRun(50, round); got >= 1 {
		t.Errorf("%v allocations per round, want 0", got)
	}
}

func BenchmarkModel(b *testing.B) {
	m := New(Config{Rate: 1e9, Delay: time.Millisecond, Jitter: time.Millisecond, Loss: 0.01})
	f := numbered(0, 1500)
	var now clock.Time
	for b.Loop() {
		m.Push(now, f)
		now += 12_000
		m.Pop(now)
	}
}
