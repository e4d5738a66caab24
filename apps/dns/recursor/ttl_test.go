package recursor_test

import (
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
	"github.com/weirnet/weir/apps/dns/tree"
)

// The SOA record of a denial lasts as long as the denial (RFC 2308 §5). Who asks for the zone's SOA gets it with the TTL that it has
// itself, whatever was denied before.
func TestSOAOfADenialIsNotTheZones(t *testing.T) {
	inTree(t, tree.Options{}, nil, func(w *world) {
		a := w.ask("www.weir.example", "PTR")
		if len(a.Authority) != 1 || a.Authority[0].TTL != 60 {
			t.Fatalf("NODATA:\n%v", a.Message)
		}
		time.Sleep(time.Second)
		a = w.askWith("weir.example", "SOA", recursor.QueryOptions{DO: true})
		if len(a.Answer) != 2 || a.Answer[0].TTL != 3600 || a.Answer[1].TTL != 3600 || !a.AuthenticData {
			t.Errorf("SOA after NODATA:\n%v", a.Message)
		}
		a = w.ask("www.weir.example", "RP") // made from the same NSEC record
		if a.sent != 0 || !a.has(msg.EDESynthesized) || len(a.Authority) != 1 || a.Authority[0].TTL != 59 {
			t.Errorf("another NODATA, %d queries:\n%v", a.sent, a.Message)
		}
	})
}

// What was made of a wildcard may be kept for as long as it says itself (RFC 4035 §5.3.3); who asks for it again when the proof that
// there is nothing closer has ended gets another one.
func TestWildcardOutlastsItsProof(t *testing.T) {
	inTree(t, tree.Options{}, nil, func(w *world) {
		check := func(m *msg.Message, answer, proof uint32) {
			t.Helper()
			if len(m.Answer) != 2 || m.Answer[0].TTL != answer || m.Answer[1].TTL != answer ||
				len(m.Authority) != 2 || m.Authority[0].TTL != proof || m.Authority[1].TTL != proof {
				t.Errorf("want %d and %d s\n%v", answer, proof, m)
			}
		}
		do := recursor.QueryOptions{DO: true}
		check(w.askWith("x.wild.weir.example", "A", do).Message, 300, 60)
		time.Sleep(50 * time.Second)
		a := w.askWith("x.wild.weir.example", "A", do)
		if check(a.Message, 250, 10); a.sent > 0 {
			t.Errorf("%d queries", a.sent)
		}
		m, _ := w.direct("x.wild.weir.example", "A", true)
		check(m, 250, 10)
		time.Sleep(11 * time.Second)
		if a = w.askWith("x.wild.weir.example", "A", do); a.sent == 0 {
			t.Error("the proof has ended, and nobody is asked")
		}
		check(a.Message, 300, 60)
	})
}

// Who asks first is told the same time as those that get it from the cache.
func TestFirstAnswerIsCapped(t *testing.T) {
	capped := func(c *recursor.Config) {
		c.Cache = cache.New(cache.Config{MaxTTL: 100 * time.Second, MaxNegativeTTL: 30 * time.Second})
	}
	in(t, capped, func(w *world) {
		for range 2 {
			a, no := w.ask("www.example.com", "A"), w.ask("nothing.example.com", "A")
			if a.Answer[0].TTL != 100 || no.Authority[0].TTL != 30 {
				t.Errorf("%v\n%v", a.Message, no.Message)
			}
		}
	})
}

// The proof that an alias's target has none of a type is nothing of the alias: it is neither kept nor told with it, nor does the
// alias last only as long.
func TestAliasHasNoProofOfItsTarget(t *testing.T) {
	unchecked := func(c *recursor.Config) { c.Anchors = nil }
	inTree(t, tree.Options{}, unchecked, func(w *world) {
		do := recursor.QueryOptions{DO: true}
		w.askWith("ftp.weir.example", "PTR", do)
		a := w.askWith("ftp.weir.example", "A", do)
		if len(a.Answer) != 4 || a.Answer[0].Type != msg.TypeCNAME || a.Answer[0].TTL != 300 || len(a.Authority) != 0 {
			t.Errorf("got\n%v", a.Message)
		}
		a = w.askWith("x.wild.weir.example", "A", do)
		if len(a.Answer) != 2 || len(a.Authority) != 2 {
			t.Errorf("a wildcard needs its proof:\n%v", a.Message)
		}
	})
}

// No RRset is told with more than was signed, whatever its server says (RFC 4035 §5.3.3).
func TestTTLIsThatWhichWasSigned(t *testing.T) {
	inTree(t, tree.Options{}, nil, func(w *world) {
		w.everywhere(func(q, m *msg.Message) {
			for i := range m.Answer {
				m.Answer[i].TTL = 5000
			}
		})
		for range 2 {
			if a := w.ask("www.weir.example", "A"); len(a.Answer) != 1 || a.Answer[0].TTL != 300 {
				t.Errorf("got\n%v", a.Message)
			}
		}
	})
}
