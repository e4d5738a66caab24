// Package server is a DNS server without answers of its own: the transports, and what every server must do
// whatever it serves. A [Handler] has the answers.
package server
