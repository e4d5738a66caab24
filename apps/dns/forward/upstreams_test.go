package forward_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/forward"
	"github.com/weirnet/weir/apps/dns/internal/fakenet"
	"github.com/weirnet/weir/apps/dns/msg"
)

// pair is two upstreams, of every name and of corp.example.
type pair struct {
	*testing.T
	net       fakenet.Net
	u         *forward.Upstreams
	all, corp *fakenet.Server
}

func inPair(t *testing.T, f func(p *pair)) {
	synctest.Test(t, func(t *testing.T) {
		p := &pair{T: t}
		p.all = &fakenet.Server{Handle: recursive(".", records), Delay: time.Millisecond}
		p.corp = &fakenet.Server{Handle: recursive(".", records), Delay: time.Millisecond}
		p.net.Add("192.0.2.1", p.all)
		p.net.Add("192.0.2.3", p.corp)
		c := &client.Client{Network: &p.net}
		defer c.Close()
		var err error
		p.u, err = forward.NewUpstreams(c,
			forward.Zone{Name: msg.Root, Servers: []forward.Server{srv("192.0.2.1:53", client.UDP)}},
			forward.Zone{Name: msg.MustName("corp.example"), Servers: []forward.Server{srv("192.0.2.3:53", client.UDP)}})
		if err != nil {
			t.Fatal(err)
		}
		f(p)
	})
}

func (p *pair) ask(ctx context.Context, name string, typ msg.Type, check bool) error {
	_, _, _, err := p.u.Forward(ctx, msg.Question{Name: msg.MustName(name), Type: typ, Class: msg.ClassINET}, check)
	return err
}

// fails is how often the upstream of every name has failed in a row.
func (p *pair) fails() int {
	for _, h := range p.u.Health() {
		if h.Zone == msg.Root {
			return h.Fails
		}
	}
	return -1
}

// An upstream is asked to recurse, to leave validation to us where we validate, and for a DS that of the parent is asked.
func TestWhatUpstreamsAreAsked(t *testing.T) {
	inPair(t, func(p *pair) {
		for _, c := range []struct {
			name  string
			typ   msg.Type
			check bool
			to    string
		}{
			{"www.example", msg.TypeA, true, "192.0.2.1"}, {"corp.example", msg.TypeA, false, "192.0.2.3"},
			{"corp.example", msg.TypeDS, false, "192.0.2.1"}, {"x.corp.example", msg.TypeDS, true, "192.0.2.3"},
		} {
			if err := p.ask(p.Context(), c.name, c.typ, c.check); err != nil {
				p.Error(err)
			}
			log := p.net.Log()
			if len(log) != 1 || log[0].To.Addr().String() != c.to || !log[0].Msg.RecursionDesired || log[0].Msg.CheckingDisabled != c.check ||
				log[0].Msg.EDNS == nil || !log[0].Msg.EDNS.DO {
				p.Errorf("%+v: %+v", c, log)
			}
		}
	})
}

// In the second round there is twice the patience: what takes 1.5 s is answered.
func TestSlowUpstreamIsAnsweredInTheSecondRound(t *testing.T) {
	inPair(t, func(p *pair) {
		p.all.Delay = 750 * time.Millisecond
		begun := time.Now()
		if err := p.ask(p.Context(), "www.example", msg.TypeA, false); err != nil || time.Since(begun) != 2500*time.Millisecond {
			p.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// What is held against an upstream is forgotten when it answers; a caller that goes away is nothing that it has done.
func TestFailuresInARow(t *testing.T) {
	inPair(t, func(p *pair) {
		p.net.Do(func() { p.all.NoUDP = true })
		ctx, cancel := context.WithCancel(p.Context())
		time.AfterFunc(1500*time.Millisecond, cancel) // the second question does not come to its end
		if err := p.ask(ctx, "a", msg.TypeA, false); err == nil || p.fails() != 1 {
			p.Errorf("%v, %d failures", err, p.fails())
		}
		p.net.Do(func() { p.all.NoUDP = false })
		if err := p.ask(p.Context(), "www.example", msg.TypeA, false); err != nil || p.fails() != 0 {
			p.Errorf("%v, %d failures", err, p.fails())
		}
	})
}

// The error says what the upstream says, its extended errors included.
func TestWhyAnUpstreamFails(t *testing.T) {
	inPair(t, func(p *pair) {
		p.all.Handle = fakenet.Edit(fakenet.Code(msg.RcodeServerFailure), func(q, m *msg.Message) {
			m.AddEDE(msg.EDE{Code: msg.EDESignatureExpired, Text: "last week"})
		})
		err := p.ask(p.Context(), "www.example", msg.TypeA, false)
		if err == nil || !strings.Contains(err.Error(), "192.0.2.1:53: it answers SERVFAIL") || !strings.Contains(err.Error(), "last week") {
			p.Errorf("%v", err)
		}
	})
}
