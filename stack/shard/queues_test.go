package shard

import (
	"fmt"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

// strict is a cable that has only the queues that it says it has.
type strict struct{ *cable }

func (s strict) WriteFrames(queue int, frames [][]byte) (int, error) {
	if queue >= s.Queues() {
		return 0, fmt.Errorf("there is no queue %d", queue)
	}
	return s.cable.WriteFrames(queue, frames)
}

// A peer's segments may come in by a device with more queues than the one that leads to it has.
func TestAnswersLeaveByADeviceWithFewerQueues(t *testing.T) {
	w := newWorld(t, Config{})
	w.ifcs[0].dev = strict{w.cables[0]}
	c, _, _ := w.dialPeer(0, "", "192.0.2.9:80")
	c.Lock()
	c.queue = 3
	c.Unlock()
	w.write(c, text(100))
	if n := len(w.one(0).tcp().Payload()); n != 100 {
		t.Errorf("%d octets were sent", n)
	}
}

// While one goroutine sends, another may take in what it is answered: each segment is sent at its
// own time, or the round trip of the later ones would be counted from when the first was sent.
func TestEachSegmentIsSentAtItsOwnTime(t *testing.T) {
	const took = 100 * time.Millisecond
	w := newWorld(t, Config{})
	c, p, _ := w.dialPeer(0, "", "192.0.2.9:80")
	w.cables[0].seen = func(frame []byte) {
		w.clock.Advance(took)
		p.send(ack, "") // for all before this one
		p.take(wire.TCP(frame[link.VnetLen+20:]))
	}
	w.write(c, text(30*1460))
	if srtt := c.conn.Info().SRTT; srtt > 2*took {
		t.Errorf("the round trip is estimated at %v, it is %v", srtt, took)
	}
}

// The timers' goroutine sends for a connection as well, after a timeout or when a device has room
// again. One whose peer answers as fast as it sends, and whose user writes on, does not keep the
// others' timers waiting.
func TestBusyConnectionLeavesOthersTheirTimers(t *testing.T) {
	w := newWorld(t, Config{})
	busy, p, _ := w.dialPeer(0, "", "192.0.2.9:80")
	other, _, _ := w.dialPeer(1, "", "198.51.100.9:80")
	w.cables[0].room = 0
	w.write(other, text(100))
	w.write(busy, text(100))
	sent, before := 0, -1
	w.cables[0].seen = func(frame []byte) {
		p.take(wire.TCP(frame[link.VnetLen+20:]))
		if sent++; sent < 2000 {
			b := tcpPacket(p.at, p.host, wire.TCPFields{Seq: p.seq, Ack: p.ack, Flags: ack, Window: p.window}, nil)
			w.in.Off, w.in.End = link.Headroom, link.Headroom+copy(w.in.Buf[link.Headroom:], b)
			w.in.Offload = link.Offload{}
			w.Deliver(w.ifcs[0], &w.in)
			busy.Lock()
			busy.conn.Write(w.clock.Now(), text(1460))
			busy.Unlock()
		}
	}
	w.cables[1].seen = func([]byte) { before = sent }
	w.clock.Advance(time.Minute)
	w.cables[0].makeRoom(-1)
	w.settle()
	if before < 0 || before > 2*turn || sent < 2000 {
		t.Errorf("the other connection's timer ran after %d of %d segments", before, sent)
	}
}
