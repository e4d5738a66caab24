package dnssec

import (
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// What is not known here makes a zone insecure, and says so.
func TestWhatIsNotKnownIsInsecure(t *testing.T) {
	for _, c := range []struct {
		what  string
		nsec3 *NSEC3Options
		name  string
		edit  func(ds *msg.DS)
		want  Status
		ede   uint16
	}{
		{"an algorithm of no number that is known", nil, "ai.example.", func(ds *msg.DS) { ds.Algorithm = 250 }, Insecure, msg.EDEUnsupportedAlgorithm},
		{"RSA with SHA-1", nil, "ai.example.", func(ds *msg.DS) { ds.Algorithm = 5 }, Insecure, msg.EDEUnsupportedAlgorithm},
		{"a digest", nil, "ai.example.", func(ds *msg.DS) { ds.DigestType = 3 }, Insecure, msg.EDEUnsupportedDigest},
		{"another digest of the same", nil, "ai.example.", nil, Secure, 0},
		{"100 iterations", &NSEC3Options{Iterations: 100}, "nope.example.", nil, Secure, 0},
		{"101 iterations", &NSEC3Options{Iterations: 101}, "nope.example.", nil, Insecure, msg.EDEUnsupportedNSEC3Iterations},
		{"101 iterations that an answer does not need", &NSEC3Options{Iterations: 101}, "ai.example.", nil, Secure, 0},
	} {
		w, v := newWorld(t, c.nsec3)
		if c.edit != nil {
			ds, _ := parse(t, w.ds("example."))[0].DS()
			c.edit(&ds)
			w.sign(".", `
				. 3600 IN SOA a.root. host.root. 1 3600 600 86400 300
				. 3600 IN NS a.root.
				example. 3600 IN NS ns1.example.
				`+msg.NewRR(msg.MustName("example."), msg.TypeDS, 3600, ds.Data()).String(), nil, ECDSAP384SHA384)
		}
		r := w.judge(v, c.name, msg.TypeA, now)
		if r.Status != c.want || r.EDE.Code != c.ede {
			t.Errorf("%s: %s (%s), want %s", c.what, r.Status, r.EDE, c.want)
		}
	}
}

func TestKeysThatDoNotSignAreNotBelieved(t *testing.T) {
	for _, c := range []struct {
		flags uint16
		want  Status
	}{{msg.FlagZone | msg.FlagSEP, Secure}, {msg.FlagSEP, Bogus}, {msg.FlagZone | msg.FlagSEP | msg.FlagRevoke, Bogus}} {
		w, _ := newWorld(t, nil)
		k := key(t, "example.", ED25519, c.flags)
		w.zones[msg.MustName("example.")] = signed(t, plainZone, "example.", SignOptions{Keys: []*Key{k}})
		v, err := New(Config{Source: w, Anchors: []msg.RR{k.DS(3600)}})
		if err != nil {
			t.Fatal(err)
		}
		r := w.judge(v, "ai.example.", msg.TypeA, now)
		if r.Status != c.want || c.want == Bogus && r.EDE.Code != msg.EDENoZoneKeyBit {
			t.Errorf("flags %d: %s (%s), want %s", c.flags, r.Status, r.EDE, c.want)
		}
	}
}

func TestAnchorsDecideFromWhereIsValidated(t *testing.T) {
	w, _ := newWorld(t, nil)
	other, _ := NewKey(msg.MustName("example."), ED25519, msg.FlagZone|msg.FlagSEP, nil)
	var root, zone msg.RR
	for _, r := range w.zones[msg.Root] {
		if k, ok := r.DNSKEY(); ok && k.Flags&msg.FlagSEP != 0 {
			root = r
		}
	}
	zone = parse(t, w.ds("example."))[0]
	for _, c := range []struct {
		what    string
		anchors []msg.RR
		except  []msg.Name
		name    string
		want    Status
	}{
		{"a DNSKEY of the root", []msg.RR{root}, nil, "ai.example.", Secure},
		{"a DS of the zone", []msg.RR{zone}, nil, "ai.example.", Secure},
		{"a zone below the anchor", []msg.RR{zone}, nil, "www.a.example.", Secure},
		{"a zone above the anchor", []msg.RR{zone}, nil, "a.root.", Indeterminate},
		{"no anchor", nil, nil, "ai.example.", Indeterminate},
		{"the closest anchor counts, not one above it", []msg.RR{root, other.DS(60)}, nil, "ai.example.", Bogus},
		{"one of two keys is enough", []msg.RR{zone, other.DS(60)}, nil, "ai.example.", Secure},
		{"a zone that is excepted", []msg.RR{root, other.DS(60)}, []msg.Name{msg.MustName("example.")}, "ai.example.", Insecure},
		{"a denial in a zone that is excepted", []msg.RR{root, other.DS(60)}, []msg.Name{msg.MustName("example.")}, "nope.example.", Insecure},
	} {
		v, err := New(Config{Source: w, Anchors: c.anchors, Insecure: c.except})
		if err != nil {
			t.Fatal(err)
		}
		if r := w.judge(v, c.name, msg.TypeA, now); r.Status != c.want {
			t.Errorf("%s: %s (%s), want %s", c.what, r.Status, r.EDE, c.want)
		}
	}
	if _, err := New(Config{Source: w, Anchors: parse(t, "example. 60 IN A 192.0.2.1")}); err == nil {
		t.Error("an address is taken for an anchor")
	}
}

func TestWhatIsRememberedEnds(t *testing.T) {
	w, v := newWorld(t, nil)
	w.judge(v, "www.a.example.", msg.TypeA, now)
	first := w.asked
	w.judge(v, "www.a.example.", msg.TypeA, now.Add(3599*time.Second))
	if w.asked != first {
		t.Errorf("%d questions before the TTL ended", w.asked-first)
	}
	w.judge(v, "www.a.example.", msg.TypeA, now.Add(3600*time.Second))
	if w.asked == first {
		t.Error("no questions after the TTL ended")
	}
	asked := w.asked
	v.Flush(msg.MustName("a.example."))
	w.judge(v, "www.a.example.", msg.TypeA, now.Add(3600*time.Second))
	if w.asked != asked+2 {
		t.Errorf("%d questions after one zone was forgotten, want 2", w.asked-asked)
	}
	// A failure of the source is not remembered, and what is bogus not for long.
	w, v = newWorld(t, nil)
	w.edit = func(msg.Name, msg.Type, *msg.Message) error { return errSilent }
	if r := w.judge(v, "ai.example.", msg.TypeA, now); r.Status != Bogus || r.Err == nil {
		t.Errorf("no server answers: %s, %v", r.Status, r.Err)
	}
	w.edit = only("example.", msg.TypeDNSKEY, func(m *msg.Message) { m.Answer = nil })
	if r := w.judge(v, "ai.example.", msg.TypeA, now); r.Status != Bogus || r.Err != nil {
		t.Errorf("no keys: %s, %v", r.Status, r.Err)
	}
	w.edit = nil
	if r := w.judge(v, "ai.example.", msg.TypeA, now.Add(29*time.Second)); r.Status != Bogus {
		t.Errorf("before the time is over: %s", r.Status)
	}
	if r := w.judge(v, "ai.example.", msg.TypeA, now.Add(30*time.Second)); r.Status != Secure {
		t.Errorf("after it: %s (%s)", r.Status, r.EDE)
	}
}

func TestTheTableOfZonesIsBounded(t *testing.T) {
	table := zoneTable{max: 100}
	for i := range 1000 {
		name, _ := msg.Root.Child(string(rune('a'+i%26)) + time.Duration(i).String())
		table.put(name, &zoneState{status: Secure, until: now.Add(time.Hour)}, now)
	}
	if len(table.m) != 100 {
		t.Errorf("%d zones, want 100", len(table.m))
	}
}
