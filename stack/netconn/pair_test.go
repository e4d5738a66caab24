package netconn

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/stack/link/pipe"
	"github.com/weirnet/weir/stack/shard"
)

// pair is two hosts joined by a pipe, running in the fake time of a synctest bubble: 192.0.2.1
// and 192.0.2.2, 2001:db8::1 and 2001:db8::2.
type pair struct {
	*testing.T
	a, b      *shard.Host
	near, far *pipe.End
	conns     []*TCPConn // closed at the end, if the test has not done it
}

// inBubble runs f with a pair in a bubble and then closes both, after which nothing may be held.
func inBubble(t *testing.T, cfg shard.Config, f func(p *pair)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &pair{T: t, a: shard.New(cfg), b: shard.New(cfg)}
		p.near, p.far = pipe.New(pipe.Options{QueueFrames: 8})
		var err error
		_, err = p.a.AddInterface("e0", p.near, prefixes("192.0.2.1/24", "2001:db8::1/64"))
		p.must(err)
		_, err = p.b.AddInterface("e0", p.far, prefixes("192.0.2.2/24", "2001:db8::2/64"))
		p.must(err)
		p.a.Start()
		p.b.Start()
		defer time.AfterFunc(7*24*time.Hour, func() { panic("somebody waits for what does not come") }).Stop()
		defer func() {
			p.must(p.a.Close())
			p.must(p.b.Close())
			for _, c := range p.conns {
				c.Close()
			}
			synctest.Wait()
			for _, h := range []*shard.Host{p.a, p.b} {
				h.EachCounter(func(name string, v uint64) {
					if strings.HasPrefix(name, "held.") && v != 0 {
						t.Errorf("%s is %d, want nothing held", name, v)
					}
				})
			}
		}()
		f(p)
	})
}

func prefixes(list ...string) (p []netip.Prefix) {
	for _, s := range list {
		p = append(p, netip.MustParsePrefix(s))
	}
	return p
}

func (p *pair) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// listen listens on the far host.
func (p *pair) listen(at string) *Listener {
	p.Helper()
	l, err := ListenTCP(p.b, "tcp", netip.MustParseAddrPort(at), false)
	p.must(err)
	return l
}

// connect returns the ends of a connection from a to b.
func (p *pair) connect() (ca, cb *TCPConn) {
	p.Helper()
	l := p.listen("192.0.2.2:0")
	defer l.Close()
	ca, err := DialTCP(context.Background(), p.a, "tcp", netip.AddrPort{}, l.Addr().(*net.TCPAddr).AddrPort())
	p.must(err)
	cb, err = l.AcceptTCP()
	p.must(err)
	p.conns = append(p.conns, ca, cb)
	return ca, cb
}

// after returns a channel on which the result of f comes, and the time it took.
func (p *pair) after(f func() error) <-chan result {
	c := make(chan result, 1)
	go func() {
		begun := time.Now()
		err := f()
		c <- result{err, time.Since(begun)}
	}()
	synctest.Wait()
	return c
}

type result struct {
	err  error
	took time.Duration
}

// want fails unless the operation ended with the error, after so long.
func (p *pair) want(c <-chan result, want error, took time.Duration) {
	p.Helper()
	r := <-c
	if !errors.Is(r.err, want) || r.took != took {
		p.Errorf("%v after %v, want %v after %v", r.err, r.took, want, took)
	}
	p.opError(r.err, want)
}

// opError fails unless err is what package net would return: a *net.OpError that names the
// operation, with an errno named by its call, and a timeout where it is one.
func (p *pair) opError(err, want error) {
	p.Helper()
	if want == nil {
		return
	}
	if !errors.Is(err, want) {
		p.Errorf("error %v, want %v", err, want)
		return
	}
	var op *net.OpError
	if !errors.As(err, &op) || op.Op == "" || op.Net == "" || op.Addr == nil && op.Source == nil {
		p.Errorf("%#v is no *net.OpError with an operation, a network and an address", err)
		return
	}
	var errno syscall.Errno
	var sys *os.SyscallError
	if errors.As(err, &errno) && !errors.As(err, &sys) {
		p.Errorf("%v does not name the call", err)
	}
	var ne net.Error
	timeout := want == os.ErrDeadlineExceeded || want == context.DeadlineExceeded || want == syscall.ETIMEDOUT
	if !errors.As(err, &ne) || ne.Timeout() != timeout {
		p.Errorf("%v: Timeout() is not %v", err, timeout)
	}
}

func ap(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
