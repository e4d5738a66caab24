package shard

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/weirnet/weir/stack/udp"
)

// FamilyOptions are what a UDP or raw socket says of the packets of one family.
type FamilyOptions struct {
	HopLimit     uint8 // to one host; 0: the host's
	TrafficClass uint8 // all eight bits
	PMTUDisc     PMTUDisc
	RecvErr      bool // errors are queued with what they quote: see Errors

	// Of what is sent to a group. Neither limit, loop nor MulticastAll are zero by default.
	MulticastHopLimit  uint8      // 1; with 0 nothing leaves the host
	MulticastLoop      bool       // true: members on this host get a copy
	MulticastInterface int        // by its index; 0: by the route
	MulticastSource    netip.Addr // not valid: chosen
	// MulticastAll, true, has a socket that has not joined a group get what is sent to the group and
	// others on this host have joined.
	MulticastAll bool
}

// DatagramOptions are the options of a UDP or raw socket.
type DatagramOptions struct {
	V4, V6     FamilyOptions
	Broadcast  bool // SO_BROADCAST: sending to a broadcast address is no EACCES
	NoChecksum bool // SO_NO_CHECK: UDP over IPv4 without a checksum (RFC 768)
}

func (o *DatagramOptions) family(is4 bool) *FamilyOptions {
	if is4 {
		return &o.V4
	}
	return &o.V6
}

// SendOptions are what one datagram is sent with, where it differs from its socket; the zero
// value does not.
type SendOptions struct {
	From            netip.Addr // the source address; one that is not the host's counts as none
	Interface       int        // to leave by; 0: the route's
	HopLimit        uint8      // 0: the socket's
	TrafficClass    uint8      // where HasTrafficClass says so
	HasTrafficClass bool
	DontFragment    bool // EMSGSIZE where it does not fit whole (IPV6_DONTFRAG)
}

// datagramSocket is what UDP and raw sockets have in common.
type datagramSocket struct {
	host   *Host
	device atomic.Int32 // the interface that it is bound to, or 0
	// changes counts what may change how it sends: a way is good for one count.
	changes atomic.Uint64

	mu      sync.Mutex
	queue   udp.Queue
	errs    udp.ErrorQueue
	opts    DatagramOptions
	members []membership
	onEvent func()
	closed  bool
	touched bool       // a round will tell of what has come
	woke    bool       // onEvent has made a goroutine ready
	waiting *Interface // in whose line for room it is
	rooms   uint64     // counts the calls of room
}

func (u *datagramSocket) init(h *Host) {
	u.host = h
	u.queue.Init(&h.pool, h.cfg.DatagramBuffer, 0)
	f := FamilyOptions{MulticastHopLimit: 1, MulticastLoop: true, MulticastAll: true}
	u.opts.V4, u.opts.V6 = f, f
}

// Locker returns the lock that guards Queue and Errors.
func (u *datagramSocket) Locker() sync.Locker { return &u.mu }

// Queue returns the receive queue, for who holds the lock.
func (u *datagramSocket) Queue() *udp.Queue { return &u.queue }

// Errors returns the queue of errors that RecvErr asks for (IP_RECVERR), for who holds the lock.
func (u *datagramSocket) Errors() *udp.ErrorQueue { return &u.errs }

// Host returns the host the socket belongs to.
func (u *datagramSocket) Host() *Host { return u.host }

// Options returns the socket's options.
func (u *datagramSocket) Options() DatagramOptions {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.opts
}

// Configure has f change the options, under the socket's lock.
func (u *datagramSocket) Configure(f func(o *DatagramOptions)) {
	u.mu.Lock()
	f(&u.opts)
	u.changes.Add(1)
	if !u.opts.V4.RecvErr && !u.opts.V6.RecvErr {
		u.errs.Clear()
	}
	u.mu.Unlock()
}

// Interface returns the index of the interface that the socket is bound to, or 0.
func (u *datagramSocket) Interface() int { return int(u.device.Load()) }

// OnEvent sets a function that is called, under the lock, when a datagram or an error
// has come, there is room to send again, or the socket was closed. It must not block.
func (u *datagramSocket) OnEvent(f func()) {
	u.mu.Lock()
	u.onEvent = f
	u.mu.Unlock()
}

// Woke is TCP.Woke for a socket: the function given to OnEvent has made a goroutine ready. The lock must be held.
func (u *datagramSocket) Woke() { u.woke = true }

func (u *datagramSocket) event() {
	if u.onEvent != nil {
		u.onEvent()
	}
}

// tell calls onEvent in a round, which learns whether that has made a goroutine ready. u is locked.
func (u *datagramSocket) tell(r *round) {
	u.event()
	r.woke = r.woke || u.woke
	u.woke = false
}

// hears reports whether the socket gets what comes in by the interface: SO_BINDTODEVICE.
func (u *datagramSocket) hears(i *Interface) bool {
	device := u.device.Load()
	return device == 0 || int(device) == i.index
}

// room is called when a full interface that the socket waited for has room again.
func (u *datagramSocket) room(i *Interface) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.waiting == i {
		u.waiting = nil
	}
	u.rooms++
	u.event()
}

// awaitRoom puts the socket in the line of a full interface, once; rooms is as for
// Interface.wait.
func (u *datagramSocket) awaitRoom(i *Interface, rooms uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.waiting == i:
	case i.wait(u, rooms):
		u.waiting = i
	default:
		u.rooms++
	}
}

// Rooms counts how often a full device has got room. Who gets EAGAIN from Send waits until it
// differs from before that Send. The lock must be held.
func (u *datagramSocket) Rooms() uint64 { return u.rooms }

// Closed reports whether Close was called. The lock must be held.
func (u *datagramSocket) Closed() bool { return u.closed }

// shut closes the socket, throws away what it has queued, and reports whether it was closed already.
func (u *datagramSocket) shut() (was bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	was, u.closed = u.closed, true
	u.changes.Add(1)
	u.queue.Release()
	u.errs.Clear()
	for _, m := range u.members {
		u.host.groups.leave(m.ifc, m.group)
	}
	u.members = nil
	u.event()
	return was
}
