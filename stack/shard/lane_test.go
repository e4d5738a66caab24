package shard

import (
	"net/netip"
	"sync"
	"testing"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

// wide gives the host an interface of so many queues, and returns the function by which it receives.
func (w *world) wide(queues int) func(queue int, packet []byte) {
	c := &cable{name: "wide", queues: queues, mtu: 1500, room: -1, keep: true}
	i, err := w.AddInterface("", c, []netip.Prefix{netip.MustParsePrefix("203.0.113.1/24")})
	must(w, err)
	w.cables, w.ifcs = append(w.cables, c), append(w.ifcs, i)
	return func(queue int, packet []byte) {
		r := round{h: w.Host, ifc: i, queue: queue, now: w.clock.Now()}
		f := link.Frame{Buf: make([]byte, link.FrameSize), Off: link.Headroom}
		f.End = f.Off + copy(f.Buf[f.Off:], packet)
		r.input(&f)
		r.flush()
		w.settle()
	}
}

// perLane returns what f says of each lane.
func (w *world) perLane(n int, f func(*lane) uint64) (list [4]uint64) {
	for k := range n {
		list[k] = f(w.lanes.of(k))
	}
	return list
}

// What comes and goes by a queue is counted with that queue, and the host's counters have the sum.
func TestQueuesCountForThemselves(t *testing.T) {
	w := newWorld(t, Config{})
	receive := w.wide(4)
	w.handle(7, packetFunc(echoPackets))
	for queue, times := range []int{0, 2, 0, 3} {
		for range times {
			receive(queue, udpPacket(ap("203.0.113.9:1"), ap("203.0.113.1:7"), []byte("text")))
		}
	}
	want := [4]uint64{0, 2, 0, 3}
	if in := w.perLane(4, func(l *lane) uint64 { return l.udp.In.Load() }); in != want {
		t.Errorf("in: %v", in)
	}
	if out := w.perLane(4, func(l *lane) uint64 { return l.udp.OutOctets.Load() / 4 }); out != want {
		t.Errorf("out: %v", out)
	}
	for k := range w.ifcs[2].lanes {
		if l := &w.ifcs[2].lanes[k]; l.framesIn.Load() != want[k] || l.framesOut.Load() != want[k] {
			t.Errorf("queue %d: %d frames in, %d out", k, l.framesIn.Load(), l.framesOut.Load())
		}
	}
	for name, n := range map[string]uint64{
		"udp.in": 5, "udp.out": 5, "udp.in.octets": 20, "udp.out.octets": 20,
		"link.wide.frames_in": 5, "link.wide.frames_out": 5, "link.wide.octets_in": 5 * 32, "link.wide.octets_out": 5 * 32,
	} {
		w.counted(name, n)
	}
}

// A connection counts with the queue that its segments come in by, also when the kernel moves it.
func TestConnectionCountsWithItsQueue(t *testing.T) {
	w := newWorld(t, Config{})
	receive := w.wide(4)
	c, err := w.DialTCP(netip.AddrPort{}, ap("203.0.113.9:80"), new(events))
	must(t, err)
	p := &peer{world: w, ifc: 2, at: c.Remote(), host: c.Local(), seq: 1000, window: 65535}
	p.got(syn)
	send := func(queue int, flags wire.TCPFlags, text string) {
		receive(queue, tcpPacket(p.at, p.host, wire.TCPFields{Seq: p.seq, Ack: p.ack, Flags: flags, Window: p.window}, []byte(text)))
		p.seq += uint32(len(text))
	}
	send(3, synAck, "")
	p.seq++
	p.got(ack)
	send(3, ack, "one")
	send(1, ack, "two")
	send(1, ack, "three")
	if in := w.perLane(4, func(l *lane) uint64 { return l.tcp.SegmentsIn.Load() }); in != [4]uint64{0, 2, 0, 2} {
		t.Errorf("in: %v", in)
	}
	if opens := w.perLane(4, func(l *lane) uint64 { return l.tcp.ActiveOpens.Load() }); opens != [4]uint64{1} {
		t.Errorf("opened: %v; there was no queue then", opens)
	}
	if in := w.perLane(4, func(l *lane) uint64 { return l.tcp.OctetsIn.Load() }); in != [4]uint64{0, 8, 0, 3} {
		t.Errorf("octets in: %v", in)
	}
	w.counted("tcp.segments.in", 4)
	w.counted("tcp.octets.in", 11)
	w.counted("tcp.open.active", 1)
}

// There are no more lanes than sixteen; queues beyond them share those.
func TestMoreQueuesThanLanes(t *testing.T) {
	w := newWorld(t, Config{})
	receive := w.wide(40)
	w.handle(7, packetFunc(echoPackets))
	for queue := range 40 {
		receive(queue, udpPacket(ap("203.0.113.9:1"), ap("203.0.113.1:7"), nil))
	}
	w.counted("udp.in", 40)
	w.counted("link.wide.frames_in", 40)
	if n := w.lanes.of(1).udp.In.Load(); n != 3 {
		t.Errorf("the second lane has counted %d, for queues 1, 17 and 33", n)
	}
}

// BenchmarkQueues has a loop for each queue, of as many as there are processors, take in datagrams
// that a handler answers.
func BenchmarkQueues(b *testing.B) {
	w := newWorld(b, Config{})
	w.wide(16)
	w.cables[2].keep = false
	w.ifcs[2].dev = nowhere{w.cables[2]}
	w.handle(7, packetFunc(echoPackets))
	packet := udpPacket(ap("203.0.113.9:1"), ap("203.0.113.1:7"), make([]byte, 64))
	var queues sync.Mutex
	next := 0
	b.RunParallel(func(pb *testing.PB) {
		queues.Lock()
		r := round{h: w.Host, ifc: w.ifcs[2], queue: next % 16, now: w.clock.Now()}
		next++
		queues.Unlock()
		f := link.Frame{Buf: make([]byte, link.FrameSize)}
		for n := 0; pb.Next(); n++ {
			f.Off = link.Headroom
			f.End = f.Off + copy(f.Buf[f.Off:], packet)
			f.Offload = link.Offload{}
			r.input(&f)
			if n%16 == 15 {
				r.flush()
			}
		}
		r.flush()
	})
}

// nowhere is a device that takes every frame, from any goroutine.
type nowhere struct{ *cable }

func (nowhere) WriteFrames(_ int, frames [][]byte) (int, error) { return len(frames), nil }
