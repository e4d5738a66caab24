// Package chargen is the Character Generator Protocol (RFC 864): a stream of
// printable characters to whoever connects, and up to 512 of them for each
// datagram. What the peer says is thrown away.
//
// The characters are the pattern that RFC 864 recommends: lines of 72 of the 95
// printable ASCII characters, each line beginning one character further on. After 95 lines it
// repeats, so it is made once and written again and again.
//
// An answer may be hundreds of times the size of the datagram that asked for it.
// Sources that no client would have are refused (see serve.Refuse), but a forged
// source looks like any other: serve it over UDP where those who can reach it are known.
package chargen
