package impair

import (
	"math/bits"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/link/gso"
	"github.com/weirnet/weir/stack/mem"
)

// Model is one direction of an impaired network; the package's description says what it
// does to a packet. It is not safe for concurrent use. Times given to it must not go back.
type Model struct {
	cfg  Config
	dice dice
	pool mem.Pool

	way   heap // packets that wait or are on the way
	held  int  // octets in way
	order uint64

	bad      bool       // the burst model's state
	freeAt   clock.Time // when the sender has sent all that waits
	latestAt clock.Time // the latest arrival that jitter must not overtake

	now     clock.Time // of the Push that is under way
	admit   func(*link.Frame) error
	scratch link.Frame // for cutting
	lent    item       // what Pop returned last

	stats Stats
}

// New returns a model of the network that cfg describes.
func New(cfg Config) *Model {
	m := new(Model)
	m.admit = m.packet
	m.Configure(cfg)
	m.dice.seed(cfg.Seed)
	return m
}

// Configure changes what the network does from now on. Packets that are on the way
// arrive when they would have. The Seed is not looked at: the generators go on.
func (m *Model) Configure(cfg Config) {
	if cfg.HeldBytes <= 0 {
		cfg.HeldBytes = DefaultHeldBytes
	}
	cfg.Delay, cfg.Jitter = max(cfg.Delay, 0), max(cfg.Jitter, 0)
	m.cfg = cfg
}

// Push sends a frame into the network at now. The frame is copied, it and its buffer
// are the caller's again when Push returns; it is not changed.
func (m *Model) Push(now clock.Time, f *link.Frame) {
	m.now = now
	if f.SegmentSize == 0 || m.cfg.KeepSegments {
		m.packet(f)
		return
	}
	if m.scratch.Buf == nil {
		m.scratch.Buf = make([]byte, link.FrameSize)
	}
	if gso.Cut(f, &m.scratch, m.admit) != nil {
		m.stats.Packets++
		m.stats.DropMalformed++
	}
}

// Deadline returns when the next frame arrives: the earliest time at which Pop has one.
// It is clock.Never when none is on the way.
func (m *Model) Deadline() clock.Time {
	if len(m.way) == 0 {
		return clock.Never
	}
	return m.way[0].at
}

// Pop takes the next frame that has arrived at now; ok is false where there is none.
// The frame is lent: it is the caller's to read and change until the next Pop or
// Close. It has link.Headroom before its packet.
func (m *Model) Pop(now clock.Time) (f *link.Frame, ok bool) {
	m.giveBack(&m.lent)
	m.lent, ok = m.take(now)
	if !ok {
		return nil, false
	}
	return &m.lent.frame, true
}

// Len returns how many packets wait or are on the way.
func (m *Model) Len() int { return len(m.way) }

// InUse returns how many buffers are in use: Len, and the one that Pop lends.
func (m *Model) InUse() int { return int(m.pool.Outstanding()) }

// Stats returns the counters.
func (m *Model) Stats() Stats { return m.stats }

// Close gives back every buffer; what was on the way is gone. The model is empty then
// and may be used on.
func (m *Model) Close() {
	m.giveBack(&m.lent)
	for len(m.way) > 0 {
		it := m.way.pop()
		m.giveBack(&it)
	}
	m.held = 0
}

// take removes the next packet that has arrived, which is then the caller's to give back.
func (m *Model) take(now clock.Time) (item, bool) {
	if !m.Deadline().Reached(now) {
		return item{}, false
	}
	it := m.way.pop()
	m.held -= it.frame.Len()
	m.stats.Delivered++
	return it, true
}

func (m *Model) giveBack(it *item) {
	if it.block != nil {
		it.block.Release()
		*it = item{}
	}
}

// packet takes one packet through loss and duplication. It is given to gso.Cut, hence
// the error, always nil.
func (m *Model) packet(f *link.Frame) error {
	m.stats.Packets++
	switch {
	case m.lostInBurst():
		m.stats.DropBurst++
	case chance(&m.dice.loss, m.cfg.Loss):
		m.stats.DropLoss++
	default:
		twice := chance(&m.dice.duplicate, m.cfg.Duplicate)
		m.send(f)
		if twice {
			m.stats.Duplicated++
			m.send(f)
		}
	}
	return nil
}

// lostInBurst moves the burst model on by one packet and reports whether that is lost.
func (m *Model) lostInBurst() bool {
	b := &m.cfg.Burst
	if b.Enter <= 0 {
		return false
	}
	if m.bad {
		m.bad = !chance(&m.dice.burst, b.Leave)
	} else {
		m.bad = chance(&m.dice.burst, b.Enter)
	}
	return m.bad && !chance(&m.dice.burst, b.Survive)
}

// send takes one copy of a packet through the rest of its way.
func (m *Model) send(f *link.Frame) {
	corrupt := chance(&m.dice.corrupt, m.cfg.Corrupt)
	if m.held+f.Len() > m.cfg.HeldBytes {
		m.stats.DropHeld++
		return
	}
	if !m.room(f.Len()) {
		m.stats.DropQueue++
		return
	}
	it, err := m.copyOf(f, corrupt)
	if err != nil {
		m.stats.DropMalformed++
		return
	}
	it.at = m.arrival(f.Len())
	it.order = m.order
	m.order++
	m.held += it.frame.Len()
	m.way.push(it)
}

// copyOf returns the packet in a buffer of the model's, with a bit flipped or not.
func (m *Model) copyOf(f *link.Frame, corrupt bool) (item, error) {
	b := m.pool.Get(link.Headroom + f.Len())
	it := item{block: b, frame: link.Frame{Buf: b.B, Off: link.Headroom, Offload: f.Offload}}
	it.frame.End = link.Headroom + copy(b.B[link.Headroom:], f.Packet())
	if !corrupt || f.Len() == 0 {
		return it, nil
	}
	if err := gso.FinishChecksum(&it.frame); err != nil {
		m.giveBack(&it)
		return it, err
	}
	m.stats.Corrupted++
	it.frame.Checksum = link.ChecksumInPacket
	bit := below(&m.dice.corrupt, uint64(f.Len())*8)
	it.frame.Packet()[bit/8] ^= 1 << (bit % 8)
	return it, nil
}

// room reports whether a packet of n octets may wait to be sent.
func (m *Model) room(n int) bool {
	if m.cfg.Rate <= 0 || m.cfg.QueueBytes <= 0 || m.freeAt <= m.now {
		return true
	}
	// What waits is what the sender still does until freeAt.
	hi, lo := bits.Mul64(uint64(m.freeAt.Sub(m.now)), uint64(m.cfg.Rate))
	if hi >= octetSecond {
		return false
	}
	waiting, _ := bits.Div64(hi, lo, octetSecond)
	return waiting+uint64(n) <= uint64(m.cfg.QueueBytes)
}

// octetSecond is bits per octet times nanoseconds per second.
const octetSecond = 8 * uint64(time.Second)

// arrival returns when a packet of n octets that is sent now, behind all that wait,
// arrives.
func (m *Model) arrival(n int) clock.Time {
	at := m.now
	if m.cfg.Rate > 0 {
		octetsTime := (uint64(n)*octetSecond + uint64(m.cfg.Rate) - 1) / uint64(m.cfg.Rate)
		m.freeAt = max(m.freeAt, m.now).Add(time.Duration(octetsTime))
		at = m.freeAt
	}
	if m.cfg.Delay > 0 && chance(&m.dice.reorder, m.cfg.Reorder) {
		m.stats.Reordered++
		return at
	}
	at = at.Add(max(0, m.cfg.Delay+spread(&m.dice.jitter, m.cfg.Jitter)))
	if !m.cfg.JitterReorders {
		at = max(at, m.latestAt)
	}
	m.latestAt = max(m.latestAt, at)
	return at
}
