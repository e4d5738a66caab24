// Package script runs packet scripts: packetdrill's language, in Google's dialect and in that
// of nplab's fork (FreeBSD's), against weir in process and in virtual time.
//
// Package parse reads a script into the tree of package ast; Run walks its events in their
// order. RunPaths does so for whole directories. A Result says whether the script passed,
// failed, was skipped since it needs what weir does not have, or is no valid script.
//
// # What a script is run against
//
// A Backend: system calls with Linux's numbers (Calls), a wire (Inject, Sent) and a clock
// (Now, Wait). NewWeir makes the one that is weir: a shard.Host that is stepped, on a clock
// that stands still until Wait moves it from one deadline to the next, with a device
// that keeps what it is given and with package socket on top. A system call runs as a coroutine
// (iter.Pull), so that one which blocks can be left and resumed when a packet or the clock
// wakes it; nothing ever runs beside it. So a run is a function of the script: it is the same
// every time, and hours of waiting take no time. A kernel behind a TUN can be a Backend as
// well; Options.Backend puts it in the place of weir.
//
// # Before the first event
//
// configure takes the script's options and those given to Run together. prepare looks through
// all events for names, packets, commands and assertions that ask for something that weir
// lacks, and trySettings asks the Backend about every sysctl that will be changed. What is lacking
// makes the script skipped, with a reason that is the same for all such scripts; this is
// decided before anything is judged, so no script passes or fails by accident.
//
// Backquoted commands are never executed. A command is split into words as a shell would
// split it, and looked up: sysctl and its kin are settings of the stack, ip route sets metrics,
// tcpdrop aborts connections, pipelines that begin with nstat or sockstat ask for counters and
// connections, many have no effect that a script could see, and all others make the script
// skipped. A setting that weir does not have, but that could be seen, is let pass at the value that
// says what weir does anyway (visibleSettings), and no other. defaults.sh stands for the settings
// that Google's and Linux's suites begin with.
//
// # Time
//
// An event happens at its time: absolute, or after the end of the event before it (but two
// packets in with relative times are apart by just that). A packet out is waited for from the
// moment at which the event before ended to the end of its range, and may be off by
// --tolerance_usecs, or by --tolerance_percent of the time since the event before.
//
// # Numbers
//
// An endpoint is a socket of the script, with the mapping between the script's numbers and
// those on the wire: segments with SYN have theirs as they are, all others relative to the SYN;
// likewise acknowledgments, SACK blocks, and the sequence number that an ICMP message
// quotes. The stack's timestamps are relative to the first one that the script shows, and what
// a packet in echoes is the script's name for one that was sent. The socket that was made last is the
// one under test: packets of the script are its own, unless they name ports. A packet in for a
// listening socket makes a new one.
//
// # Matching
//
// A packet out is compared with the next one that the stack sends between the ends of the socket
// under test; others' are passed over. So a packet that was not expected is wrong at
// the next one that is, and packets after the last expected one are no failure, as with
// packetdrill. Fields that the script leaves out (window, TTL, TOS) are not compared; the urgent
// pointer is, as zero. Options are compared one by one with every nop, unless the
// script says <...>. PSH is a flag like the others; Options.RelaxedPSH counts differences in
// it apart. The echo of a timestamp is compared but for the Linux profile, for whose
// scripts packetdrill never looked.
// The checksums, and the reserved bits of TCP, must be right though no script says so.
//
// Consecutive segments of one size match one larger packet; the joined packet has the
// headers of the last segment with the sequence number and CWR of the first. With
// Options.Offload the stack sends super-segments, which are compared as the segments that the
// device would make of them. --strict_segments turns both off. A segment without text is never
// part of one with text, though packetdrill would take it so.
//
// # Profiles
//
// Scripts hold constants of the kernel that they were written for. A profile (weir, linux,
// freebsd) has the stack behave like that kernel where the RFCs leave room, and
// has the script read as that kernel's packetdrill would. It is chosen by Options.Profile,
// by the script's --profile, or by the commands that the script gives.
//
// # Bounds
//
// A script of a few megabytes cannot take time or memory without end: times end after a hundred
// years, and blocked calls, packets that nobody looks at, timers and buffers are bounded
// (bounds.go). What goes beyond is the script's failure, or makes it invalid.
package script
