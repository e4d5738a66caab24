// Package tun opens Linux TUN devices and sets up the host's side of them.
//
// A Device carries whole IP packets between the Linux kernel and a program: what the kernel
// routes to the interface comes out of ReadFrames, and what is given to WriteFrames the
// kernel receives as if from a wire. The package imports nothing of weir's stack; a *Device
// satisfies the stack's link.Device by its methods alone.
//
// # Promises
//
//   - Every frame, in and out, begins with the ten octets of a virtio-net header (Virtual I/O
//     Device 1.2 §5.1.6), whatever the device underneath. Features says what may stand in it.
//   - Reading and writing allocate nothing.
//   - A device that Open created is gone when Close returns, and also when the process ends in
//     any other way: it is not persistent (but, without offloads, for the moment in which water
//     attaches to it). One that an operator made before is left by Close as Open found it: its
//     persist flag, its attach flags, MTU, addresses, routes, and whether it is up. Where the
//     process is killed instead, what it added there stays.
//   - Every descriptor is close-on-exec.
//   - No goroutine is left when Close returns.
//   - An error for a person is one line that says what was tried, on what, why it failed and
//     what to do (Error), and wraps the errno.
//
// # Three ways in
//
// With offloads (Backend "vnet_hdr") each queue is a descriptor of our own, opened with
// IFF_VNET_HDR, a header of ten octets, and checksum and TCP segmentation offload, and that of
// UDP (USO) where the kernel has it: the
// kernel hands over super-segments of up to 64 kB, with checksums it vouches for, and takes
// the same. It is the default. A read is still one packet, but a packet may be forty-four
// segments.
//
// Without offloads (Backend "plain") a device of one queue is opened by
// github.com/songgao/water, one of several queues by descriptors of our own. The virtio-net
// header is then made and taken away here: zero on a read, and on a write skipped, after a
// look that it asks for nothing.
//
// All three then share the code below them: descriptors that do not block, and that are not in the
// runtime's poller. A descriptor there wakes a thread with every packet, whoever reads it and
// however busy; poll(2) is told of packets only while it waits.
//
// # The way of a packet
//
// In: the kernel puts the packet in the queue's ring (its length is the interface's
// txqueuelen, 500 unless set otherwise; a full ring drops, and counts it as the interface's
// tx_dropped). ReadFrames waits in poll(2), on the descriptor and on an eventfd that ends the
// wait when the device is closed, and then reads until the ring is empty or the caller's
// buffers are full. PollFrames does not wait. Who has to wait gives ReadFrames one buffer, so that a
// packet that comes alone is not delayed by a read that finds nothing, and takes those behind it
// from PollFrames, as a batch.
//
// Out: WriteFrames makes one write for each frame; the kernel's whole receive path runs
// inside it. Writers do not exclude each other, for the kernel needs no such exclusion. A write
// that must wait (a full socket buffer, which with the kernel's default does not happen) waits
// in poll(2) as well.
//
// # Queues
//
// A device with several queues has the kernel spread its flows over them, and each has its own reader. Where a
// flow's packets come is where the last packet of that flow was written, as the kernel remembers, and else
// by a hash; so a flow stays where it is answered, and moves when its answers do.
//
// One queue is the default, as scripts/bench says on a machine of two processors, which the clients share, medians
// of four and three rounds with one queue and with two. Work that is much for each packet gains:
// eight streams to a program with net.Conn go from 51 to 60 Gbit/s and from 50 to 60, those from event handlers
// from 35 to 43 and from 33 to 43. Work that is little loses: requests on 64 connections go from 182,000 to 171,000 a second and
// from 179,000 to 163,000 for handlers, and the flood of datagrams from 378,000 to 321,000. For the kernel
// takes every packet of such a device apart once more, in both directions, for the flow's hash, and a reader that has half of
// the packets sleeps and wakes more often. Several queues also need a device that was made for them. More
// processors than clients keep busy are the reason to ask for more.
//
// # States
//
// An interface that is down is a cable that is pulled: ReadFrames waits, WriteFrames loses
// the frame with an error that wraps syscall.ENETDOWN, and both go on when it is up again.
// Packets that were in the ring when it went down may still be read. An interface that is
// deleted underneath is the end: both return an error that wraps syscall.ENODEV and
// os.ErrClosed, and Close remains to be called.
//
// A small netlink listener keeps MTU current when somebody else changes it.
//
// # Facts about TUN
//
// Found by experiment and from the kernel's drivers/net/tun.c; most are guarded by a test.
//
//   - The flags of a device are those of the first queue that is attached to it. A second queue
//     opened beside one without vnet_hdr silently has none, whatever it asked for: TUNGETIFF is
//     asked on every queue.
//   - TUNGETIFF cannot tell whether IFF_NO_PI is set: the bit, 0x1000, is also IFF_NOFILTER
//     there, and that is set on every descriptor without a socket filter. Netlink's IFLA_TUN_PI
//     says it.
//   - TUNSETOFFLOAD on a descriptor without vnet_hdr succeeds, and then delivers super-segments
//     with no header before them. The offloads also outlive the descriptor on a persistent
//     device: a plain open clears them first, and Close clears them.
//   - TUNSETVNETHDRSZ outlives the descriptor in the same way, and is put back.
//   - USO for IPv4 and IPv6 is accepted only together. A super-segment of UDP that is written must
//     leave its checksum to the kernel and be no more than UDP_MAX_SEGMENTS datagrams: 64 where
//     USO was new, 128 today. Else it is EINVAL. A socket without UDP_GRO gets it cut.
//   - A read into a buffer that is too small returns the buffer's length and no sign that the
//     rest is lost. A read that fills its buffer is held against the packet's own length.
//   - A read of an interface that is down waits (EAGAIN) once the ring is empty. A write is
//     EIO. Of one that is deleted both are EBADFD, and poll reports EPOLLERR and nothing else,
//     which Go's poller turns into "not pollable".
//   - A write whose first octet is not that of IPv4 or IPv6 is EINVAL, as is a virtio-net
//     header that points outside the packet.
//   - A single-queue device that is open elsewhere is EBUSY; a device that differs in
//     IFF_MULTI_QUEUE, or is a TAP, or no TUN at all, is EINVAL. A persistent device that has
//     an owner may be opened without CAP_NET_ADMIN.
//   - A new IPv6 address is finished by a worker of the kernel, also with no duplicate address
//     detection; packets for it are dropped until then. The same comes after a carrier, which
//     an interface has while a queue is open, and after it goes up: Open, Up and AddHostAddress
//     wait for it, some 100 µs.
//   - At its first carrier an interface gets a link-local address and changes its addr_gen_mode
//     from 0 to 3. A device that is made here has none, and so asks for no router; on an
//     operator's Close takes them back.
//   - The network namespace of a device is the one in which /dev/net/tun is opened, not the one
//     of TUNSETIFF. Moving the thread afterwards changes nothing.
//   - water clears the persist flag of what it opens unless it is told Persist, sets no
//     O_CLOEXEC, and loses its descriptor when TUNSETIFF fails: see water.go.
package tun
