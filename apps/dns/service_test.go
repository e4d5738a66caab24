package dns_test

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns"
	"github.com/weirnet/weir/apps/dns/authority"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/link/pipe"
)

const zoneText = `$TTL 300
@	SOA	ns hostmaster 1 3600 600 604800 60
	NS	ns
ns	A	192.0.2.2
	AAAA	2001:db8::2
www	A	192.0.2.80
	A	198.51.100.80
*.any	A	192.0.2.81
`

func zoneFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "zone")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// serving runs a service on a stack, and returns a stack that reaches it from 192.0.2.1 and from
// 203.0.113.1, which is not allowed anything that is not asked of the zones.
func serving(t *testing.T, cfg dns.Config) (*dns.Service, *stack.Stack) {
	t.Helper()
	a, b := pipe.New(pipe.Options{MTU: 1500, Offload: true})
	nw := newStack(t, a, "192.0.2.2/24", "2001:db8::2/64", "203.0.113.2/24")
	client := newStack(t, b, "192.0.2.1/24", "2001:db8::1/64", "203.0.113.1/24")
	if cfg.Allow == nil {
		cfg.Allow = dns.DefaultAllow(netip.MustParsePrefix("192.0.2.2/24"), netip.MustParsePrefix("2001:db8::2/64"))
	}
	cfg.Network = nw
	svc, err := dns.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := svc.Listen(nw); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := svc.Serve(ctx); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		if n := nw.Stats().Get("held.udp_sockets") + nw.Stats().Get("held.tcp_listeners"); n != 0 {
			t.Errorf("%d sockets are left", n)
		}
	})
	return svc, client
}

func newStack(t *testing.T, d stack.Device, addrs ...string) *stack.Stack {
	t.Helper()
	st, err := stack.New(stack.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	var cfg stack.InterfaceConfig
	for _, a := range addrs {
		cfg.Addresses = append(cfg.Addresses, netip.MustParsePrefix(a))
	}
	if _, err := st.AddInterface(d, cfg); err != nil {
		t.Fatal(err)
	}
	return st
}

func ask(t *testing.T, client *stack.Stack, to, name string, typ msg.Type) *msg.Message {
	t.Helper()
	c, err := client.Dial("udp", net.JoinHostPort(to, "53"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	m := msg.NewQuery(msg.MustName(name), typ, true)
	m.ID, m.EDNS = 7, &msg.EDNS{Size: 1232}
	p, err := m.Append(nil, 512)
	if err != nil {
		t.Fatal(err)
	}
	c.Write(p)
	buf := make([]byte, 4096)
	n, err := c.Read(buf)
	if err != nil {
		t.Fatalf("%s %v: %v", name, typ, err)
	}
	if err := m.Unpack(buf[:n]); err != nil {
		t.Fatal(err)
	}
	return m
}

func refused(m *msg.Message, ede uint16) bool {
	return m.Rcode == msg.RcodeRefused && len(m.EDE()) == 1 && m.EDE()[0].Code == ede
}

// fixed is a server somewhere else: it answers everything with one address.
func fixed(addr string) server.Handler {
	return server.HandlerFunc(func(_ context.Context, w server.Writer, r *server.Request) {
		m := r.Msg.Reply()
		m.Answer = []msg.RR{msg.A(r.Msg.Question[0].Name, 60, netip.MustParseAddr(addr))}
		w.Write(m)
	})
}

func TestZonesForTheWorldAndTheRestForNeighbours(t *testing.T) {
	_, client := serving(t, dns.Config{
		Zones: []authority.ZoneConfig{{Origin: msg.MustName("example."), File: zoneFile(t, zoneText)}},
		Forward: []dns.Forward{
			{Zone: msg.MustName("test."), To: fixed("192.0.2.100")},
			{Zone: msg.MustName("Deep.Under.TEST."), To: fixed("192.0.2.101")},
			{Zone: msg.MustName("sub.example."), To: fixed("192.0.2.102")},
		},
	})
	for _, x := range []struct{ name, want string }{
		{"www.example.", "192.0.2.80"},
		{"x.any.example.", "192.0.2.81"},
		{"test.", "192.0.2.100"},
		{"a.under.test.", "192.0.2.100"},
		{"a.b.dEEp.under.test.", "192.0.2.101"},
	} {
		m := ask(t, client, "192.0.2.2", x.name, msg.TypeA)
		if len(m.Answer) == 0 || m.Answer[0].Addr().String() != x.want {
			t.Errorf("%s: %v", x.name, m)
		}
	}
	if m := ask(t, client, "192.0.2.2", "a.sub.example.", msg.TypeA); m.Rcode != msg.RcodeNameError || !m.Authoritative {
		t.Errorf("a zone of ours is forwarded: %v", m)
	}
	if m := ask(t, client, "192.0.2.2", "elsewhere.", msg.TypeA); !refused(m, msg.EDENotAuthoritative) {
		t.Errorf("what nobody has: %v", m)
	}
	if m := ask(t, client, "203.0.113.2", "a.test.", msg.TypeA); !refused(m, msg.EDEProhibited) {
		t.Errorf("somebody from afar has a zone that is forwarded: %v", m)
	}
	if m := ask(t, client, "203.0.113.2", "www.example.", msg.TypeA); len(m.Answer) != 2 {
		t.Errorf("somebody from afar asks for our zone: %v", m)
	}
}

// The resolver is asked by neighbours only, and finds names by the servers of its hints: this one's own root.
func TestRecursionIsForNeighbours(t *testing.T) {
	hints := []msg.RR{msg.NS(msg.Root, 3600, msg.MustName("a.root.")), msg.A(msg.MustName("a.root."), 3600, netip.MustParseAddr("192.0.2.9"))}
	_, client := serving(t, dns.Config{
		Zones:     []authority.ZoneConfig{{Origin: msg.MustName("example."), File: zoneFile(t, zoneText)}},
		Recursion: &recursor.Config{Hints: hints, Limits: recursor.Limits{Time: 300 * time.Millisecond, Try: 100 * time.Millisecond}},
	})
	if m := ask(t, client, "203.0.113.2", "elsewhere.", msg.TypeA); !refused(m, msg.EDEProhibited) {
		t.Errorf("from afar: %v", m)
	}
	if m := ask(t, client, "192.0.2.2", "elsewhere.", msg.TypeA); m.Rcode != msg.RcodeServerFailure || !m.RecursionAvailable {
		t.Errorf("no root server is there, and a neighbour gets %v", m)
	}
	if m := ask(t, client, "192.0.2.2", "www.example.", msg.TypeA); len(m.Answer) != 2 || !m.Authoritative {
		t.Errorf("our zone: %v", m)
	}
}

func TestReverseZonesAreMadeOfTheZones(t *testing.T) {
	svc, client := serving(t, dns.Config{
		Zones:   []authority.ZoneConfig{{Origin: msg.MustName("example."), File: zoneFile(t, zoneText)}},
		Reverse: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/64")},
	})
	for addr, want := range map[string]string{"192.0.2.80": "www.example.", "192.0.2.2": "ns.example.", "2001:db8::2": "ns.example."} {
		m := ask(t, client, "192.0.2.2", msg.ReverseName(netip.MustParseAddr(addr)).String(), msg.TypePTR)
		if len(m.Answer) != 1 || m.Answer[0].Target().String() != want || !m.Authoritative {
			t.Errorf("%s: %v", addr, m)
		}
	}
	if m := ask(t, client, "192.0.2.2", "81.2.0.192.in-addr.arpa.", msg.TypePTR); m.Rcode != msg.RcodeNameError {
		t.Errorf("a wildcard's address: %v", m)
	}
	if m := ask(t, client, "192.0.2.2", "80.100.51.198.in-addr.arpa.", msg.TypePTR); m.Rcode != msg.RcodeRefused {
		t.Errorf("an address of another subnet: %v", m)
	}
	z := svc.Zones().Zone(msg.MustName("2.0.192.in-addr.arpa."))
	if z == nil || z.SOA().MName != msg.MustName("ns.example.") {
		t.Errorf("the reverse zone is %v", z)
	}
}

// A subnet that ends within an octet has its own addresses, and no others: its neighbour's are for others to answer.
func TestReverseZonesHaveTheirSubnetOnly(t *testing.T) {
	_, client := serving(t, dns.Config{
		Zones:   []authority.ZoneConfig{{Origin: msg.MustName("example."), File: zoneFile(t, zoneText)}},
		Reverse: []netip.Prefix{netip.MustParsePrefix("192.0.2.64/26")},
		Forward: []dns.Forward{{Zone: msg.MustName("2.0.192.in-addr.arpa."), To: fixed("192.0.2.100")}},
	})
	if m := ask(t, client, "192.0.2.2", "80.2.0.192.in-addr.arpa.", msg.TypePTR); len(m.Answer) != 1 || !m.Authoritative || m.Answer[0].TTL != 300 {
		t.Errorf("an address of it: %v", m)
	}
	if m := ask(t, client, "192.0.2.2", "90.2.0.192.in-addr.arpa.", msg.TypePTR); len(m.Answer) != 0 || !m.Authoritative {
		t.Errorf("one that no name has: %v", m)
	}
	if m := ask(t, client, "192.0.2.2", "2.2.0.192.in-addr.arpa.", msg.TypePTR); len(m.Answer) != 1 || m.Authoritative {
		t.Errorf("one of a neighbour's: %v", m)
	}
}

// The reverse zone is made of a secondary's zone too, and follows what its master changes.
func TestReverseZonesFollowASecondary(t *testing.T) {
	synctest.Test(t, reverseZonesFollowASecondary)
}

func reverseZonesFollowASecondary(t *testing.T) {
	origin := msg.MustName("example.")
	_, client := serving(t, dns.Config{
		Zones:     []authority.ZoneConfig{{Origin: origin, Masters: []authority.Peer{{Addr: netip.MustParseAddrPort("192.0.2.1:53")}}}},
		Authority: authority.Config{FirstRetry: 10 * time.Millisecond, MinRefresh: 10 * time.Millisecond},
		Reverse:   []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
	})
	path := zoneFile(t, zoneText)
	master, err := dns.New(dns.Config{Network: client, Zones: []authority.ZoneConfig{{
		Origin: origin, File: path, Notify: []authority.Peer{{Addr: netip.MustParseAddrPort("192.0.2.2:53")}},
		Transfer: authority.ACL{Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.2.2/32")}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := master.Listen(client); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { _ = master.Serve(ctx) })
	awaitName(t, client, "80")
	text := strings.Replace(strings.Replace(zoneText, " 1 3600", " 2 3600", 1), "192.0.2.80", "192.0.2.90", 1)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := master.Reload(); err != nil {
		t.Fatal(err)
	}
	awaitName(t, client, "90")
	if m := ask(t, client, "192.0.2.2", "80.2.0.192.in-addr.arpa.", msg.TypePTR); m.Rcode != msg.RcodeNameError {
		t.Errorf("the address that is gone: %v", m)
	}
}

// awaitName asks until the address 192.0.2.last has a name.
func awaitName(t *testing.T, client *stack.Stack, last string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		m := ask(t, client, "192.0.2.2", last+".2.0.192.in-addr.arpa.", msg.TypePTR)
		if len(m.Answer) == 1 && m.Answer[0].Target() == msg.MustName("www.example.") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("192.0.2.%s has no name: %v", last, m)
		}
	}
}

// While the zone's file is read again and again, every query is answered by the one version or the other.
func TestReloadLosesNoQuery(t *testing.T) {
	path := zoneFile(t, zoneText)
	svc, client := serving(t, dns.Config{
		Zones:   []authority.ZoneConfig{{Origin: msg.MustName("example."), File: path}},
		Reverse: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range 20 {
			text := strings.Replace(zoneText, " 1 3600", " "+strconv.Itoa(n+2)+" 3600", 1)
			text = strings.Replace(text, "192.0.2.80", "192.0.2."+string(rune('2'+n%8))+"0", 1)
			os.WriteFile(path, []byte(text), 0o644)
			if err := svc.Reload(); err != nil {
				t.Error(err)
			}
		}
	}()
	for answered := 0; ; answered++ {
		select {
		case <-done:
			os.WriteFile(path, []byte("not a zone"), 0o644)
			if err := svc.Reload(); err == nil || !strings.Contains(err.Error(), "stays as it was") {
				t.Errorf("a broken file is read: %v", err)
			}
			if m := ask(t, client, "192.0.2.2", "50.2.0.192.in-addr.arpa.", msg.TypePTR); len(m.Answer) != 1 {
				t.Errorf("the reverse zone is not that of the last version: %v", m)
			}
			return
		default:
		}
		if m := ask(t, client, "192.0.2.2", "www.example.", msg.TypeA); len(m.Answer) != 2 {
			t.Fatalf("answer %d: %v", answered, m)
		}
	}
}

func TestConfigThatCannotBeServed(t *testing.T) {
	for name, cfg := range map[string]dns.Config{
		"a file that is not there":   {Zones: []authority.ZoneConfig{{Origin: msg.MustName("example."), File: "/nowhere/zone"}}},
		"a zone of no file":          {Zones: []authority.ZoneConfig{{Origin: msg.MustName("example.")}}},
		"recursion without networks": {Recursion: &recursor.Config{}},
		"forwarding to nobody":       {Forward: []dns.Forward{{Zone: msg.MustName("test.")}}},
	} {
		if _, err := dns.New(cfg); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDefaultAllowIsNeverTheWorld(t *testing.T) {
	list := dns.DefaultAllow(netip.MustParsePrefix("198.51.100.7/24"), netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0"))
	in := func(a string) bool {
		for _, p := range list {
			if p.Contains(netip.MustParseAddr(a)) {
				return true
			}
		}
		return false
	}
	for a, want := range map[string]bool{"127.0.0.1": true, "10.9.8.7": true, "fd00::1": true, "198.51.100.200": true, "192.0.2.1": false, "2001:db8::1": false} {
		if in(a) != want {
			t.Errorf("%s is allowed: %v", a, !want)
		}
	}
}
