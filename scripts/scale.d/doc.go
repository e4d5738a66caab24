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
// sent; pauses are the runtime's own histogram of them (/sched/pauses/total/gc), of which only the
// upper ends of the buckets are known.
//
// A run ends itself at its end, at an interrupt, or when nothing moves for a minute. Its
// namespaces have no name and end with it.
package main
