// Command bench measures weir beside gVisor and the Linux kernel in one run. scripts/bench runs it.
//
// # What is measured
//
// The client is the Linux kernel's TCP and UDP. Each contender is a stack at the other end of a link of
// MTU 1500, in a network namespace made for it:
//
//	weir          package tun with offloads (vnet_hdr), package stack; net.Conn, a goroutine for each
//	weir-events   the same, with event handlers
//	weir-one      as weir, its goroutines on one thread at a time (GOMAXPROCS=1)
//	weir-plain    as weir, without offloads
//	gvisor        gVisor's stack as it ships: link/fdbased on a plain TUN, SACK on, otherwise defaults
//	gvisor-best   gVisor's stack given its best: see gvisorLink, openGVisorBest and gvisorConn
//	kernel        the Linux kernel in a second namespace, over a veth pair with its offloads
//	kernel-plain  the same, with the offloads of both ends off
//	ceiling       a program that only pretends to be TCP: see the type
//
// All but weir-events and the ceiling run the same server (serve.go), with the same buffers, under the same
// Go settings unless the table of contenders says otherwise. The tests are in kinds.go:
//
//	toN, fromN   N streams; 128 kB a write. Those of weir-events and the ceiling do not copy what they
//	             count, for handlers are lent it; the others read it into a buffer
//	rrN          one octet there and back, on N connections
//	crrN         connect, one octet there and back, close in order; N at a time, from 64 addresses
//	udpflood     datagrams of 64 octets as fast as one thread sends them, and how many are answered
//	udpN         the same, with N on their way
//
// # How
//
// A contender is a process of its own, this program started again, so that no collector
// and no scheduler is shared. It is started afresh in each round, and the order
// rotates, so that what the machine does meanwhile hits all alike. The table has the median of
// the rounds with the least and the most. Compare figures within one run only.
//
// The time of a transfer to the stack ends when the server has confirmed how many octets it
// read. The processor time is the contender's whole process: for those on a TUN it includes the
// client kernel's receive path, which runs inside their writes. The kernel's own is not
// known, for it runs in nobody's name.
//
// What explains a figure is measured apart, once for each contender and test: how many system calls it makes, by
// the kernel's own tracepoint (the reads and writes alone where the kernel shows nobody that), and with
// --profile what its CPU profile is made of.
//
// # DNS
//
// scripts/bench dns (dns.go and its like) measures package apps/dns in the same way beside NSD and unbound, programs that
// run in a second namespace over veth, and beside weir's own echo. Queries are the same for all, answers are looked at, and
// dnsperf and resperf measure too.
//
// Everything ends with the process: the namespaces have no name, and a contender ends
// when its standard input does.
package main
