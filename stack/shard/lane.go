package shard

import (
	"sync/atomic"

	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/udp"
)

// lane is what is counted for each segment and datagram. Every queue of the host's devices has one, so
// that loops on several processors do not take a cache line from each other for each that comes. A connection
// counts in the lane of the queue that it answers by (TCP.queue); what has no queue counts in the first.
type lane struct {
	tcp tcp.Counters
	udp udp.Counters
	_   apart
}

// linkLane is what is counted for each frame of a device's queue.
type linkLane struct {
	framesIn, octetsIn, framesOut, octetsOut atomic.Uint64
	_                                        apart
}

// apart is put between what different processors write: two cache lines, for they are fetched in pairs.
type apart [128]byte

// lanes are the host's: those of queues beyond the sixteenth begin with the first again.
type lanes [16]atomic.Pointer[lane]

// of returns the counters of a queue, which belongs to an interface of the host.
func (l *lanes) of(queue int) *lane { return l[queue%len(l)].Load() }

// widen sees to it that there are lanes for a device of so many queues.
func (l *lanes) widen(queues int) {
	for n := range min(queues, len(l)) {
		if l[n].Load() == nil {
			one := new(lane)
			if n > 0 {
				one.tcp.LimitWith(&l.of(0).tcp)
			}
			l[n].Store(one)
		}
	}
}

// eachLane calls f with the name of each counter of the lanes, and the sum of it.
func (h *Host) eachLane(f func(name string, v uint64)) {
	var names []string
	var sums []uint64
	for n := range h.lanes {
		l := h.lanes.of(n)
		if l == nil {
			break
		}
		at := 0
		add := func(name string, v uint64) { // each lane has the same names, in the same order
			if n == 0 {
				names, sums = append(names, name), append(sums, 0)
			}
			sums[at] += v
			at++
		}
		l.tcp.Each(add)
		l.udp.Each(add)
	}
	for at, name := range names {
		f(name, sums[at])
	}
}

func (l *linkLane) sent(frames, octets int) {
	l.framesOut.Add(uint64(frames))
	l.octetsOut.Add(uint64(octets))
}
