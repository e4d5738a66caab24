// Package ast is the tree of a packet script: what package parse reads and the runner walks.
//
// The language is packetdrill's. It has two dialects in use, Google's and that of nplab's
// fork, which FreeBSD's scripts are written in; the tree holds what either can say. Where
// they spell one thing in two ways (ttl and hlim, tos and class) the tree has it once.
// Where they say something that a TCP/IP stack has nothing to do with (SCTP's chunks), the
// tree keeps the text in a node that says so, for such a script is to be skipped with a
// reason and not refused as misspelt.
//
// A Script is its options and its events in the order of the file. Every node carries the
// position of its first character. String prints a node in the language again: what is
// printed parses to the same tree, positions apart.
//
// Numbers are checked against the width of their header fields when they are read, so
// that the runner converts without looking. Names (of system calls, constants, ICMP
// types, fields of structures) are not checked: what they mean is the runner's business,
// and a name that it does not know is a reason to skip.
package ast
