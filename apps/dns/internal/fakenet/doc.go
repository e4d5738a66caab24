// Package fakenet is a network of scripted DNS servers in memory, for tests: servers that answer from a few
// records, and such as are dead, slow, lame, or lie. It works in the virtual time of testing/synctest.
package fakenet
