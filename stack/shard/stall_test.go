package shard

import (
	"slices"
	"testing"

	"github.com/weirnet/weir/stack/link"
)

// TestAStallEndsAfterItHasBegun: the watchdog has taken the goroutine's work away and is about to say so of the connection
// when the handler returns after all. What is said last is that it is over.
func TestAStallEndsAfterItHasBegun(t *testing.T) {
	h := New(Config{})
	defer h.Close()
	p := &stalledPlace{T: t, d: &h.dog}
	w := &watch{host: h}
	w.at = p
	h.dog.mu.Lock()
	w.state.Store(replaced) // as look does
	h.dog.begin(h, w)
	h.dog.mu.Unlock()
	if w.leave(); !w.lost || p.yes || h.dog.stalled() != 0 {
		t.Errorf("lost %v, stalled %v, %d stalls, want it over", w.lost, p.yes, h.dog.stalled())
	}
}

// stalledPlace wants to be told with the watchdog locked, so that the two of look and of over are told in their order.
type stalledPlace struct {
	*testing.T
	d   *watchdog
	yes bool
}

func (p *stalledPlace) stalled(yes bool) {
	if p.yes = yes; p.d.mu.TryLock() {
		p.d.mu.Unlock()
		p.Errorf("stalled(%v) is told without the watchdog's lock", yes)
	}
}

func (p *stalledPlace) ends() []any { return nil }

// TestEachCallOfATrainIsWatched: those after one that did not return for long as well, so that others stay outside and what
// comes meanwhile waits.
func TestEachCallOfATrainIsWatched(t *testing.T) {
	w := newWorld(t, Config{})
	w.dog.idle.Store(false) // the looks are the handler's
	var stalled []bool
	u := w.handle(7, packetFunc(func(c *PacketCall, p []byte, _ *PacketMeta) {
		for range stallTicks + 1 {
			w.dog.look(w.Host)
		}
		stalled = append(stalled, c.u.busy())
	}))
	r := round{h: w.Host, ifc: w.ifcs[0], now: w.clock.Now(), watch: w.dog.add(&watch{host: w.Host})}
	f := link.Frame{Buf: make([]byte, link.FrameSize), Off: link.Headroom, Offload: link.Offload{UDP: true, SegmentSize: 10, Checksum: link.ChecksumVerified}}
	f.End = f.Off + copy(f.Buf[f.Off:], udpPacket(ap("192.0.2.9:999"), ap("192.0.2.1:7"), text(30)))
	r.input(&f)
	r.flush()
	if !slices.Equal(stalled, []bool{true, true, true}) {
		t.Errorf("in each call the handler counts as stalled: %v", stalled)
	}
	if n := len(w.dog.watches); u.busy() || w.dog.stalled() != 0 || n != 0 {
		t.Errorf("afterwards it is stalled %v, %d stalls and %d watches are left", u.busy(), w.dog.stalled(), n)
	}
}
