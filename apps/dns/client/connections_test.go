package client_test

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/internal/fakenet"
	"github.com/weirnet/weir/apps/dns/msg"
)

func wwwA() *msg.Message { return msg.NewQuery(msg.MustName("www.example"), msg.TypeA, false) }

// Over many servers no more connections are open than may be: the one that was idle for the longest time is closed for another.
func TestConnectionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n fakenet.Net
		at := func(i int) netip.AddrPort { return netip.MustParseAddrPort(fmt.Sprintf("192.0.2.%d:53", i)) }
		for i := range 10 {
			n.Add(at(i).String(), &fakenet.Server{Handle: fakenet.Zone("example", records), Delay: time.Millisecond})
		}
		c := &client.Client{Network: &n, MaxConnections: 3, Idle: time.Hour}
		defer c.Close()
		ask := func(i int) error {
			_, _, err := c.Exchange(t.Context(), wwwA(), at(i), client.Options{Transport: client.TCP})
			return err
		}
		for i := range 10 {
			if err := ask(i); err != nil || c.Connections() > 3 {
				t.Fatalf("server %d: %v, %d connections", i, err, c.Connections())
			}
		}
		if c.Connections() != 3 || c.Count("connections") != 10 || c.Count("connections.evicted") != 7 {
			t.Errorf("%d connections, %v", c.Connections(), c.Counters())
		}
		for _, i := range []int{7, 8, 7, 9, 0, 7} { // 8 was not used for the longest time when 0 is asked
			if err := ask(i); err != nil {
				t.Error(err)
			}
		}
		if n := c.Count("connections"); n != 11 {
			t.Errorf("%d connections were opened, want 11", n)
		}
		ask(8)
		if n := c.Count("connections"); n != 12 {
			t.Errorf("%d connections were opened, want 12", n)
		}
	})
}

// A connection that is in use, or being opened, is not closed for another: who needs one more is told so.
func TestBusyConnectionsStay(t *testing.T) {
	for _, later := range []time.Duration{0, 500 * time.Millisecond} { // the others are being opened, and in use
		synctest.Test(t, func(t *testing.T) {
			var n fakenet.Net
			zone := fakenet.Zone("example", records)
			slow := func(q *msg.Message, w []byte, tcp bool) []fakenet.Reply {
				list := zone(q, w, tcp)
				list[0].After = time.Second
				return list
			}
			for i := range 3 {
				n.Add(fmt.Sprintf("192.0.2.%d", i), &fakenet.Server{Handle: slow, Delay: 100 * time.Millisecond})
			}
			c := &client.Client{Network: &n, MaxConnections: 2}
			defer c.Close()
			errs := make(chan error, 3)
			for i := range 3 {
				if i == 2 {
					time.Sleep(later)
				}
				go func() {
					to := netip.MustParseAddrPort(fmt.Sprintf("192.0.2.%d:53", i))
					_, _, err := c.Exchange(t.Context(), wwwA(), to, client.Options{Transport: client.TCP})
					errs <- err
				}()
			}
			refused := 0
			for range 3 {
				if err := <-errs; errors.Is(err, client.ErrConnections) {
					refused++
				} else if err != nil {
					t.Error(err)
				}
			}
			if refused != 1 || c.Count("connections.refused") != 1 || c.Count("connections.evicted") != 0 || c.Connections() != 2 {
				t.Errorf("%d refused, %d open, %v", refused, c.Connections(), c.Counters())
			}
			time.Sleep(11 * time.Second)
			if synctest.Wait(); c.Connections() != 0 {
				t.Errorf("%d connections are kept beyond their time", c.Connections())
			}
		})
	}
}
