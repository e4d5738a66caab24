package main_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/netconn"
)

// TestNothingStaysOfAPeerThatIsKilled kills a program with signal 9 that has connections with
// weir in both directions and both families, idle ones and in the middle of
// transfers.
func TestNothingStaysOfAPeerThatIsKilled(t *testing.T) {
	for _, m := range modes[:2] {
		t.Run(m.name, func(t *testing.T) {
			var talks sync.WaitGroup
			t.Cleanup(talks.Wait)
			n := newCaptured(t, m, stack.Config{TCP: brisk(), SendBuffer: small, ReceiveBuffer: small})
			var heard atomic.Int64
			talk := func(caller bool) func(net.Conn, byte) {
				return func(c net.Conn, kind byte) {
					talks.Go(func() {
						if err := speak(c, kind, caller, &heard); !peerLeft(err) {
							t.Errorf("conversation %c with %v ended with %v", kind, c.RemoteAddr(), err)
						}
					})
				}
			}
			for _, f := range families {
				ln := n.listen(net.JoinHostPort(f.weir, "7000"))
				go answer(ln, talk(false))
			}
			cmd := n.startChild("caller and callee", host4+":7100", "["+host6+"]:7100", "+", weir4+":7000", "["+weir6+"]:7000")
			for _, f := range families {
				must(t, call(func() (net.Conn, error) { return n.Dial("tcp", net.JoinHostPort(f.host, "7100")) }, each, talk(true)))
			}
			n.eventually("all conversations at once", func() bool {
				return n.Stats().Get("held.tcp_connections") == 4*each*uint64(len(kinds))
			})
			from := heard.Load()
			n.eventually("4 MiB heard", func() bool { return heard.Load() >= from+4<<20 })
			must(t, cmd.Process.Kill())
			cmd.Wait()
			n.wait(&talks, "the end of every conversation")
			n.nothingHeldBut(2)
			n.close()
		})
	}
}

// nothingHeldBut is nothingHeld beside a number of listeners, each with a goroutine
// that accepts.
func (n *local) nothingHeldBut(listeners int) {
	n.t.Helper()
	n.base += listeners
	n.nothingHeld("held.tcp_listeners", "held.ports")
	n.base -= listeners
	if got := n.Stats().Get("held.tcp_listeners"); got != uint64(listeners) {
		n.t.Errorf("%d listeners, want %d", got, listeners)
	}
}

// peerLeft reports whether err is what a connection may end with when the peer is killed.
func peerLeft(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// startChild starts this program in another role and waits until it is ready.
func (l *lab) startChild(role string, args ...string) *exec.Cmd {
	l.t.Helper()
	self, err := os.Executable()
	must(l.t, err)
	cmd := command(self, args...)
	cmd.Env = append(cmd.Env, childEnv+"="+role)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(l.t, err)
	l.start(cmd)
	timer := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer timer.Stop()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		l.t.Fatalf("%s says %q (%v), want ready", role, line, err)
	}
	return cmd
}

// wait waits for goroutines of the test's.
func (n *local) wait(wg *sync.WaitGroup, what string) {
	n.t.Helper()
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(2 * patience):
		n.t.Fatalf("did not happen: %s\n%s", what, n.describe())
	}
}

// TestTransfersGoOnAfterTheCableWasPulled takes the interface down in the middle of
// transfers, waits until weir has noticed by a retransmission, and sets it up again.
func TestTransfersGoOnAfterTheCableWasPulled(t *testing.T) {
	for _, m := range modes[:2] {
		t.Run(m.name, func(t *testing.T) {
			var transfers sync.WaitGroup
			t.Cleanup(transfers.Wait)
			n := newCaptured(t, m, stack.Config{TCP: brisk()})
			const size = 24 << 20
			var half sync.WaitGroup // transfers that have not come far yet
			goOn := make(chan struct{})
			begin := func(dial func(context.Context, string, string) (net.Conn, error), address string, seed byte) {
				half.Add(1)
				transfers.Go(func() {
					var once sync.Once
					defer once.Do(half.Done)
					c, err := dial(context.Background(), "tcp", address)
					if err != nil {
						t.Errorf("dial %s: %v", address, err)
						return
					}
					defer c.Close()
					// At a third everybody waits for the others, with data on the way. That is no standstill.
					mv := &moved{conn: c, at: size / 3, then: func() {
						c.SetDeadline(time.Time{})
						once.Do(half.Done)
						<-goOn
						c.SetDeadline(time.Now().Add(stall))
					}}
					if err := echoedWith(mv, size, seed); err != nil {
						t.Errorf("transfer with %s: %v", address, err)
					}
				})
			}
			for i, f := range families {
				go serveEcho(n.listen(net.JoinHostPort(f.weir, "7")))
				go serveEcho(n.lab.listen(net.JoinHostPort(f.host, "7")))
				begin(n.lab.dial, net.JoinHostPort(f.weir, "7"), byte(i))
				begin(n.DialContext, net.JoinHostPort(f.host, "7"), byte(10+i))
			}
			n.wait(&half, "a third of every transfer")
			n.cable("weir0", false)
			lost := n.Stats().Get("link.weir0.drop.down")
			close(goOn)
			n.eventually("a frame lost on the cable that is pulled", func() bool { return n.Stats().Get("link.weir0.drop.down") > lost })
			n.cable("weir0", true)
			n.wait(&transfers, "the end of every transfer")
			n.close()
		})
	}
}

// TestConnectionsDieOfACableThatStaysPulled takes the interface down for good. Connections that
// send, that are idle with keep-alive, that are being opened and that their user
// has closed all end by themselves, with ETIMEDOUT where somebody asks.
func TestConnectionsDieOfACableThatStaysPulled(t *testing.T) {
	for _, m := range modes[:2] {
		t.Run(m.name, func(t *testing.T) {
			var talks sync.WaitGroup
			t.Cleanup(talks.Wait)
			n := newCaptured(t, m, stack.Config{TCP: hasty(), SendBuffer: small, ReceiveBuffer: small})
			var heard atomic.Int64
			for _, f := range families {
				go answer(n.lab.listen(net.JoinHostPort(f.host, "7100")), func(c net.Conn, kind byte) {
					n.open.keep(c)
					go speak(c, kind, false, &heard)
				})
				must(t, call(func() (net.Conn, error) { return n.Dial("tcp", net.JoinHostPort(f.host, "7100")) }, each,
					func(c net.Conn, kind byte) {
						must(t, c.(*netconn.TCPConn).SetKeepAliveConfig(often))
						talks.Go(func() {
							if err := speak(c, kind, true, &heard); !errors.Is(err, syscall.ETIMEDOUT) {
								t.Errorf("conversation %c with %v ended with %v, want ETIMEDOUT", kind, c.RemoteAddr(), err)
							}
						})
					}))
			}
			n.eventually("4 MiB heard", func() bool { return heard.Load() >= 4<<20 })
			var closing []net.Conn
			for _, f := range families {
				c, err := n.Dial("tcp", net.JoinHostPort(f.host, "7100"))
				must(t, err)
				closing = append(closing, c)
			}
			n.cable("weir0", false)
			for _, c := range closing { // their user does not wait for the end
				c.Write(make([]byte, 100))
				c.Close()
			}
			for _, f := range families {
				talks.Go(func() {
					if c, err := n.Dial("tcp", net.JoinHostPort(f.host, "7100")); !errors.Is(err, syscall.ETIMEDOUT) {
						t.Errorf("dial over a cable that is pulled: %v, %v, want ETIMEDOUT", c, err)
					}
				})
			}
			n.wait(&talks, "the end of every conversation")
			n.eventually("nothing held", func() bool { return len(n.held(nil)) == 0 })
			n.close()
		})
	}
}

// often are keep-alive probes that find out within two seconds.
var often = net.KeepAliveConfig{Enable: true, Idle: 300 * time.Millisecond, Interval: 300 * time.Millisecond, Count: 3}
