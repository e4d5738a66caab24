package shard

import (
	"net/netip"
	"testing"

	"github.com/weirnet/weir/stack/wire"
)

// TestRoundKnowsThatAReaderOfDatagramsWasMadeReady: the receive loop lets it run before it looks for more.
func TestRoundKnowsThatAReaderOfDatagramsWasMadeReady(t *testing.T) {
	w := newWorld(t, Config{})
	u, err := w.ListenUDP(ap("192.0.2.1:7"), false)
	must(t, err)
	wakes := false
	u.OnEvent(func() {
		if wakes {
			u.Woke()
		}
	})
	r := round{h: w.Host, ifc: w.ifcs[0], now: w.clock.Now()}
	for _, wakes = range []bool{false, true, true, false} { // and is asked anew each time
		w.in.Off, w.in.End = 0, copy(w.in.Buf, udpPacket(ap("192.0.2.9:1"), ap("192.0.2.1:7"), []byte("x")))
		r.woke = false
		r.input(&w.in)
		r.flush()
		if r.woke != wakes {
			t.Errorf("a goroutine was made ready %v, the round knows %v", wakes, r.woke)
		}
	}
	must(t, w.Close())
}

// TestRoundKnowsThatAReaderWasMadeReadyByAnError: as by a datagram, in the round that the error came in.
func TestRoundKnowsThatAReaderWasMadeReadyByAnError(t *testing.T) {
	w := newWorld(t, Config{})
	u, err := w.DialUDP(netip.AddrPort{}, ap("192.0.2.9:7"))
	must(t, err)
	u.OnEvent(u.Woke)
	quote := ipPacket(u.Local().Addr(), u.Remote().Addr(), wire.ProtoUDP, udpMessage(u.Local(), u.Remote(), nil), ipOptions{})
	r := round{h: w.Host, ifc: w.ifcs[0], now: w.clock.Now()}
	w.in.Off, w.in.End = 0, copy(w.in.Buf, icmpPacket(addr("192.0.2.9"), addr("192.0.2.1"), 3, 3, 0, quote))
	r.input(&w.in)
	r.flush()
	if !r.woke || !u.queue.Failed() {
		t.Errorf("the round knows %v, an error is there %v", r.woke, u.queue.Failed())
	}
	must(t, w.Close())
}
