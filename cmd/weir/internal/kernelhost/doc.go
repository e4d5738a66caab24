// Package kernelhost runs packet scripts against the Linux kernel: to judge a script by the
// stack that it was written for, and weir by what that stack does.
//
// # Theory of operation
//
// A [Host] is a network namespace of its own with a TUN device. The kernel in it is the stack
// under test: it has the device's address, and a route to the script's side over the device. What a
// script injects is written to the device, what the kernel sends is read from it and kept with the
// time at which it came, and the script's system calls are the kernel's own (package
// stack/socket/kernel), made in the namespace.
//
// Time is real. A call that may block runs on a thread of its own, and counts as blocked once
// the kernel says, several times in a row, that the thread sleeps in a system call other than futex; so the runner knows, as it does in
// virtual time, that the call has begun before the next event does.
//
// # What cannot be compared
//
// A kernel cannot be given initial sequence numbers or a clock: the runner maps the one, and
// tolerances must allow for the other. Settings of Linux are written below /proc/sys/net in the
// namespace, and nowhere else; those of other kernels are not known.
package kernelhost
