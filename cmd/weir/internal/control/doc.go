// Package control is how one weir command asks another that is running: a Unix
// socket that only its owner can open, and one line of JSON each way.
//
//	→ {"op":"stats"}
//	← {"ok":{"tcp.segments.in":12}}
//	→ {"op":"dance"}
//	← {"error":"unknown request \"dance\""}
//
// A client may send several requests, one after the other. The socket lies in a
// directory of the owner's, mode 0700, and is itself mode 0600. Its name holds the
// device and the process, as in weir0.1234.sock: the device for people to choose by.
// A process that was killed leaves its socket behind; nobody answers there, and
// whoever looks next takes it away.
package control
