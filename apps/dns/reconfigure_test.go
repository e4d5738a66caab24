package dns_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns"
	"github.com/weirnet/weir/apps/dns/authority"
	"github.com/weirnet/weir/apps/dns/internal/fakenet"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/link/pipe"
)

// While one configuration follows the other, in which a zone is served, forwarded, or served again, every query is answered by the
// one or the other.
func TestReconfiguringLosesNoQuery(t *testing.T) {
	dir := t.TempDir()
	write := func(origin string, serial int) authority.ZoneConfig {
		path := filepath.Join(dir, origin)
		text := strings.Replace(zoneText, " 1 3600", fmt.Sprintf(" %d 3600", serial), 1)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return authority.ZoneConfig{Origin: msg.MustName(origin), File: path}
	}
	config := func(n int) dns.Config {
		c := dns.Config{Zones: []authority.ZoneConfig{write("example.", n)}, Reverse: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
		if n%2 == 0 {
			c.Zones = append(c.Zones, write("moves.example.", n))
		} else {
			c.Forward = []dns.Forward{{Zone: msg.MustName("moves.example."), To: fixed("192.0.2.80")}}
			c.Zones = nil // what is forwarded is asked for only where no zone above it is here
			c.Forward = append(c.Forward, dns.Forward{Zone: msg.MustName("example."), To: fixed("192.0.2.80")})
		}
		c.Allow = dns.DefaultAllow(netip.MustParsePrefix("192.0.2.0/24"))
		return c
	}
	svc, client := serving(t, config(0))
	ctx, cancel := context.WithCancel(context.Background())
	var asking sync.WaitGroup
	defer asking.Wait()
	defer cancel()
	var mu sync.Mutex
	asked, by := 0, map[bool]int{}
	for _, name := range []string{"www.example.", "www.moves.example.", "x.any.moves.example."} {
		asking.Go(func() {
			for ctx.Err() == nil {
				m := ask(t, client, "192.0.2.2", name, msg.TypeA)
				if len(m.Answer) == 0 || m.Rcode != msg.RcodeSuccess {
					t.Errorf("%s: %v", name, m)
					return
				}
				mu.Lock()
				asked++
				by[m.Authoritative]++
				mu.Unlock()
			}
		})
	}
	for n := 1; n <= 40 && !t.Failed(); n++ {
		settled, err := svc.Reconfigure(config(n))
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-settled:
		case <-time.After(time.Minute):
			t.Fatal("the configuration before is used still")
		}
		for mu.Lock(); by[n%2 == 0] == 0 && !t.Failed(); mu.Lock() { // somebody has had it
			mu.Unlock()
			time.Sleep(time.Millisecond)
		}
		clear(by)
		mu.Unlock()
	}
	cancel()
	asking.Wait()
	t.Logf("%d questions", asked)
}

// What is under way when another configuration comes is answered by who was asked, who may be closed only then.
func TestReconfiguringWaitsForWhatIsUnderWay(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	held := server.HandlerFunc(func(ctx context.Context, w server.Writer, r *server.Request) {
		close(asked)
		<-answer
		fixed("192.0.2.99").ServeDNS(ctx, w, r)
	})
	allow := dns.DefaultAllow(netip.MustParsePrefix("192.0.2.0/24"))
	svc, client := serving(t, dns.Config{Forward: []dns.Forward{{Zone: msg.MustName("test."), To: held}}, Allow: allow})
	got := make(chan *msg.Message)
	go func() { got <- ask(t, client, "192.0.2.2", "a.test.", msg.TypeA) }()
	<-asked
	settled, err := svc.Reconfigure(dns.Config{Forward: []dns.Forward{{Zone: msg.MustName("test."), To: fixed("192.0.2.98")}}, Allow: allow})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-settled:
		t.Error("a query is under way, and it is settled")
	default:
	}
	if m := ask(t, client, "192.0.2.2", "b.test.", msg.TypeA); len(m.Answer) != 1 || m.Answer[0].Addr().String() != "192.0.2.98" {
		t.Errorf("a new query: %v", m)
	}
	close(answer)
	if m := <-got; len(m.Answer) != 1 || m.Answer[0].Addr().String() != "192.0.2.99" {
		t.Errorf("the one that was under way: %v", m)
	}
	select {
	case <-settled:
	case <-time.After(time.Minute):
		t.Error("it is not settled")
	}
}

// A configuration that is wrong leaves everything as it was; another says who may what, and what is told of the server.
func TestReconfiguringIsAllOrNothing(t *testing.T) {
	good := zoneFile(t, zoneText)
	bad := zoneFile(t, "not a zone")
	own := []authority.ZoneConfig{{Origin: msg.MustName("example."), File: good}}
	svc, client := serving(t, dns.Config{Zones: own, Server: server.Config{NSID: "the first"}})
	if id := nsidOf(t, client); id != "the first" {
		t.Errorf("its name is %q", id)
	}
	for what, c := range map[string]dns.Config{
		"a file that is wrong":   {Zones: []authority.ZoneConfig{{Origin: msg.MustName("new.example."), File: good}, {Origin: msg.MustName("example."), File: bad}}},
		"a zone that is twice":   {Zones: []authority.ZoneConfig{own[0], own[0]}},
		"forwarding to nobody":   {Forward: []dns.Forward{{Zone: msg.MustName("test.")}}},
		"a secret that is short": {Zones: own, Server: server.Config{Cookies: server.Cookies{Secret: []byte("x")}}},
	} {
		if _, err := svc.Reconfigure(c); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", what, err)
		}
		if m := ask(t, client, "192.0.2.2", "www.example.", msg.TypeA); len(m.Answer) != 2 {
			t.Errorf("%s: %v", what, m)
		}
		if m := ask(t, client, "192.0.2.2", "www.new.example.", msg.TypeA); m.Rcode != msg.RcodeNameError {
			t.Errorf("%s: a part of it is served: %v", what, m)
		}
	}
	if _, err := dns.New(dns.Config{Server: server.Config{NSID: strings.Repeat("n", 200)}}); err == nil {
		t.Error("a name that is too long is taken at first")
	}
	c := dns.Config{Forward: []dns.Forward{{Zone: msg.MustName("test."), To: fixed("192.0.2.98")}}, Allow: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}, Server: server.Config{NSID: "the second"}}
	if _, err := svc.Reconfigure(c); err != nil {
		t.Fatal(err)
	}
	if id := nsidOf(t, client); id != "the second" {
		t.Errorf("its name is %q", id)
	}
	if m := ask(t, client, "203.0.113.2", "a.test.", msg.TypeA); len(m.Answer) != 1 {
		t.Errorf("who may now: %v", m)
	}
	if m := ask(t, client, "192.0.2.2", "a.test.", msg.TypeA); !refused(m, msg.EDEProhibited) {
		t.Errorf("who might before: %v", m)
	}
	if m := ask(t, client, "192.0.2.2", "www.example.", msg.TypeA); !refused(m, msg.EDENotAuthoritative) {
		t.Errorf("a zone that is gone: %v", m)
	}
}

// nsidOf asks a service for its name (RFC 5001).
func nsidOf(t *testing.T, client *stack.Stack) string {
	t.Helper()
	c, err := client.Dial("udp", "192.0.2.2:53")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	m := msg.NewQuery(msg.MustName("www.example."), msg.TypeA, false)
	m.EDNS = &msg.EDNS{Size: 1232, Options: []msg.Option{{Code: msg.OptionNSID}}}
	p, err := m.Append(nil, 512)
	if err != nil {
		t.Fatal(err)
	}
	c.Write(p)
	buf := make([]byte, 4096)
	n, err := c.Read(buf)
	if err == nil {
		err = m.Unpack(buf[:n])
	}
	if err != nil {
		t.Fatal(err)
	}
	id, _ := m.EDNS.Option(msg.OptionNSID)
	return string(id)
}

// A service that has ended takes no other configuration, whose resolver nobody would close.
func TestReconfiguringWhatHasEnded(t *testing.T) {
	cfg := func() dns.Config {
		return dns.Config{Network: &fakenet.Net{}, Recursion: &recursor.Config{Hints: recursor.RootHints()}}
	}
	svc, err := dns.New(cfg())
	if err != nil {
		t.Fatal(err)
	}
	svc.Close()
	before := svc.Resolver()
	if _, err := svc.Reconfigure(cfg()); !errors.Is(err, net.ErrClosed) || svc.Resolver() != before {
		t.Errorf("after its end: %v", err)
	}
}

// The ports are those that a service began with, where it listens at further addresses too.
func TestReconfiguringLeavesThePorts(t *testing.T) {
	a, b := pipe.New(pipe.Options{MTU: 1500})
	nw, client := newStack(t, a, "192.0.2.2/24"), newStack(t, b, "192.0.2.1/24")
	cfg := dns.Config{Zones: []authority.ZoneConfig{{Origin: msg.MustName("example."), File: zoneFile(t, zoneText)}}}
	svc, err := dns.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Port = 5353
	if _, err = svc.Reconfigure(cfg); err == nil {
		err = svc.Listen(nw)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() { svc.Serve(ctx) })
	defer serving.Wait()
	defer cancel()
	if m := ask(t, client, "192.0.2.2", "www.example.", msg.TypeA); len(m.Answer) != 2 {
		t.Error(m)
	}
}

// slow is a network on which nobody is reached before it is let go.
type slow struct {
	fakenet.Net
	called chan struct{}
	let    chan struct{}
	once   sync.Once
}

func (n *slow) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	n.once.Do(func() { close(n.called) })
	select {
	case <-n.let:
		return n.Net.DialContext(ctx, network, addr)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A resolver that another configuration takes the place of ends what it is at, and then is closed.
func TestReconfiguringClosesTheResolverAtItsEnd(t *testing.T) {
	const root = ". 60 IN NS ns.root.\nns.root. 60 IN A 192.0.2.53\nwww.root. 60 IN A 192.0.2.80\n"
	n := &slow{called: make(chan struct{}), let: make(chan struct{})}
	n.Add("192.0.2.53", &fakenet.Server{Handle: fakenet.Zone(".", root)})
	svc, client := serving(t, dns.Config{Recursion: &recursor.Config{Network: n, Hints: fakenet.Records(root)[:2], Limits: recursor.Limits{Time: time.Minute}}})
	old := svc.Resolver()
	got := make(chan *msg.Message)
	go func() { got <- ask(t, client, "192.0.2.2", "www.root.", msg.TypeA) }()
	<-n.called
	settled, err := svc.Reconfigure(dns.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if m := ask(t, client, "192.0.2.2", "b.test.", msg.TypeA); !refused(m, msg.EDENotAuthoritative) {
		t.Errorf("a new query: %v", m)
	}
	close(n.let)
	if m := <-got; len(m.Answer) != 1 {
		t.Errorf("the one that was under way: %v", m)
	}
	<-settled
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		q := msg.Question{Name: msg.MustName(fmt.Sprintf("n%d.root.", time.Now().UnixNano())), Type: msg.TypeA, Class: msg.ClassINET}
		if _, err := old.Resolve(t.Context(), q, recursor.QueryOptions{}); err != nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the resolver is not closed")
		}
	}
}

// How files are read does not change while a service runs: Reload would read them in another way than Reconfigure.
func TestReconfiguringReadsFilesAsBefore(t *testing.T) {
	zones := []authority.ZoneConfig{{Origin: msg.MustName("example."), File: zoneFile(t, zoneText)}}
	svc, _ := serving(t, dns.Config{Zones: zones})
	strict := dns.Config{Zones: zones}
	strict.Authority.Read.MaxRecords = 1
	if _, err := svc.Reconfigure(strict); err != nil {
		t.Error(err)
	}
	if err := svc.Reload(); err != nil {
		t.Error(err)
	}
}
