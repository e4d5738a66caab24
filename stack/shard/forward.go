package shard

import (
	"github.com/weirnet/weir/stack/icmp"
	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/link/gso"
)

// forward passes a packet on towards its destination, or tells its sender why not
// (RFC 1812 §5.2, RFC 8200 §3).
func (r *round) forward(n *network) {
	h, p := r.h, &r.pkt
	if !h.cfg.Forward {
		h.drops.Add(ip.DropNotLocal)
		return
	}
	rt, ok := n.routes.Lookup(p.Dst)
	out := n.byIndex(rt.Interface)
	if !ok || out == nil {
		h.drops.Add(ip.DropNoRoute)
		r.sendError(p, icmp.NetUnreachable, 0)
		return
	}
	if res := ip.MayForward(p); res != ip.ForwardOK {
		h.drops.Add(res.Drop())
		if k, due := icmp.ForForward(res); due {
			r.sendError(p, k, 0)
		}
		return
	}
	if mtu := out.MTU(); p.WireSize() > mtu {
		r.forwardTooBig(out, mtu)
		return
	}
	h.counters.forwarded.Add(1)
	ip.TakeHop(p)
	out.passOn(p.Frame)
}

// forwardTooBig fragments what is larger than the next link where it may be, and
// otherwise tells the sender the link's MTU.
func (r *round) forwardTooBig(out *Interface, mtu int) {
	h, p := r.h, &r.pkt
	if p.Version == 6 || p.DontFragment {
		h.drops.Add(ip.DropTooBig)
		r.sendError(p, icmp.FragmentationNeeded, uint32(mtu))
		return
	}
	h.counters.forwarded.Add(1)
	ip.TakeHop(p)
	f := h.getTx()
	f.copyFrom(p.Frame)
	out.sendFragments(f, mtu, p.FragID)
}

// passOn sends a frame that came in by another interface.
func (i *Interface) passOn(in *link.Frame) {
	f := i.host.getTx()
	f.copyFrom(in)
	i.sendOrQueue(f, 0)
}

// copyFrom makes f a copy of another frame.
func (f *txFrame) copyFrom(in *link.Frame) {
	f.Off, f.End = link.Headroom, link.Headroom+in.Len()
	f.Offload = in.Offload
	copy(f.Buf[f.Off:f.End], in.Packet())
	if f.SegmentSize > 0 {
		f.HeaderLen = gso.HeaderLen(&f.Frame)
	}
}

// sendFragments sends a packet in fragments of at most mtu octets and takes f back.
// Where the packet is a super-segment each segment is fragmented.
func (i *Interface) sendFragments(f *txFrame, mtu int, id uint32) {
	h := i.host
	defer h.putTx(f)
	piece, fragment := h.getTx(), h.getTx()
	defer h.putTx(piece)
	defer h.putTx(fragment)
	err := gso.Cut(&f.Frame, &piece.Frame, func(whole *link.Frame) error {
		gso.FinishChecksum(whole)
		return ip.Fragment(whole, mtu, id, &fragment.Frame, func(part *link.Frame) error {
			if part != &fragment.Frame { // a last segment that fits as it is
				fragment.copyFrom(part)
			} else {
				h.counters.fragmentsOut.Add(1)
			}
			i.sendLater(fragment, 0)
			return nil
		})
	})
	if err != nil {
		i.counters.malformed.Add(1)
	}
}
