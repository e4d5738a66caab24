package recursor_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/internal/fakenet"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
)

// The tree of the tests: a root, two zones below it, and zones below those, each on servers of its own.
const (
	rootZone = `
. 86400 IN NS ns.root.
ns.root. 86400 IN A 192.0.2.1
com. 86400 IN NS ns.com.
ns.com. 86400 IN A 192.0.2.2
net. 86400 IN NS ns.net.
ns.net. 86400 IN A 192.0.2.3
`
	comZone = `
com. 86400 IN NS ns.com.
example.com. 3600 IN NS ns1.example.com.
example.com. 3600 IN NS ns2.example.com.
ns1.example.com. 3600 IN A 198.51.100.1
ns2.example.com. 3600 IN A 198.51.100.2
glueless.com. 3600 IN NS ns.hoster.net.
`
	netZone = `
net. 86400 IN NS ns.net.
hoster.net. 3600 IN NS ns.hoster.net.
ns.hoster.net. 3600 IN A 198.51.100.3
`
	exampleZone = `
example.com. 3600 IN NS ns1.example.com.
ns1.example.com. 3600 IN A 198.51.100.1
www.example.com. 300 IN A 192.0.2.80
www.example.com. 300 IN A 192.0.2.81
a.b.c.example.com. 300 IN TXT "deep"
alias.example.com. 300 IN CNAME www.example.com.
away.example.com. 300 IN CNAME www.glueless.com.
loop1.example.com. 300 IN CNAME loop2.example.com.
loop2.example.com. 300 IN CNAME loop1.example.com.
tree.example.com. 300 IN DNAME example.com.
`
	hosterZone = `
hoster.net. 3600 IN NS ns.hoster.net.
ns.hoster.net. 3600 IN A 198.51.100.3
`
	gluelessZone = `
glueless.com. 3600 IN NS ns.hoster.net.
www.glueless.com. 300 IN A 192.0.2.90
`
)

// world is a resolver and the servers that it asks, in virtual time.
type world struct {
	*testing.T
	net     *fakenet.Net
	r       *recursor.Resolver
	servers map[string]*fakenet.Server
	events  []recursor.Event
}

// both is a handler of two zones on one server.
func both(origin string, a, b fakenet.Handler) fakenet.Handler {
	o := msg.MustName(origin)
	return func(q *msg.Message, w []byte, tcp bool) []fakenet.Reply {
		if q.Question[0].Name.Under(o) {
			return a(q, w, tcp)
		}
		return b(q, w, tcp)
	}
}

func in(t *testing.T, change func(*recursor.Config), f func(w *world)) {
	t.Helper()
	real := time.Now()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, net: &fakenet.Net{}, servers: map[string]*fakenet.Server{}}
		hoster := both("glueless.com", fakenet.Zone("glueless.com", gluelessZone), fakenet.Zone("hoster.net", hosterZone))
		for addr, h := range map[string]fakenet.Handler{
			"192.0.2.1": fakenet.Zone(".", rootZone), "192.0.2.2": fakenet.Zone("com", comZone), "192.0.2.3": fakenet.Zone("net", netZone),
			"198.51.100.1": fakenet.Zone("example.com", exampleZone), "198.51.100.2": fakenet.Zone("example.com", exampleZone),
			"198.51.100.3": hoster,
		} {
			w.server(addr, h)
		}
		cfg := recursor.Config{
			Network: w.net, Public: []msg.Name{msg.Root},
			Hints: fakenet.Records(". 3600 IN NS ns.root.\nns.root. 3600 IN A 192.0.2.1"),
		}
		if change != nil {
			change(&cfg)
		}
		var err error
		if w.r, err = recursor.New(cfg); err != nil {
			t.Fatal(err)
		}
		f(w)
		w.r.Close()
	})
	if took := time.Since(real); took > time.Minute {
		t.Errorf("it took %v", took)
	}
}

// server puts a server at an address, 5 ms away.
func (w *world) server(addr string, h fakenet.Handler) *fakenet.Server {
	s := &fakenet.Server{Handle: h, Delay: 5 * time.Millisecond}
	w.servers[addr] = s
	w.net.Add(addr, s)
	return s
}

func question(name, typ string) msg.Question {
	t, err := msg.ParseType(typ)
	if err != nil {
		panic(err)
	}
	return msg.Question{Name: msg.MustName(name), Type: t, Class: msg.ClassINET}
}

// asked is the outcome of one question.
type asked struct {
	*msg.Message
	sent int           // queries that left
	took time.Duration // in virtual time
	log  []fakenet.Asked
}

// ask resolves and notes what it took, within the bounds that every question must keep.
func (w *world) ask(name, typ string) asked { return w.askWith(name, typ, recursor.QueryOptions{}) }

func (w *world) askWith(name, typ string, o recursor.QueryOptions) asked {
	w.Helper()
	w.net.Log()
	before := w.r.Count("upstream.sent")
	begun := time.Now()
	w.events = nil
	m, err := w.r.Resolve(w.Context(), question(name, typ), o)
	if err != nil {
		w.Fatalf("%s %s: %v", name, typ, err)
	}
	a := asked{m, int(w.r.Count("upstream.sent") - before), time.Since(begun), w.net.Log()}
	if a.sent > 100 || a.took > 9*time.Second {
		w.Errorf("%s %s took %d queries and %v", name, typ, a.sent, a.took)
	}
	if !m.Response || !m.RecursionAvailable || m.Authoritative {
		w.Errorf("flags of\n%v", m)
	}
	return a
}

// data lists the answer section: type and data.
func (a asked) data() string {
	var out []string
	for _, rr := range a.Answer {
		out = append(out, fmt.Sprintf("%v %v", rr.Type, rr.DataString()))
	}
	return strings.Join(out, ", ")
}

func (a asked) has(code uint16) bool {
	for _, e := range a.EDE() {
		if e.Code == code {
			return true
		}
	}
	return false
}

// fails checks that there is no answer, for a reason.
func (w *world) fails(a asked, code uint16, most int, long time.Duration) {
	w.Helper()
	if a.Rcode != msg.RcodeServerFailure || len(a.Answer) > 0 || !a.has(code) {
		w.Errorf("want SERVFAIL with the extended error %d, got\n%v", code, a.Message)
	}
	if a.sent > most || a.took > long {
		w.Errorf("%d queries and %v, want at most %d and %v\n%s", a.sent, a.took, most, long, fakenet.Text(a.log))
	}
}

func (w *world) gives(a asked, data string) {
	w.Helper()
	if a.Rcode != msg.RcodeSuccess || a.data() != data {
		w.Errorf("want %s, got %s\n%v\n%s", data, a.data(), a.Message, fakenet.Text(a.log))
	}
}
