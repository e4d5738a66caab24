package authority

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/apps/dns/tsig"
)

// elsewhere answers what a set has no zone for.
func elsewhere(addr string) server.Handler {
	return server.HandlerFunc(func(_ context.Context, w server.Writer, r *server.Request) {
		m := r.Msg.Reply()
		m.Answer = []msg.RR{msg.A(r.Msg.Question[0].Name, 60, netip.MustParseAddr(addr))}
		w.Write(m)
	})
}

// said is what a question's answer has, its code where that is nothing.
func said(t *testing.T, s *Set, name string, typ msg.Type) string {
	t.Helper()
	m, ok := direct(t, s, query(name, typ, nil))
	if !ok {
		m = serveWire(t, s, packed(t, query(name, typ, nil)), server.UDP).answers[0]
	}
	if len(m.Answer) == 0 {
		return m.Rcode.String()
	}
	return m.Answer[0].DataString()
}

// What a set serves is replaced at once: zones come, go and have another content, and so do the keys and who answers the rest.
func TestAssignReplacesWhatIsServed(t *testing.T) {
	var log bytes.Buffer
	key := tsig.Key{Name: msg.MustName("k."), Algorithm: tsig.HMACSHA256, Secret: []byte("of a test")}
	s := New(Config{Next: elsewhere("192.0.2.100"), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	zoneOf := func(origin string, serial int) Content {
		z := parseZone(t, origin, serialText(serial))
		return Content{ZoneConfig{Origin: z.Origin()}, z}
	}
	assign := func(next server.Handler, keys tsig.Ring, list ...Content) {
		t.Helper()
		if err := s.Assign(list, keys, next); err != nil {
			t.Fatal(err)
		}
	}
	assign(elsewhere("192.0.2.101"), nil, zoneOf("stays.example.", 1), zoneOf("goes.example.", 1))
	stays := s.index.Load().zones[msg.MustName("stays.example.")]
	for range 3 { // so that it is in the cache
		said(t, s, "v.goes.example.", msg.TypeTXT)
	}
	assign(elsewhere("192.0.2.102"), tsig.Keys(key), zoneOf("stays.example.", 2), zoneOf("comes.example.", 7))
	for _, x := range []struct {
		name string
		typ  msg.Type
		want string
	}{
		{"v.stays.example.", msg.TypeTXT, `"2"`}, {"v.comes.example.", msg.TypeTXT, `"7"`}, {"ns.goes.example.", msg.TypeA, "192.0.2.102"},
		{"v.goes.example.", msg.TypeTXT, "192.0.2.102"},
	} {
		if got := said(t, s, x.name, x.typ); got != x.want {
			t.Errorf("%s: %s, want %s", x.name, got, x.want)
		}
	}
	if v := s.index.Load().zones[msg.MustName("stays.example.")]; v != stays || len(v.journal.since(1, 2)) != 1 {
		t.Error("a zone of the same configuration has begun anew, or its changes are not known")
	}
	p, _, err := tsig.Request(packed(t, query("v.stays.example.", msg.TypeTXT, nil)), key, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if m := serveWire(t, s, p, server.UDP).answers[0]; m.Rcode != msg.RcodeSuccess || len(m.Answer) != 1 {
		t.Errorf("signed with the new key: %v", m)
	}
	other := zoneOf("stays.example.", 2)
	other.Transfer = ACL{Keys: []msg.Name{key.Name}}
	assign(nil, tsig.Keys(key), other)
	if v := s.index.Load().zones[msg.MustName("stays.example.")]; v == stays || len(v.journal.since(1, 2)) != 1 {
		t.Error("a zone of another configuration is the one before, or has forgotten the changes")
	}
	changed := zoneOf("stays.example.", 2)
	changed.Zone = parseZone(t, "stays.example.", strings.Replace(serialText(2), "192.0.2.2", "192.0.2.3", 1))
	assign(nil, nil, changed)
	if got := said(t, s, "ns.stays.example.", msg.TypeA); got != "192.0.2.3" || !strings.Contains(log.String(), "serial number is still 2") {
		t.Errorf("another content under the serial number: %s, said %s", got, log.String())
	}
	if m := serveWire(t, s, p, server.UDP).answers[0]; m.Rcode != msg.RcodeNotAuth {
		t.Errorf("signed with a key that is gone: %v", m)
	}
	if got := said(t, s, "v.comes.example.", msg.TypeTXT); got != "REFUSED" {
		t.Errorf("nobody has it any more: %s", got)
	}
}

// What cannot be served leaves everything as it was.
func TestAssignTakesAllOrNothing(t *testing.T) {
	one := parseZone(t, "one.example.", serialText(1))
	s := newSet(t, Config{Logger: quiet}, one)
	good := Content{ZoneConfig{Origin: msg.MustName("other.example.")}, parseZone(t, "other.example.", serialText(1))}
	for what, bad := range map[string]Content{
		"no name": {ZoneConfig{}, one}, "no content": {ZoneConfig{Origin: msg.MustName("two.example.")}, nil},
		"another's content": {ZoneConfig{Origin: msg.MustName("two.example.")}, one}, "the same again": good,
	} {
		if err := s.Assign([]Content{good, bad}, nil, nil); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", what, err)
		}
		if s.Zone(msg.MustName("other.example.")) != nil || s.Zone(one.Origin()) != one {
			t.Fatalf("%s: something has changed", what)
		}
	}
}

// A zone whose configuration is another keeps its content and its changes, and whom it has to tell and to ask is the new ones.
func TestAssignHandsAZoneOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		origin := msg.MustName("example.")
		first := &primaryNet{set: newSet(t, Config{Logger: quiet}, parseZone(t, "example.", serialText(1)))}
		s := New(Config{Network: first, Logger: quiet})
		from := func(addr string) Content {
			return Content{ZoneConfig{Origin: origin, Masters: []Peer{{Addr: netip.MustParseAddrPort(addr)}}}, nil}
		}
		if err := s.Assign([]Content{from("192.0.2.2:53")}, nil, nil); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { s.Run(ctx); close(done) }()
		synctest.Wait()
		if got := said(t, s, "v.example.", msg.TypeTXT); got != `"1"` {
			t.Fatalf("from its master: %s", got)
		}
		first.set.Replace(parseZone(t, "example.", serialText(2)))
		asked := first.queries.Load()
		if err := s.Assign([]Content{from("192.0.2.2:53")}, nil, nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if first.queries.Load() != asked || said(t, s, "v.example.", msg.TypeTXT) != `"1"` {
			t.Error("the same configuration has the master asked")
		}
		if err := s.Assign([]Content{from("192.0.2.3:53")}, nil, nil); err != nil {
			t.Fatal(err)
		}
		if got := said(t, s, "v.example.", msg.TypeTXT); got == "SERVFAIL" {
			t.Error("another master, and the content is gone")
		}
		synctest.Wait()
		if got := said(t, s, "v.example.", msg.TypeTXT); got != `"2"` || s.counters.fetchedChanges.Load() != 1 {
			t.Errorf("from another master: %s, %d by IXFR", got, s.counters.fetchedChanges.Load())
		}
		if len(s.index.Load().zones[origin].journal.since(1, 2)) != 1 {
			t.Error("the changes are not known")
		}
		if err := s.Assign(nil, nil, nil); err != nil {
			t.Fatal(err)
		}
		asked = first.queries.Load()
		time.Sleep(24 * time.Hour)
		if first.queries.Load() != asked {
			t.Error("the masters of a zone that is gone are asked")
		}
		cancel()
		<-done
	})
}

// A content that comes while another configuration does is there afterwards, whichever was first.
func TestAssignLosesNoContent(t *testing.T) {
	s := newSet(t, Config{Logger: quiet}, parseZone(t, "example.", serialText(1)))
	for n := 2; n < 200; n++ {
		z := parseZone(t, "example.", serialText(n))
		c := Content{ZoneConfig{Origin: z.Origin(), Masters: []Peer{{Addr: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.2"), uint16(n))}}}, nil}
		var both sync.WaitGroup
		both.Go(func() {
			if err := s.Replace(z); err != nil {
				t.Error(err)
			}
		})
		if err := s.Assign([]Content{c}, nil, nil); err != nil {
			t.Fatal(err)
		}
		if both.Wait(); s.Zone(z.Origin()) != z {
			t.Fatalf("version %d is lost", n)
		}
	}
}

// A zone is given up when its masters have not answered for the expire interval, however often it is configured meanwhile.
func TestAssignProlongsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		master := &primaryNet{set: newSet(t, Config{Logger: quiet}, parseZone(t, "example.", serialText(1)))}
		s := New(Config{Network: master, Logger: quiet})
		assign := func(port uint16) {
			c := Content{ZoneConfig{Origin: msg.MustName("example."), Masters: []Peer{{Addr: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.2"), port)}}}, nil}
			if err := s.Assign([]Content{c}, nil, nil); err != nil {
				t.Fatal(err)
			}
		}
		assign(1)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.Run(ctx) })
		synctest.Wait()
		master.down.Store(true)
		for port := range uint16(27) {
			if got := said(t, s, "v.example.", msg.TypeTXT); (got == "SERVFAIL") != (port >= 24) {
				t.Errorf("after %d hours: %s", port, got)
			}
			time.Sleep(time.Hour)
			assign(port + 2)
			synctest.Wait()
		}
		cancel()
		running.Wait()
	})
}

// A notice from a master that has a key is heeded only where it is signed with it (RFC 1996 §3.10).
func TestNoticesAreSignedWhereTheMasterHasAKey(t *testing.T) {
	key := tsig.Key{Name: msg.MustName("k."), Algorithm: tsig.HMACSHA256, Secret: []byte("of a test")}
	other := tsig.Key{Name: msg.MustName("other."), Algorithm: tsig.HMACSHA256, Secret: []byte("of another")}
	s := New(Config{Keys: tsig.Keys(key, other), Logger: quiet})
	if err := s.Add(ZoneConfig{Origin: msg.MustName("example."), Masters: []Peer{{Addr: client, Key: &key}}}, nil); err != nil {
		t.Fatal(err)
	}
	notice := query("example.", msg.TypeSOA, nil)
	notice.Opcode = msg.OpcodeNotify
	for _, c := range []struct {
		how  string
		key  *tsig.Key
		want msg.Rcode
	}{{"unsigned", nil, msg.RcodeRefused}, {"signed with another key", &other, msg.RcodeRefused}, {"signed", &key, msg.RcodeSuccess}} {
		p := packed(t, notice)
		if c.key != nil {
			var err error
			if p, _, err = tsig.Request(p, *c.key, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		if m := serveWire(t, s, p, server.UDP).answers[0]; m.Rcode != c.want {
			t.Errorf("%s: %v, want %v", c.how, m.Rcode, c.want)
		}
	}
	if s.counters.notifyIn.Load() != 1 || s.counters.notifyRefused.Load() != 2 {
		t.Errorf("%d heeded, %d refused", s.counters.notifyIn.Load(), s.counters.notifyRefused.Load())
	}
}

// A whole zone ends with the SOA record that it begins with (RFC 5936 §2.2): one that changed on the way is not taken.
func TestTransfersEndAsTheyBegin(t *testing.T) {
	z := parseZone(t, "example.", serialText(1))
	var rrs []msg.RR
	for rr := range z.All() {
		rrs = append(rrs, rr)
	}
	next := soaOf(parseZone(t, "example.", serialText(2)))
	for _, c := range []struct {
		last msg.RR
		good bool
	}{{soaOf(z), true}, {next, false}} {
		in, err := incoming{origin: z.Origin()}, error(nil)
		for i := 0; i <= len(rrs) && err == nil; i++ {
			err = in.record(append(rrs, c.last)[i])
		}
		if (err == nil && in.done) != c.good {
			t.Errorf("the last record is %v: %v, at its end %v", c.last, err, in.done)
		}
	}
}
