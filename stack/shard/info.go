package shard

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/weirnet/weir/stack/tcp"
)

// ConnInfo describes a listener, a connection, a TIME-WAIT record or a UDP socket.
type ConnInfo struct {
	Protocol string         `json:"protocol"` // "tcp" or "udp"
	State    string         `json:"state"`    // as RFC 9293 writes it; UDP: "CONNECTED" or "UNCONNECTED"
	Local    netip.AddrPort `json:"local"`
	Remote   netip.AddrPort `json:"remote"` // not valid for listeners and unconnected sockets

	RecvQ int `json:"recv_q"` // octets for the user to read; listener: connections to accept
	SendQ int `json:"send_q"` // octets not acknowledged, sent or not; listener: the backlog

	Cwnd        int           `json:"cwnd,omitempty"`     // octets
	SSThresh    int           `json:"ssthresh,omitempty"` // octets
	InFlight    int           `json:"in_flight,omitempty"`
	MSS         int           `json:"mss,omitempty"`
	SndWnd      int           `json:"snd_wnd,omitempty"`
	RcvWnd      int           `json:"rcv_wnd,omitempty"`
	SRTT        time.Duration `json:"srtt_ns,omitempty"`
	RTTVar      time.Duration `json:"rttvar_ns,omitempty"`
	RTO         time.Duration `json:"rto_ns,omitempty"`
	Retransmits uint64        `json:"retransmits,omitempty"` // segments sent again
	Congestion  string        `json:"congestion,omitempty"`
	Stalled     bool          `json:"stalled,omitempty"` // its handler does not return; no more is known of it
	Dropped     uint64        `json:"dropped,omitempty"` // UDP: datagrams the queue was too full for
}

// Connections lists listeners, connections, TIME-WAIT records and UDP sockets, in the
// order of their protocol, state and ends.
func (h *Host) Connections() []ConnInfo {
	list := h.listeners.info()
	for _, c := range h.conns.list() {
		list = append(list, c.info())
	}
	for _, half := range h.halfOpens.list() {
		list = append(list, half.info())
	}
	for _, t := range h.timeWaits.list() {
		list = append(list, t.info())
	}
	for _, u := range h.datagrams.list() {
		list = append(list, u.info())
	}
	slices.SortFunc(list, func(a, b ConnInfo) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.State, b.State),
			a.Local.Compare(b.Local), a.Remote.Compare(b.Remote))
	})
	return list
}

// TCPs lists the connections, in no order.
func (h *Host) TCPs() []*TCP { return h.conns.list() }

func (l *listeners) info() (list []ConnInfo) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for at, fs := range l.m {
		for _, f := range fs {
			f.mu.Lock()
			list = append(list, ConnInfo{Protocol: "tcp", State: "LISTEN", Local: at, RecvQ: len(f.queue), SendQ: f.opts.Load().Backlog})
			f.mu.Unlock()
		}
	}
	return list
}

func (c *TCP) info() ConnInfo {
	if !c.lockPatiently() {
		return ConnInfo{Protocol: "tcp", State: tcp.StateEstablished.String(), Local: c.Local(), Remote: c.Remote(), Stalled: true}
	}
	defer c.unlockAside()
	i := c.conn.Info()
	return ConnInfo{
		Protocol: "tcp", State: i.State.String(), Local: c.Local(), Remote: c.Remote(),
		RecvQ: i.Readable, SendQ: i.Unacked + i.Unsent, Cwnd: i.Cwnd, SSThresh: i.SSThresh, InFlight: i.InFlight,
		MSS: i.MSS, SndWnd: i.SndWnd, RcvWnd: i.RcvWnd, SRTT: i.SRTT, RTTVar: i.RTTVar, RTO: i.RTO,
		Retransmits: uint64(i.Retransmits), Congestion: i.Congestion,
	}
}

func (u *UDP) info() ConnInfo {
	u.mu.Lock()
	defer u.mu.Unlock()
	state := "UNCONNECTED"
	if u.remote.IsValid() {
		state = "CONNECTED"
	}
	return ConnInfo{
		Protocol: "udp", State: state, Local: u.Local(), Remote: u.remote,
		RecvQ: u.queue.Memory(), Dropped: u.queue.Dropped(),
	}
}
