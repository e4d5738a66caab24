package authority

import (
	"strings"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/zone"
)

// The same version again keeps the differences that lead to it; what they do not lead to ends them.
func TestJournalOutlivesTheSameVersion(t *testing.T) {
	second := parseZone(t, "example.", serialText(2))
	for _, c := range []struct {
		what string
		next *zone.Zone
		want int
	}{
		{"the same zone", second, 1},
		{"one with the same records", parseZone(t, "example.", serialText(2)), 1},
		{"another content under the serial number", parseZone(t, "example.", strings.Replace(serialText(2), "192.0.2.2", "192.0.2.3", 1)), 0},
		{"an earlier serial number", parseZone(t, "example.", serialText(1)), 0},
		{"a later serial number", parseZone(t, "example.", serialText(3)), 2},
	} {
		s := newSet(t, Config{Logger: quiet}, parseZone(t, "example.", serialText(1)))
		for _, z := range []*zone.Zone{second, c.next} {
			if err := s.Replace(z); err != nil {
				t.Fatal(err)
			}
		}
		v := s.index.Load().zones[msg.MustName("example.")]
		if got := len(v.journal.since(1, c.next.Serial())); got != c.want {
			t.Errorf("%s: %d differences from the first version on, want %d", c.what, got, c.want)
		}
	}
}
