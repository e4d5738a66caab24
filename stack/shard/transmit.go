package shard

import (
	"errors"
	"syscall"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/link/gso"
	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/wire"
)

// txFrame is a frame to be sent with all that its building needs, so that sending
// allocates nothing: it comes from the host's pool and goes back there.
//
// A text that begins a block of the send queue stays there, and its headers are written before it: Buf
// is then the block's memory, and own waits.
type txFrame struct {
	link.Frame
	seg tcp.Segment
	own []byte
	vec [1][]byte
}

// payloadAt is where a transport payload begins in a txFrame's buffer: behind the
// longest headers that we build, so that they are written backwards from it.
const payloadAt = link.Headroom + 40 + 60

// maxPayload is the largest transport payload of a txFrame. An IPv4 packet holds
// 65,535 octets with its headers.
const maxPayload = 65535 - 20 - 60

func newTxFrame() *txFrame {
	f := &txFrame{own: make([]byte, link.FrameSize+60)}
	f.Buf = f.own
	return f
}

func (h *Host) getTx() *txFrame {
	h.txInUse.Add(1)
	return h.txFrames.Get().(*txFrame)
}

func (h *Host) putTx(f *txFrame) {
	h.txInUse.Add(-1)
	f.Offload = link.Offload{}
	f.vec[0] = nil
	f.seg.Payload = nil
	if f.seg.Block != nil {
		f.seg.Block.Release()
		f.seg.Block, f.Buf = nil, f.own
	}
	h.txFrames.Put(f)
}

// room returns the part of the buffer that a payload of up to n octets goes to.
func (f *txFrame) room(n int) []byte {
	return f.Buf[payloadAt : payloadAt+min(n, maxPayload)]
}

// outcome is what became of a frame.
type outcome uint8

const (
	sent outcome = iota // the device took it, or it is lost as on a wire
	full                // the device has no room; the frame is still the caller's
)

// offer is send for frames that must not overtake the backlog.
func (i *Interface) offer(f *txFrame, queue int) outcome {
	if i.queued.Load() > 0 {
		return full
	}
	return i.send(f, queue)
}

// send hands one frame to the device. Frames that ask for what the device cannot
// do are finished here: checksums summed, super-segments cut.
func (i *Interface) send(f *txFrame, queue int) outcome {
	if f.SegmentSize > 0 && !i.takesSegments(f) {
		return i.sendCut(f, queue)
	}
	if f.Checksum == link.ChecksumPartial && i.features&link.FeatureCsum == 0 {
		gso.FinishChecksum(&f.Frame)
	}
	f.vec[0] = f.Wire()
	queue %= len(i.lanes) // the segments may come in by a device with more
	n, err := i.dev.WriteFrames(queue, f.vec[:])
	switch {
	case err != nil:
		i.countError(err)
	case n == 0:
		return full
	default:
		i.lanes[queue].sent(1, f.Len())
	}
	return sent
}

// takesSegments reports whether the device cuts a super-segment like f itself.
func (i *Interface) takesSegments(f *txFrame) bool {
	switch {
	case f.UDP:
		return i.features&link.FeatureHostUSO != 0
	case f.Buf[f.Off]>>4 == 6:
		return i.features&link.FeatureHostTSO6 != 0
	}
	return i.features&link.FeatureHostTSO4 != 0
}

// sendCut cuts a super-segment for a device that cannot. When the first piece
// finds the device full, the frame stays whole and the caller's; later pieces go to the backlog.
func (i *Interface) sendCut(f *txFrame, queue int) outcome {
	first, result := true, sent
	i.cut(f, func(piece *txFrame) error {
		if !first {
			i.sendLater(piece, queue)
			return nil
		}
		first = false
		if i.send(piece, queue) == full {
			result = full
			return syscall.EAGAIN
		}
		return nil
	})
	return result
}

// cut calls emit for the pieces of a super-segment until it returns EAGAIN. A piece is
// emit's until it returns.
func (i *Interface) cut(f *txFrame, emit func(piece *txFrame) error) {
	piece := i.host.getTx()
	defer i.host.putTx(piece)
	err := gso.Cut(&f.Frame, &piece.Frame, func(*link.Frame) error { return emit(piece) })
	if err != nil && err != syscall.EAGAIN {
		i.counters.malformed.Add(1)
	}
}

// countError counts a frame that the device refused, by reason.
func (i *Interface) countError(err error) {
	switch {
	case errors.Is(err, syscall.ENETDOWN):
		i.counters.down.Add(1)
	case errors.Is(err, syscall.EMSGSIZE):
		i.counters.oversize.Add(1)
	case i.removed.Load():
		i.counters.closed.Add(1)
	default:
		i.counters.failed.Add(1)
	}
}

// sendOrQueue sends a frame that has no owner who could wait, and takes it back into
// the pool. A full device leaves it in the backlog.
func (i *Interface) sendOrQueue(f *txFrame, queue int) {
	i.sendLater(f, queue)
	i.host.putTx(f)
}

// sendLater sends a frame now or, where the device is full, leaves a copy in the backlog. What
// the device cannot cut is cut before, so that the backlog keeps its order.
func (i *Interface) sendLater(f *txFrame, queue int) {
	if f.SegmentSize > 0 && !i.takesSegments(f) {
		i.cut(f, func(piece *txFrame) error {
			i.sendLater(piece, queue)
			return nil
		})
		return
	}
	for {
		rooms := i.rooms.Load()
		if i.offer(f, queue) != full || i.enqueue(f, rooms) {
			return
		}
	}
}

// putIP writes the IP header before the transport header that begins at f.Buf[at],
// for a packet that ends at end, and sets the frame's bounds.
func (f *txFrame) putIP(at, end int, hdr *ipHeader) {
	if hdr.src.Is4() {
		f.Off = at - 20
		wire.PutIPv4(f.Buf[f.Off:], &wire.IPv4Fields{
			TOS: hdr.tos, ID: hdr.id, DontFragment: hdr.dontFragment, TTL: hdr.hopLimit,
			Protocol: hdr.protocol, Src: hdr.src, Dst: hdr.dst, PayloadLen: end - at,
		})
	} else {
		f.Off = at - 40
		wire.PutIPv6(f.Buf[f.Off:], &wire.IPv6Fields{
			TrafficClass: hdr.tos, FlowLabel: hdr.flowLabel, NextHeader: hdr.protocol,
			HopLimit: hdr.hopLimit, Src: hdr.src, Dst: hdr.dst, PayloadLen: end - at,
		})
	}
	f.End = end
}
