package shard

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"sync"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

// traffic is what an attacker on the link has seen of a host's packets: enough to
// make segments that nearly fit.
type traffic struct {
	mu     sync.Mutex
	flows  [512]flowSeen
	known  []int   // the places in flows that are used
	latest [32]int // those that were used last, now and then
	recent [64][]byte
	count  int
}

// flowSeen is the last segment that the host sent on a flow.
type flowSeen struct {
	host, peer netip.AddrPort
	ifc        int
	seq, ack   uint32 // of the octet after the segment, and what it acknowledged
	flags      wire.TCPFlags
	stamped    bool
	tsval      uint32

	acked  uint32 // what the peer acknowledged last, and the window that it offered
	window uint16
}

// observe notes a frame that the host wrote to interface ifc.
func (s *traffic) observe(ifc int, frame []byte) {
	b := frame[link.VnetLen:]
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.count % len(s.recent)
	s.recent[at] = append(s.recent[at][:0], b[:min(len(b), 1600)]...)
	s.count++
	src, dst, t := transportOf(b)
	h, err := wire.ParseTCP(t)
	if err != nil || !slices.Contains(ownAddrs, src) {
		return
	}
	f := flowSeen{
		host: netip.AddrPortFrom(src, h.SrcPort()), peer: netip.AddrPortFrom(dst, h.DstPort()), ifc: ifc,
		seq: h.Seq() + uint32(len(t)-h.DataOffset()), ack: h.Ack(), flags: h.Flags(),
	}
	if h.Flags()&(wire.FlagSYN|wire.FlagFIN) != 0 {
		f.seq++
	}
	var o wire.TCPOptions
	if wire.ParseTCPOptions(t[20:h.DataOffset()], &o) == nil && o.HasTimestamps {
		f.stamped, f.tsval = true, o.TSVal
	}
	s.keep(f)
}

func (f *flowSeen) slot() int { return int(f.host.Port()*31+f.peer.Port()) % len(traffic{}.flows) }

// keep enters a flow, or forgets it where the host has reset it.
func (s *traffic) keep(f flowSeen) {
	slot := f.slot()
	old := &s.flows[slot]
	same := old.host == f.host && old.peer == f.peer
	switch {
	case f.flags&wire.FlagRST != 0:
		if i := slices.Index(s.known, slot); same && i >= 0 {
			s.known = slices.Delete(s.known, i, i+1)
			*old = flowSeen{}
		}
		return
	case !old.host.IsValid():
		s.known = append(s.known, slot)
	case same:
		f.acked, f.window = old.acked, old.window
	}
	*old = f
	if s.count%7 == 0 {
		s.latest[s.count/7%len(s.latest)] = slot
	}
}

// answered notes what the peer has acknowledged on a flow.
func (s *traffic) answered(f *flowSeen, ack uint32, window uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := &s.flows[f.slot()]; old.host == f.host && old.peer == f.peer {
		old.acked, old.window = ack, window
	}
}

// transportOf returns the addresses and the TCP segment of a packet without options or
// extension headers, as the host sends them.
func transportOf(b []byte) (src, dst netip.Addr, t []byte) {
	switch {
	case len(b) >= 40 && b[0] == 0x45 && b[9] == wire.ProtoTCP && binary.BigEndian.Uint16(b[6:])&0x3fff == 0:
		return netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:])), b[20:]
	case len(b) >= 60 && b[0]>>4 == 6 && b[6] == wire.ProtoTCP:
		return netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:])), b[40:]
	}
	return
}

// flow returns one of the flows, chosen by the number n: mostly one that was used lately
// when the choice was first made.
func (s *traffic) flow(n int) (f flowSeen, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) == 0 {
		return f, false
	}
	if f = s.flows[s.latest[n%len(s.latest)]]; n%4 > 0 && f.host.IsValid() {
		return f, true
	}
	return s.flows[s.known[n%len(s.known)]], true
}

// quote copies one of the packets that the host last sent to b.
func (s *traffic) quote(n int, b []byte) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copy(b, s.recent[n%len(s.recent)])
}
