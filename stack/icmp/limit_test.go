package icmp

import (
	"net/netip"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// allowed is how many of n errors to dst at now pass.
func allowed(l *Limiter, now clock.Time, dst netip.Addr, k Kind, n int) int {
	got := 0
	for range n {
		if l.Allow(now, dst, k) {
			got++
		}
	}
	return got
}

// RFC 1812 §4.3.2.8, RFC 4443 §2.4(f): a burst, then a rate, for each destination.
func TestErrorsToOneHostAreLimited(t *testing.T) {
	l := NewLimiter(LimiterConfig{Rate: -1, HostRate: 10, HostBurst: 20})
	now := clock.Time(5 * time.Second)
	if got := allowed(l, now, src4, PortUnreachable, 100); got != 20 {
		t.Errorf("%d at once, want 20", got)
	}
	if got := allowed(l, now, dst4, PortUnreachable, 100); got != 20 {
		t.Errorf("%d at once to another, want 20", got)
	}
	if got := allowed(l, now.Add(99*time.Millisecond), src4, PortUnreachable, 5); got != 0 {
		t.Errorf("%d after 99 ms, want 0", got)
	}
	if got := allowed(l, now.Add(500*time.Millisecond), src4, PortUnreachable, 100); got != 5 {
		t.Errorf("%d after half a second, want 5", got)
	}
	if got := allowed(l, now.Add(time.Hour), src4, PortUnreachable, 100); got != 20 {
		t.Errorf("%d after an hour, want 20", got)
	}
	if got := allowed(l, now, src4, PortUnreachable, 100); got != 0 {
		t.Errorf("%d in the past, want 0", got)
	}
}

func TestErrorsOfTheStackAreLimited(t *testing.T) {
	l := NewLimiter(LimiterConfig{})
	to := src4
	send := func(now clock.Time, n int) int {
		got := 0
		for range n {
			to = to.Next()
			got += allowed(l, now, to, TimeExceededTransit, 1)
		}
		return got
	}
	if got := send(clock.Time(time.Hour), 1000); got < 35 || got > 50 {
		t.Errorf("%d at once, want 50 or some fewer", got)
	}
	sum := 0
	for i := range 1000 {
		sum += send(clock.Time(time.Hour).Add(time.Duration(i)*time.Millisecond), 3)
	}
	if sum < 800 || sum > 1000 {
		t.Errorf("%d in a second, want 1000 or some fewer", sum)
	}
}

// CVE-2020-25705: how many pass is not to be told in advance without the seed.
func TestLimitHasARandomPart(t *testing.T) {
	seen := map[int]bool{}
	for i := range byte(20) {
		l := NewLimiter(LimiterConfig{HostRate: -1, Seed: [32]byte{i}})
		seen[allowed(l, 0, src4, PortUnreachable, 100)] = true
	}
	if len(seen) < 3 {
		t.Errorf("only %d different counts", len(seen))
	}
}

// Path MTU discovery is not starved by a host's own bound, but has the stack's.
func TestPacketTooBigHasTheStacksBoundOnly(t *testing.T) {
	l := NewLimiter(LimiterConfig{})
	if got := allowed(l, 0, src4, FragmentationNeeded, 100); got < 35 || got > 50 {
		t.Errorf("%d of 100", got)
	}
}

func TestLimiterTableIsBounded(t *testing.T) {
	l := NewLimiter(LimiterConfig{Rate: -1, Hosts: 100})
	allowed(l, 0, dst4, PortUnreachable, 20)
	to := src4
	for i := range 1000 {
		to = to.Next()
		l.Allow(0, to, PortUnreachable)
		if i%50 == 0 && l.Allow(0, dst4, PortUnreachable) {
			t.Fatal("a busy destination was forgotten")
		}
		if len(l.hosts) > 100 {
			t.Fatalf("%d destinations", len(l.hosts))
		}
	}
	n := 0
	for h := l.ring.next; h != &l.ring; h = h.next {
		if l.hosts[h.addr] != h {
			t.Fatal("list and table disagree")
		}
		n++
	}
	if n != len(l.hosts) {
		t.Errorf("%d in the list, %d in the table", n, len(l.hosts))
	}
	if n := testing.AllocsPerRun(1000, func() { to = to.Next(); l.Allow(0, to, PortUnreachable) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
