package shard

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/tcp"
)

var (
	hammerPackets = flag.Int("packets", 0, "how many packets the hammer test sends; 0 is 600,000, 40,000 with -short or -race, or 10 million with WEIR_LONG=1")
	hammerSeed    = flag.Uint64("seed", 0, "replay the hammer test with this seed only")
)

func hammerCount() int {
	switch {
	case *hammerPackets > 0:
		return *hammerPackets
	case os.Getenv("WEIR_LONG") != "":
		return 10_000_000
	case testing.Short(), raceEnabled:
		return 40_000
	}
	return 600_000
}

// TestNoPacketHarmsTheHost sends random and mutated packets to a host in virtual time:
// none makes it panic, breaks an invariant of a connection, or has it hold more
// than its bounds, and when everything is closed nothing is held.
func TestNoPacketHarmsTheHost(t *testing.T) {
	for seed := uint64(1); seed <= 4; seed++ {
		if *hammerSeed == 0 || *hammerSeed == seed {
			t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { hammer(t, seed, hammerCount()/4) })
		}
	}
}

// hammered is a host under the hammer, in virtual time.
type hammered struct {
	*world
	*load
	seed  uint64
	count int
	heap  int // MiB of live heap at the beginning
	round *round
	slots *slots // nil: by Deliver
}

func hammer(t *testing.T, seed uint64, count int) {
	s := tcp.DefaultSettings()
	s.ReassemblyLimit = 64 << 10
	w := newWorld(t, Config{Forward: seed%2 == 1, ReceiveBuffer: 64 << 10, SendBuffer: 64 << 10, DatagramBuffer: 64 << 10, Backlog: hammerBacklog, TCP: &s})
	if seed > 2 {
		w.cables[0].features = offloads
		w.ifcs[0].features = offloads
	}
	seen := new(traffic)
	for n, c := range w.cables {
		c.seen = func(b []byte) { seen.observe(n, b) }
	}
	l, err := newLoad(newMaker(seed, seen), w.Host)
	if err != nil {
		t.Fatal(err)
	}
	g := &hammered{world: w, load: l, seed: seed, heap: liveHeap()}
	if seed%2 == 0 { // as a receive loop does it: in batches, with blocks to give away
		g.slots, g.round = &slots{host: w.Host}, &round{h: w.Host}
		for n := range batch {
			g.slots.fill(n)
		}
	}
	defer g.explain()
	for g.count = range count {
		g.one()
	}
	g.finish()
}

// explain says how to see a panic again.
func (g *hammered) explain() {
	if v := recover(); v != nil {
		g.Errorf("%v", g.trouble("panic"))
		panic(v)
	}
}

func (g *hammered) trouble(what string) string {
	f := &g.frame
	return fmt.Sprintf("%s at packet %d: replay with -run TestNoPacketHarmsTheHost -seed=%d -packets=%d\nvirtio-net header %x, packet:\n%s",
		what, g.count, g.seed, 4*(g.count+1), f.Buf[link.Headroom-link.VnetLen:link.Headroom], hex.Dump(g.p))
}

// one sends a packet, lets some time pass, and lets the applications work now and then.
func (g *hammered) one() {
	g.deliver(g.next())
	switch k := g.IntN(40_000); {
	case k < 1:
		g.pass(time.Duration(g.IntN(1<<g.IntN(8))) * time.Second)
	case k < 20:
		g.pass(time.Duration(g.IntN(1000)) * time.Millisecond)
	case k < 60: // a link that is full for a while
		g.cables[g.IntN(2)].makeRoom(g.IntN(50))
	case k < 200:
		for _, c := range g.cables {
			c.makeRoom(-1)
		}
	default:
		g.clock.Advance(time.Duration(g.IntN(300)) * time.Microsecond)
		g.settle()
	}
	if g.count%8 == 0 {
		if err := g.step(); err != nil {
			g.Fatal(g.trouble(err.Error()))
		}
	}
	if g.count%256 == 0 {
		g.check()
	}
}

// deliver gives the maker's frame to the host.
func (g *hammered) deliver(ifc, n int) {
	if g.slots == nil {
		if g.frame.SetRead(n) == nil {
			g.Deliver(g.ifcs[ifc], &g.frame)
		}
		return
	}
	at := g.count % batch
	copy(g.slots.bufs[at], g.frame.ReadBuf()[:n])
	g.slots.sizes[at] = n
	g.round.ifc, g.round.now = g.ifcs[ifc], g.clock.Now()
	g.round.deliver(g.slots, at)
	if at == batch-1 || g.chance(50) {
		g.round.flush()
	}
}

// check holds the host against its invariants and bounds.
func (g *hammered) check() {
	conns := g.conns.list()
	for _, c := range conns {
		if err := c.conn.Check(); err != nil {
			g.Fatal(g.trouble(err.Error()))
		}
	}
	waiting := 0
	for _, f := range g.listeners {
		n := f.halfOpen + len(f.queue)
		if waiting += n; f.halfOpen > hammerBacklog || len(f.queue) > hammerBacklog+1 {
			g.Fatal(g.trouble(fmt.Sprintf("%d connections in a backlog of %d", n, hammerBacklog)))
		}
	}
	bound := func(what string, have, most int) {
		if have > most {
			g.Fatal(g.trouble(fmt.Sprintf("%s: %d, the bound is %d", what, have, most)))
		}
	}
	bound("connections", len(conns), len(g.live)+len(g.orphans)+waiting)
	bound("octets for reassembly", g.reassembly.inUse(), 4<<20)
	// A connection holds what it may queue each way and out of order, and a block more each.
	bound("octets of blocks", int(g.pool.InUse()), 4<<20+(len(g.live)+len(conns))*5*(64<<10)+(len(g.sockets)+len(g.raws))*(128<<10))
	bound("frames", int(g.txInUse.Load()), 3*maxBacklog+len(conns))
	bound("TIME-WAIT records", g.timeWaits.len(), 1<<16)
	if g.count%(1<<16) == 0 {
		bound("MiB of heap", liveHeap()-g.heap, 64)
	}
}

// liveHeap returns how many MiB of heap are in use once garbage is collected.
func liveHeap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc >> 20)
}

// finish closes everything and lets an hour pass, after which nothing may be held.
func (g *hammered) finish() {
	for _, c := range g.cables {
		c.makeRoom(-1)
	}
	if g.slots != nil {
		g.round.flush()
		g.slots.empty()
	}
	g.end()
	g.pass(2 * time.Hour)
	for _, c := range g.conns.list() {
		g.Errorf("%v > %v is still there: held %v waiting %v sending %v, timer %v, %+v", c.Local(), c.Remote(), c.holds(), c.jam, c.sending, c.armed, c.conn.Info())
	}
	g.nothingHeld()
	if testing.Verbose() {
		g.EachCounter(func(name string, v uint64) { g.Logf("%-36s %d", name, v) })
	}
	if err := g.Close(); err != nil {
		g.Error(err)
	}
	g.nothingHeld()
}
