package ip

import (
	"net/netip"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
)

func TestPathMTURules(t *testing.T) {
	type report struct {
		mtu, sent, want int
		fell            bool
	}
	tests := []struct {
		name    string
		dst     netip.Addr
		reports []report
		fits    int
		frag    bool
	}{
		{"falls (RFC 1191 §3)", dst4, []report{{1400, 1500, 1400, true}, {1300, 1400, 1300, true}}, 1300, false},
		{"never rises by a report (RFC 1191 §3)", dst4, []report{{1300, 1500, 1300, true}, {1400, 1500, 1300, false}, {1300, 1500, 1300, false}}, 1300, false},
		{"larger than the link counts for nothing", dst4, []report{{9000, 9500, 9000, true}}, 1500, false},
		{"plateau below 1500 (RFC 1191 §7.1)", dst4, []report{{0, 1500, 1492, true}, {0, 1492, 1006, true}}, 1006, false},
		{"plateau below a super-segment", dst4, []report{{0, 60000, 32000, true}}, 1500, false},
		{"plateau below the minimum", dst4, []report{{0, 600, 552, true}}, 552, true},
		{"no plateau left", dst4, []report{{0, 68, 0, false}, {0, 0, 0, false}}, 1500, false},
		{"less than the minimum: fragments from now on", dst4, []report{{300, 1500, 552, true}, {1400, 1500, 552, false}}, 552, true},
		{"v6 falls (RFC 8201 §4)", dst6, []report{{1400, 1500, 1400, true}, {1280, 1400, 1280, true}}, 1280, false},
		{"v6 less than 1280 is discarded (RFC 8201 §4)", dst6, []report{{1279, 1500, 0, false}, {0, 1500, 0, false}}, 1500, false},
		{"v6 less than 1280 after a good one", dst6, []report{{1400, 1500, 1400, true}, {600, 1500, 1400, false}}, 1400, false},
		{"negative", dst4, []report{{-5, 1500, 0, false}}, 1500, false},
	}
	for _, tt := range tests {
		c := NewPathMTU(0)
		for i, r := range tt.reports {
			if got, fell := c.Update(0, tt.dst, r.mtu, r.sent); got != r.want || fell != r.fell {
				t.Errorf("%s: report %d: %d, fell %v; want %d, %v", tt.name, i, got, fell, r.want, r.fell)
			}
		}
		if got := c.Lookup(tt.dst, 1500); got != tt.fits {
			t.Errorf("%s: Lookup = %d, want %d", tt.name, got, tt.fits)
		}
		if got := c.MayFragment(tt.dst); got != tt.frag {
			t.Errorf("%s: MayFragment = %v", tt.name, got)
		}
		if got := c.Lookup(tt.dst.Next(), 1500); got != 1500 || c.MayFragment(tt.dst.Next()) {
			t.Errorf("%s: another destination has %d", tt.name, got)
		}
	}
}

// RFC 1191 §6.3, RFC 8201 §5.3: ten minutes after the last report larger packets are tried.
func TestPathMTUAges(t *testing.T) {
	c := NewPathMTU(0)
	minute := func(n int) clock.Time { return clock.Time(n) * clock.Time(time.Minute) }
	if c.Deadline() != clock.Never {
		t.Error("an empty cache has a deadline")
	}
	c.Update(0, dst4, 1400, 1500)
	c.Update(minute(1), dst6, 1400, 1500)
	c.Update(minute(5), dst4, 1400, 1500) // heard of again
	if c.Deadline() != minute(11) {
		t.Errorf("deadline %v", c.Deadline())
	}
	var aged []netip.Addr
	emit := func(a netip.Addr) { aged = append(aged, a) }
	c.Expire(minute(11)-1, emit)
	if len(aged) != 0 {
		t.Error("too early")
	}
	c.Expire(minute(11), emit)
	if len(aged) != 1 || aged[0] != dst6 || c.Lookup(dst6, 1500) != 1500 || c.Lookup(dst4, 1500) != 1400 {
		t.Errorf("aged %v", aged)
	}
	c.Expire(minute(60), nil)
	if c.Len() != 0 || c.Deadline() != clock.Never {
		t.Error("something is left")
	}
}

func TestPathMTUCacheIsBounded(t *testing.T) {
	c := NewPathMTU(100)
	dst := dst4
	c.Update(0, dst6, 1300, 1500)
	for i := range 1000 {
		dst = dst.Next()
		c.Update(clock.Time(i), dst, 1400, 1500)
		if i == 50 {
			c.Update(clock.Time(i), dst6, 1300, 1500)
		}
		if i == 120 && c.Lookup(dst6, 1500) != 1300 {
			t.Error("evicted although others were reported longer ago")
		}
		if c.Len() > 100 {
			t.Fatalf("%d destinations", c.Len())
		}
	}
	if c.Lookup(dst6, 1500) != 1500 || c.Lookup(dst, 1500) != 1400 {
		t.Error("the newest was evicted, or the oldest was not")
	}
}

func TestPathMTULookupAllocatesNothing(t *testing.T) {
	c := NewPathMTU(0)
	c.Update(0, dst6, 1300, 1500)
	if n := testing.AllocsPerRun(100, func() { c.Lookup(dst6, 1500); c.MayFragment(dst4) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
