package client

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// gated opens connections to nobody when its gate is open.
type gated struct{ gate chan struct{} }

func (n *gated) DialContext(context.Context, string, string) (net.Conn, error) {
	<-n.gate
	near, _ := net.Pipe()
	return near, nil
}

// Who waits for a call that is given up for another, and which is answered in that very moment, is told of the server all the same, and not of
// what the client does with its connections.
func TestCallThatIsAnsweredWhileItIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &gated{make(chan struct{})}
		c := &Client{Network: n, MaxConnections: 1}
		defer c.Close()
		c.mu.Lock()
		s := c.begin(t.Context(), connKey{to: netip.MustParseAddrPort("192.0.2.1:53"), t: TCP})
		s.users++
		c.mu.Unlock()
		time.Sleep(patience)
		c.mu.Lock()
		victim, why, ok := c.room()
		c.mu.Unlock()
		if victim != s || !ok {
			t.Fatalf("%p is to be given up, want %p", victim, s)
		}
		close(n.gate)
		<-s.ready
		victim.fail(why)
		if err := s.cause(); !errors.Is(err, ErrTimeout) {
			t.Errorf("%v, want %v", err, ErrTimeout)
		}
		c.release(s)
	})
}
