// Package rtt estimates a path's round-trip time and the retransmission timeout
// that follows from it (RFC 6298).
//
// # Theory of operation
//
// An [Estimator] is a small value with no timer in it: the connection measures,
// gives each measurement to Sample, arms its own timer with RTO, and calls Backoff
// when that expires. Which segments may be measured is the connection's to know:
// without timestamps none that was retransmitted (Karn's algorithm, RFC 6298 §3),
// with timestamps those that the echoed timestamp proves (RFC 7323 §4).
//
// # What is promised
//
//   - RTO is always between Limits.Min and Limits.Max, whatever was measured.
//   - Nothing allocates. An estimator is not safe for concurrent use; Limits are
//     only read and may be shared by all.
package rtt
