// Package socket is the BSD socket calls over package shard, with Linux's names, numbers,
// layouts and errors: a [System] has a table of descriptors, and a method for each call.
package socket
