package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/stack"
)

// scriptedPinger answers request i as answers[i] says; nil is no answer.
type scriptedPinger struct {
	answers []any
	asked   []stack.PingOptions
}

func (p *scriptedPinger) Ping(ctx context.Context, dst netip.Addr, opt stack.PingOptions) (stack.PingReply, error) {
	p.asked = append(p.asked, opt)
	switch a := p.answers[len(p.asked)-1].(type) {
	case time.Duration:
		time.Sleep(a)
		return stack.PingReply{From: dst, RTT: a, HopLimit: 64, Size: opt.Size}, nil
	case error:
		return stack.PingReply{}, fmt.Errorf("ping %v: %w", dst, a)
	}
	<-ctx.Done()
	return stack.PingReply{}, fmt.Errorf("ping %v: no answer: %w", dst, ctx.Err())
}

func TestPingTellsEachAnswerAndSumsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dst := netip.MustParseAddr("192.0.2.1")
		router := &stack.ICMPError{From: netip.MustParseAddr("192.0.2.9"), Reason: "host unreachable"}
		p := &scriptedPinger{answers: []any{time.Millisecond, nil, router, errors.New("no buffers"), 3 * time.Millisecond}}
		f := &pingFlags{count: 5, interval: seconds(time.Second), wait: seconds(500 * time.Millisecond), size: 56, ttl: 9}
		var out strings.Builder
		start := time.Now()
		sum := f.loop(t.Context(), &out, p, dst)
		want := `56 octets from 192.0.2.1: seq=1 ttl=64 time=1.000 ms
no answer: seq=2
from 192.0.2.9: seq=3 host unreachable
seq=4 ping 192.0.2.1: no buffers
56 octets from 192.0.2.1: seq=5 ttl=64 time=3.000 ms
`
		if out.String() != want {
			t.Errorf("printed\n%swant\n%s", out.String(), want)
		}
		wantSum := "5 sent, 2 answered, 60% lost\nround trip min/avg/max/mdev = 1.000/2.000/3.000/1.000 ms"
		if sum.String() != wantSum {
			t.Errorf("summed up\n%s\nwant\n%s", sum, wantSum)
		}
		if d := time.Since(start); d != 4*time.Second+3*time.Millisecond {
			t.Errorf("took %v: requests are not a second apart", d)
		}
		if p.asked[4].Seq != 5 || p.asked[4].HopLimit != 9 {
			t.Errorf("asked with %+v", p.asked[4])
		}
	})
}

func TestInterruptedPingSumsUpWhatWasAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &scriptedPinger{answers: []any{time.Millisecond, time.Millisecond, nil}}
		f := &pingFlags{interval: seconds(time.Second), wait: seconds(time.Minute), size: 56, ttl: 64}
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		var out strings.Builder
		sum := f.loop(ctx, &out, p, netip.MustParseAddr("192.0.2.1"))
		if sum.sent != 2 || sum.answered != 2 {
			t.Errorf("%d sent and %d answered, want 2 and 2: the one that was waited for is neither", sum.sent, sum.answered)
		}
	})
}

func TestNoDataIsAskedForAsNone(t *testing.T) {
	p := &scriptedPinger{answers: []any{time.Duration(0)}}
	f := &pingFlags{count: 1, interval: 1, wait: seconds(time.Second), ttl: 64}
	f.loop(t.Context(), &strings.Builder{}, p, netip.MustParseAddr("192.0.2.1"))
	if p.asked[0].Size >= 0 {
		t.Errorf("asked for %d octets: zero is the stack's default", p.asked[0].Size)
	}
}

func TestSecondsAreReadAsPingReadsThemAndAsGoDoes(t *testing.T) {
	for text, want := range map[string]time.Duration{"1": time.Second, "0.01": 10 * time.Millisecond, "200ms": 200 * time.Millisecond, "0": 0} {
		var s seconds
		if err := s.Set(text); err != nil || time.Duration(s) != want {
			t.Errorf("%s is %v (%v), want %v", text, time.Duration(s), err, want)
		}
	}
	for _, text := range []string{"", "x", "-1", "1 s"} {
		var s seconds
		if s.Set(text) == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestClientLinksHaveAddressesOfTheirOwn(t *testing.T) {
	seen := map[netip.Prefix]bool{}
	for k := range clientLinks {
		weir, host := clientAddrs(k, true, true)
		for i, p := range weir {
			if p.Masked() != host[i].Masked() || p.Addr() == host[i].Addr() || seen[p.Masked()] {
				t.Errorf("link %d: %v and %v", k, p, host[i])
			}
			seen[p.Masked()] = true
		}
	}
	if v4, _ := clientAddrs(0, true, false); len(v4) != 1 || !v4[0].Addr().Is4() {
		t.Errorf("IPv4 alone gives %v", v4)
	}
}
