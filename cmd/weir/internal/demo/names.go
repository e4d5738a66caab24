package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weirnet/weir/apps/dns/recursor"
)

// nameChecks are what is shown of names, in this order: the second finds in the cache what the first has left there.
var nameChecks = []struct {
	name string
	run  func(*scene, context.Context) (result, error)
}{
	{"lookup from root", (*scene).nameFromTheRoot},
	{"lookup from cache", (*scene).nameFromTheCache},
	{"reverse lookup", (*scene).nameOfAddress},
	{"no such name", (*scene).noSuchName},
	{"large answer", (*scene).largeAnswer},
}

// steps are those that weir's resolver takes for what the far end asks.
type steps struct {
	mu    sync.Mutex
	asked int  // questions to servers
	tcp   bool // one was asked again over TCP

	zones []string // those whose servers were asked, from the root down
}

func (s *steps) event(e recursor.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e.Kind {
	case recursor.Ask:
		s.asked++
		if zone := e.Zone.String(); !slices.Contains(s.zones, zone) {
			s.zones = append(s.zones, zone)
		}
	case recursor.RetryTCP:
		s.tcp = true

	}
}

// farResolver is package net's own resolver at the far end, which asks over the link whatever this machine's files say; it tells how
// many connections over TCP it has made.
func (s *scene) farResolver(tcp *int) *net.Resolver {
	at := net.JoinHostPort(nameTree.Resolver()[0].String(), "53")
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		if strings.HasPrefix(network, "tcp") {
			*tcp++
		}
		return s.peer.DialContext(ctx, network, at)
	}}
}

// ask has the far end look something up and returns what that took.
func (s *scene) ask(look func(r *net.Resolver) error) (*steps, int, time.Duration, error) {
	st, tcp := &steps{}, 0
	defer s.names.Trace(st.event)()
	begun := time.Now()
	err := look(s.farResolver(&tcp))
	return st, tcp, time.Since(begun), err
}

const (
	demoName    = "www.weir.example."
	demoAddress = "203.0.113.80"
)

// lookup is one of the name and its IPv4 address, and no other, so that the steps come one after the other.
func lookup(ctx context.Context) func(r *net.Resolver) error {
	return func(r *net.Resolver) error {
		addrs, err := r.LookupNetIP(ctx, "ip4", demoName)
		if err == nil && (len(addrs) != 1 || addrs[0].Unmap().String() != demoAddress) {
			err = fmt.Errorf("%s is %v, want %s", demoName, addrs, demoAddress)
		}
		return err
	}
}

// nameFromTheRoot looks a name up that nobody has asked for.
func (s *scene) nameFromTheRoot(ctx context.Context) (result, error) {
	st, _, took, err := s.ask(lookup(ctx))
	if err != nil {
		return result{}, err
	}
	if st.asked < 3 {
		return result{}, fmt.Errorf("%d servers were asked, want one of each zone on the way: %v", st.asked, st.zones)
	}
	return result{
		text:    fmt.Sprintf("%s is %s", strings.TrimSuffix(demoName, "."), demoAddress),
		figures: fmt.Sprintf("%d questions, in %s", st.asked, millis(took)),
		more:    []string{"asked the servers of " + strings.Join(st.zones, ", then ")},
	}, nil
}

// nameFromTheCache looks it up again.
func (s *scene) nameFromTheCache(ctx context.Context) (result, error) {
	st, _, took, err := s.ask(lookup(ctx))
	if err != nil {
		return result{}, err
	}
	if st.asked > 0 {
		return result{}, fmt.Errorf("%d servers were asked again", st.asked)
	}
	return result{text: fmt.Sprintf("%s is %s", strings.TrimSuffix(demoName, "."), demoAddress), figures: "no question, in " + millis(took)}, nil
}

// nameOfAddress goes the other way.
func (s *scene) nameOfAddress(ctx context.Context) (result, error) {
	var names []string
	st, _, took, err := s.ask(func(r *net.Resolver) (err error) {
		names, err = r.LookupAddr(ctx, demoAddress)
		return err
	})
	if err != nil {
		return result{}, err
	}
	if !slices.Contains(names, demoName) {
		return result{}, fmt.Errorf("%s is %v, want %s among them", demoAddress, names, demoName)
	}
	return result{text: fmt.Sprintf("%s is %s", demoAddress, strings.TrimSuffix(demoName, ".")), figures: fmt.Sprintf("%d questions, in %s", st.asked, millis(took))}, nil
}

// noSuchName must be told apart from a failure.
func (s *scene) noSuchName(ctx context.Context) (result, error) {
	const name = "nobody.weir.example."
	_, _, took, err := s.ask(func(r *net.Resolver) error {
		_, err := r.LookupHost(ctx, name)
		return err
	})
	var dns *net.DNSError
	switch {
	case err == nil:
		return result{}, fmt.Errorf("%s was found", name)
	case !errors.As(err, &dns) || !dns.IsNotFound:
		return result{}, err
	}
	return result{text: strings.TrimSuffix(name, ".") + ": " + dns.Err, figures: "in " + millis(took)}, nil
}

// largeAnswer is one that does not fit a datagram, neither between weir's servers nor to the far end.
func (s *scene) largeAnswer(ctx context.Context) (result, error) {
	octets := 0
	st, tcp, took, err := s.ask(func(r *net.Resolver) error {
		texts, err := r.LookupTXT(ctx, "big.weir.example.")
		for _, t := range texts {
			octets += len(t)
		}
		return err
	})
	switch {
	case err != nil:
		return result{}, err
	case octets < 4000:
		return result{}, fmt.Errorf("only %d octets of text came", octets)
	case tcp == 0 || !st.tcp:
		return result{}, errors.New("it came without TCP")
	}
	return result{text: fmt.Sprintf("%d octets, truncated over UDP", octets), figures: "again over TCP, in " + millis(took)}, nil
}
