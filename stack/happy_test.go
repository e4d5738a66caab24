package stack_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/event"
	"github.com/weirnet/weir/stack/link/pipe"
)

// A lookup is the answers of a name server: "50ms 192.0.2.2,192.0.2.9" comes after so long.
type lookup struct {
	answers []string
	err     error
}

// eager gives each answer when it comes.
type eager struct{ lookup }

func (l lookup) LookupEager(ctx context.Context, _, _ string, found func([]netip.Addr)) error {
	begun := time.Now()
	for _, a := range l.answers {
		after, list, _ := strings.Cut(a, " ")
		d, _ := time.ParseDuration(after)
		select {
		case <-time.After(time.Until(begun.Add(d))):
		case <-ctx.Done():
			return ctx.Err()
		}
		var addrs []netip.Addr
		for s := range strings.SplitSeq(list, ",") {
			if s != "" {
				addrs = append(addrs, netip.MustParseAddr(s))
			}
		}
		found(addrs)
	}
	return l.err
}

func (l lookup) LookupNetIP(ctx context.Context, network, host string) (all []netip.Addr, err error) {
	err = l.LookupEager(ctx, network, host, func(a []netip.Addr) { all = append(all, a...) })
	return all, err
}

// slow hides LookupEager.
type slow struct{ l lookup }

func (s slow) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	return s.l.LookupNetIP(ctx, network, host)
}

// At the pair's far end, port 7 of 192.0.2.2 and 2001:db8::2 answers and 9 refuses; nobody has
// the addresses that end in 9, so that a SYN there is lost.
func TestDialByNameTriesAddressesAsRFC8305Says(t *testing.T) {
	for _, c := range []struct {
		what, network, port string
		resolver            stack.Resolver
		want                string        // the address that was reached
		after               time.Duration // at least, and no more than 40 ms later
	}{
		{"the first that is tried answers", "tcp", "7", eager{lookup{answers: []string{"0 192.0.2.2,2001:db8::2"}}}, "2001:db8::2", 0},
		{"a family that is asked for", "tcp4", "7", eager{lookup{answers: []string{"0 192.0.2.2,2001:db8::2"}}}, "192.0.2.2", 0},
		{"the other", "tcp6", "7", eager{lookup{answers: []string{"0 192.0.2.2,2001:db8::2"}}}, "2001:db8::2", 0},
		{"one that is dead costs 250 ms", "tcp", "7", eager{lookup{answers: []string{"0 192.0.2.2,2001:db8::9"}}}, "192.0.2.2", 250 * time.Millisecond},
		{"families take turns", "tcp", "7", eager{lookup{answers: []string{"0 2001:db8::9,2001:db8::19,2001:db8::29,192.0.2.2"}}}, "192.0.2.2", 250 * time.Millisecond},
		{"three dead ones", "tcp", "7", eager{lookup{answers: []string{"0 2001:db8::9,192.0.2.9,2001:db8::19,192.0.2.2"}}}, "192.0.2.2", 750 * time.Millisecond},
		{"IPv6 that is slower by less than 50 ms", "tcp", "7", eager{lookup{answers: []string{"0 192.0.2.2", "40ms 2001:db8::2"}}}, "2001:db8::2", 40 * time.Millisecond},
		{"IPv6 that is slower by more", "tcp", "7", eager{lookup{answers: []string{"0 192.0.2.2", "200ms 2001:db8::2"}}}, "192.0.2.2", 50 * time.Millisecond},
		{"IPv6 first does not wait", "tcp", "7", eager{lookup{answers: []string{"0 2001:db8::2", "5s 192.0.2.2"}}}, "2001:db8::2", 0},
		{"IPv4 need not wait where none may come", "tcp4", "7", eager{lookup{answers: []string{"0 192.0.2.2", "5s"}}}, "192.0.2.2", 0},
		{"IPv6 that comes during the first attempt", "tcp", "7", eager{lookup{answers: []string{"0 192.0.2.9,192.0.2.19", "100ms 2001:db8::2"}}}, "2001:db8::2", 300 * time.Millisecond},
		{"no addresses in the other family", "tcp", "7", eager{lookup{answers: []string{"0 192.0.2.2", "10ms"}}}, "192.0.2.2", 10 * time.Millisecond},
		{"half a lookup that failed", "tcp", "7", eager{lookup{answers: []string{"0 192.0.2.2"}, err: errors.New("half")}}, "192.0.2.2", 0},
		{"a resolver that is not eager", "tcp", "7", slow{lookup{answers: []string{"0 192.0.2.2", "200ms 2001:db8::2"}}}, "2001:db8::2", 200 * time.Millisecond},
		{"UDP takes the first", "udp", "7", eager{lookup{answers: []string{"0 192.0.2.2", "200ms 2001:db8::2"}}}, "2001:db8::2", 200 * time.Millisecond},
		{"UDP where there is no way to the first", "udp4", "7", eager{lookup{answers: []string{"0 2001:db8::2,192.0.2.2"}}}, "192.0.2.2", 0},
	} {
		t.Run(c.what, func(t *testing.T) {
			inBubble(t, func(x *bubble) {
				x.listen("7")
				x.a.SetResolver(c.resolver)
				begun := time.Now()
				conn, err := x.a.DialContext(x.Context(), c.network, "www.example:"+c.port)
				if err != nil {
					x.Fatal(err)
				}
				took := time.Since(begun)
				if got := conn.RemoteAddr().String(); got != net.JoinHostPort(c.want, c.port) || took < c.after || took > c.after+40*time.Millisecond {
					x.Errorf("reached %s after %v, want %s after %v", got, took, c.want, c.after)
				}
				synctest.Wait()
				if n := len(x.a.Connections()); n != 1 {
					x.Errorf("%d connections and attempts are left, want the one: %s", n, states(x.a))
				}
				conn.Close()
			})
		})
	}
}

// listen accepts at the port of the far end, in both families, until the test ends.
func (x *bubble) listen(port string) {
	x.Helper()
	l, err := x.b.Listen("tcp", ":"+port)
	if err != nil {
		x.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
		}
	}()
}

// An address that refuses costs no time, and the error of the first tells of all of them.
func TestDialByNameGoesOnAtOnceAfterARefusal(t *testing.T) {
	inBubble(t, func(x *bubble) {
		x.listen("7")
		x.a.SetResolver(eager{lookup{answers: []string{"0 192.0.2.1,192.0.2.2"}}}) // 192.0.2.1 is the near end itself
		begun := time.Now()
		c, err := x.a.Dial("tcp", "www.example:7")
		if err != nil || c.RemoteAddr().String() != "192.0.2.2:7" || time.Since(begun) > 40*time.Millisecond {
			x.Fatalf("%v, %v after %v", c, err, time.Since(begun))
		}
		c.Close()
		x.a.SetResolver(eager{lookup{answers: []string{"0 192.0.2.2,2001:db8::2"}}})
		_, err = x.a.Dial("tcp", "www.example:9")
		var op *net.OpError
		if !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &op) || op.Addr.String() != "[2001:db8::2]:9" {
			x.Errorf("every address refuses: %v, want the refusal of the first", err)
		}
	})
}

// Attempts begin 250 ms apart, in both families in turn, and end with the context.
func TestDialByNameEndsWithItsContext(t *testing.T) {
	inBubble(t, func(x *bubble) {
		var list []string
		for i := range 100 {
			list = append(list, fmt.Sprintf("192.0.2.%d,2001:db8::%d", 100+i, 100+i))
		}
		x.a.SetResolver(eager{lookup{answers: []string{"0 " + strings.Join(list, ",")}}})
		ctx, cancel := context.WithTimeout(x.Context(), 20*time.Second)
		defer cancel()
		go func() {
			time.Sleep(1100 * time.Millisecond)
			if got := len(x.a.Connections()); got != 5 {
				x.Errorf("after 1.1 s there are %d attempts, want 5", got)
			}
			time.Sleep(15 * time.Second)
			if got := len(x.a.Connections()); got != 32 {
				x.Errorf("there are %d attempts at the 200 addresses of one name, want no more than 32", got)
			}
		}()
		_, err := x.a.DialContext(ctx, "tcp", "www.example:7")
		var ne net.Error
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &ne) || !ne.Timeout() {
			x.Errorf("after the deadline: %v, want a timeout", err)
		}
		synctest.Wait()
		if n := len(x.a.Connections()); n != 0 {
			x.Errorf("%d attempts go on", n)
		}
	})
}

// The errors are those of a net.Dialer.
func TestDialByNameFailsAsANetDialerDoes(t *testing.T) {
	notFound := &net.DNSError{Err: "no such host", Name: "www.example", Server: "192.0.2.53:53", IsNotFound: true}
	for _, c := range []struct {
		what, network string
		resolver      stack.Resolver
		local         string
		text          string
		notFound      bool
		timeout       bool
	}{
		{"not found", "tcp", eager{lookup{err: notFound}}, "", "dial tcp: lookup www.example on 192.0.2.53:53: no such host", true, false},
		{"not found, UDP", "udp", eager{lookup{err: notFound}}, "", "dial udp: lookup www.example on 192.0.2.53:53: no such host", true, false},
		{"no resolver", "tcp", nil, "", "dial tcp: lookup www.example: the stack has nobody to look names up: set its Config.Resolver, as apps/dns/stub makes one, or give an address", true, false},
		{"the other family only", "tcp6", eager{lookup{answers: []string{"0 192.0.2.2"}}}, "", "dial tcp6: address www.example: no suitable address found", false, false},
		{"another family than the local address", "tcp", eager{lookup{answers: []string{"0 192.0.2.2"}}}, "2001:db8::1", "dial tcp: address www.example: no suitable address found", false, false},
		{"no answer", "tcp", eager{lookup{answers: []string{"1h"}}}, "", "dial tcp: lookup www.example: i/o timeout", false, true},
		{"no answer, UDP", "udp", slow{lookup{answers: []string{"1h"}}}, "", "dial udp: lookup www.example: i/o timeout", false, true},
	} {
		t.Run(c.what, func(t *testing.T) {
			inBubble(t, func(x *bubble) {
				x.a.SetResolver(c.resolver)
				var local netip.AddrPort
				if c.local != "" {
					local = netip.AddrPortFrom(netip.MustParseAddr(c.local), 0)
				}
				ctx, cancel := context.WithTimeout(x.Context(), time.Minute)
				defer cancel()
				_, err := x.a.DialFrom(ctx, c.network, local, "www.example:7")
				var op *net.OpError
				if !errors.As(err, &op) || err.Error() != c.text {
					x.Fatalf("error %q, want %q in a *net.OpError", err, c.text)
				}
				var dns *net.DNSError
				if errors.As(err, &dns); dns != nil && dns.IsNotFound != c.notFound || op.Timeout() != c.timeout {
					x.Errorf("not found %v, timeout %v", dns, op.Timeout())
				}
			})
		})
	}
}

// Only a dial looks names up.
func TestListenAndDialEventsDoNotWaitForNames(t *testing.T) {
	a, _ := pair(t, pipe.Options{}, stack.Config{Resolver: eager{lookup{answers: []string{"0 192.0.2.1"}}}})
	if _, err := a.Listen("tcp", "www.example:7"); !strings.Contains(fmt.Sprint(err), "give an address") {
		t.Errorf("Listen: %v", err)
	}
	if _, err := a.DialEvents(t.Context(), "tcp", "www.example:7", nil, event.DialOptions{}); !strings.Contains(fmt.Sprint(err), "look it up first") {
		t.Errorf("DialEvents: %v", err)
	}
	if _, err := a.Dial("tcp", "www.example:7"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("Dial with Config.Resolver: %v, want ECONNREFUSED of the stack itself", err)
	}
}
