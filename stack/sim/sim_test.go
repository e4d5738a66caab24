package sim_test

import (
	"flag"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/link/impair"
	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/sim"
)

var (
	oneSeed = flag.Int64("seed", -1, "run only this seed")
	first   = flag.Uint64("first", 0, "the first seed that the transfer over a bad link runs with")
	seeds   = flag.Int("seeds", defaultSeeds, "how many seeds the transfer over a bad link runs with")
	megs    = flag.Int("megs", 20, "how many megabytes each way")
)

// badLink is the network of the project's first promise: 20 ms, 2 % loss, 2 %
// reordering, 1 % duplication.
var badLink = impair.Config{Delay: 10 * time.Millisecond, Loss: 0.02, Reorder: 0.02, Duplicate: 0.01}

// TestTransferOverABadLink sends megs megabytes each way at once over badLink for each
// seed, and checks that the bytes arrive whole, that nothing stalls, that every
// invariant holds and that nothing is left behind.
func TestTransferOverABadLink(t *testing.T) {
	n := *seeds
	if testing.Short() {
		n = min(n, 10)
	}
	run := make(chan uint64)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for seed := range run {
				if err := transfer(seed, *megs<<20, badLink, seed%2 == 1, seed%4 >= 2); err != nil {
					t.Errorf("seed %d: %v (replay with -seed %d)", seed, err, seed)
				}
			}
		})
	}
	if *oneSeed >= 0 {
		*first, n = uint64(*oneSeed), 1
	}
	for k := range uint64(n) {
		run <- *first + k
	}
	close(run)
	wg.Wait()
}

// transfer runs one connection that carries size octets each way.
func transfer(seed uint64, size int, bad impair.Config, v6, offload bool) error {
	n := sim.New(seed)
	a, b := n.Host("a", shard.Config{}), n.Host("b", shard.Config{})
	addrA, addrB := sim.Subnet(1)
	_, ifb, err := n.Join(a, b, sim.Wire{There: bad, Back: bad, Offload: offload}, addrA, addrB)
	if err != nil {
		return err
	}
	to := addrB[0].Addr()
	if v6 {
		to = addrB[1].Addr()
	}
	l, err := b.Listen(netip.AddrPortFrom(to, 7), false)
	if err != nil {
		return err
	}
	client, server := sim.NewStream(size, 2*seed, size, 2*seed+1), sim.NewStream(size, 2*seed+1, size, 2*seed)
	ca, err := a.DialTCP(netip.AddrPort{}, netip.AddrPortFrom(to, 7), client)
	if err != nil {
		return err
	}
	var cb *shard.TCP
	err = n.Run(time.Hour, func() bool {
		sim.Serve(l, func(c *shard.TCP) shard.Handler { cb = c; return server })
		return client.Done() && server.Done() || client.Err != nil || server.Err != nil
	})
	switch {
	case client.Err != nil:
		return fmt.Errorf("client: %w", client.Err)
	case server.Err != nil:
		return fmt.Errorf("server: %w", server.Err)
	case err != nil:
		return fmt.Errorf("%w; client sent %d got %d, server sent %d got %d\nclient %+v\nserver %+v", err,
			client.Sent, client.Got, server.Sent, server.Got, info(ca), info(cb))
	case !client.Done() || !server.Done():
		return fmt.Errorf("stalled: nothing is due, and client sent %d got %d, server sent %d got %d\nclient %+v\nserver %+v",
			client.Sent, client.Got, server.Sent, server.Got, info(ca), info(cb))
	}
	if st := n.Impairments(ifb); bad.Loss > 0 && st.DropLoss == 0 {
		return fmt.Errorf("the link lost nothing of %d packets: the test tests nothing", st.Packets)
	}
	return letGo(n, l, ca, cb)
}

// letGo closes everything, waits until TIME-WAIT is over and checks that nothing is held.
func letGo(n *sim.Network, l *shard.Listener, ca, cb *shard.TCP) error {
	ca.Close()
	cb.Close()
	l.Close()
	if err := n.Run(10*time.Minute, func() bool { return false }); err != nil {
		return fmt.Errorf("after close: %w", err)
	}
	for _, h := range []*shard.Host{ca.Host(), cb.Host()} {
		var left error
		h.EachCounter(func(name string, v uint64) {
			if len(name) > 5 && name[:5] == "held." && v != 0 {
				left = fmt.Errorf("%s = %d after everything was closed", name, v)
			}
		})
		if left != nil {
			return left
		}
	}
	if k := n.Close(); k != 0 {
		return fmt.Errorf("%d buffers of the wires are in use", k)
	}
	return nil
}

func info(c *shard.TCP) any {
	if c == nil {
		return "not accepted"
	}
	c.Lock()
	defer c.Unlock()
	return c.Conn().Info()
}

// TestSameSeedSameRun runs one seed twice and wants the same events at the same times.
func TestSameSeedSameRun(t *testing.T) {
	one, two := trace(t, 7), trace(t, 7)
	if one != two {
		t.Errorf("seed 7 ran as %s and then as %s", one, two)
	}
	if other := trace(t, 8); other == one {
		t.Errorf("seeds 7 and 8 ran alike: %s", one)
	}
}

func trace(t *testing.T, seed uint64) string {
	n := sim.New(seed)
	a, b := n.Host("a", shard.Config{}), n.Host("b", shard.Config{})
	addrA, addrB := sim.Subnet(0)
	ia, _, err := n.Join(a, b, sim.Wire{There: badLink, Back: badLink}, addrA, addrB)
	if err != nil {
		t.Fatal(err)
	}
	l, err := b.Listen(netip.AddrPortFrom(addrB[0].Addr(), 7), false)
	if err != nil {
		t.Fatal(err)
	}
	client, server := sim.NewStream(1<<20, 1, 1<<20, 2), sim.NewStream(1<<20, 2, 1<<20, 1)
	if _, err := a.DialTCP(netip.AddrPort{}, netip.AddrPortFrom(addrB[0].Addr(), 7), client); err != nil {
		t.Fatal(err)
	}
	if err := n.Run(time.Hour, func() bool {
		sim.Serve(l, func(*shard.TCP) shard.Handler { return server })
		return client.Done() && server.Done()
	}); err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	return fmt.Sprintf("%v %d %+v", n.Elapsed(), n.Steps(), n.Impairments(ia))
}

// TestWorseLinks runs a few seeds over links that are bad in other ways.
func TestWorseLinks(t *testing.T) {
	for name, c := range map[string]impair.Config{
		"corruption":    {Delay: 5 * time.Millisecond, Corrupt: 0.01},
		"bursts":        {Delay: 20 * time.Millisecond, Burst: impair.Burst{Enter: 0.005, Leave: 0.3}},
		"narrow":        {Delay: 30 * time.Millisecond, Rate: 2_000_000, QueueBytes: 20_000},
		"jitter":        {Delay: 20 * time.Millisecond, Jitter: 15 * time.Millisecond, JitterReorders: true},
		"half lost":     {Delay: time.Millisecond, Loss: 0.3},
		"all duplicate": {Delay: time.Millisecond, Duplicate: 1},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(4) {
				if err := transfer(seed, 256<<10, c, seed%2 == 1, seed%4 >= 2); err != nil {
					t.Errorf("seed %d: %v", seed, err)
				}
			}
		})
	}
}
