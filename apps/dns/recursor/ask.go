package recursor

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/msg"
)

// ask asks the servers of a zone, one after the other, until one gives an answer that is of use.
func (t *task) ask(c *cut, q msg.Question) (*reply, *failure) {
	for {
		if f := t.late(); f != nil {
			return nil, f
		}
		s, rto, f := t.pick(c)
		if f != nil {
			return nil, f
		}
		if s == nil {
			return nil, c.failure(q)
		}
		if f := t.spend(); f != nil {
			return nil, f
		}
		e := Event{Question: q, Zone: c.zone, Server: netip.AddrPortFrom(s.addr, t.r.cfg.Port), ServerName: s.name}
		e.Kind = Ask
		t.event(e)
		timeout := min(rto<<min(s.tries, 4), t.r.cfg.Limits.Try)
		s.tries++
		begun := time.Now()
		m, res, err := t.r.exchange(t.ctx, s.addr, q, timeout)
		t.left.queries -= max(res.Sent-1, 0)
		if e.RTT, e.Transport = time.Since(begun), res.Transport; res.Truncated {
			e.Kind = RetryTCP
			t.event(e)
		}
		if err != nil {
			t.useless(c, s, e, err)
			continue
		}
		rep, err := classify(m, c.zone, q)
		if err != nil {
			t.lame(c, s, e, err)
			continue
		}
		s.tries, rep.from = 0, s.addr
		t.tell(e, rep)
		return rep, nil
	}
}

// pick returns the server to ask next and how long to wait for it; nil when there is none left. Servers that
// are lame or dead come last, and names without an address before them. One time in twenty the choice is
// any server, so that estimates do not grow old.
func (t *task) pick(c *cut) (*candidate, time.Duration, *failure) {
	for {
		var best *candidate
		var bestRTO time.Duration
		bestCost, last := time.Duration(1<<62), false
		any := rand.IntN(20) == 0
		for i := range c.cands {
			s := &c.cands[i]
			if s.out || s.tries >= t.r.cfg.Limits.Tries {
				continue
			}
			lame, dead, rto, cost := t.r.servers.rate(c.zone, s.addr)
			poor := lame || dead
			if poor && s.tries > 0 {
				continue
			}
			if any {
				cost = time.Duration(rand.Int64N(1 << 30))
			}
			cost += time.Duration(s.tries) * time.Hour
			if poor {
				cost += 1000 * time.Hour
			}
			if cost < bestCost {
				best, bestRTO, bestCost, last = s, rto, cost, poor
			}
		}
		if best != nil && !last {
			return best, bestRTO, nil
		}
		more, f := t.find(c)
		if f != nil {
			return nil, 0, f
		}
		if !more {
			return best, bestRTO, nil
		}
	}
}

// useless notes that a server could not be asked.
func (t *task) useless(c *cut, s *candidate, e Event, err error) {
	var timeout interface{ Timeout() bool }
	e.Err, e.Kind = err, Unusable
	if errors.As(err, &timeout) && timeout.Timeout() {
		e.Kind = Timeout
		c.note("%v timed out", e.Server)
	} else {
		s.out = true
		c.note("%v failed", e.Server)
		c.last = append(c.last, err)
	}
	t.event(e)
}

// lame notes that a server's answer is of no use, for this question or for the zone as a whole.
func (t *task) lame(c *cut, s *candidate, e Event, err error) {
	s.out = true
	t.r.counters[countLame].Add(1)
	var code *rcodeError
	switch {
	case errors.As(err, &code) && code.rcode == msg.RcodeRefused, err == errUpward, err == errNotAuthoritative:
		t.r.servers.setLame(c.zone, s.addr, lameFor)
	case errors.As(err, &code):
		t.r.servers.setLame(c.zone, s.addr, sickFor)
	}
	c.note("%v: %v", e.Server, strings.TrimPrefix(err.Error(), "it "))
	e.Kind, e.Err = Unusable, err
	t.event(e)
}

func (c *cut) note(format string, args ...any) {
	if len(c.last) < 4 {
		c.last = append(c.last, fmt.Errorf(format, args...))
	}
}

// failure says that no server of the zone was of use.
func (c *cut) failure(q msg.Question) *failure {
	f := fail(unreachable, msg.EDENoReachableAuthority, "no server of %v is of use", c.zone)
	if len(c.cands) == 0 {
		f.ede[0].Text = fmt.Sprintf("no server of %v has an address", c.zone)
	}
	var texts []string
	network := false
	for _, err := range c.last {
		var e *client.Error
		if network = network || errors.As(err, &e); e == nil {
			texts = append(texts, err.Error())
		}
	}
	if len(texts) > 0 {
		f.ede[0].Text += ": " + strings.Join(texts, "; ")
	}
	if network {
		f.ede = append(f.ede, msg.EDE{Code: msg.EDENetworkError, Text: fmt.Sprintf("for %v %v", q.Name, q.Type)})
	}
	return f
}

// tell makes an event of a reply.
func (t *task) tell(e Event, rep *reply) {
	e.TTL = rep.ttl
	switch rep.kind {
	case gotReferral:
		e.Kind, e.Zone, e.Records = Referral, rep.set.Name, append([]msg.RRset{rep.set}, rep.glue...)
	case gotAnswer, gotCNAME, gotDNAME:
		e.Kind, e.Records = Answer, []msg.RRset{rep.set}
	case gotNXDomain:
		e.Kind = NXDomain
	case gotNoData:
		e.Kind = NoData
	}
	t.event(e)
}
