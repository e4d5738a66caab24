package authority

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// A SOA record's times count within bounds only.
func TestTimesOfTheSOARecordAreBounded(t *testing.T) {
	const never = 1<<31 - 1
	for _, c := range []struct {
		refresh, retry, expire int
		asked, gone            time.Duration // when it has the next version, and after how long without a master it is given up
	}{
		{never, never, never, 4 * week, 24 * week},
		{0, 0, 0, time.Second, 2 * time.Second},
		{3600, 600, 0, time.Hour, 70 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			text := func(serial int) string {
				return strings.Replace(serialText(serial), "3600 600 86400", fmt.Sprint(c.refresh, c.retry, c.expire), 1)
			}
			master := &primaryNet{set: newSet(t, Config{Logger: quiet}, parseZone(t, "example.", text(1)))}
			s := New(Config{Network: master, Logger: quiet})
			if err := s.Add(ZoneConfig{Origin: msg.MustName("example."), Masters: []Peer{{Addr: netip.MustParseAddrPort("192.0.2.2:53")}}}, nil); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			go s.Run(ctx)
			serial := func(after time.Duration) (serial uint32) {
				time.Sleep(after)
				synctest.Wait()
				if z := s.Zone(msg.MustName("example.")); z != nil {
					serial = z.Serial()
				}
				return serial
			}
			const little = time.Millisecond
			if got := serial(little); got != 1 {
				t.Errorf("%+v: at first serial number %d", c, got)
			}
			if err := master.set.Replace(parseZone(t, "example.", text(2))); err != nil {
				t.Fatal(err)
			}
			if early, got := serial(c.asked-2*little), serial(2*little); early != 1 || got != 2 {
				t.Errorf("%+v: serial numbers %d and %d around the refresh, want 1 and 2", c, early, got)
			}
			master.down.Store(true)
			if early, got := serial(c.gone-2*little), serial(2*little); early != 2 || got != 0 {
				t.Errorf("%+v: serial numbers %d and %d around the end, want 2 and none", c, early, got)
			}
			cancel()
			synctest.Wait()
		})
	}
}
