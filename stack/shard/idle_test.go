package shard

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
	"unsafe"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/tcp"
)

// What each end of an idle connection costs at most: its record, and all of it with its place in the
// tables.
const (
	connSize   = 568 // and 8 for the collector: a class of 576
	idleOctets = 640
)

// An object for the collector is as large as its size class: what is beyond one is paid for by each of
// a million connections.
func TestAConnectionFitsItsSizeClass(t *testing.T) {
	if n := unsafe.Sizeof(TCP{}); n > connSize {
		t.Errorf("a connection has %d octets, want %d at most", n, connSize)
	}
}

// echo is a handler that all connections share.
type echo struct{}

func (echo) OnEvent(c *TCP, ev tcp.Events) {
	if ev&tcp.EventReadable == 0 {
		return
	}
	conn, now := c.Conn(), c.Host().Now()
	p := conn.Next()
	conn.Skip(now, conn.Write(now, p))
}

type quiet struct{}

func (quiet) OnEvent(c *TCP, ev tcp.Events) {
	if conn := c.Conn(); ev&tcp.EventReadable != 0 {
		conn.Skip(c.Host().Now(), conn.Readable())
	}
}

// idle opens n connections over the loopback, has each send an octet and get it back, and lets a second
// pass. Both ends are the host's. It returns the ends that dialled.
func (w *world) idle(n int) []*TCP {
	w.Helper()
	if _, err := w.ListenWith(ap("0.0.0.0:7"), false, ListenOptions{Handler: echo{}}); err != nil {
		w.Fatal(err)
	}
	const each = 20_000 // by address: fewer than there are ports
	conns := make([]*TCP, 0, n)
	to := addr("127.0.0.1")
	for i := range n {
		if i%each == each-1 {
			to = to.Next()
		}
		c, err := w.DialTCP(netip.AddrPort{}, netip.AddrPortFrom(to, 7), quiet{})
		if err != nil {
			w.Fatal(err)
		}
		conns = append(conns, c)
		w.settle()
		c.Lock()
		c.Conn().Write(w.clock.Now(), []byte("x"))
		c.Push()
		c.Unlock()
		w.settle()
		if i%100 == 0 {
			w.pass(time.Millisecond)
		}
	}
	w.pass(time.Second)
	w.counted("held.tcp_connections", 2*uint64(n))
	w.counted("held.octets", 0)
	return conns
}

// resident returns the octets of memory that the process has.
func resident() uint64 {
	var size, pages uint64
	b, _ := os.ReadFile("/proc/self/statm")
	fmt.Sscan(string(b), &size, &pages)
	return pages * uint64(os.Getpagesize())
}

// An idle connection that has been busy costs what its record does and its place in the table.
func TestIdleConnectionsAreSmall(t *testing.T) {
	if raceEnabled {
		t.Skip("memory is another with the race detector")
	}
	w := newWorld(t, Config{})
	const n = 25_000 // and as many at the other end
	before := heap()
	conns := w.idle(n)
	after := heap()
	each := float64(after-before) / (2 * n)
	t.Logf("%.0f octets of heap for each end", each)
	if most := float64(idleOctets); each > most {
		t.Errorf("%.0f octets of heap for each end, want %.0f at most", each, most)
	}
	for _, c := range conns {
		if !c.conn.Parked() || c.armed != clock.Never {
			t.Fatalf("parked %v, timer %v", c.conn.Parked(), c.armed)
		}
	}
	for i, c := range conns {
		if c.Abort(); i%100 == 0 {
			w.settle()
		}
	}
	w.settle()
	w.pass(time.Second)
	w.counted("held.tcp_connections", 0)
	w.counted("held.timers", 0)
}

// BenchmarkIdle makes b.N connections of the host with itself and reports what an end costs, of the heap and of
// the process's memory, without a collection more than there were.
func BenchmarkIdle(b *testing.B) {
	w := newWorld(b, Config{})
	rss, heapBefore := resident(), heap()
	conns := w.idle(b.N)
	b.ReportMetric(float64(resident()-rss)/float64(2*b.N), "rss-B/end")
	debug.FreeOSMemory()
	b.ReportMetric(float64(resident()-rss)/float64(2*b.N), "collected-B/end")
	b.ReportMetric(float64(heap()-heapBefore)/float64(2*b.N), "heap-B/end")
	runtime.KeepAlive(conns)
}
