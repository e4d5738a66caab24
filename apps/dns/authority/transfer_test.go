package authority_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/authority"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/apps/dns/tsig"
	"github.com/weirnet/weir/apps/dns/zone"
	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/link/pipe"
)

var (
	origin        = msg.MustName("example.")
	key           = tsig.Key{Name: msg.MustName("transfer."), Algorithm: tsig.HMACSHA256, Secret: []byte("a secret of both")}
	primaryAddr   = netip.MustParseAddr("192.0.2.2")
	secondaryAddr = netip.MustParseAddr("192.0.2.1")
	quiet         = slog.New(slog.NewTextHandler(io.Discard, nil))
)

// zoneText is a zone of n names; changed of them are other than in the version before.
func zoneText(serial, n, changed int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "$TTL 300\n@ SOA ns h %d 3600 600 86400 60\n@ NS ns\nns A 192.0.2.2\n", serial)
	for i := range n {
		last := 1
		if i < changed {
			last = serial
		}
		fmt.Fprintf(&b, "h%d A 198.51.100.%d\n", i, last)
	}
	return b.String()
}

func readZone(t testing.TB, text string) *zone.Zone {
	t.Helper()
	z, err := zone.Load(zone.NewReader(strings.NewReader(text), "test", origin, zone.ReadOptions{}), origin)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func newStack(t *testing.T, d stack.Device, addr netip.Addr) *stack.Stack {
	t.Helper()
	st, err := stack.New(stack.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	if _, err := st.AddInterface(d, stack.InterfaceConfig{Addresses: []netip.Prefix{netip.PrefixFrom(addr, 24)}}); err != nil {
		t.Fatal(err)
	}
	return st
}

// serve serves a set on a stack until the test ends.
func serve(t *testing.T, st *stack.Stack, set *authority.Set) {
	t.Helper()
	srv := server.New(set, server.Config{Logger: quiet})
	for _, network := range []string{"udp", "tcp"} {
		if _, err := srv.Listen(st, network, ":53"); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { srv.Serve(ctx) })
	running.Go(func() { set.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
}

// eventually waits for a condition that is to come.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it did not come to: %s", what)
		}
	}
}

func counter(s *authority.Set, name string) (value uint64) {
	s.Each(func(n string, v uint64) {
		if n == name {
			value = v
		}
	})
	return value
}

func TestSecondaryFollowsItsPrimary(t *testing.T) { synctest.Test(t, secondaryFollowsItsPrimary) }

func secondaryFollowsItsPrimary(t *testing.T) {
	a, b := pipe.New(pipe.Options{MTU: 1500, Offload: true})
	near, far := newStack(t, a, primaryAddr), newStack(t, b, secondaryAddr)

	primary := authority.New(authority.Config{Network: near, Keys: tsig.Keys(key), Logger: quiet})
	first := readZone(t, zoneText(1, 20000, 0))
	if err := primary.Add(authority.ZoneConfig{Origin: origin, Transfer: authority.ACL{Keys: []msg.Name{key.Name}},
		Notify: []authority.Peer{{Addr: netip.AddrPortFrom(secondaryAddr, 53), Key: &key}}}, first); err != nil {
		t.Fatal(err)
	}
	secondary := authority.New(authority.Config{Network: far, Keys: tsig.Keys(key), Logger: quiet, FirstRetry: 10 * time.Millisecond})
	if err := secondary.Add(authority.ZoneConfig{Origin: origin,
		Masters: []authority.Peer{{Addr: netip.AddrPortFrom(primaryAddr, 0), Key: &key}}}, nil); err != nil {
		t.Fatal(err)
	}
	serve(t, near, primary)
	serve(t, far, secondary)

	same := func(z *zone.Zone) func() bool {
		return func() bool {
			got := secondary.Zone(origin)
			if got == nil || got.Serial() != z.Serial() {
				return false
			}
			d, ok := zone.Compare(got, z, 10)
			if !ok || len(d.Deleted) != 1 || len(d.Added) != 1 {
				t.Fatalf("the zone that came differs: %v", d)
			}
			return true
		}
	}
	eventually(t, "the whole zone has come", same(first))
	if n := counter(primary, "authority.transfer.incremental"); n != 0 {
		t.Errorf("%d incremental transfers before there was a change", n)
	}

	second := readZone(t, zoneText(2, 20000, 300))
	if err := primary.Replace(second); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the change has come", same(second))
	if n := counter(primary, "authority.transfer.incremental"); n != 1 {
		t.Errorf("%d incremental transfers, want 1", n)
	}
	eventually(t, "the notice is acknowledged", func() bool { return counter(primary, "authority.notify.acknowledged") >= 1 })
	if n := counter(secondary, "authority.secondary.fetch.failed"); n != 0 {
		t.Errorf("%d transfers failed", n)
	}
}

// ask sends a query over TCP from a stack and returns the messages that come until a transfer has ended.
func ask(t *testing.T, st *stack.Stack, m *msg.Message, k *tsig.Key) (answers []*msg.Message, octets []int) {
	t.Helper()
	c, err := st.Dial("tcp", netip.AddrPortFrom(primaryAddr, 53).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	p, err := m.Append(nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var sess *tsig.Session
	if k != nil {
		if p, sess, err = tsig.Request(p, *k, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Write(append([]byte{byte(len(p) >> 8), byte(len(p))}, p...)); err != nil {
		t.Fatal(err)
	}
	soas := 0
	for soas < 2 {
		size := make([]byte, 2)
		if _, err := io.ReadFull(c, size); err != nil {
			t.Fatal(err)
		}
		p := make([]byte, int(size[0])<<8|int(size[1]))
		if _, err := io.ReadFull(c, p); err != nil {
			t.Fatal(err)
		}
		if sess != nil {
			if _, err := sess.Verify(p, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		a := new(msg.Message)
		if err := a.Unpack(p); err != nil {
			t.Fatal(err)
		}
		answers, octets = append(answers, a), append(octets, len(p))
		for _, rr := range a.Answer {
			if rr.Type == msg.TypeSOA {
				soas++
			}
		}
		if a.Rcode != 0 || len(a.Answer) == 1 {
			break
		}
	}
	return answers, octets
}

func TestTransfersOut(t *testing.T) { synctest.Test(t, transfersOut) }

func transfersOut(t *testing.T) {
	a, b := pipe.New(pipe.Options{MTU: 1500, Offload: true})
	near, far := newStack(t, a, primaryAddr), newStack(t, b, secondaryAddr)
	set := authority.New(authority.Config{Keys: tsig.Keys(key), Logger: quiet, JournalDiffs: 2})
	z := readZone(t, zoneText(1, 5000, 0))
	from := authority.ACL{Keys: []msg.Name{key.Name}, Prefixes: []netip.Prefix{netip.PrefixFrom(secondaryAddr, 32)}}
	if err := set.Add(authority.ZoneConfig{Origin: origin, Transfer: from}, z); err != nil {
		t.Fatal(err)
	}
	for serial := 2; serial <= 5; serial++ {
		if err := set.Replace(readZone(t, zoneText(serial, 5000, 3))); err != nil {
			t.Fatal(err)
		}
	}
	serve(t, near, set)

	answers, octets := ask(t, far, msg.NewQuery(origin, msg.TypeAXFR, false), &key)
	records := 0
	for i, m := range answers {
		records += len(m.Answer)
		if i < len(answers)-1 && octets[i] < 16<<10 {
			t.Errorf("message %d of %d has %d octets only", i, len(answers), octets[i])
		}
		if (len(m.Question) == 1) != (i == 0) || !m.Authoritative { // RFC 5936 §2.2.1
			t.Errorf("message %d has %d questions, AA %v", i, len(m.Question), m.Authoritative)
		}
	}
	if want := z.Records() + 1; records != want || len(answers) < 2 {
		t.Errorf("%d records in %d messages, want %d in some", records, len(answers), want)
	}

	ixfr := func(serial uint32) []*msg.Message {
		m := msg.NewQuery(origin, msg.TypeIXFR, false)
		soa := z.SOA()
		soa.Serial = serial
		m.Authority = []msg.RR{msg.NewRR(origin, msg.TypeSOA, 0, soa.Data())}
		answers, _ := ask(t, far, m, &key)
		return answers
	}
	if m := ixfr(5)[0]; len(m.Answer) != 1 || m.Answer[0].Type != msg.TypeSOA {
		t.Errorf("IXFR of what is up to date: %d records", len(m.Answer))
	}
	if m := ixfr(6)[0]; len(m.Answer) != 1 {
		t.Errorf("IXFR of what is newer than ours: %d records", len(m.Answer))
	}
	if m := ixfr(3)[0]; len(m.Answer) != 2+2*(2+6) {
		t.Errorf("IXFR from two versions ago: %d records", len(m.Answer))
	} else {
		var serials []uint32
		for _, rr := range m.Answer {
			if soa, ok := rr.SOA(); ok {
				serials = append(serials, soa.Serial)
			}
		}
		if fmt.Sprint(serials) != "[5 3 4 4 5 5]" { // RFC 1995 §4
			t.Errorf("IXFR from two versions ago: the serial numbers are %v", serials)
		}
	}
	whole := 0
	for _, m := range ixfr(1) {
		whole += len(m.Answer)
	}
	if whole != z.Records()+1 {
		t.Errorf("IXFR from before the journal: %d records, want the whole zone's %d", whole, z.Records()+1)
	}
	for what, q := range map[string]*msg.Message{"without a key": msg.NewQuery(origin, msg.TypeAXFR, false),
		"below the apex": msg.NewQuery(msg.MustName("h1.example."), msg.TypeAXFR, false)} {
		k, want := (*tsig.Key)(nil), msg.RcodeRefused
		if what == "below the apex" {
			k, want = &key, msg.RcodeNotAuth
		}
		if got, _ := ask(t, far, q, k); got[0].Rcode != want {
			t.Errorf("AXFR %s: %v, want %v", what, got[0].Rcode, want)
		}
	}
}
