// Package programs holds the smallest program over each stack that echoes on TCP and UDP port 7, until
// it is ended: bench compares their sizes. They do the same and no more. That of weir by net.Conn is
// scripts/smallest.d, which a test of cmd/weir holds to its size.
package programs
