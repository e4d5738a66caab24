package stack_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/link/pipe"
)

// bubble is two stacks joined by a pipe in the fake time of testing/synctest, where an hour
// goes by as soon as every goroutine waits.
type bubble struct {
	*testing.T
	a, b  *stack.Stack
	cable *pipe.End
	begun time.Time
	conns []net.Conn // closed at the end, where the test has not done it
}

// inBubble runs f and then closes both stacks, after which nothing may be held. It fails
// where that took longer than it may in real time.
func inBubble(t *testing.T, f func(b *bubble)) {
	real := time.Now()
	synctest.Test(t, func(t *testing.T) {
		da, db := pipe.New(pipe.Options{})
		x := &bubble{T: t, cable: da, begun: time.Now()}
		x.a, x.b = newStack(t, da, near, stack.Config{}), newStack(t, db, far, stack.Config{})
		defer time.AfterFunc(7*24*time.Hour, func() { panic("somebody waits for what does not come") }).Stop()
		f(x)
		x.a.Close()
		x.b.Close()
		for _, c := range x.conns {
			c.Close()
		}
		noneHeld(t, x.a)
		noneHeld(t, x.b)
	})
	if took := time.Since(real); took > 5*time.Minute {
		t.Errorf("it took %v", took)
	}
}

// connect returns both ends of a connection.
func (x *bubble) connect() (ca, cb net.Conn) {
	x.Helper()
	ca, cb = connect(x.T, x.a, x.b, "192.0.2.2")
	x.conns = append(x.conns, ca, cb)
	return ca, cb
}

// states lists the states of a stack's TCP connections.
func states(s *stack.Stack) string {
	var list []string
	for _, c := range s.Connections() {
		list = append(list, c.State)
	}
	return strings.Join(list, " ")
}

// An hour in the life of a few connections: one talks, one is silent and kept alive, one is
// closed and passes through TIME-WAIT, and then the far end dies.
func TestHourOfConnections(t *testing.T) {
	inBubble(t, func(x *bubble) {
		talking, echo := x.connect()
		go io.Copy(echo, echo)
		silent, _ := x.connect()
		closed, peer := x.connect()

		closed.Close()
		if _, err := peer.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the peer of a closed connection reads %v", err)
		}
		time.Sleep(10 * time.Millisecond) // the ACK of a FIN waits a moment for the user's own
		synctest.Wait()
		if got := states(x.a); got != "ESTABLISHED ESTABLISHED FIN-WAIT-2" {
			t.Errorf("states: %s", got)
		}
		peer.Close()
		synctest.Wait()
		if got := states(x.a); got != "ESTABLISHED ESTABLISHED TIME-WAIT" {
			t.Errorf("states: %s", got)
		}
		time.Sleep(59 * time.Second)
		if got := states(x.a); got != "ESTABLISHED ESTABLISHED TIME-WAIT" {
			t.Errorf("states after 59 s: %s", got)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := states(x.a); got != "ESTABLISHED ESTABLISHED" {
			t.Errorf("states after 2·MSL: %s", got)
		}

		buf := make([]byte, 100)
		for range 59 { // a minute of silence, and a word
			time.Sleep(time.Minute)
			if _, err := talking.Write([]byte("still there?")); err != nil {
				t.Fatal(err)
			}
			if n, err := io.ReadFull(talking, buf[:12]); err != nil {
				t.Fatal(n, err)
			}
		}
		// The silent one was probed every 15 s, by both ends, and every probe was answered.
		probes := x.a.Stats().Get("tcp.probe.keep_alive")
		if probes < 200 || x.a.Stats().Get("tcp.retransmit.timeout") > 0 {
			t.Errorf("%d keep-alive probes in an hour", probes)
		}

		time.Sleep(time.Second) // the last word is acknowledged
		x.cable.Down()          // the far end dies
		dies := time.Now()
		_, err := silent.Read(buf)
		if took := time.Since(dies); !errors.Is(err, syscall.ETIMEDOUT) || took < 2*time.Minute || took > 3*time.Minute {
			t.Errorf("the silent connection: %v after %v, want a time-out after ten probes of 15 s", err, took)
		}
		if _, err = talking.Read(buf); !errors.Is(err, syscall.ETIMEDOUT) {
			t.Errorf("the talking connection: %v", err)
		}
		time.Sleep(time.Minute) // the far end has heard nothing for as long, near enough
		if got := states(x.a) + states(x.b); got != "" {
			t.Errorf("left after the cable was pulled: %s", got)
		}
		if took := time.Since(x.begun); took < time.Hour {
			t.Errorf("only %v went by", took)
		}
	})
}

// A connection whose user is gone does not stay for ever: not when the peer never closes, nor
// when it does not answer, nor when it never reads.
func TestOrphansEnd(t *testing.T) {
	inBubble(t, func(x *bubble) {
		waits, _ := x.connect()   // the peer never closes
		stuck, _ := x.connect()   // the peer never reads
		unheard, _ := x.connect() // the peer never answers
		stuck.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := stuck.Write(make([]byte, 64<<20)); err == nil {
			t.Error("64 MiB were taken that nobody reads")
		}
		waits.Close()
		stuck.Close()
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		if got := states(x.a); strings.Contains(got, "FIN-WAIT-2") {
			t.Errorf("after two minutes: %s", got)
		}
		x.cable.Down()
		unheard.Write([]byte("x"))
		unheard.Close()
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := states(x.a); got != "" {
			t.Errorf("after an hour: %s", got)
		}
		noneHeld(t, x.a)
	})
}

// A cable that is pulled for a while delays a transfer and does not break it.
func TestPulledCableDelaysATransfer(t *testing.T) {
	inBubble(t, func(x *bubble) {
		ca, cb := x.connect()
		done := make(chan error, 1)
		go func() { // small pieces, so that it takes its time
			for range 600 {
				time.Sleep(time.Second)
				if _, err := ca.Write(make([]byte, 1000)); err != nil {
					done <- err
					return
				}
			}
			done <- ca.(interface{ CloseWrite() error }).CloseWrite()
		}()
		go func() {
			for range 3 {
				time.Sleep(2 * time.Minute)
				x.cable.Down()
				time.Sleep(50 * time.Second)
				x.cable.Up()
			}
		}()
		n, err := io.Copy(io.Discard, cb)
		if n != 600_000 || err != nil {
			t.Errorf("%d of 600,000 octets, %v", n, err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		ca.Close()
		cb.Close()
	})
}
