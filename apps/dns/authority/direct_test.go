package authority

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/apps/dns/tsig"
	"github.com/weirnet/weir/apps/dns/zone"
)

const exampleZone = `$TTL 3600
@ SOA ns h 1 7200 3600 86400 300
@ NS ns
@ NS ns2
ns A 192.0.2.1
ns2 A 192.0.2.2
www A 192.0.2.10
www AAAA 2001:db8::10
alias CNAME www
*.wild TXT "wild"
sub NS ns.sub
ns.sub A 192.0.2.20
big TXT "` + "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" + `"
`

func parseZone(t testing.TB, origin, text string) *zone.Zone {
	t.Helper()
	z, err := zone.Load(zone.NewReader(strings.NewReader(text), "test", msg.MustName(origin), zone.ReadOptions{}), msg.MustName(origin))
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func newSet(t testing.TB, cfg Config, zones ...*zone.Zone) *Set {
	t.Helper()
	s := New(cfg)
	for _, z := range zones {
		if err := s.Add(ZoneConfig{Origin: z.Origin(), Transfer: ACL{Prefixes: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}}, z); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

var client = netip.MustParseAddrPort("192.0.2.200:4000")

func packed(t testing.TB, m *msg.Message) []byte {
	t.Helper()
	p, err := m.Append(nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func query(name string, typ msg.Type, edns *msg.EDNS) *msg.Message {
	m := msg.NewQuery(msg.MustName(name), typ, true)
	m.ID, m.EDNS = 0x1234, edns
	return m
}

// direct asks in the receive path.
func direct(t testing.TB, s *Set, m *msg.Message) (*msg.Message, bool) {
	t.Helper()
	var q msg.Query
	if !q.Parse(packed(t, m)) {
		t.Fatalf("%v is not plain", m.Question)
	}
	p, ok := s.AnswerDirect(nil, &q, client, server.UDP)
	if !ok {
		return nil, false
	}
	if len(p) > int(q.Size) {
		t.Errorf("%v: an answer of %d octets, the query takes %d", m.Question, len(p), q.Size)
	}
	a := new(msg.Message)
	if err := a.Unpack(p); err != nil {
		t.Fatalf("%v: %v", m.Question, err)
	}
	return a, true
}

// sink takes what a handler writes.
type sink struct {
	limit   int
	answers []*msg.Message
	wire    [][]byte
}

func (w *sink) Write(m *msg.Message) error {
	p, err := m.Append(nil, w.limit)
	if err != nil {
		return err
	}
	return w.WriteWire(p)
}

func (w *sink) WriteWire(p []byte) error {
	m := new(msg.Message)
	if err := m.Unpack(p); err != nil {
		return err
	}
	w.answers, w.wire = append(w.answers, m), append(w.wire, bytes.Clone(p))
	return nil
}

// serveWire gives a packed request to the handler.
func serveWire(t testing.TB, s *Set, p []byte, tr server.Transport) *sink {
	t.Helper()
	r := &server.Request{Msg: new(msg.Message), Wire: p, Remote: client, Transport: tr, Limit: msg.MaxSize}
	if err := r.Msg.Unpack(p); err != nil {
		t.Fatal(err)
	}
	if tr == server.UDP {
		r.Limit = 512
		if r.Msg.EDNS != nil {
			r.Limit = int(r.Msg.EDNS.Size)
		}
	}
	w := &sink{limit: r.Limit}
	s.ServeDNS(context.Background(), w, r)
	return w
}

func TestBothPathsAnswerAlikeAndTheCacheToo(t *testing.T) {
	s := newSet(t, Config{}, parseZone(t, "example.", exampleZone))
	for _, name := range []string{"www.example.", "WwW.eXample.", "alias.example.", "no.example.", "example.", "a.wild.example.", "x.sub.example.", "big.example.", "other.test."} {
		for _, typ := range []msg.Type{msg.TypeA, msg.TypeAAAA, msg.TypeNS, msg.TypeTXT, msg.TypeSOA, msg.TypeANY} {
			for _, edns := range []*msg.EDNS{nil, {Size: 1232}, {Size: 4096, DO: true}} {
				m := query(name, typ, edns)
				slow := serveWire(t, s, packed(t, m), server.UDP).answers[0]
				if slow.EDNS != nil {
					slow.EDNS.Size, slow.EDNS.DO = 1232, edns.DO
				}
				for i := range 4 { // not there; kept; from the cache
					fast, ok := direct(t, s, m)
					if !ok || !strings.EqualFold(fast.String(), slow.String()) {
						t.Fatalf("call %d:\n%v\nthe handler says\n%v", i, fast, slow)
					}
					if fast.Question[0].Name != m.Question[0].Name {
						t.Errorf("the question comes back as %v, it was %v", fast.Question[0].Name, m.Question[0].Name)
					}
				}
			}
		}
	}
	if s.counters.hits.Load() == 0 || s.counters.misses.Load() == 0 {
		t.Errorf("%d answers from the cache, %d not", s.counters.hits.Load(), s.counters.misses.Load())
	}
}

func TestFlagsOfAnswers(t *testing.T) {
	s := newSet(t, Config{}, parseZone(t, "example.", exampleZone))
	for _, c := range []struct {
		name  string
		aa    bool
		rcode msg.Rcode
	}{
		{"www.example.", true, msg.RcodeSuccess}, {"no.example.", true, msg.RcodeNameError},
		{"x.sub.example.", false, msg.RcodeSuccess}, {"www.test.", false, msg.RcodeRefused},
	} {
		a, _ := direct(t, s, query(c.name, msg.TypeA, nil))
		if !a.Response || a.ID != 0x1234 || !a.RecursionDesired || a.RecursionAvailable || a.Authoritative != c.aa || a.Rcode != c.rcode {
			t.Errorf("%s: %+v", c.name, a.Header)
		}
	}
}

func TestAnswersThatDoNotFitAreTruncatedAndNotKept(t *testing.T) {
	text := exampleZone
	for i := range 40 {
		text += fmt.Sprintf("many A 198.51.100.%d\n", i)
	}
	s := newSet(t, Config{}, parseZone(t, "example.", text))
	for range 3 {
		if a, _ := direct(t, s, query("many.example.", msg.TypeA, nil)); !a.Truncated || len(a.Answer) != 0 {
			t.Errorf("without EDNS: %v", a)
		}
		if a, _ := direct(t, s, query("many.example.", msg.TypeA, &msg.EDNS{Size: 1232})); a.Truncated || len(a.Answer) != 40 {
			t.Errorf("with EDNS: %v", a)
		}
	}
}

func TestLongestZoneAnswers(t *testing.T) {
	soa := "@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns.example.net.\n"
	s := newSet(t, Config{}, parseZone(t, "example.", soa+"child 60 DS 1 13 2 "+strings.Repeat("00", 32)+"\nchild 60 NS ns.example.net.\n"),
		parseZone(t, "child.example.", soa), parseZone(t, ".", soa+"x 60 A 192.0.2.1\n"))
	for _, c := range []struct {
		name string
		typ  msg.Type
		from string
	}{
		{"a.child.example.", msg.TypeA, "child.example."}, {"child.example.", msg.TypeSOA, "child.example."},
		{"child.example.", msg.TypeDS, ""}, {"a.example.", msg.TypeA, "example."}, {"test.", msg.TypeA, "."}, {".", msg.TypeDS, "."},
		{"x.", msg.TypeDS, "."}, {"example.", msg.TypeDS, "."},
	} {
		a, _ := direct(t, s, query(c.name, c.typ, nil))
		got := ""
		for _, rr := range append(a.Authority, a.Answer...) {
			if rr.Type == msg.TypeSOA {
				got = rr.Name.String()
			}
		}
		if got != c.from {
			t.Errorf("%s %v is answered from %q, want %q:\n%v", c.name, c.typ, got, c.from, a)
		}
	}
}

func TestChangeIsSeenAtOnce(t *testing.T) {
	s := newSet(t, Config{}, parseZone(t, "example.", exampleZone))
	for serial := 2; serial < 20; serial++ {
		for range 3 {
			direct(t, s, query("www.example.", msg.TypeA, nil))
		}
		text := strings.Replace(strings.Replace(exampleZone, "h 1 ", fmt.Sprintf("h %d ", serial), 1), "192.0.2.10", fmt.Sprintf("198.51.100.%d", serial), 1)
		if err := s.Replace(parseZone(t, "example.", text)); err != nil {
			t.Fatal(err)
		}
		if a, _ := direct(t, s, query("www.example.", msg.TypeA, nil)); a.Answer[0].Addr() != netip.AddrFrom4([4]byte{198, 51, 100, byte(serial)}) {
			t.Fatalf("after the change to serial %d: %v", serial, a)
		}
	}
	if !s.Remove(msg.MustName("example.")) {
		t.Error("the zone was not there")
	}
	if a, _ := direct(t, s, query("www.example.", msg.TypeA, nil)); a.Rcode != msg.RcodeRefused {
		t.Errorf("after the zone was taken away: %v", a)
	}
	if n := s.cache.octets.Load(); n != 0 {
		t.Errorf("%d octets of answers are kept of no zone", n)
	}
}

func TestCacheIsBounded(t *testing.T) {
	text := exampleZone + "$GENERATE 1-2000 h$ A 192.0.2.1\n"
	s := newSet(t, Config{CacheSlots: 256, CacheOctets: 20000}, parseZone(t, "example.", text))
	for range 4 {
		for i := range 2000 {
			name := fmt.Sprintf("h%d.example.", i+1)
			direct(t, s, query(name, msg.TypeA, nil))
			direct(t, s, query(name, msg.TypeA, nil))
		}
	}
	var kept int64
	for i := range s.cache.slots {
		kept += s.cache.slots[i].entry.Load().cost()
	}
	if n := s.cache.octets.Load(); n > 20000 || n != kept || n < 10000 {
		t.Errorf("%d octets counted, %d kept, the bound is 20000", n, kept)
	}
}

// As many questions as a set has slots are kept together, and one more takes the place of one when it comes again.
func TestQuestionsOfOneSetAreKept(t *testing.T) {
	text := exampleZone + "$GENERATE 1-20 h$ A 192.0.2.1\n"
	for round := range 4 {
		s := newSet(t, Config{CacheSlots: 4}, parseZone(t, "example.", text))
		ask := func(i int) bool {
			before := s.counters.hits.Load()
			if m, _ := direct(t, s, query(fmt.Sprintf("h%d.example.", round*4+i+1), msg.TypeA, nil)); len(m.Answer) != 1 {
				t.Fatal(m)
			}
			return s.counters.hits.Load() > before
		}
		for i := range 8 {
			if i < 4 && ask(i) || i >= 4 && !ask(i-4) {
				t.Fatalf("question %d is not answered as it should be", i)
			}
		}
		for i, want := range []bool{false, false, true} { // asked, kept when it comes again, there
			if ask(4) != want {
				t.Errorf("one more, for the %d. time: answered from the cache %v, want %v", i+1, !want, want)
			}
		}
	}
}

func TestReloadKeepsTheOldVersionOfABadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "example.zone")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(exampleZone)
	s := New(Config{})
	origin := msg.MustName("example.")
	if err := s.Load(ZoneConfig{Origin: origin, File: path}); err != nil {
		t.Fatal(err)
	}
	first := s.Zone(origin)
	for _, c := range []struct{ text, want string }{
		{exampleZone + "bad A 192.0.2.300\n", path + ":14: "},
		{"", "no SOA record"},
		{exampleZone, ""},
	} {
		write(c.text)
		err := s.Reload(origin)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) || s.Zone(origin) != first {
			t.Errorf("%.20q: %v, want %q, and the old version kept: %v", c.text, err, c.want, s.Zone(origin) == first)
		}
	}
	write(exampleZone + "new A 192.0.2.9\n")
	if err := s.Reload(origin); err == nil || !strings.Contains(err.Error(), "still 1") || s.Zone(origin) == first {
		t.Errorf("changed under the same serial number: %v", err)
	}
	write(strings.Replace(exampleZone, "h 1 ", "h 2 ", 1))
	if err := s.Reload(origin); err != nil || s.Zone(origin).Serial() != 2 {
		t.Errorf("a good file: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(origin); err == nil || s.Zone(origin).Serial() != 2 {
		t.Errorf("no file: %v", err)
	}
}

// RFC 8945 §5.2 and §5.3: what is signed is verified and answered signed, whoever has the answer.
func TestSignedQueriesForOthersAreVerified(t *testing.T) {
	key := tsig.Key{Name: msg.MustName("k."), Algorithm: tsig.HMACSHA256, Secret: []byte("a secret of both")}
	other, forged := key, key
	other.Name, forged.Secret = msg.MustName("unknown."), []byte("another secret")
	reached := 0
	answerer := server.HandlerFunc(func(_ context.Context, w server.Writer, r *server.Request) {
		reached++
		m := r.Msg.Reply()
		m.Answer = []msg.RR{msg.A(r.Msg.Question[0].Name, 60, netip.MustParseAddr("198.51.100.1"))}
		w.Write(m)
	})
	packer := server.HandlerFunc(func(_ context.Context, w server.Writer, r *server.Request) {
		reached++
		m := r.Msg.Reply()
		m.Answer = []msg.RR{msg.A(r.Msg.Question[0].Name, 60, netip.MustParseAddr("198.51.100.1"))}
		w.WriteWire(packed(t, m))
	})
	for _, next := range []server.Handler{nil, answerer, packer} {
		s := newSet(t, Config{Next: next, Keys: tsig.Keys(key), Logger: quiet}, parseZone(t, "example.", exampleZone))
		for _, c := range []struct {
			key        tsig.Key
			code, want msg.Rcode
		}{{key, 0, msg.RcodeSuccess}, {other, msg.RcodeBadKey, msg.RcodeNotAuth}, {forged, msg.RcodeBadSig, msg.RcodeNotAuth}} {
			reached = 0
			p, sess, err := tsig.Request(packed(t, query("www.elsewhere.", msg.TypeA, nil)), c.key, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			w := serveWire(t, s, p, server.UDP)
			if next == nil && c.want == msg.RcodeSuccess {
				c.want = msg.RcodeRefused
			}
			_, err = sess.Verify(w.wire[0], time.Now())
			if got := w.answers[0].Rcode; len(w.wire) != 1 || got != c.want || tsig.Code(err) != c.code || (err == nil) != (c.code == 0) {
				t.Errorf("key %v: %d answers, %v and %v; want %v and %v", c.key.Name, len(w.wire), got, err, c.want, c.code)
			}
			if served := next != nil && c.code == 0; (reached == 1) != served {
				t.Errorf("key %v: the next handler was reached %d times", c.key.Name, reached)
			}
		}
	}
}

func TestWhatAServerTellsOfItself(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		name string
		want string
	}{
		{Config{}, "version.bind.", ""}, {Config{Version: "weir"}, "version.bind.", "weir"}, {Config{Version: "weir"}, "id.server.", ""},
		{Config{Hostname: "a1"}, "HOSTNAME.bind.", "a1"}, {Config{Hostname: "a1"}, "x.bind.", ""},
	} {
		m := query(c.name, msg.TypeTXT, nil)
		m.Question[0].Class = msg.ClassCHAOS
		if _, ok := direct(t, New(c.cfg), m); ok {
			t.Errorf("%s: answered in the receive path", c.name)
		}
		a := serveWire(t, New(c.cfg), packed(t, m), server.UDP).answers[0]
		if c.want == "" && a.Rcode != msg.RcodeRefused || c.want != "" && (len(a.Answer) != 1 || a.Answer[0].Data[1:] != c.want || a.Answer[0].Class != msg.ClassCHAOS) {
			t.Errorf("%s with %+v: %v", c.name, c.cfg, a)
		}
	}
}
