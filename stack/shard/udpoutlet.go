package shard

import (
	"net/netip"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/udp"
	"github.com/weirnet/weir/stack/wire"
)

const (
	// outletFrames is how many frames an outlet gives a device in one call.
	outletFrames = 16
	// maxTrain is how many datagrams go in one super-segment: as many as every kernel that takes
	// them takes (UDP_MAX_SEGMENTS was 64 when USO came).
	maxTrain = 64
	// maxTrainOctets bounds a super-segment's payload: with its headers it is an IP packet.
	maxTrainOctets = 65535 - 40 - udp.HeaderLen
	// ownBlock is how large a datagram is for which a block is kept rather than a copy made.
	ownBlock = 4096
)

// outlet collects datagrams that leave by one interface: frames for a device go to it in one call, and
// datagrams of one size to one peer in one super-segment where the device takes that (USO). What is
// for one peer keeps its order. Its owner flushes it before it waits for anything.
type outlet struct {
	ifc    *Interface
	queue  int
	n      int
	cars   [outletFrames]car
	frames [outletFrames][]byte
	// inOrder has a datagram join the last frame only, so that frames hold what was put in one after the other.
	inOrder bool
}

// car is a frame to be: a datagram, or several of one size of which the last may be shorter.
type car struct {
	f          *txFrame
	block      *mem.Block // f.Buf is this block's, not its own
	own        []byte     // then: f's own
	at         int        // where the UDP header begins in f.Buf
	end        int
	size       int // octets of each datagram
	count      int
	last       int  // for whom put it in: see udpBatch
	open       bool // more may follow
	src, dst   netip.AddrPort
	hopLimit   uint8
	tos        uint8
	df         bool
	noChecksum bool
}

// takes reports whether a datagram of n octets, by the way w, may ride in the car.
func (c *car) takes(w *way, n int) bool {
	return n <= c.size && c.count < maxTrain && c.end+n-c.at <= maxTrainOctets && c.df == (w.df || w.alwaysDF)
}

// like reports whether the car goes by the way w.
func (c *car) like(w *way) bool {
	return c.dst == w.dst && c.src == w.src && c.hopLimit == w.hopLimit && c.tos == w.tos && c.noChecksum == w.noChecksum
}

// fits reports whether a datagram of n octets may go through an outlet: whole, and to nobody else.
func (w *way) fits(n int) bool {
	return n+udp.HeaderLen+ipHeaderLen(w.dst.Addr()) <= w.mtu && w.hopLimit != 0 && !w.loop
}

// cuts reports whether the device cuts super-segments of datagrams by this way.
func (w *way) cuts() bool {
	return w.ifc.features&(link.FeatureHostUSO|link.FeatureCsum) == link.FeatureHostUSO|link.FeatureCsum && !w.noChecksum
}

// put has a datagram leave by the way w, with what else the outlet holds. It fits. It reports false
// where the outlet must be flushed first.
func (o *outlet) put(w *way, payload []byte) bool {
	if o.ifc != w.ifc && o.n > 0 {
		return false
	}
	if w.cuts() && o.join(w, payload) {
		return true
	}
	c := o.next(w)
	if c == nil {
		return false
	}
	c.load(payload, len(payload))
	c.open = len(payload) > 0 && w.cuts()
	return true
}

// join puts a datagram behind others to its peer, and reports false where none waits that it may follow.
func (o *outlet) join(w *way, payload []byte) bool {
	first := 0
	if o.inOrder {
		first = max(o.n-1, 0)
	}
	for n := first; n < o.n; n++ {
		c := &o.cars[n]
		if !c.open || !c.like(w) {
			continue
		}
		if len(payload) == 0 || !c.takes(w, len(payload)) {
			c.open = false
			return false // the only open one to that peer
		}
		c.end += copy(c.f.Buf[c.end:], payload)
		c.count++
		c.open = len(payload) == c.size
		return true
	}
	return false
}

// putTrain is put for datagrams of size octets each, the last of which may be shorter; each of them
// fits, and the device cuts. block, where it is not nil, is what payload lies in, from the octet at
// on, with room before it for headers: the outlet becomes one of its owners.
func (o *outlet) putTrain(w *way, payload []byte, size int, block *mem.Block, at int) bool {
	if o.ifc != w.ifc && o.n > 0 {
		return false
	}
	o.shutTrains(w)
	c := o.next(w)
	if c == nil {
		return false
	}
	if block == nil {
		c.load(payload, size)
		return true
	}
	c.size, c.count = size, (len(payload)+size-1)/size
	block.Retain()
	c.block, c.own, c.f.Buf = block, c.f.Buf, block.B
	c.at, c.end = at-udp.HeaderLen, at+len(payload)
	return true
}

// shutTrains lets nothing more join what goes to the peer of w, for something else is to follow it.
func (o *outlet) shutTrains(w *way) {
	for n := range o.n {
		if c := &o.cars[n]; c.like(w) {
			c.open = false
		}
	}
}

// next returns a new car for the way w, or nil where the outlet is full.
func (o *outlet) next(w *way) *car {
	if o.n == outletFrames {
		return nil
	}
	o.ifc = w.ifc
	c := &o.cars[o.n]
	o.n++
	w.fill(c)
	return c
}

// fill makes c an empty car for the way.
func (w *way) fill(c *car) {
	*c = car{
		f: w.ifc.host.getTx(), src: w.src, dst: w.dst, hopLimit: w.hopLimit, tos: w.tos,
		df: w.df || w.alwaysDF, noChecksum: w.noChecksum,
	}
}

// load copies datagrams of size octets each to the car; no payload at all is one.
func (c *car) load(payload []byte, size int) {
	c.at, c.end = payloadAt-udp.HeaderLen, payloadAt+copy(c.f.Buf[payloadAt:], payload)
	c.size, c.count = size, 1
	if size > 0 {
		c.count = max(1, (len(payload)+size-1)/size)
	}
}

// build writes the headers of a car's frame.
func (c *car) build(h *Host) {
	f, b := c.f, c.f.Buf[c.at:c.end]
	hdr := ipHeader{
		src: c.src.Addr(), dst: c.dst.Addr(), protocol: wire.ProtoUDP, hopLimit: c.hopLimit, tos: c.tos,
		dontFragment: c.df, flowLabel: h.flowLabel(c.src, c.dst),
	}
	if !c.df {
		hdr.id = uint16(h.idents.several(hdr.src, hdr.dst, hdr.protocol, c.count))
	}
	f.putIP(c.at, c.end, &hdr)
	if c.noChecksum {
		wire.PutUDP(b, c.src.Port(), c.dst.Port(), len(b)-udp.HeaderLen)
	} else {
		udp.Put(b, c.src, c.dst, link.ChecksumPartial)
		f.Checksum, f.ChecksumStart, f.ChecksumOffset = link.ChecksumPartial, uint16(c.at-f.Off), wire.UDPChecksumOffset
	}
	if c.count > 1 {
		f.UDP, f.SegmentSize, f.HeaderLen = true, uint16(c.size), uint16(c.at-f.Off+udp.HeaderLen)
	}
}

// flush gives the device what the outlet holds, in one call where it takes all of it, and returns
// how many frames it took. The rest waits in the interface's backlog, or where again is true is the
// caller's to put in again.
func (o *outlet) flush(again bool) (taken int) {
	if o.n == 0 {
		return 0
	}
	i, h := o.ifc, o.ifc.host
	for n := range o.n {
		c := &o.cars[n]
		c.build(h)
		if i.features&link.FeatureCsum == 0 {
			c.f.finishPartial()
		}
		o.frames[n] = c.f.Wire()
	}
	if i.queued.Load() == 0 { // what waits already goes first
		taken = i.write(o.frames[:o.n], o.queue)
	}
	var count, octets int
	for n := range o.n {
		c := &o.cars[n]
		if n < taken || !again {
			count += c.count
			octets += c.end - c.at - udp.HeaderLen
		}
		if n >= taken && !again {
			i.sendLater(c.f, o.queue)
		}
		c.release(h)
		o.frames[n] = nil
	}
	o.n = 0
	ctr := &h.lanes.of(o.queue).udp
	ctr.Out.Add(uint64(count))
	ctr.OutOctets.Add(uint64(octets))
	return taken
}

// write gives the device frames until it is full, and returns how many it took or lost.
func (i *Interface) write(frames [][]byte, queue int) (n int) {
	var sent, octets int
	queue %= len(i.lanes)
	for n < len(frames) {
		k, err := i.dev.WriteFrames(queue, frames[n:])
		for _, f := range frames[n : n+k] {
			octets += len(f) - link.VnetLen
		}
		sent += k
		if n += k; err == nil {
			break
		}
		i.countError(err)
		n++ // that one is lost
	}
	i.lanes[queue].sent(sent, octets)
	return n
}

// release gives back what a car is made of.
func (c *car) release(h *Host) {
	if c.block != nil {
		c.f.Buf = c.own
		c.block.Release()
	}
	h.putTx(c.f)
	*c = car{}
}
