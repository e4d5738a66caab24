// Package kernel is the Linux kernel's own socket calls, dressed as those of package
// socket: the same methods, names and structures, so that one table of calls, and one packet
// script, can be put to both and the answers held side by side.
//
// A call goes to the kernel as it is, with raw system calls and C's layouts: nothing is
// checked, repeated or made up on the way, since what the kernel says to misuse is what is
// asked for. Only EINTR is hidden, unless Calls.Stopped says that the call is to end: the runtime
// interrupts its own threads.
//
// Sockets belong to the network namespace of the thread that makes them. Calls.In, where it is
// set, runs Socket in another one.
package kernel
