// Package cc is congestion control: how much may be on its way at once.
//
// # Theory of operation
//
// A [Control] is a small value that is told by name what happens to the connection
// and answers with a window. It looks at no segment, sets no timer and finds no
// loss: the connection does that and says what it found.
//
//	            OnAck                 OnDupAck  OnPartialAck
//	          ┌───────┐                  ┌───────────┐
//	          │       ▼                  │           ▼
//	Init ──▶ open ──────EnterRecovery──▶ recovery ──ExitRecovery──▶ open
//	          │                            │
//	          └────────OnTimeout───────────┴──▶ loss ──OnAck──▶ open
//
// OnAck is for an acknowledgement of new data outside of recovery, OnPartialAck for
// one within, ExitRecovery for the one that ends it. OnIdle comes before the
// first segment after a pause.
//
// Windows and amounts are octets everywhere: a segment may be 64 kB long, and one
// acknowledgement may be for many.
//
// # Algorithms
//
// [Kind] names them; [New] makes one. [NewReno] is RFC 5681, RFC 6582 and RFC 3465;
// [Cubic] is RFC 9438 with HyStart++ (RFC 9406). [Options] has variants: windows counted in
// segments as Linux does, and a sender that brings the window down itself (RFC 9937) and
// tells the end of it by SetWindow. Undo takes the last reduction back. One that paces its segments also is a [Pacer].
//
// # What is promised
//
//   - Window is never less than one SMSS, and never more than MaxWindow.
//   - No event allocates. A Control is not safe for concurrent use.
package cc
