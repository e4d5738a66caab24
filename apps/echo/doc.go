// Package echo is the Echo Protocol (RFC 862): what arrives is sent back, on TCP
// until the peer closes, on UDP datagram for datagram.
//
// A connection is copied onto itself: the octets of its receive queue go into its
// send queue with no goroutine of their own for either direction and no buffer
// between. When the peer has closed its half and everything it said has been
// queued, ours is closed too.
//
// Datagrams from sources that would answer the answer are refused (see
// serve.Refuse).
package echo
