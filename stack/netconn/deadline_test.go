package netconn

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/stack/shard"
)

// waits are the operations that may wait under a deadline, each on a fresh pair: what waits,
// and how to set its deadline.
var waits = []struct {
	name string
	prep func(p *pair) (wait func() error, set func(time.Time) error)
}{
	{"Read", func(p *pair) (func() error, func(time.Time) error) {
		ca, _ := p.connect()
		return func() error { _, err := ca.Read(make([]byte, 1)); return err }, ca.SetReadDeadline
	}},
	{"Write", func(p *pair) (func() error, func(time.Time) error) {
		ca, _ := p.connect() // nobody reads
		return func() error { _, err := ca.Write(make([]byte, 64<<20)); return err }, ca.SetWriteDeadline
	}},
	{"Read with both deadlines", func(p *pair) (func() error, func(time.Time) error) {
		ca, _ := p.connect()
		return func() error { _, err := ca.Read(make([]byte, 1)); return err }, ca.SetDeadline
	}},
	{"Accept", func(p *pair) (func() error, func(time.Time) error) {
		l := p.listen("192.0.2.2:80")
		return func() error { _, err := l.Accept(); return err }, l.SetDeadline
	}},
	{"ReadFrom", func(p *pair) (func() error, func(time.Time) error) {
		u, err := ListenUDP(p.a, "udp", ap("192.0.2.1:53"), false)
		p.must(err)
		return func() error { _, _, err := u.ReadFrom(make([]byte, 1)); return err }, u.SetReadDeadline
	}},
	{"WriteTo on a full link", func(p *pair) (func() error, func(time.Time) error) {
		u := p.fullLink()
		return func() error { _, err := u.Write([]byte("x")); return err }, u.SetWriteDeadline
	}},
}

// fullLink returns a socket whose datagrams leave by a link that is full for good.
func (p *pair) fullLink() *UDPConn {
	p.Helper()
	dev := new(fullDevice)
	_, err := p.a.AddInterface("full", dev, prefixes("10.0.0.1/8"))
	p.must(err)
	u, err := DialUDP(p.a, "udp", netip.AddrPort{}, ap("10.0.0.2:9"))
	p.must(err)
	return u
}

// fullDevice is a device that has no room, until it is told otherwise.
type fullDevice struct {
	mu       sync.Mutex
	writable func()
	hasRoom  bool
	sent     int
}

func (d *fullDevice) Name() string                                 { return "full" }
func (d *fullDevice) MTU() int                                     { return 1500 }
func (d *fullDevice) Features() uint64                             { return 0 }
func (d *fullDevice) Queues() int                                  { return 1 }
func (d *fullDevice) Close() error                                 { return nil }
func (d *fullDevice) OnWritable(f func())                          { d.writable = f }
func (d *fullDevice) ReadFrames(int, [][]byte, []int) (int, error) { return 0, net.ErrClosed }
func (d *fullDevice) WriteFrames(_ int, frames [][]byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.hasRoom {
		return 0, nil
	}
	d.sent += len(frames)
	return len(frames), nil
}

// setRoom says whether the device takes frames, and returns how many it has taken.
func (d *fullDevice) setRoom(has bool) int {
	d.mu.Lock()
	d.hasRoom = has
	n := d.sent
	d.mu.Unlock()
	if has {
		d.writable()
	}
	return n
}

func TestDeadlineThatMovesWhileAnOperationWaits(t *testing.T) {
	for _, w := range waits {
		t.Run(w.name, func(t *testing.T) {
			inBubble(t, shard.Config{SendBuffer: 64 << 10, ReceiveBuffer: 64 << 10}, func(p *pair) {
				wait, set := w.prep(p)
				in := func(d time.Duration) { p.must(set(time.Now().Add(d))) }

				in(time.Second)
				p.want(p.after(wait), os.ErrDeadlineExceeded, time.Second)
				p.want(p.after(wait), os.ErrDeadlineExceeded, 0) // it stays passed

				in(time.Hour)
				c := p.after(wait)
				in(time.Second) // earlier
				p.want(c, os.ErrDeadlineExceeded, time.Second)

				in(time.Second)
				c = p.after(wait)
				time.Sleep(time.Second / 2)
				in(2 * time.Second) // later
				p.want(c, os.ErrDeadlineExceeded, 5*time.Second/2)

				in(time.Second)
				c = p.after(wait)
				p.must(set(time.Time{})) // none
				time.Sleep(time.Minute)
				synctest.Wait()
				select {
				case r := <-c:
					t.Fatalf("%v without a deadline", r)
				default:
				}
				in(-time.Second) // passed
				p.want(c, os.ErrDeadlineExceeded, time.Minute)
			})
		})
	}
}

func TestDeadlineWakesAllWhoWait(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		ca, cb := p.connect()
		p.must(ca.SetReadDeadline(time.Now().Add(time.Hour)))
		var all []<-chan result
		for range 5 {
			all = append(all, p.after(func() error { _, err := ca.Read(make([]byte, 1)); return err }))
		}
		cb.Write([]byte("x")) // for one of them; the others go on waiting
		time.Sleep(time.Minute)
		p.must(ca.SetReadDeadline(time.Now().Add(time.Minute)))
		ended := 0
		for _, c := range all {
			if r := <-c; r.err == nil && r.took == 0 {
				ended++
			} else if r.took != 2*time.Minute {
				t.Errorf("%v after %v", r.err, r.took)
			}
		}
		if ended != 1 {
			t.Errorf("%d reads got the octet", ended)
		}
	})
}

// A read's deadline is not a write's.
func TestDeadlinesOfTheDirectionsAreApart(t *testing.T) {
	inBubble(t, shard.Config{}, func(p *pair) {
		ca, cb := p.connect()
		p.must(ca.SetReadDeadline(time.Now()))
		if _, err := ca.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		p.must(ca.SetReadDeadline(time.Time{}))
		p.must(ca.SetWriteDeadline(time.Now()))
		cb.Write([]byte("y"))
		if _, err := ca.Read(make([]byte, 1)); err != nil {
			t.Error(err)
		}
		_, err := ca.Write([]byte("x"))
		p.opError(err, os.ErrDeadlineExceeded)
	})
}
