package shard

import (
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/link"
)

// cable is the test's end of an interface: a device that keeps what the host writes.
type cable struct {
	name     string
	mtu      int
	features uint64
	queues   int // 0: one
	room     int // frames that it still takes; negative: any number
	keep     bool
	seen     func(frame []byte) // instead of keeping
	out      [][]byte           // frames as written, virtio-net header first
	starved  bool
	calls    int // of WriteFrames
	writable func()
	closed   bool
	err      error // what a write fails with
}

func (c *cable) Name() string        { return c.name }
func (c *cable) MTU() int            { return c.mtu }
func (c *cable) Features() uint64    { return c.features }
func (c *cable) Queues() int         { return max(c.queues, 1) }
func (c *cable) OnWritable(f func()) { c.writable = f }
func (c *cable) Close() error        { c.closed = true; return nil }

// ReadFrames is never needed: the test delivers.
func (c *cable) ReadFrames(int, [][]byte, []int) (int, error) { return 0, net.ErrClosed }

func (c *cable) WriteFrames(_ int, frames [][]byte) (int, error) {
	c.calls++
	if c.closed {
		return 0, net.ErrClosed
	}
	if c.err != nil {
		return 0, c.err
	}
	for n, f := range frames {
		if len(f)-link.VnetLen > c.mtu && f[1] == 0 {
			return n, syscall.EMSGSIZE
		}
		if c.room == 0 {
			c.starved = true
			return n, nil
		}
		c.room--
		switch {
		case c.seen != nil:
			c.seen(f)
		case c.keep:
			c.out = append(c.out, append([]byte(nil), f...))
		}
	}
	return len(frames), nil
}

// makeRoom lets the device take n frames more, all that come where n is negative.
func (c *cable) makeRoom(n int) {
	c.room = n
	if c.starved {
		c.starved = false
		c.writable()
	}
}

const offloads = link.FeatureCsum | link.FeatureGuestCsum | link.FeatureHostTSO4 | link.FeatureHostTSO6

// world is a stepped host in virtual time, whose cables the test plays the far ends of.
type world struct {
	testing.TB
	*Host
	clock  *clock.Manual
	cables []*cable
	ifcs   []*Interface
	in     link.Frame
}

// newWorld returns a host with two interfaces: e0 of MTU 1500 on 192.0.2.1/24 and
// 2001:db8::1/64, and e1 of MTU 1280 on 198.51.100.1/24 and 2001:db8:1::1/64.
func newWorld(t testing.TB, cfg Config) *world {
	t.Helper()
	w := &world{TB: t, clock: new(clock.Manual)}
	w.clock.Set(clock.Time(time.Hour))
	cfg.Clock, cfg.Secret = w.clock, [32]byte{1}
	w.Host = New(cfg)
	w.in.Buf = make([]byte, link.FrameSize)
	w.join("e0", 1500, 0, "192.0.2.1/24", "2001:db8::1/64")
	w.join("e1", 1280, 0, "198.51.100.1/24", "2001:db8:1::1/64")
	return w
}

// join gives the host another interface.
func (w *world) join(name string, mtu int, features uint64, addrs ...string) *cable {
	w.Helper()
	c := &cable{name: name, mtu: mtu, features: features, room: -1, keep: true}
	var list []netip.Prefix
	for _, a := range addrs {
		list = append(list, netip.MustParsePrefix(a))
	}
	i, err := w.AddInterface("", c, list)
	if err != nil {
		w.Fatal(err)
	}
	w.cables, w.ifcs = append(w.cables, c), append(w.ifcs, i)
	return c
}

// receive has interface n receive a packet with nothing said about it, and lets the host
// act on it.
func (w *world) receive(n int, packet []byte) { w.receiveWith(n, packet, link.Offload{}) }

// receiveWith is receive with offload metadata.
func (w *world) receiveWith(n int, packet []byte, o link.Offload) {
	w.in.Off, w.in.End = link.Headroom, link.Headroom+copy(w.in.Buf[link.Headroom:], packet)
	w.in.Offload = o
	w.Deliver(w.ifcs[n], &w.in)
	w.settle()
}

// settle lets the loopback's frames arrive and runs what is due now.
func (w *world) settle() {
	for range 1000 {
		lo := w.lo.dev.(interface{ InUse() int })
		if lo.InUse() > 0 {
			var size [1]int
			if n, _ := w.lo.dev.ReadFrames(0, [][]byte{w.in.ReadBuf()}, size[:]); n == 1 && w.in.SetRead(size[0]) == nil {
				w.Deliver(w.lo, &w.in)
			}
			continue
		}
		if w.Deadline() > w.clock.Now() {
			return
		}
		w.Expire()
	}
	w.Fatal("the host is never at rest")
}

// pass lets d of virtual time go by, every timer at its instant.
func (w *world) pass(d time.Duration) {
	for end := w.clock.Now().Add(d); ; w.settle() {
		at := w.Deadline()
		if at > end {
			w.clock.Set(end)
			return
		}
		w.clock.Set(at)
	}
}

// sent returns the packets that interface n sent since it was last asked, each finished
// as its device would.
func (w *world) sent(n int) (list []packet) {
	w.Helper()
	for _, b := range w.cables[n].out {
		list = append(list, parse(w, b))
	}
	w.cables[n].out = nil
	return list
}

// one returns the one packet that interface n has sent.
func (w *world) one(n int) packet {
	w.Helper()
	list := w.sent(n)
	if len(list) != 1 {
		w.Fatalf("interface %d sent %d packets, want one: %v", n, len(list), list)
	}
	return list[0]
}

// none fails where anything was sent by any interface.
func (w *world) none() {
	w.Helper()
	for n := range w.cables {
		if list := w.sent(n); len(list) > 0 {
			w.Fatalf("interface %d sent %v, want nothing", n, list)
		}
	}
}

// counter returns a counter's value; a name that does not exist fails.
func (w *world) counter(name string) (v uint64) {
	w.Helper()
	found := false
	w.EachCounter(func(n string, x uint64) {
		if n == name {
			v, found = x, true
		}
	})
	if !found {
		w.Fatalf("there is no counter %s", name)
	}
	return v
}

// counted fails unless the counter stands at want.
func (w *world) counted(name string, want uint64) {
	w.Helper()
	if got := w.counter(name); got != want {
		w.Errorf("%s is %d, want %d", name, got, want)
	}
}

// nothingHeld fails where the host holds anything.
func (w *world) nothingHeld() {
	w.Helper()
	w.EachCounter(func(name string, v uint64) {
		if v != 0 && strings.HasPrefix(name, "held.") {
			w.Errorf("%s is %d, want nothing held", name, v)
		}
	})
}

func ap(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
func addr(s string) netip.Addr   { return netip.MustParseAddr(s) }
