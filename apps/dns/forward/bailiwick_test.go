package forward_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/forward"
	"github.com/weirnet/weir/apps/dns/internal/fakenet"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
)

// lying answers every question with an alias out of its zone, the address of that, and a DNAME above it.
func lying(q *msg.Message, _ []byte, _ bool) []fakenet.Reply {
	m := q.Reply()
	m.RecursionAvailable = true
	switch {
	case q.Question[0].Name.Equal(msg.MustName("alias.corp.example")):
		m.Answer = fakenet.Records("alias.corp.example. 60 IN CNAME www.other.\nwww.other. 60 IN A 203.0.113.66")
	default:
		m.Answer = fakenet.Records("example. 60 IN DNAME evil.")
		m.Answer = append(m.Answer, msg.CNAME(q.Question[0].Name, 60, msg.MustName("x.corp.evil")))
	}
	return []fakenet.Reply{{Msg: m}}
}

// An upstream of one zone is not believed about names of others: neither what stands behind its aliases nor a DNAME above it.
func TestUpstreamIsBelievedAboutItsZoneOnly(t *testing.T) {
	in(t, client.UDP, func(w *world) {
		w.local.Handle = lying
		m, _ := w.ask("alias.corp.example", msg.TypeA)
		if len(m.Answer) != 2 || m.Answer[1].Addr().String() != "192.0.2.80" {
			t.Errorf("behind an alias out of the zone:\n%v", m)
		}
		w.ask("x.corp.example", msg.TypeA)
		for name, want := range map[string]string{"www.other": "192.0.2.80", "www.example": "192.0.2.80"} {
			if m, _ := w.ask(name, msg.TypeA); len(m.Answer) == 0 || m.Answer[len(m.Answer)-1].Addr().String() != want {
				t.Errorf("%s is poisoned:\n%v", name, m)
			}
		}
	})
}

// Where nobody else can be asked, the end of an alias is taken from its answer, and not kept.
func TestAliasOutOfTheOnlyZone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, local: &fakenet.Server{Handle: lying, Delay: time.Millisecond}}
		w.net.Add("192.0.2.3", w.local)
		var err error
		w.r, err = forward.New(recursor.Config{Network: &w.net},
			forward.Zone{Name: msg.MustName("corp.example"), Servers: []forward.Server{srv("192.0.2.3:53", client.UDP)}})
		if err != nil {
			t.Fatal(err)
		}
		defer w.r.Close()
		if m, _ := w.ask("alias.corp.example", msg.TypeA); len(m.Answer) != 2 {
			t.Errorf("%v", m)
		}
		if m, _ := w.ask("www.other", msg.TypeA); m.Rcode != msg.RcodeServerFailure {
			t.Errorf("kept from an upstream of another zone:\n%v", m)
		}
	})
}
