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
type txFrame struct {
	link.Frame
	seg tcp.Segment
	vec [1][]byte
}

// payloadAt is where a transport payload begins in a txFrame's buffer: behind the
// longest headers that we build, so that they are written backwards from it.
const payloadAt = link.Headroom + 40 + 60

// maxPayload is the largest transport payload of a txFrame. An IPv4 packet holds
// 65,535 octets with its headers.
const maxPayload = 65535 - 20 - 60

func newTxFrame() *txFrame {
	f := &txFrame{}
	f.Buf = make([]byte, link.FrameSize+60)
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
	n, err := i.dev.WriteFrames(queue, f.vec[:])
	switch {
	case err != nil:
		i.countError(err)
	case n == 0:
		return full
	default:
		i.counters.sent(f.Len())
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
	piece := i.host.getTx()
	defer i.host.putTx(piece)
	first, result := true, sent
	err := gso.Cut(&f.Frame, &piece.Frame, func(p *link.Frame) error {
		if p == &f.Frame { // no longer than one segment after all
			f.SegmentSize = 0
			result = i.send(f, queue)
			return nil
		}
		if i.send(piece, queue) == full {
			if first {
				result = full
				return syscall.EAGAIN
			}
			i.enqueue(piece)
		}
		first = false
		return nil
	})
	if err != nil && result != full {
		i.counters.malformed.Add(1)
	}
	return result
}

// countError counts a frame that the device refused, by reason.
func (i *Interface) countError(err error) {
	switch {
	case errors.Is(err, syscall.ENETDOWN):
		i.counters.down.Add(1)
	case i.removed.Load():
		i.counters.closed.Add(1)
	default:
		i.counters.failed.Add(1)
	}
}

// sendOrQueue sends a frame that has no owner who could wait, and takes it back into
// the pool. A full device leaves it in the backlog.
func (i *Interface) sendOrQueue(f *txFrame, queue int) {
	if i.hasBacklog() || i.send(f, queue) == full {
		i.enqueue(f)
	}
	i.host.putTx(f)
}

func (i *Interface) hasBacklog() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.backlog) > 0
}

// enqueue puts a copy of f into the backlog.
func (i *Interface) enqueue(f *txFrame) {
	c := i.host.getTx()
	c.Off, c.End, c.Offload = f.Off, f.End, f.Offload
	copy(c.Buf[c.Off:c.End], f.Packet())
	i.mu.Lock()
	ok := len(i.backlog) < maxBacklog && !i.removed.Load()
	if ok {
		i.backlog = append(i.backlog, c)
	}
	i.mu.Unlock()
	if !ok {
		i.counters.backlogFull.Add(1)
		i.host.putTx(c)
	}
}

func (i *Interface) dropBacklog() {
	i.mu.Lock()
	old := i.backlog
	i.backlog = nil
	i.mu.Unlock()
	for _, f := range old {
		i.host.putTx(f)
	}
}

// wait puts w in the line for room. It is called with w's own lock held; since the
// room may have come meanwhile, the service looks again at once.
func (i *Interface) wait(w waiter) {
	i.mu.Lock()
	i.line = append(i.line, w)
	i.mu.Unlock()
	i.counters.pushedBack.Add(1)
}

// onWritable is called by the device, from any goroutine, when it has room again.
func (i *Interface) onWritable() {
	i.writable.Store(true)
	i.host.wake()
}

// resume sends the backlog and then wakes who waits. It is run by the service.
func (i *Interface) resume() {
	if !i.writable.Swap(false) {
		return
	}
	for {
		i.mu.Lock()
		if len(i.backlog) == 0 {
			line := i.line
			i.line = nil
			i.mu.Unlock()
			for _, w := range line {
				w.room()
			}
			return
		}
		f := i.backlog[0]
		i.mu.Unlock()
		if i.send(f, 0) == full {
			return // the device will call again
		}
		i.mu.Lock()
		if len(i.backlog) > 0 && i.backlog[0] == f {
			i.backlog = i.backlog[1:]
		}
		i.mu.Unlock()
		i.host.putTx(f)
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
