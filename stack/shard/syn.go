package shard

import (
	"net/netip"

	"github.com/weirnet/weir/stack/wire"
)

// ecnSetup are the flags of an "ECN-setup SYN packet" (RFC 3168 §6.1.1).
const ecnSetup = wire.FlagECE | wire.FlagCWR

// SYN is what a listener's user may know of somebody who wants to connect, before the stack
// keeps anything about them. It is lent for the call that it is passed to.
type SYN struct {
	Local, Remote netip.AddrPort
	// Interface is what the SYN came in by.
	Interface *Interface
	// MSS is the peer's announcement, options included, or 0 where there is none. Window is the
	// window field, which a SYN does not scale.
	MSS, Window uint16
	// WindowScale is the peer's shift count, which counts where HasWindowScale is set (RFC 7323 §2.2).
	WindowScale    uint8
	HasWindowScale bool
	// SACKPermitted, Timestamps and ECN say what else the peer offers: RFC 2018 §2, RFC 7323
	// §3.2, RFC 3168 §6.1.1.
	SACKPermitted, Timestamps, ECN bool
	// Text is how many octets of text came with the SYN. They are not kept.
	Text int
}

// Verdict is what becomes of a SYN.
type Verdict uint8

const (
	// AcceptSYN: the handshake goes on, as far as there is room for it.
	AcceptSYN Verdict = iota
	// RefuseSYN: it is answered by a reset, as if nobody listened.
	RefuseSYN
	// DropSYN: it is not answered.
	DropSYN
)

// decide asks the listener's user about the SYN in hand, and carries out what is not
// AcceptSYN. It reports whether the handshake goes on. While the user does not come back from a call, SYNs
// are dropped.
func (r *round) decide(l *Listener, ask func(*SYN) Verdict, key *flowKey) bool {
	local, remote := key.ends()
	s, o := &r.seg, &r.seg.Options
	r.asked = SYN{
		Local: local, Remote: remote, Interface: r.ifc, MSS: o.MSS, Window: s.Window,
		WindowScale: o.WindowScale, HasWindowScale: o.HasWindowScale,
		SACKPermitted: o.SACKPermitted, Timestamps: o.HasTimestamps,
		ECN: s.Flags&ecnSetup == ecnSetup, Text: len(s.Payload),
	}
	if l.busy() {
		r.h.counters.busyDrops.Add(1)
		return false
	}
	r.watch.enter(l, synHandler{})
	verdict := ask(&r.asked)
	r.watch.leave()
	switch verdict {
	case AcceptSYN:
		return true
	case RefuseSYN:
		r.h.counters.synRefused.Add(1)
		r.refuse(local, remote)
	default:
		r.h.counters.synUnwanted.Add(1)
	}
	return false
}
