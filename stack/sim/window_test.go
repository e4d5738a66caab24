package sim_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/link/impair"
	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/sim"
)

// download sends size octets to a host with the given configuration over a wire of 1 Gbit/s and returns
// how long they took and what the receiver's buffer was in the end.
func download(t *testing.T, delay time.Duration, size int, cfg shard.Config) (time.Duration, int) {
	t.Helper()
	n := sim.New(1)
	a, b := n.Host("a", shard.Config{SendBuffer: 32 << 20}), n.Host("b", cfg)
	addrA, addrB := sim.Subnet(1)
	way := impair.Config{Delay: delay, Rate: 1e9}
	if _, _, err := n.Join(a, b, sim.Wire{There: way, Back: way, Offload: true}, addrA, addrB); err != nil {
		t.Fatal(err)
	}
	l, err := b.Listen(netip.AddrPortFrom(addrB[0].Addr(), 7), false)
	if err != nil {
		t.Fatal(err)
	}
	client, server := sim.NewStream(size, 1, 0, 2), sim.NewStream(0, 2, size, 1)
	ca, err := a.DialTCP(netip.AddrPort{}, netip.AddrPortFrom(addrB[0].Addr(), 7), client)
	if err != nil {
		t.Fatal(err)
	}
	var cb *shard.TCP
	begin, took := b.Now(), time.Duration(0)
	err = n.Run(time.Minute, func() bool {
		sim.Serve(l, func(c *shard.TCP) shard.Handler { cb = c; return server })
		if took == 0 && server.Got == size {
			took = b.Now().Sub(begin)
		}
		return client.Done() && server.Done() || client.Err != nil || server.Err != nil
	})
	if err != nil || client.Err != nil || server.Err != nil || took == 0 {
		t.Fatalf("%v, client %v, server %v, got %d octets", err, client.Err, server.Err, server.Got)
	}
	cb.Lock()
	buffer, _ := cb.Conn().Buffers()
	cb.Unlock()
	if err := letGo(n, l, ca, cb); err != nil {
		t.Error(err)
	}
	return took, buffer
}

// The window grows with what is read in a round trip, until a long path is full; a user's own bound
// holds.
func TestReceiveWindowGrowsUntilALongPathIsFull(t *testing.T) {
	const size = 200 << 20
	full := time.Duration(size * 8) // at a bit a nanosecond
	took, buffer := download(t, 50*time.Millisecond, size, shard.Config{})
	t.Logf("%v, buffer %d", took, buffer)
	if took > 2*full || buffer <= 12<<20 || buffer > 16<<20 {
		t.Errorf("took %v, with a buffer of %d in the end; the wire alone takes %v", took, buffer, full)
	}
	took, buffer = download(t, 50*time.Millisecond, size/8, shard.Config{ReceiveBuffer: 1 << 20})
	if buffer != 1<<20 || took < full/2 {
		t.Errorf("a fixed buffer of 1 MiB: took %v, and was %d in the end", took, buffer)
	}
}

// On a short path the window stays as it is, however long its queues come to be.
func TestReceiveWindowStaysSmallOnAShortPath(t *testing.T) {
	if _, buffer := download(t, 100*time.Microsecond, 64<<20, shard.Config{}); buffer != 2<<20 {
		t.Errorf("the buffer is %d octets in the end", buffer)
	}
}
