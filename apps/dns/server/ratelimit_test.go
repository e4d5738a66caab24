package server

import (
	"net/netip"
	"testing"
)

func count(l *limiter, addr string, c answerClass, n int, now uint64) (sent, slipped int) {
	for range n {
		switch l.take(netip.MustParseAddr(addr), c, now) {
		case sendAnswer:
			sent++
		case sendSlip:
			slipped++
		}
	}
	return sent, slipped
}

func TestRateLimitIsByNetworkAndClass(t *testing.T) {
	l := newLimiter(RateLimit{PerSecond: 10, Networks: 64})
	const at = 5_000_000
	if sent, slipped := count(l, "192.0.2.1", classPositive, 100, at); sent != 10 || slipped != 45 {
		t.Errorf("100 at once: %d sent, %d slipped; want 10 and every second of the rest", sent, slipped)
	}
	if sent, _ := count(l, "192.0.2.200", classPositive, 10, at); sent != 0 {
		t.Errorf("another address of the network gets %d", sent)
	}
	if sent, _ := count(l, "192.0.2.1", classNXDomain, 100, at); sent != 10 {
		t.Errorf("another class gets %d", sent)
	}
	if sent, _ := count(l, "198.51.100.1", classPositive, 100, at); sent != 10 {
		t.Errorf("another network gets %d", sent)
	}
	if sent, _ := count(l, "2001:db8:0:1::1", classPositive, 100, at); sent != 10 {
		t.Errorf("a /56 gets %d", sent)
	}
	if sent, _ := count(l, "2001:db8:0:ff::1", classPositive, 100, at); sent != 0 {
		t.Errorf("the same /56 gets %d more", sent)
	}
	if sent, _ := count(l, "2001:db8:0:100::1", classPositive, 100, at); sent != 10 {
		t.Errorf("the next /56 gets %d", sent)
	}
	if sent, _ := count(l, "192.0.2.1", classPositive, 100, at+500_000); sent != 5 {
		t.Errorf("half a second later it gets %d, want 5", sent)
	}
	if sent, _ := count(l, "192.0.2.1", classPositive, 100, at+60_000_000); sent != 10 {
		t.Errorf("a minute later it gets %d, want 10", sent)
	}
}

func TestRateLimitSlips(t *testing.T) {
	for slip, want := range map[int]int{1: 90, 3: 30, -1: 0} {
		l := newLimiter(RateLimit{PerSecond: 10, Slip: slip, Networks: 4})
		if _, slipped := count(l, "192.0.2.1", classPositive, 100, 1); slipped != want {
			t.Errorf("slip %d: %d of 90, want %d", slip, slipped, want)
		}
	}
	if newLimiter(RateLimit{PerSecond: -1}) != nil {
		t.Error("the limit is not off")
	}
}

// However many networks there are, the table is as large as it was, and the latest are limited.
func TestRateLimitTableIsBounded(t *testing.T) {
	l := newLimiter(RateLimit{PerSecond: 5, Networks: 1000})
	if n := len(l.sets) * rateWays; n != 1024 {
		t.Errorf("%d entries for 1000 networks", n)
	}
	for n := range 100_000 {
		a := netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
		l.take(a, classPositive, uint64(n))
	}
	if sent, _ := count(l, "203.0.113.1", classPositive, 100, 100_000); sent != 5 {
		t.Errorf("a network that comes last gets %d, want 5", sent)
	}
}

func TestAnswersHaveTheirClass(t *testing.T) {
	for _, c := range []struct {
		header string
		want   answerClass
	}{
		{"000084000001000100000000", classPositive},
		{"000080000001000200010000", classPositive},
		{"000084000001000000010000", classNoData},
		{"000080000001000000020000", classReferral},
		{"000084030001000000010000", classNXDomain},
		{"000080050001000000000000", classError},
		{"000080020001000000000000", classError},
	} {
		if got := classOf(unhex(t, c.header)); got != c.want {
			t.Errorf("%s is of class %d, want %d", c.header, got, c.want)
		}
	}
}
