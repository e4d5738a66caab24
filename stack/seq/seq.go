// Package seq is arithmetic on 32-bit sequence numbers, modulo 2³² (RFC 9293 §3.4).
//
// A comparison is meaningful for two numbers less than 2³¹ apart, which TCP
// guarantees: its window is at most 2³⁰ (RFC 7323 §2.3).
package seq

// Value is a sequence number.
type Value uint32

// Add returns v moved on by n octets; n may be negative.
func (v Value) Add(n int) Value { return v + Value(uint32(n)) }

// Sub returns the distance from u to v: positive when v comes after u.
func (v Value) Sub(u Value) int { return int(int32(v - u)) }

// Less reports whether v comes before u.
func (v Value) Less(u Value) bool { return int32(v-u) < 0 }

// LessEq reports whether v comes before u or is u.
func (v Value) LessEq(u Value) bool { return int32(v-u) <= 0 }

// Greater reports whether v comes after u.
func (v Value) Greater(u Value) bool { return int32(v-u) > 0 }

// GreaterEq reports whether v comes after u or is u.
func (v Value) GreaterEq(u Value) bool { return int32(v-u) >= 0 }

// InWindow reports whether v is one of the size numbers that begin at start.
func (v Value) InWindow(start Value, size uint32) bool { return uint32(v-start) < size }

// Max returns the later of v and u.
func Max(v, u Value) Value {
	if v.Less(u) {
		return u
	}
	return v
}

// Min returns the earlier of v and u.
func Min(v, u Value) Value {
	if u.Less(v) {
		return u
	}
	return v
}

// Range is the half-open interval of numbers [Start, End).
type Range struct{ Start, End Value }

// Len returns how many numbers the range holds.
func (r Range) Len() int { return r.End.Sub(r.Start) }

// Contains reports whether v is in the range. A range that ends before it starts, as a
// peer may send one, holds nothing.
func (r Range) Contains(v Value) bool {
	return r.Start.Less(r.End) && v.InWindow(r.Start, uint32(r.End-r.Start))
}
