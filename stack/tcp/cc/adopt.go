package cc

// Adopter is a Control that can go on where another has left off, when a user changes the
// algorithm of a connection that is under way.
type Adopter interface {
	Control

	// Adopt takes over a congestion window and a slow start threshold, in octets. It
	// comes after Init, outside of recovery.
	Adopt(cwnd, ssthresh int)
}

// Adopt implements Adopter.
func (r *NewReno) Adopt(cwnd, ssthresh int) {
	r.cwnd = min(max(cwnd, r.mss), MaxWindow)
	r.ssthresh = min(max(ssthresh, 2*r.mss), MaxWindow)
}

// Adopt implements Adopter.
func (b *base) Adopt(cwnd, ssthresh int) {
	b.SetWindow(cwnd)
	b.ssthresh = min(max(ssthresh/b.mss, 2), b.maxSegments())
}
