package main_test

import (
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// lie is the address that no answer and no cache may have, lieAlso a server's that nobody may ask.
const lie, lieAlso = "203.0.113.66", "203.0.113.67"

// badServer is an authority that is of no use, or worse, and what must come of a question to it.
type badServer struct {
	zone  string
	addr  string
	tcp   bool
	after time.Duration
	reply func(q *msg.Message) []*msg.Message
	rcode msg.Rcode
	// most is how many questions the server may get: where it is asked for two names, Limits.Tries of each, as
	// an answer that a loaded machine delays is asked for again. In virtual time, package recursor's
	// tests are exact.
	most int64
}

func refuse(code msg.Rcode) func(q *msg.Message) []*msg.Message {
	return func(q *msg.Message) []*msg.Message {
		m := q.Reply()
		m.Rcode = code
		return one(m)
	}
}

// badServers are the scenarios: each is asked for www and the zone's name, type A.
var badServers = []badServer{
	{"refuses.example.", "203.0.113.30", true, 0, refuse(msg.RcodeRefused), msg.RcodeServerFailure, 6},
	{"fails.example.", "203.0.113.31", true, 0, refuse(msg.RcodeServerFailure), msg.RcodeServerFailure, 6},
	{"upward.example.", "203.0.113.32", true, 0, func(q *msg.Message) []*msg.Message {
		m := q.Reply()
		m.Authority, m.Additional = records(". 3600 IN NS a.roots.test."), records("a.roots.test. 3600 IN A "+lie)
		return one(m)
	}, msg.RcodeServerFailure, 6},
	{"dead.example.", "203.0.113.33", false, 0, func(*msg.Message) []*msg.Message { return nil }, msg.RcodeServerFailure, 6},
	{"slow.example.", "203.0.113.34", true, 500 * time.Millisecond, func(q *msg.Message) []*msg.Message {
		return one(address(q, "slow.example.", "203.0.113.80"))
	}, msg.RcodeSuccess, 6},
	{"tooslow.example.", "203.0.113.35", false, 6 * time.Second, // no wait is longer than Limits.Try, 2 s; the rest is for a resolver that is not given a processor
		func(q *msg.Message) []*msg.Message {
			return one(address(q, "tooslow.example.", lie))
		}, msg.RcodeServerFailure, 6},
	{"wrongid.example.", "203.0.113.36", false, 0, func(q *msg.Message) (list []*msg.Message) {
		for i := range 12 {
			m := address(q, "wrongid.example.", lie)
			m.ID += uint16(i) + 1
			list = append(list, m)
		}
		return list
	}, msg.RcodeServerFailure, 6},
	{"wrongquestion.example.", "203.0.113.37", false, 0, func(q *msg.Message) []*msg.Message {
		m := q.Reply()
		m.Authoritative = true
		m.Question = []msg.Question{question("www.victim.example.", "A")}
		m.Answer = records("www.victim.example. 300 IN A " + lie)
		return one(m)
	}, msg.RcodeServerFailure, 6},
	{"wrongcase.example.", "203.0.113.38", true, 0, func(q *msg.Message) []*msg.Message {
		m := address(q, "wrongcase.example.", lie)
		m.Question[0].Name = flipCase(q.Question[0].Name)
		return one(m)
	}, msg.RcodeSuccess, 8},
	{"poison.example.", "203.0.113.39", true, 0, func(q *msg.Message) []*msg.Message {
		m := address(q, "poison.example.", "203.0.113.80")
		m.Answer = append(m.Answer, records("www.victim.example. 300 IN A "+lie, "victim.example. 300 IN NS ns.poison.example.")...)
		m.Authority = append(m.Authority, records("victim.example. 3600 IN NS evil.poison.example.", "example. 3600 IN NS evil.poison.example.", ". 3600 IN NS evil.poison.example.")...)
		m.Additional = records("evil.poison.example. 3600 IN A "+lieAlso, "ns.victim.example. 3600 IN A "+lieAlso, "a.roots.test. 3600 IN A "+lieAlso, "www.victim.example. 300 IN A "+lie)
		return one(m)
	}, msg.RcodeSuccess, 6},
	{"foreign.example.", "203.0.113.40", true, 0, func(q *msg.Message) []*msg.Message { // an alias, with an answer that is not its to give
		m := authoritative(q, "foreign.example.", q.Question[0].Name.String()+" 300 IN CNAME www.victim.example.", "www.victim.example. 300 IN A "+lie)
		return one(m)
	}, msg.RcodeSuccess, 6},
	{"bailiwick.example.", "203.0.113.41", true, 0, func(q *msg.Message) []*msg.Message { // glue out of its bailiwick
		m := q.Reply()
		m.Authority = records(q.Question[0].Name.String() + " 3600 IN NS ns.victim.example.")
		m.Additional = records("ns.victim.example. 3600 IN A " + lieAlso)
		return one(m)
	}, msg.RcodeSuccess, 6},
	{"loop.example.", "203.0.113.42", true, 0, func(q *msg.Message) []*msg.Message {
		name := q.Question[0].Name
		to := "www.loop.example."
		if name.Equal(msg.MustName(to)) {
			to = "again.loop.example."
		}
		return one(authoritative(q, "loop.example.", name.String()+" 300 IN CNAME "+to))
	}, msg.RcodeServerFailure, 6},
	{"longchain.example.", "203.0.113.43", true, 0, func(q *msg.Message) []*msg.Message {
		return one(authoritative(q, "longchain.example.", q.Question[0].Name.String()+" 300 IN CNAME x."+q.Question[0].Name.String()))
	}, msg.RcodeServerFailure, 40},
	{"nxns.example.", "203.0.113.44", true, 0, func(q *msg.Message) []*msg.Message {
		m := q.Reply()
		for i := range 50 {
			m.Authority = append(m.Authority, record(fmt.Sprintf("%v 3600 IN NS ns%d.target.example.", q.Question[0].Name, i)))
		}
		return one(m)
	}, msg.RcodeServerFailure, 6},
	{"target.example.", "203.0.113.45", true, 0, func(q *msg.Message) []*msg.Message { // of nxns
		m := authoritative(q, "target.example.")
		m.Rcode = msg.RcodeNameError
		return one(m)
	}, msg.RcodeNameError, 24},
	{"notcp.example.", "203.0.113.46", false, 0, func(q *msg.Message) []*msg.Message {
		m := q.Reply()
		m.Authoritative, m.Truncated = true, true
		return one(m)
	}, msg.RcodeServerFailure, 6},
	{"garbage.example.", "203.0.113.47", false, 0, func(q *msg.Message) []*msg.Message {
		m := q.Reply()
		m.Opcode, m.Response = msg.OpcodeUpdate, false
		return one(m)
	}, msg.RcodeServerFailure, 6},
}

// flipCase has every letter in the other case.
func flipCase(n msg.Name) msg.Name {
	b := []byte(n)
	for i, c := range b {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			b[i] = c ^ 0x20
		}
	}
	return msg.Name(b)
}

// TestServersThatAreOfNoUseOrLieAreLeft asks for names of zones whose servers are lame, dead, slow or liars, all at
// once: each question ends in its time, with so many questions to the servers as it may take, and nothing that was said
// by who had no say is in the cache.
func TestServersThatAreOfNoUseOrLieAreLeft(t *testing.T) {
	l := newLab(t)
	list := []delegation{
		{"victim.example.", "ns.victim.example.", "203.0.113.20"},
		{"cyclic1.example.", "ns.cyclic2.example.", ""}, {"cyclic2.example.", "ns.cyclic1.example.", ""}, // TsuNAME
	}
	servers := map[string]*scripted{}
	for _, b := range badServers {
		list = append(list, delegation{b.zone, "ns." + b.zone, b.addr})
		s := &scripted{reply: b.reply, after: b.after}
		if b.zone == "wrongcase.example." { // over UDP it was not the server who answered
			s.stream = func(q *msg.Message) []*msg.Message { return one(address(q, b.zone, "203.0.113.80")) }
		}
		servers[b.zone] = l.script(s, b.addr, b.tcp)
	}
	l.scripted("203.0.113.20", true, func(q *msg.Message) []*msg.Message { // honest
		if q.Question[0].Name.Equal(msg.MustName("ns.victim.example.")) {
			return one(address(q, "victim.example.", "203.0.113.20"))
		}
		return one(address(q, "victim.example.", "203.0.113.80"))
	})
	liar := l.scripted(lieAlso, true, func(q *msg.Message) []*msg.Message { return one(address(q, ".", lie)) })
	root, hints := l.scriptedRoot(t, list)
	u := l.serveNames("--recursive", "--hints", hints, "--resolve", ".")
	q := l.questioner()
	var wg sync.WaitGroup
	ask := func(name string, want msg.Rcode) {
		wg.Go(func() {
			begun := time.Now()
			m, err := q.ask(weirAt, question(name, "A"), false, false)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			// The resolver's own bound is 8 s; the rest is for a machine that has other things to do.
			if took := time.Since(begun); took > 16*time.Second {
				t.Errorf("%s took %v", name, took)
			}
			if m.Rcode != want || want == msg.RcodeServerFailure && len(m.EDE()) == 0 || strings.Contains(m.String(), lie) {
				t.Errorf("%s: want %v and why\n%v", name, want, m)
			}
		})
	}
	for _, b := range badServers {
		ask("www."+b.zone, b.rcode)
	}
	ask("www.cyclic1.example.", msg.RcodeServerFailure)
	ask("www.victim.example.", msg.RcodeSuccess)
	wg.Wait()
	for _, b := range badServers {
		if n := servers[b.zone].asked.Load(); n > b.most || n == 0 && b.addr != "" {
			t.Errorf("the server of %s was asked %d times, want up to %d: %v", b.zone, n, b.most, servers[b.zone].names)
		}
	}
	if n := root.under("cyclic1.example.") + root.under("cyclic2.example."); n > 12 {
		t.Errorf("zones whose servers are in each other had %d questions to the root", n)
	}
	if n := liar.asked.Load(); n > 0 {
		t.Errorf("the liar's own server was asked %d times", n)
	}
	if dump := u.cacheCommand(t, "dump"); strings.Contains(dump, lie) || strings.Contains(dump, lieAlso) || strings.Contains(dump, "evil") || !strings.Contains(dump, "www.victim.example.") {
		t.Errorf("the cache has\n%s", dump)
	}
	u.stop(syscall.SIGTERM)
}
