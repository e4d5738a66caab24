package server

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"net/netip"
	"sync/atomic"
)

// RateLimit bounds what is sent over UDP to addresses that have not proven to be there, so that the
// server is of no use to who forges the source of queries. Answers are counted by network and by class: positive, no
// data, no such name, referral, error. A query with a valid cookie is not counted, nor one over a stream.
type RateLimit struct {
	// PerSecond is how many answers of a class a network gets in a second, over time and at once. 0 is
	// DefaultPerSecond; what is negative turns the limit off.
	PerSecond int
	// Slip has every so many-th answer that is held back leave as a short one that says to come
	// again by TCP (or, to a client with cookies, with the one enclosed), so that an honest client in a
	// network under attack is served. 0 is DefaultSlip, 1 is every one; what is negative sends none.
	Slip int
	// Prefix4 and Prefix6 are how many bits of an address make its network: 0 is 24 and 56. IPv6 has at most 64.
	Prefix4, Prefix6 int
	// Networks is how many networks and classes are kept apart, in a table of 16 octets each: 0 is
	// DefaultNetworks. Where there are more, those that were quiet the longest are forgotten.
	Networks int
	// Exempt are the addresses that have no limit.
	Exempt []netip.Prefix
}

// Defaults of RateLimit.
const (
	DefaultPerSecond = 200
	DefaultSlip      = 2
	DefaultPrefix4   = 24
	DefaultPrefix6   = 56
	DefaultNetworks  = 1 << 17
)

// answerClass is what answers are told apart by.
type answerClass uint8

const (
	classPositive answerClass = iota
	classNoData
	classNXDomain
	classReferral
	classError
)

// classOf returns the class of a packed answer.
func classOf(p []byte) answerClass {
	switch p[3] & 0x0f {
	case 0:
	case 3:
		return classNXDomain
	default:
		return classError
	}
	switch {
	case p[6]|p[7] != 0:
		return classPositive
	case p[8]|p[9] != 0 && p[2]&0x04 == 0: // records of authority, and no AA
		return classReferral
	}
	return classNoData
}

// rateWays is how many entries a key may be in.
const rateWays = 4

// rateSet is what keys with the same low bits share; it is a line of the processor's cache.
type rateSet struct {
	keys  [rateWays]atomic.Uint64
	state [rateWays]atomic.Uint64 // when the next answer would be on time, in µs, and 8 bits that count what was held back
}

// limiter carries RateLimit out. Its table is used without locks: two that race for an entry
// may give one answer too many.
type limiter struct {
	seed     maphash.Seed
	sets     []rateSet
	mask     uint64
	interval uint64 // µs between answers
	window   uint64 // µs that a network may be ahead
	slip     uint64
	shift4   int
	mask6    uint64
}

// newLimiter returns nil where there is no limit.
func newLimiter(c RateLimit) *limiter {
	rate := orDefault(c.PerSecond, DefaultPerSecond)
	if rate < 0 {
		return nil
	}
	sets := max(1, orDefault(c.Networks, DefaultNetworks)/rateWays)
	sets = 1 << bits.Len(uint(sets-1))
	l := &limiter{
		seed: maphash.MakeSeed(), sets: make([]rateSet, sets), mask: uint64(sets - 1),
		interval: max(1, 1_000_000/uint64(rate)), slip: uint64(max(0, orDefault(c.Slip, DefaultSlip))),
		shift4: 32 - min(32, orDefault(c.Prefix4, DefaultPrefix4)), mask6: ^uint64(0) << (64 - min(64, orDefault(c.Prefix6, DefaultPrefix6))),
	}
	l.window = l.interval * uint64(rate)
	return l
}

func orDefault(v, def int) int {
	if v == 0 {
		return def
	}
	return v
}

// verdict is what becomes of an answer.
type verdict uint8

const (
	sendAnswer verdict = iota
	sendSlip           // a short one in its place
	holdAnswer
)

// exempted reports whether the address has no limit.
func (l *live) exempted(a netip.Addr) bool {
	for _, p := range l.exempt {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// take counts an answer of a class to an address at a time in µs, and says what becomes of it.
func (l *limiter) take(a netip.Addr, c answerClass, now uint64) verdict {
	return l.charge(l.entry(l.key(a, c), now), now)
}

// key returns a hash of the address' network and the class, never 0.
func (l *limiter) key(a netip.Addr, c answerClass) uint64 {
	var b [9]byte
	if a.Is4() || a.Is4In6() {
		v := a.As4()
		binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(v[:])>>l.shift4)
		b[8] = byte(c)
	} else {
		v := a.As16()
		binary.BigEndian.PutUint64(b[:], binary.BigEndian.Uint64(v[:])&l.mask6)
		b[8] = byte(c) | 0x80
	}
	return max(1, maphash.Bytes(l.seed, b[:]))
}

// entry returns the state of a key, which takes the place of the one that was quiet the longest.
func (l *limiter) entry(key, now uint64) *atomic.Uint64 {
	set := &l.sets[key&l.mask]
	for i := range set.keys {
		if set.keys[i].Load() == key {
			return &set.state[i]
		}
	}
	oldest := 0
	for i := 1; i < rateWays; i++ {
		if set.state[i].Load() < set.state[oldest].Load() {
			oldest = i
		}
	}
	set.keys[oldest].Store(key)
	set.state[oldest].Store(now << 8)
	return &set.state[oldest]
}

// charge is the generic cell rate algorithm: an answer is on time as long as the entry is not further ahead
// than the window.
func (l *limiter) charge(e *atomic.Uint64, now uint64) verdict {
	for {
		old := e.Load()
		next := max(old>>8, now) + l.interval
		if next <= now+l.window {
			if e.CompareAndSwap(old, next<<8|old&0xff) {
				return sendAnswer
			}
			continue
		}
		held := old&0xff + 1
		v := holdAnswer
		if l.slip > 0 && held >= min(l.slip, 255) {
			held, v = 0, sendSlip
		}
		if e.CompareAndSwap(old, old&^0xff|held) {
			return v
		}
	}
}
