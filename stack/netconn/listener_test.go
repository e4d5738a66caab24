package netconn

import (
	"context"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/stack/shard"
)

func TestListenerGivesConnectionsInOrder(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		l := p.listen("192.0.2.2:80")
		if l.Addr().String() != "192.0.2.2:80" || l.Addr().Network() != "tcp" {
			t.Errorf("%v", l.Addr())
		}
		var dialled []*TCPConn
		for range 3 {
			c, err := p.dial(context.Background(), "", "192.0.2.2:80")
			p.must(err)
			dialled = append(dialled, c)
		}
		p.must(l.SetDeadline(time.Now().Add(time.Second)))
		for _, d := range dialled {
			c, err := l.Accept()
			p.must(err)
			p.conns = append(p.conns, c.(*TCPConn))
			if c.RemoteAddr().String() != d.LocalAddr().String() || c.LocalAddr().String() != d.RemoteAddr().String() {
				t.Errorf("%v > %v, want %v", c.RemoteAddr(), c.LocalAddr(), d.LocalAddr())
			}
		}
		p.want(p.after(func() error { _, err := l.Accept(); return err }), os.ErrDeadlineExceeded, time.Second)
		p.must(l.SetDeadline(time.Time{}))
		var late *TCPConn
		waiting := p.after(func() (err error) { late, err = l.AcceptTCP(); return err })
		time.Sleep(time.Second)
		_, err := p.dial(context.Background(), "", "192.0.2.2:80")
		p.must(err)
		p.want(waiting, nil, time.Second)
		p.must(late.Close())
	})
}

func TestClosedListenerResetsWhatNobodyAccepted(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		l := p.listen("192.0.2.2:80")
		c, err := p.dial(context.Background(), "", "192.0.2.2:80")
		p.must(err)
		synctest.Wait()
		p.must(l.Close())
		_, err = c.Read(make([]byte, 1))
		p.opError(err, syscall.ECONNRESET)
		_, err = p.dial(context.Background(), "", "192.0.2.2:80")
		p.opError(err, syscall.ECONNREFUSED)
		l = p.listen("192.0.2.2:80") // the port is free again
		p.must(l.Close())
	})
}

// A connection that its peer resets before anybody accepts it is accepted, and fails then, as
// on Linux.
func TestConnectionResetInTheQueueIsAccepted(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		l := p.listen("192.0.2.2:80")
		c, err := p.dial(context.Background(), "", "192.0.2.2:80")
		p.must(err)
		p.must(c.SetLinger(0))
		p.must(c.Close())
		synctest.Wait()
		got, err := l.AcceptTCP()
		p.must(err)
		p.conns = append(p.conns, got)
		_, err = got.Read(make([]byte, 1))
		p.opError(err, syscall.ECONNRESET)
	})
}

func TestListenerOfBothFamilies(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		l, err := ListenTCP(p.b, "tcp", netip.MustParseAddrPort("[::]:80"), true)
		p.must(err)
		for _, host := range []string{"192.0.2.2", "[2001:db8::2]"} {
			_, err := p.dial(context.Background(), "", host+":80")
			p.must(err)
			c, err := l.AcceptTCP()
			p.must(err)
			p.conns = append(p.conns, c)
			if a := c.LocalAddr().(*net.TCPAddr).AddrPort(); a != ap(host+":80") {
				t.Errorf("accepted at %v", a)
			}
		}
	})
}
