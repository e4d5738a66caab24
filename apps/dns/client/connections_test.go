package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
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

// Servers that do not answer calls have no place that another is in need of for longer than a second: the oldest call is given up as one
// that had no answer in time, and no more than one for each that comes.
func TestSilentServersGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var live fakenet.Net
		live.Add("192.0.2.200", &fakenet.Server{Handle: fakenet.Zone("example", records), Delay: time.Millisecond})
		n := &halfSilent{live: &live}
		c := &client.Client{Network: n, MaxConnections: 3}
		defer c.Close()
		ask := func(host byte) (time.Duration, error) {
			begun := time.Now()
			to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, host}), 53)
			_, _, err := c.Exchange(t.Context(), wwwA(), to, client.Options{Transport: client.TCP})
			return time.Since(begun), err
		}
		took := make(chan time.Duration, 3)
		for i := range byte(3) {
			go func() {
				d, err := ask(i)
				var e *client.Error
				if !errors.As(err, &e) || !e.Timeout() {
					t.Errorf("silent server %d: %v", i, err)
				}
				took <- d
			}()
			time.Sleep(100 * time.Millisecond)
		}
		if _, err := ask(200); !errors.Is(err, client.ErrConnections) {
			t.Errorf("300 ms after the first: %v", err)
		}
		time.Sleep(time.Second)
		if d, err := ask(200); err != nil || d > 10*time.Millisecond {
			t.Errorf("1.3 s after the first: %v after %v", err, d)
		}
		for i, want := range []time.Duration{1300 * time.Millisecond, 5 * time.Second, 5 * time.Second} {
			if d := <-took; d != want {
				t.Errorf("silent server %d was given up after %v, want %v", i, d, want)
			}
		}
	})
}

// halfSilent answers calls to the server of live only.
type halfSilent struct {
	live *fakenet.Net
	nowhere
}

func (n *halfSilent) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if address == "192.0.2.200:53" {
		return n.live.DialContext(ctx, network, address)
	}
	return n.nowhere.DialContext(ctx, network, address)
}

// askLong asks a name that is not in lower case by chance.
func (w *world) askLong() (client.Result, error) {
	m := msg.NewQuery(msg.MustName("a-name-whose-letters-are-too-many-to-keep-their-case-by-chance.example"), msg.TypeA, false)
	_, res, err := w.c.Exchange(w.Context(), m, to, client.Options{})
	return res, err
}

// What a server does with the case is not told by a question that was not asked for want of a connection.
func TestNoConnectionLeftSaysNothingOfTheCase(t *testing.T) {
	in(t, lowers(fakenet.Zone("example", records)), func(w *world) {
		other := netip.MustParseAddrPort("192.0.2.54:53")
		w.net.Add(other.String(), &fakenet.Server{Handle: fakenet.Zone("example", records), Delay: time.Second})
		w.c.MaxConnections = 1
		busy := make(chan error)
		go func() {
			_, _, err := w.c.Exchange(w.Context(), wwwA(), other, client.Options{Transport: client.TCP})
			busy <- err
		}()
		synctest.Wait()
		if res, err := w.askLong(); !errors.Is(err, client.ErrConnections) || w.c.Count("without_case") != 0 {
			w.Errorf("%v, %d sent, %v", err, res.Sent, w.c.Counters())
		}
		if err := <-busy; err != nil {
			w.Error(err)
		}
	})
}

// A server that changes the case, truncates and has no TCP is given up, and not asked again and again.
func TestTruncatedWithoutCaseAndTCP(t *testing.T) {
	h := fakenet.Edit(lowers(fakenet.Zone("example", records)), func(_, m *msg.Message) { m.Truncated = true })
	in(t, h, func(w *world) {
		w.s.NoTCP = true
		if res, err := w.askLong(); err == nil || res.Sent > 2 {
			w.Errorf("%v after %d questions", err, res.Sent)
		}
	})
}

// nowhere is a network on which nobody answers a call; it knows how many calls there are.
type nowhere struct{ calls atomic.Int32 }

func (n *nowhere) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	n.calls.Add(1)
	defer n.calls.Add(-1)
	<-ctx.Done()
	return nil, ctx.Err()
}

// A client that is closed calls nobody any more.
func TestCloseEndsDialling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n nowhere
		c := &client.Client{Network: &n}
		failed := make(chan error, 1)
		go func() {
			_, _, err := c.Exchange(t.Context(), wwwA(), to, client.Options{Transport: client.TCP})
			failed <- err
		}()
		synctest.Wait()
		begun := time.Now()
		c.Close()
		if n.calls.Load() != 0 {
			t.Error("it still calls")
		}
		if err := <-failed; err == nil || time.Since(begun) > 0 {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}
