// Package daytime is the Daytime Protocol (RFC 867): the date and time as a line of
// text, to whoever connects or sends a datagram. What the peer says is thrown away.
package daytime
