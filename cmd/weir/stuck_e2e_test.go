package main_test

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/netconn"
)

// small are buffers that fill soon.
const small = 256 << 10

// TestWhatAPeerThatNeverReadsHoldsIsBounded fills connections to kernel sockets that nobody reads,
// until the window is shut. What weir holds for them stays within its buffers, and
// nothing of it stays however the connection ends.
func TestWhatAPeerThatNeverReadsHoldsIsBounded(t *testing.T) {
	endings := []struct {
		name string
		end  func(weir, kernel net.Conn)
	}{
		{"weir closes and the peer after it", func(w, k net.Conn) { w.Close(); k.Close() }},
		{"the peer closes", func(_, k net.Conn) { k.Close() }},
		{"weir aborts", func(w, _ net.Conn) { w.(*netconn.TCPConn).SetLinger(0); w.Close() }},
		// The orphan's probes are answered for ever: it gives up by itself.
		{"weir closes and the peer does nothing", func(w, _ net.Conn) { w.Close() }},
		{"weir closes its half and the peer does nothing", func(w, _ net.Conn) { w.(*netconn.TCPConn).CloseWrite(); w.Close() }},
	}
	for _, m := range modes[:2] {
		t.Run(m.name, func(t *testing.T) {
			n := newCaptured(t, m, stack.Config{TCP: hasty(), SendBuffer: small, ReceiveBuffer: small})
			var writing sync.WaitGroup
			t.Cleanup(writing.Wait)
			var weir, kernel []net.Conn
			for _, f := range families {
				ln := n.lab.listen(net.JoinHostPort(f.host, "7100"))
				for range endings {
					w, err := n.Dial("tcp", ln.Addr().String())
					must(t, err)
					n.open.keep(w)
					k, err := ln.Accept()
					must(t, err)
					n.open.keep(k)
					weir, kernel = append(weir, w), append(kernel, k)
					writing.Go(func() { send(w, 0) })
				}
			}
			n.eventually("every writer waits behind a closed window", func() bool {
				for _, w := range weir {
					if c, _ := n.info(w.RemoteAddr()); c.SendQ <= small*2/3 || c.InFlight > 1 || c.SndWnd >= c.MSS {
						return false
					}
				}
				return true
			})
			if got := n.Stats().Get("held.octets"); got > uint64(2*small*len(weir)) {
				t.Errorf("%d octets held for %d send buffers of %d", got, len(weir), small)
			}
			for i := range weir {
				endings[i%len(endings)].end(weir[i], kernel[i])
			}
			n.wait(&writing, "the end of every write that waits")
			for _, w := range weir {
				w.Close() // as its user does after an error
			}
			n.eventually("nothing held", func() bool { return len(n.held(nil)) == 0 })
			n.close()
		})
	}
}

// TestConnectionStaysWhenThePeerTakesItsWindowBack writes segments of one octet, which cost the
// peer's kernel more memory than it has announced window for: it drops what it has no room for and
// shuts the window with octets in flight. The sender "SHOULD NOT time out the connection if data
// beyond the right window edge is not acknowledged" and "MUST probe it in the standard way"
// (RFC 9293 §3.8.6, SHLD-17 and MUST-35).
func TestConnectionStaysWhenThePeerTakesItsWindowBack(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			set := hasty()
			set.RTO.Max = 250 * time.Millisecond
			n := newCaptured(t, modes[0], stack.Config{TCP: set})
			ln := n.listenSmall(net.JoinHostPort(f.host, "7100"))
			w, err := n.Dial("tcp", ln.Addr().String())
			must(t, err)
			k, err := ln.Accept()
			must(t, err)
			must(t, w.(*netconn.TCPConn).SetNoDelay(true))
			sent := 0
			n.eventually("octets in flight when the window shuts", func() bool {
				for range 100 {
					w.SetWriteDeadline(time.Now().Add(patience))
					if _, err := w.Write([]byte{byte(sent)}); err != nil {
						t.Fatalf("write: %v", err)
					}
					sent++
				}
				c, _ := n.info(w.RemoteAddr())
				return c.SndWnd == 0 && c.InFlight > 0 && c.Retransmits > 0
			})
			// Longer than Retries of the largest timeout last: the peer answers each time.
			before, begin := n.Stats(), time.Now()
			allowed := time.Duration(set.Retries+2) * 2 * set.RTO.Max
			n.eventually("answers for longer than silence is suffered", func() bool {
				return time.Since(begin) > allowed || len(n.Connections()) < 1
			})
			c, ok := n.info(w.RemoteAddr())
			if !ok || c.State != "ESTABLISHED" {
				after := n.Stats()
				t.Fatalf("the connection ended though the peer answered %d times: %+v\n%s",
					after.Get("tcp.segments.in")-before.Get("tcp.segments.in"), c, n.describe())
			}
			// The peer reads at last: everything arrives.
			must(t, w.(*netconn.TCPConn).CloseWrite())
			k.SetReadDeadline(time.Now().Add(2 * patience))
			got, err := io.ReadAll(k)
			if err != nil || len(got) != sent {
				t.Fatalf("%d octets were sent, %d arrived: %v", sent, len(got), err)
			}
			for i, b := range got {
				if b != byte(i) {
					t.Fatalf("octet %d is %d", i, b)
				}
			}
			k.Close()
			w.Close()
			n.close()
		})
	}
}

// TestConnectionStaysWhileNeitherEndReads fills connections in both directions, with segments that
// are not multiples of anything, and leaves them for longer than an unanswered retransmission is
// suffered: "As long as the receiving TCP peer continues to send acknowledgments in response to the probe
// segments, the sending TCP peer MUST allow the connection to stay open" (RFC 9293 §3.8.6.1, MUST-37).
func TestConnectionStaysWhileNeitherEndReads(t *testing.T) {
	for _, m := range modes[:2] {
		t.Run(m.name, func(t *testing.T) {
			set := hasty()
			set.RTO.Max = 250 * time.Millisecond
			n := newCaptured(t, m, stack.Config{TCP: set, SendBuffer: small, ReceiveBuffer: small})
			const count = 20
			var conns []net.Conn
			var writing sync.WaitGroup
			t.Cleanup(writing.Wait)
			for i := range count {
				f := families[i%2]
				w, k, err := n.connect(f.weir, f.host, i%4 < 2)
				must(t, err)
				n.open.keep(w)
				n.open.keep(k)
				conns = append(conns, w)
				for _, c := range []net.Conn{w, k} {
					writing.Go(func() {
						text := make([]byte, 1000+37*i)
						for {
							if _, err := c.Write(text); err != nil {
								return
							}
						}
					})
				}
			}
			n.eventually("both windows of every connection shut", func() bool {
				for _, c := range conns {
					info, ok := n.info(c.RemoteAddr())
					if !ok || info.State != "ESTABLISHED" {
						t.Fatalf("a connection ended: %+v\n%s", info, n.describe())
					}
					if info.SndWnd >= info.MSS || info.RcvWnd >= info.MSS {
						return false
					}
				}
				return true
			})
			begin := time.Now()
			allowed := time.Duration(set.Retries+2) * 2 * set.RTO.Max
			n.eventually("answers for longer than silence is suffered", func() bool {
				for _, c := range conns {
					if info, ok := n.info(c.RemoteAddr()); !ok || info.State != "ESTABLISHED" {
						t.Errorf("the connection with %v ended: %+v\n%s", c.RemoteAddr(), info, n.describe())
						return true
					}
				}
				return time.Since(begin) > allowed
			})
			n.close()
		})
	}
}

// listenSmall listens on the kernel with as small a receive buffer as there is.
func (l *lab) listenSmall(address string) (ln net.Listener) {
	l.t.Helper()
	set := func(_, _ string, c syscall.RawConn) (err error) {
		return errors.Join(c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 1)
		}), err)
	}
	l.do(func() (err error) {
		lc := net.ListenConfig{Control: set}
		ln, err = lc.Listen(l.t.Context(), "tcp", address)
		return err
	})
	l.open.keep(ln)
	return ln
}

// TestWhatAnApplicationThatNeverReadsHoldsIsBounded lets the kernel fill connections that the
// application on weir does not read, accepted ones and ones that wait to be.
func TestWhatAnApplicationThatNeverReadsHoldsIsBounded(t *testing.T) {
	endings := []struct {
		name  string
		reset bool // the peer is to learn by a reset
		end   func(ln net.Listener, weir, kernel net.Conn)
	}{
		// "If the application performs a close while data remains unread, a RST should be
		// sent" (RFC 2525 §2.17, RFC 1122 §4.2.2.13).
		{"weir closes", true, func(_ net.Listener, w, k net.Conn) { w.Close() }},
		{"the peer closes and weir after it", true, func(_ net.Listener, w, k net.Conn) { k.Close(); w.Close() }},
		{"nobody accepts and the listener closes", true, func(ln net.Listener, w, k net.Conn) { ln.Close() }},
	}
	for _, m := range modes[:2] {
		t.Run(m.name, func(t *testing.T) {
			n := newCaptured(t, m, stack.Config{TCP: hasty(), SendBuffer: small, ReceiveBuffer: small})
			for _, f := range families {
				for _, e := range endings {
					ln := n.listen(net.JoinHostPort(f.weir, "7000"))
					k, err := n.dial(t.Context(), "tcp", ln.Addr().String())
					must(t, err)
					var w net.Conn
					if e.name != endings[2].name {
						w, err = ln.Accept()
						must(t, err)
					}
					failed := make(chan error, 1)
					go func() {
						for {
							if _, err := k.Write(make([]byte, 16<<10)); err != nil {
								failed <- err
								return
							}
						}
					}()
					n.eventually("a full receive buffer and a closed window", func() bool {
						c, _ := n.info(k.LocalAddr())
						return c.RecvQ > small*3/4 && c.RcvWnd < 4096
					})
					if got := n.Stats().Get("held.octets"); got > 3*small {
						t.Errorf("%s: %d octets held for a receive buffer of %d", e.name, got, small)
					}
					e.end(ln, w, k)
					if err := <-failed; !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, net.ErrClosed) {
						t.Errorf("%s: the peer's write ends with %v, want ECONNRESET", e.name, err)
					}
					ln.Close()
					k.Close()
					n.eventually(e.name+": nothing held", func() bool { return len(n.held(nil)) == 0 })
				}
			}
			n.close()
		})
	}
}
