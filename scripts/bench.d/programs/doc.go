// Package programs holds the smallest program over each stack that echoes on TCP and UDP port 7, until
// it is ended: bench compares their sizes. They do the same and no more.
package programs
