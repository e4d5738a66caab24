package impair

import "time"

// DefaultHeldBytes is Config.HeldBytes where that is zero.
const DefaultHeldBytes = 64 << 20

// Config says what a network does to packets. The zero value does nothing. Shares
// are probabilities from 0 to 1 for each packet; below is never, above is always.
// Negative durations and sizes count as zero.
type Config struct {
	// Delay is the time that each packet takes, one way.
	Delay time.Duration
	// Jitter is how far the delay of a packet may be off, evenly distributed from
	// Delay-Jitter to Delay+Jitter and never below zero.
	Jitter time.Duration
	// JitterReorders lets a packet with a short delay overtake one with a long delay.
	JitterReorders bool

	// Rate is how many bits are sent in a second; 0 is no limit.
	Rate int64
	// QueueBytes is how many octets may wait to be sent, with what is left
	// of the packet that is being sent; 0 is no bound but HeldBytes. A packet that
	// finds nothing waiting is always taken. It means something only with Rate.
	QueueBytes int

	// Loss is the share of packets lost, each independently of the others.
	Loss float64
	// Burst loses packets in bursts.
	Burst Burst
	// Duplicate is the share of packets that arrive twice.
	Duplicate float64
	// Corrupt is the share of packets of which one bit is flipped.
	Corrupt float64
	// Reorder is the share of packets that skip Delay and Jitter and so overtake
	// those before them. Without Delay it changes nothing.
	Reorder float64

	// HeldBytes is how many octets the model holds at most, waiting and on the way,
	// so that a long delay without a rate has a bound; DefaultHeldBytes if zero.
	HeldBytes int
	// KeepSegments takes super-segments as the one packet they look like.
	KeepSegments bool
	// Seed starts the generators of all decisions.
	Seed uint64
}

// Burst is the Gilbert–Elliott model of loss: a chain with a good and a bad state, which
// moves with each packet. In the bad state packets are lost. It starts in the good state.
// The mean length of a stay in the bad state is 1/Leave packets, and the chain is
// there for Enter/(Enter+Leave) of all packets.
type Burst struct {
	// Enter is the probability to go from good to bad, p in the literature; 0
	// turns the model off.
	Enter float64
	// Leave is the probability to go from bad to good, r. With zero the bad state
	// lasts for ever.
	Leave float64
	// Survive is the probability that a packet in the bad state is not lost, h.
	Survive float64
}

// Stats counts packets (wire packets, unless Config.KeepSegments) by what became of them.
// Packets = Delivered + all drops − Duplicated + those still held.
type Stats struct {
	Packets       uint64 // pushed
	Delivered     uint64 // popped
	Duplicated    uint64 // copies made
	Corrupted     uint64 // packets with a flipped bit
	Reordered     uint64 // packets that skipped the delay
	DropLoss      uint64 // lost by Config.Loss
	DropBurst     uint64 // lost by Config.Burst
	DropQueue     uint64 // lost at the tail of a full queue
	DropHeld      uint64 // lost because HeldBytes were held
	DropMalformed uint64 // not what their offload metadata claims
	DropDevice    uint64 // refused by the device under a Device
	DropTooLong   uint64 // larger than a Device's reader had room for
}

// Each calls f with the name and value of every counter.
func (s *Stats) Each(f func(name string, v uint64)) {
	f("impair.packets", s.Packets)
	f("impair.delivered", s.Delivered)
	f("impair.duplicated", s.Duplicated)
	f("impair.corrupted", s.Corrupted)
	f("impair.reordered", s.Reordered)
	f("impair.drop.loss", s.DropLoss)
	f("impair.drop.burst", s.DropBurst)
	f("impair.drop.queue", s.DropQueue)
	f("impair.drop.held", s.DropHeld)
	f("impair.drop.malformed", s.DropMalformed)
	f("impair.drop.device", s.DropDevice)
	f("impair.drop.toolong", s.DropTooLong)
}
