package netconn

import (
	"context"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/shard"
)

func (p *pair) dial(ctx context.Context, local, remote string) (*TCPConn, error) {
	from := netip.AddrPort{}
	if local != "" {
		from = ap(local)
	}
	c, err := DialTCP(ctx, p.a, "tcp", from, ap(remote))
	if c != nil {
		p.conns = append(p.conns, c)
	}
	return c, err
}

func TestErrorsOfDialAndListen(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		bg := context.Background()
		for _, host := range []string{"192.0.2.2", "[2001:db8::2]"} {
			_, err := p.dial(bg, "", host+":9")
			p.opError(err, syscall.ECONNREFUSED)
			if want := "dial tcp " + host + ":9: connect: connection refused"; err.Error() != want {
				t.Errorf("%q, want %q", err, want)
			}
		}
		_, err := p.dial(bg, "", "203.0.113.1:9")
		p.opError(err, syscall.ENETUNREACH)
		_, err = p.dial(bg, "192.0.2.77:0", "192.0.2.2:9")
		p.opError(err, syscall.EADDRNOTAVAIL)
		p.listen("192.0.2.2:80")
		_, err = p.dial(bg, "192.0.2.1:4000", "192.0.2.2:80")
		p.must(err)
		_, err = p.dial(bg, "192.0.2.1:4000", "192.0.2.2:80")
		p.opError(err, syscall.EADDRINUSE)

		_, err = ListenTCP(p.b, "tcp", ap("0.0.0.0:80"), false)
		p.opError(err, syscall.EADDRINUSE)
		if want := "listen tcp 0.0.0.0:80: bind: address already in use"; err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
		_, err = ListenTCP(p.b, "tcp", ap("192.0.2.1:80"), false)
		p.opError(err, syscall.EADDRNOTAVAIL)
		_, err = ListenUDP(p.b, "udp", ap("192.0.2.1:80"), false)
		p.opError(err, syscall.EADDRNOTAVAIL)
		_, err = DialUDP(p.a, "udp", netip.AddrPort{}, ap("203.0.113.1:9"))
		p.opError(err, syscall.ENETUNREACH)
	})
}

func TestDialThatNobodyAnswersTimesOut(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		p.near.Down()
		begun := time.Now()
		_, err := p.dial(context.Background(), "", "192.0.2.2:80")
		p.opError(err, syscall.ETIMEDOUT)
		if took := time.Since(begun); took < 3*time.Minute { // RFC 9293 §3.8.3, MUST-23
			t.Errorf("given up after %v", took)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		p.want(p.after(func() error { _, err := p.dial(ctx, "", "192.0.2.2:80"); return err }), context.DeadlineExceeded, time.Second)
		_, err = p.dial(ctx, "", "192.0.2.2:80")
		p.opError(err, os.ErrDeadlineExceeded)
		ctx, cancel = context.WithCancel(context.Background())
		c := p.after(func() error { _, err := p.dial(ctx, "", "192.0.2.2:80"); return err })
		time.Sleep(time.Minute)
		cancel()
		p.want(c, context.Canceled, time.Minute)
		if list := p.a.Connections(); len(list) > 0 {
			t.Errorf("what nobody waits for any more is still there: %+v", list)
		}
	})
}

func TestConnectionThatDiesSaysSo(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		idle, _ := p.connect()    // keep-alive finds out: 15 s, and nine probes of 15 s
		bounded, _ := p.connect() // the user timeout does
		patient, _ := p.connect() // the retries do
		p.must(patient.SetKeepAlive(false))
		p.must(bounded.SetUserTimeout(10 * time.Second))
		p.near.Down()
		patient.Write([]byte("x"))
		bounded.Write([]byte("x"))
		read := func(c *TCPConn) <-chan result {
			return p.after(func() error { _, err := c.Read(make([]byte, 1)); return err })
		}
		ri, rb, rp := read(idle), read(bounded), read(patient)
		p.want(ri, syscall.ETIMEDOUT, 150*time.Second)
		for _, c := range []struct {
			r         result
			from, to  time.Duration
			connected *TCPConn
		}{{<-rb, 10 * time.Second, 30 * time.Second, bounded}, {<-rp, 10 * time.Minute, time.Hour, patient}} {
			if p.opError(c.r.err, syscall.ETIMEDOUT); c.r.took < c.from || c.r.took > c.to {
				t.Errorf("%v after %v, want it between %v and %v", c.r.err, c.r.took, c.from, c.to)
			}
			_, err := c.connected.Write([]byte("x"))
			p.opError(err, syscall.ETIMEDOUT)
		}
	})
}

func TestEverythingFailsOnAClosedHost(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		ca, _ := p.connect()
		l, err := ListenTCP(p.a, "tcp", ap("192.0.2.1:80"), false)
		p.must(err)
		u, err := ListenUDP(p.a, "udp", ap("192.0.2.1:53"), false)
		p.must(err)
		p.must(p.a.Close())
		_, err = p.dial(context.Background(), "", "192.0.2.2:80") // returns, rather than wait for ever
		p.opError(err, net.ErrClosed)
		if !strings.HasPrefix(err.Error(), "dial tcp 192.0.2.2:80: ") {
			t.Errorf("%q", err)
		}
		_, err = l.Accept()
		p.opError(err, net.ErrClosed)
		_, _, err = u.ReadFrom(nil)
		p.opError(err, net.ErrClosed)
		_, err = u.WriteTo(nil, net.UDPAddrFromAddrPort(ap("192.0.2.2:53")))
		p.opError(err, net.ErrClosed)
		if _, err = ca.Write([]byte("x")); err == nil {
			t.Error("write on a closed host")
		}
		if _, err = ca.Read([]byte("x")); err == nil {
			t.Error("read on a closed host")
		}
	})
}
