package shard

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/link/pipe"
	"github.com/weirnet/weir/stack/route"
	"github.com/weirnet/weir/stack/tcp"
)

func TestRouteChangeMovesConnections(t *testing.T) {
	w := newWorld(t, Config{})
	c, p, _ := w.dialPeer(0, "", "192.0.2.9:80")
	c.conn.SetNoDelay(true)
	una := c.conn.Info().SndUna
	w.write(c, []byte("one"))
	w.one(0)
	p.ack += 3
	p.send(ack, "")
	by1 := route.Route{Dst: netip.MustParsePrefix("192.0.2.9/32"), Via: addr("198.51.100.254"), Interface: w.ifcs[1].Index()}
	must(t, w.AddRoute(by1))
	w.write(c, []byte("two"))
	if k := w.one(1); k.src != addr("192.0.2.1") || k.tcp().Seq() != una+3 {
		t.Errorf("%v went by the new route", k)
	}
	w.write(c, text(1300))
	if n := largest(w.sent(1)); n > 1280 {
		t.Errorf("packets of %d octets by a link whose MTU is 1280", n)
	}
	p.ack = c.conn.Info().SndNxt
	p.send(ack, "")
	must(t, w.RemoveRoute(by1))
	w.write(c, []byte("three"))
	w.one(0)
}

func TestConnectionWithoutARouteWaitsForOne(t *testing.T) {
	w := newWorld(t, Config{})
	c, _, _ := w.dialPeer(0, "", "192.0.2.9:80")
	una := c.conn.Info().SndUna
	r := w.Routes()[0]
	for _, r = range w.Routes() {
		if r.Dst == netip.MustParsePrefix("192.0.2.0/24") {
			break
		}
	}
	must(t, w.RemoveRoute(r))
	w.write(c, text(1000))
	w.pass(5 * time.Second)
	w.none()
	must(t, w.AddRoute(r))
	w.pass(20 * time.Second) // a retransmission is due by then
	if got := texts(t, w.sent(0)[:1], una); !bytes.Equal(got, text(1000)) {
		t.Errorf("%d of 1000 octets were sent once there was a route", len(got))
	}
	w.counted("held.frames", 0)
}

func TestConnectionWhoseInterfaceIsGoneTimesOut(t *testing.T) {
	w := newWorld(t, Config{})
	c, _, e := w.dialPeer(0, "", "192.0.2.9:80")
	orphan, _, _ := w.dialPeer(0, "", "192.0.2.9:81")
	must(t, w.ifcs[0].Close())
	if !w.cables[0].closed {
		t.Error("the device was not closed")
	}
	w.write(c, text(1000))
	w.write(orphan, text(1000))
	orphan.Close()
	w.pass(time.Hour)
	if e.all&tcp.EventError == 0 || c.conn.Err() != syscall.ENETUNREACH && c.conn.Err() != syscall.ETIMEDOUT {
		t.Errorf("%v: %v", c.conn.State(), c.conn.Err())
	}
	c.Close()
	w.nothingHeld()
	for _, a := range []string{"192.0.2.1", "2001:db8::1"} {
		if w.IsLocal(addr(a)) {
			t.Errorf("%s is still an address of the host", a)
		}
	}
	for _, r := range w.Routes() {
		if r.Interface == w.ifcs[0].Index() {
			t.Errorf("the route %v is still there", r)
		}
	}
}

func TestRemovedAddressIsNotAnswered(t *testing.T) {
	w := newWorld(t, Config{})
	l := w.listen("[::]:7")
	must(t, w.ifcs[0].AddAddress(netip.MustParsePrefix("192.0.2.77/24")))
	w.peer(0, "192.0.2.9:1", "192.0.2.77:7").connect()
	must(t, w.ifcs[0].RemoveAddress(netip.MustParsePrefix("192.0.2.77/24")))
	w.peer(0, "192.0.2.9:2", "192.0.2.77:7").send(syn, "")
	w.none()
	w.peer(0, "192.0.2.9:3", "192.0.2.1:7").connect() // the subnet's route stays for the other address
	l.Close()
	for _, bad := range []string{"192.0.2.1/24", "224.0.0.1/24", "0.0.0.0/0", "255.255.255.255/32", "::ffff:192.0.2.5/120"} {
		if err := w.ifcs[0].AddAddress(netip.MustParsePrefix(bad)); err == nil {
			t.Errorf("%s was taken as an address", bad)
		}
	}
	if err := w.ifcs[0].RemoveAddress(netip.MustParsePrefix("192.0.2.77/24")); err == nil {
		t.Error("an address was removed twice")
	}
}

func TestNothingIsOpenedOnAClosedHost(t *testing.T) {
	w := newWorld(t, Config{})
	must(t, w.Close())
	_, err := w.DialTCP(netip.AddrPort{}, ap("192.0.2.9:80"), nil)
	wantErr(t, err, net.ErrClosed)
	_, err = w.Listen(ap("192.0.2.1:80"), false)
	wantErr(t, err, net.ErrClosed)
	_, err = w.ListenUDP(ap("192.0.2.1:80"), false)
	wantErr(t, err, net.ErrClosed)
	_, err = w.DialUDP(netip.AddrPort{}, ap("192.0.2.9:80"))
	wantErr(t, err, net.ErrClosed)
	_, err = w.Ping(addr("192.0.2.9"), 1, 1, 0, func(EchoResult) {})
	wantErr(t, err, net.ErrClosed)
	if _, err := w.AddInterface("e9", &cable{mtu: 1500}, nil); err == nil {
		t.Error("an interface was added")
	}
	must(t, w.Close())
	w.nothingHeld()
}

func TestCloseOverAFullDeviceHoldsNothing(t *testing.T) {
	w := newWorld(t, Config{})
	c, _, _ := w.dialPeer(0, "", "192.0.2.9:80")
	w.dialPeer(0, "", "192.0.2.9:81") // will want to send its reset
	w.cables[0].makeRoom(0)
	w.write(c, text(3000))
	w.receive(0, echoRequest(addr("192.0.2.9"), addr("192.0.2.1"), "x"))
	w.receive(0, ipPacket(addr("192.0.2.9"), addr("192.0.2.1"), 17, text(64), ipOptions{more: true}))
	must(t, w.Close())
	w.nothingHeld()
}

// handler tells a channel when its connection fails.
type handler struct{ failed chan error }

func (h handler) OnEvent(c *TCP, ev tcp.Events) {
	if ev&(tcp.EventError|tcp.EventClosed) != 0 {
		select {
		case h.failed <- c.conn.Err():
		default:
		}
	}
}

// TestCloseWithEverythingBusy closes hosts that dial, listen, send, receive and ping in many
// goroutines: it returns, every connection that was opened is told, and nothing stays.
func TestCloseWithEverythingBusy(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 20 {
		closeBusy(t)
	}
	for range 6000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

func closeBusy(t *testing.T) {
	da, db := pipe.New(pipe.Options{QueueFrames: 8})
	a, b := New(Config{}), New(Config{})
	for h, d := range map[*Host]*pipe.End{a: da, b: db} {
		p := "192.0.2.1/24"
		if h == b {
			p = "192.0.2.2/24"
		}
		_, err := h.AddInterface("e0", d, []netip.Prefix{netip.MustParsePrefix(p)})
		must(t, err)
		h.Start()
	}
	_, err := b.Listen(ap("192.0.2.2:7"), false)
	must(t, err)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { dialUntilClosed(t, a) })
		wg.Go(func() { sendUntilClosed(a) })
	}
	time.Sleep(2 * time.Millisecond)
	must(t, a.Close())
	must(t, b.Close())
	wg.Wait()
	for _, h := range []*Host{a, b} {
		h.EachCounter(func(name string, v uint64) {
			if strings.HasPrefix(name, "held.") && v != 0 {
				t.Errorf("%s is %d", name, v)
			}
		})
	}
}

// dialUntilClosed opens connections and writes to them; each is told of its end.
func dialUntilClosed(t *testing.T, h *Host) {
	var all []handler
	for {
		f := handler{make(chan error, 1)}
		c, err := h.DialTCP(netip.AddrPort{}, ap("192.0.2.2:7"), f)
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
			break
		}
		all = append(all, f)
		c.Lock()
		c.conn.Write(h.Now(), text(5000))
		c.Push()
		c.Unlock()
	}
	for n, f := range all {
		select {
		case <-f.failed:
		case <-time.After(time.Minute):
			t.Errorf("connection %d of %d was not told that the host is closed", n, len(all))
			return
		}
	}
}

func sendUntilClosed(h *Host) {
	for {
		u, err := h.DialUDP(netip.AddrPort{}, ap("192.0.2.2:9"))
		if err != nil {
			return
		}
		u.Send(text(3000), netip.Addr{}, u.Remote())
		done := make(chan EchoResult, 1)
		if _, err := h.Ping(addr("192.0.2.2"), 1, 100, 0, func(r EchoResult) { done <- r }); err != nil {
			return
		}
		if r := <-done; r.Closed {
			return
		}
		u.Close()
	}
}
