// Command scale runs weir at a large scale. scripts/scale runs it.
//
//	idle    connections from weir to weir in one process, over a cable in memory. While they are
//	        held, one in a hundred is active each second: all take turns at one request and
//	        reply. Then nothing happens for a while.
//	kernel  connections by kernel clients over a TUN device, idle. The clients are processes of
//	        their own, so that weir's is measured alone.
//	echo    octets by kernel clients through an echo, with content that tells its stream and place
//	        in it, compared as it comes back.
//
// Connections are served by event handlers. Memory is what /proc says is resident, less what was so
// before the first connection; latencies count from when a request was due, not from when it was
// sent, and once more from then: what lies between is the generator's own lateness, which is in the same process.
//
// A pause of the collector is by the clock on the wall, in two parts: until all threads have stopped, and
// the work of the one that then runs. Of the runtime's histograms of them (/sched/pauses) only the ends
// of the buckets are known, of their sum in a cycle every nanosecond. What the kernel gives to another
// program's thread meanwhile, or to one of its own, lengthens either: under "chrt -f 1", where nothing else goes before
// it, a run shows what is the program's own; its latencies are worse for that, as its threads do not take turns.
// --collect has the collector run often, for a distribution in place of a longest.
//
// A run ends itself at its end, at an interrupt, or when nothing moves for a minute. Its
// namespaces have no name and end with it.
package main
