package udp

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/wire"
)

var (
	a4 = netip.MustParseAddrPort("192.0.2.1:5000")
	b4 = netip.MustParseAddrPort("192.0.2.2:7")
	a6 = netip.MustParseAddrPort("[2001:db8::1]:5000")
	b6 = netip.MustParseAddrPort("[2001:db8::2]:7")
)

// datagram returns one with this payload and a right checksum.
func datagram(src, dst netip.AddrPort, payload string) []byte {
	b := append(make([]byte, HeaderLen), payload...)
	Put(b, src, dst, link.ChecksumInPacket)
	return b
}

func set(b []byte, at int, v ...byte) []byte {
	copy(b[at:], v)
	return b
}

func TestDatagramIsBelievedOrDroppedByItsRule(t *testing.T) {
	const own, verified, partial = link.ChecksumInPacket, link.ChecksumVerified, link.ChecksumPartial
	for _, c := range []struct {
		rule     string
		b        []byte
		src, dst netip.AddrPort
		sum      link.Checksum
		want     Drop
	}{
		{"right over IPv4", datagram(a4, b4, "hello"), a4, b4, own, DropNone},
		{"right over IPv6", datagram(a6, b6, "hello"), a6, b6, own, DropNone},
		{"empty", datagram(a4, b4, ""), a4, b4, own, DropNone},
		{"octets after the length", append(datagram(a4, b4, "odd"), 1, 2, 3), a4, b4, own, DropNone},
		{"RFC 768: zero is no checksum, over IPv4", set(datagram(a4, b4, "x"), 6, 0, 0), a4, b4, own, DropNone},
		{"RFC 8200 §8.1: zero is refused over IPv6", set(datagram(a6, b6, "x"), 6, 0, 0), a6, b6, own, DropZero},
		{"also where the link vouches", set(datagram(a6, b6, "x"), 6, 0, 0), a6, b6, verified, DropZero},
		{"an octet changed", set(datagram(a4, b4, "hello"), 9, 'a'), a4, b4, own, DropChecksum},
		{"another address", datagram(a4, b4, "hello"), a6, b6, own, DropChecksum},
		{"wrong, but the link vouches", set(datagram(a4, b4, "hello"), 9, 'a'), a4, b4, verified, DropNone},
		{"wrong, because not finished", set(datagram(a6, b6, "hello"), 6, 0, 0), a6, b6, partial, DropNone},
		{"port zero", datagram(a4, netip.AddrPortFrom(b4.Addr(), 0), "x"), a4, b4, own, DropPort},
		{"reply to port zero unwanted, yet delivered", datagram(netip.AddrPortFrom(a4.Addr(), 0), b4, "x"), a4, b4, own, DropNone},
		{"nothing at all", nil, a4, b4, own, DropLength},
		{"half a header", datagram(a4, b4, "")[:7], a4, b4, own, DropLength},
		{"a length below the header's", set(datagram(a4, b4, "x"), 4, 0, 7), a4, b4, own, DropLength},
		{"a length of zero, a jumbogram's", set(datagram(a6, b6, "x"), 4, 0, 0), a6, b6, own, DropLength},
		{"a length beyond the packet", set(datagram(a4, b4, "x"), 4, 0, 10), a4, b4, own, DropLength},
	} {
		h, got := Parse(c.b, c.src.Addr(), c.dst.Addr(), c.sum)
		if got != c.want || (h != nil) != (got == DropNone) {
			t.Errorf("%s: %v, want %v", c.rule, got, c.want)
		}
	}
	h, _ := Parse(append(datagram(a4, b4, "odd"), 1, 2), a4.Addr(), b4.Addr(), own)
	if string(h.Payload()) != "odd" {
		t.Errorf("payload %q", h.Payload())
	}
}

// RFC 768: "If the computed checksum is zero, it is transmitted as all ones".
func TestComputedZeroIsSentAsAllOnes(t *testing.T) {
	b := append(make([]byte, HeaderLen), 0, 0)
	for v := range 1 << 16 { // one of these payloads gives a sum of zero
		b[8], b[9] = byte(v>>8), byte(v)
		Put(b, a4, b4, link.ChecksumInPacket)
		sum := wire.UDP(b).Checksum()
		if sum == 0 {
			t.Fatalf("payload %#x is sent with a checksum of zero", v)
		}
		if _, d := Parse(b, a4.Addr(), b4.Addr(), link.ChecksumInPacket); d != DropNone {
			t.Fatalf("payload %#x, checksum %#x: %v", v, sum, d)
		}
	}
}

func TestPartialChecksumIsThePseudoHeaders(t *testing.T) {
	for _, c := range [][2]netip.AddrPort{{a4, b4}, {a6, b6}} {
		b := append(make([]byte, HeaderLen), "some payload"...)
		if n := Put(b, c[0], c[1], link.ChecksumPartial); n != HeaderLen {
			t.Fatalf("Put = %d", n)
		}
		// What the link does: sum from ChecksumStart on, field included.
		wire.UDP(b).SetChecksum(^wire.Sum(b, 0))
		if _, d := Parse(b, c[0].Addr(), c[1].Addr(), link.ChecksumInPacket); d != DropNone {
			t.Errorf("finished by the link: %v", d)
		}
	}
}

func TestLargestPayloadFillsTheLengthField(t *testing.T) {
	if MaxPayload(a4.Addr()) != 65507 || MaxPayload(a6.Addr()) != 65527 {
		t.Fatal("not what 16 bits of length allow")
	}
	b := make([]byte, HeaderLen+MaxPayload6)
	Put(b, a6, b6, link.ChecksumInPacket)
	if h, d := Parse(b, a6.Addr(), b6.Addr(), link.ChecksumInPacket); d != DropNone || len(h.Payload()) != MaxPayload6 {
		t.Fatalf("%v", d)
	}
}

func TestQueueKeepsOrderAndMetadata(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var pool mem.Pool
	var q Queue
	q.Init(&pool, 1<<20, 100)
	in, out := byte(0), byte(0)
	payload := make([]byte, 3000)
	for range 5000 {
		if rng.IntN(2) == 0 && q.Len() < 100 {
			p := payload[:rng.IntN(len(payload))]
			for i := range p {
				p[i] = in
			}
			d := Datagram{From: a4, To: b6.Addr(), Interface: int(in), HopLimit: in, TOS: ^in, Payload: p}
			if r := q.Push(&d); r != DropNone {
				t.Fatal(r)
			}
			in++
		} else if peek := q.Peek(); peek != nil {
			d, ok := q.Pop()
			if !ok || d.HopLimit != out || d.TOS != ^out || d.Interface != int(out) || d.From != a4 || d.To != b6.Addr() ||
				bytes.Count(d.Payload, []byte{out}) != len(d.Payload) {
				t.Fatalf("datagram %d: %+v", out, d)
			}
			d.Release()
			d.Release() // harmless
			out++
		} else if _, ok := q.Pop(); ok {
			t.Fatal("Pop of an empty queue")
		}
		if int(pool.InUse()) != q.Memory() {
			t.Fatalf("Memory = %d, but %d octets are out", q.Memory(), pool.InUse())
		}
	}
	q.Release()
	if pool.Outstanding() != 0 || q.Len() != 0 || q.Memory() != 0 {
		t.Fatal("something left after Release")
	}
}

func TestQueueIsBoundedInBlockMemoryAndInNumber(t *testing.T) {
	var pool mem.Pool
	var q Queue
	defer q.Release()
	push := func(n int) Drop { return q.Push(&Datagram{Payload: make([]byte, n)}) }
	q.Init(&pool, 1000, 5)
	for i, c := range []struct {
		n    int
		want Drop
	}{{1, DropNone}, {300, DropNone}, {1, DropFull}, {0, DropNone}, {0, DropNone}, {0, DropNone}, {0, DropFull}} {
		if got := push(c.n); got != c.want { // 256 octets, then 512: the third block is too much
			t.Fatalf("datagram %d of %d octets: %v, want %v", i, c.n, got, c.want)
		}
	}
	if q.Dropped() != 2 || q.Memory() != 768 {
		t.Fatalf("%d dropped, %d octets", q.Dropped(), q.Memory())
	}
	q.Release()
	if push(60000) != DropNone || push(1) != DropFull {
		t.Fatal("an empty queue takes any datagram, and no more after that")
	}
	q.Release()
	q.SetLimits(0, 0)
	for push(1) == DropNone {
	}
	if q.Len() != DefaultOctets/mem.MinBlock {
		t.Fatalf("%d datagrams by default", q.Len())
	}
}

// RFC 1122 §4.1.3.3.
func TestErrorFromICMPIsTakenOnce(t *testing.T) {
	var pool mem.Pool
	var q Queue
	q.Init(&pool, 0, 0)
	if q.Failed() || q.TakeError() != nil {
		t.Fatal("an error from nowhere")
	}
	q.Fail(syscall.ECONNREFUSED)
	if err := q.TakeError(); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("TakeError = %v", err)
	}
	if q.TakeError() != nil {
		t.Fatal("taken twice")
	}
	q.Fail(syscall.ECONNREFUSED)
	q.Release()
	if q.Failed() {
		t.Fatal("pending after Release")
	}
}

func TestEachDropIsCountedUnderItsReason(t *testing.T) {
	var c Counters
	for d := range drops {
		c.Drop(d)
	}
	c.Drop(drops)
	c.In.Add(3)
	got := map[string]uint64{}
	c.Each(func(name string, v uint64) {
		if _, twice := got[name]; twice || !strings.HasPrefix(name, "udp.") {
			t.Errorf("counter %q", name)
		}
		got[name] = v
	})
	for d := DropNone + 1; d < drops; d++ {
		if got[d.String()] != 1 || c.Dropped(d) != 1 {
			t.Errorf("%v = %d", d, got[d.String()])
		}
	}
	if got["udp.in"] != 3 || drops.String() != "udp.drop.unknown" || c.Dropped(drops) != 0 {
		t.Error("counters wrong")
	}
}

func TestNothingAllocatesOnceWarm(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops blocks at random under the race detector")
	}
	var pool mem.Pool
	var q Queue
	q.Init(&pool, 0, 0)
	b := datagram(a6, b6, "some payload")
	if n := testing.AllocsPerRun(100, func() {
		for range keepRing {
			h, _ := Parse(b, a6.Addr(), b6.Addr(), link.ChecksumInPacket)
			q.Push(&Datagram{From: a6, To: b6.Addr(), Payload: h.Payload()})
		}
		for range keepRing {
			d, _ := q.Pop()
			Put(b, a6, b6, link.ChecksumInPacket)
			d.Release()
		}
	}); n > 0 {
		t.Fatalf("%v allocations", n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(datagram(a4, b4, "hello"), false, uint8(0))
	f.Add(datagram(a6, b6, "hello"), true, uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, six bool, sum uint8) {
		src, dst := a4.Addr(), b4.Addr()
		if six {
			src, dst = a6.Addr(), b6.Addr()
		}
		h, d := Parse(b, src, dst, link.Checksum(sum%3))
		if d != DropNone {
			return
		}
		if len(h.Payload()) != h.Length()-HeaderLen || h.DstPort() == 0 {
			t.Fatalf("%d octets of payload, length field %d", len(h.Payload()), h.Length())
		}
		if sum%3 == 0 && h.Checksum() != 0 && !h.ChecksumOK(src, dst) {
			t.Fatal("wrong checksum believed")
		}
	})
}

func BenchmarkPushPop(b *testing.B) {
	var pool mem.Pool
	var q Queue
	q.Init(&pool, 0, 0)
	p := datagram(a4, b4, strings.Repeat("x", 1000))
	b.ReportAllocs()
	for b.Loop() {
		h, _ := Parse(p, a4.Addr(), b4.Addr(), link.ChecksumInPacket)
		q.Push(&Datagram{From: a4, To: b4.Addr(), Payload: h.Payload()})
		d, _ := q.Pop()
		d.Release()
	}
}
