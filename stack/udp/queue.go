package udp

import (
	"net/netip"
	"syscall"

	"github.com/weirnet/weir/stack/mem"
)

const (
	// DefaultOctets and DefaultCount bound a queue that was given no bounds: the
	// octets are Linux's net.core.rmem_default.
	DefaultOctets = 212992
	DefaultCount  = 4096

	// minRing is the first length of a ring; keepRing the longest that an empty queue keeps, and
	// smallRing the longest that it keeps though it has not needed it leanTimes in a row.
	minRing, smallRing, keepRing = 4, 16, 128
	leanTimes                    = 64
)

// Datagram is a received datagram and what came with it.
type Datagram struct {
	// From is where it came from.
	From netip.AddrPort
	// To is the address that it was sent to, one of the stack's or a multicast or
	// broadcast address.
	To netip.Addr
	// Interface is the index of the interface that it came in by.
	Interface int
	// Payload is what it carries. From Pop, it is valid until Release.
	Payload []byte
	// SegmentSize says that Payload is that of several datagrams of so many octets each, the last
	// of which may be shorter; 0 or more than Payload is long: it is one. Only PopTrain returns such.
	SegmentSize int
	// HopLimit is the TTL or hop limit that it arrived with.
	HopLimit uint8
	// TOS is the TOS octet or traffic class that it arrived with.
	TOS uint8

	block *mem.Block
}

// Count returns how many datagrams it is.
func (d *Datagram) Count() int {
	if d.SegmentSize <= 0 || len(d.Payload) == 0 {
		return 1
	}
	return (len(d.Payload) + d.SegmentSize - 1) / d.SegmentSize
}

// Release gives the payload's memory back. It is to be called once for each datagram
// that Pop returned, by whoever has it; a second call on the same value does nothing.
func (d *Datagram) Release() {
	if d.block != nil {
		d.block.Release()
		d.block, d.Payload = nil, nil
	}
}

// Queue is the received datagrams of one socket, in order of arrival. Init makes it
// ready. It must not be copied once in use.
type Queue struct {
	pool      *mem.Pool
	ring      []Datagram // a power of two long
	head      int
	count     int // slots of the ring in use
	segments  int // datagrams in them beyond one each
	most      int // what count has been since the queue was empty
	lean      int // how often in a row most was far below the ring's length
	memory    int
	maxOctets int
	maxCount  int
	dropped   uint64
	errno     syscall.Errno
	peeked    Datagram // what Peek returned, where that is part of a slot
}

// Init makes the queue empty, to take its memory from pool. It holds no more than
// octets of memory, in whole blocks, and count datagrams; zero stands for the default.
func (q *Queue) Init(pool *mem.Pool, octets, count int) {
	*q = Queue{pool: pool}
	q.SetLimits(octets, count)
}

// SetLimits changes the bounds; what is queued already stays. Zero stands for the
// default.
func (q *Queue) SetLimits(octets, count int) {
	if octets <= 0 {
		octets = DefaultOctets
	}
	if count <= 0 {
		count = DefaultCount
	}
	q.maxOctets, q.maxCount = octets, count
}

// Push copies d and its payload to the end of the queue and returns DropNone, or
// DropFull where a bound is reached; then the newest, d, is lost. A queue that holds
// nothing takes any one datagram, so that none is too large ever to be received.
func (q *Queue) Push(d *Datagram) Drop {
	_, drop := q.PushBlock(d, nil)
	return drop
}

// PushBlock is Push of a datagram whose payload lies in a block that the queue may keep; block is nil
// where it may not. It reports whether the queue did, and then is its owner in the caller's place.
// What is coalesced to one is queued, and lost, as a whole.
func (q *Queue) PushBlock(d *Datagram, block *mem.Block) (kept bool, _ Drop) {
	need := 0
	if len(d.Payload) > 0 {
		need = mem.ClassSize(len(d.Payload))
	}
	// A block is kept where a copy would take up as much, or more than half of that.
	if block != nil && (need == 0 || block.Size() >= 2*need) {
		block = nil
	} else if block != nil {
		need = block.Size()
	}
	if q.count >= q.maxCount || (q.memory > 0 && q.memory+need > q.maxOctets) {
		q.dropped += uint64(d.Count())
		return false, DropFull
	}
	if q.count == len(q.ring) {
		q.grow()
	}
	slot := &q.ring[(q.head+q.count)&(len(q.ring)-1)]
	*slot = *d
	slot.block = block
	if need > 0 && block == nil {
		slot.block = q.pool.Get(len(d.Payload))
		slot.Payload = slot.block.B[:copy(slot.block.B, d.Payload)]
	}
	q.count++
	q.most = max(q.most, q.count)
	q.segments += d.Count() - 1
	q.memory += need
	return block != nil, DropNone
}

// grow doubles the ring.
func (q *Queue) grow() {
	ring := make([]Datagram, max(minRing, 2*len(q.ring)))
	n := copy(ring, q.ring[q.head:])
	copy(ring[n:], q.ring[:q.head])
	q.ring, q.head = ring, 0
}

// Pop takes the oldest datagram out of the queue; the caller releases it. It returns
// false when there is none.
func (q *Queue) Pop() (Datagram, bool) {
	if q.count == 0 {
		return Datagram{}, false
	}
	slot := &q.ring[q.head]
	if n := slot.SegmentSize; n <= 0 || n >= len(slot.Payload) {
		return q.PopTrain()
	}
	d := first(slot)
	d.block.Retain()
	slot.Payload = slot.Payload[len(d.Payload):]
	q.segments--
	return d, true
}

// first returns the first of the datagrams in a slot.
func first(slot *Datagram) Datagram {
	d := *slot
	if n := slot.SegmentSize; n > 0 && n < len(slot.Payload) {
		d.Payload = slot.Payload[:n:n]
	}
	d.SegmentSize = 0
	return d
}

// PopTrain is Pop that returns datagrams that were coalesced to one as they are: see
// Datagram.SegmentSize.
func (q *Queue) PopTrain() (Datagram, bool) {
	if q.count == 0 {
		return Datagram{}, false
	}
	slot := &q.ring[q.head]
	d := *slot
	*slot = Datagram{}
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.count--
	q.segments -= d.Count() - 1
	if d.block != nil {
		q.memory -= d.block.Size()
	}
	if d.Count() == 1 {
		d.SegmentSize = 0
	}
	if q.count == 0 {
		q.emptied()
	}
	return d, true
}

// emptied gives up a ring that is longer than need be.
func (q *Queue) emptied() {
	if q.lean++; q.most*4 > len(q.ring) {
		q.lean = 0
	}
	if len(q.ring) > keepRing || len(q.ring) > smallRing && q.lean >= leanTimes {
		q.ring, q.head, q.lean = nil, 0, 0
	}
	q.most = 0
}

// Peek returns the oldest datagram and leaves it in the queue, which still owns it: it
// is valid until the next call, and not to be released. It is nil when there is none.
func (q *Queue) Peek() *Datagram {
	if q.count == 0 {
		return nil
	}
	slot := &q.ring[q.head]
	if slot.SegmentSize <= 0 || slot.SegmentSize >= len(slot.Payload) {
		return slot
	}
	q.peeked = first(slot)
	return &q.peeked
}

// Next returns what PopTrain would, and leaves it in the queue, which still owns it; nil when there is none.
func (q *Queue) Next() *Datagram {
	if q.count == 0 {
		return nil
	}
	return &q.ring[q.head]
}

// Len returns how many datagrams are queued.
func (q *Queue) Len() int { return q.count + q.segments }

// Memory returns the octets of the blocks held.
func (q *Queue) Memory() int { return q.memory }

// Dropped returns how many datagrams this queue was too full for.
func (q *Queue) Dropped() uint64 { return q.dropped }

// Fail remembers an error that ICMP reported for a connected socket: "UDP MUST pass
// to the application layer all ICMP error messages that it receives from the IP
// layer" (RFC 1122 §4.1.3.3). For a port unreachable it is ECONNREFUSED. The next
// operation on the socket, send or receive, takes it; a later error replaces it.
func (q *Queue) Fail(err syscall.Errno) { q.errno = err }

// Failed reports whether an error is pending.
func (q *Queue) Failed() bool { return q.errno != 0 }

// TakeError returns the pending error, which is not pending any more, or nil.
func (q *Queue) TakeError() error {
	if q.errno == 0 {
		return nil
	}
	err := q.errno
	q.errno = 0
	return err
}

// Release gives back all memory and forgets the pending error; the queue is empty and
// may be used again.
func (q *Queue) Release() {
	for q.count > 0 {
		d, _ := q.PopTrain()
		d.Release()
	}
	q.ring, q.head, q.errno, q.peeked = nil, 0, 0, Datagram{}
}
