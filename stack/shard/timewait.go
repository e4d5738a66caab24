package shard

import (
	"sync"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/wheel"
)

// timeWait is what stays of a connection for 2·MSL: a record, not a connection.
type timeWait struct {
	mu     sync.Mutex
	record tcp.TimeWait
	host   *Host
	key    flowKey
	timer  wheel.Entry[expirer]
	gone   bool

	reuse, reusePort bool // as the connection's
}

// maxTimeWaits bounds the records. What comes to TIME-WAIT beyond that is forgotten at once:
// less harm than a table that grows as fast as a peer can open and close.
const maxTimeWaits = 1 << 17

// addTimeWait enters the record that is to take a connection's place.
func (h *Host) addTimeWait(c *TCP) {
	if h.cfg.TCP.NoLocalTimeWait && h.IsLocal(c.Remote().Addr()) {
		return
	}
	if h.timeWaits.len() >= h.maxTimeWaits {
		h.counters.timeWaitOverflow.Add(1)
		return
	}
	t := &timeWait{record: c.conn.TimeWait(), host: h, key: c.key, reuse: c.reuse, reusePort: c.reusePort}
	t.timer.Value = t
	if h.timeWaits.add(&t.key, t) {
		h.portUse.add(t.key.localPort(), 1)
		h.schedule(&t.timer, t.record.Deadline())
	}
}

// expire lets the record go when 2·MSL are over; a FIN that came again has moved the end.
func (t *timeWait) expire(now clock.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gone {
		return
	}
	if d := t.record.Deadline(); !d.Reached(now) {
		t.host.schedule(&t.timer, d)
		return
	}
	t.leave()
}

// ancestor is what a connection that we open has of one in TIME-WAIT whose place it takes.
type ancestor struct {
	any      bool
	minISS   seq.Value
	tsRecent uint32
}

// bequeath gives it to the new connection: numbers beyond the old one's, and the peer's last timestamp,
// by which the old one's duplicates are known (RFC 6191 §2).
func (a *ancestor) bequeath(cfg *tcp.Config) {
	if !a.any {
		return
	}
	cfg.TSRecent = a.tsRecent
	if cfg.ISS.Less(a.minISS) {
		cfg.ISS = a.minISS
	}
}

// takeTimeWait has a TIME-WAIT record of these ends make way for a connection that we open, and
// reports false where it does not. bound says that the user has chosen the port.
func (h *Host) takeTimeWait(k *flowKey, bound bool) (a ancestor, ok bool) {
	t := h.timeWaits.get(k)
	if t == nil {
		return a, true
	}
	_, remote := k.ends()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gone {
		return a, true
	}
	tsRecent, ok := t.record.MayConnect(h.Now(), h.IsLocal(remote.Addr()), bound)
	if !ok {
		return a, false
	}
	t.leave()
	h.counters.timeWaitReused.Add(1)
	return ancestor{true, t.record.MinISS(), tsRecent}, true
}

// leave takes the record out of its table. t is locked.
func (t *timeWait) leave() {
	if !t.gone {
		t.gone = true
		if t.host.timeWaits.remove(&t.key, t) {
			t.host.portUse.add(t.key.localPort(), -1)
		}
		t.host.cancel(&t.timer)
	}
}

// input gives a segment to the record. It reports true when the record has made way
// for a new connection that the segment, a SYN, asks for; iss is then the least
// initial sequence number to use (RFC 9293 §3.6.1, RFC 6191). Where nobody listens
// for a SYN the record stays.
func (t *timeWait) input(r *round, listening bool) (iss seq.Value, reuse bool) {
	f := r.h.getTx()
	t.mu.Lock()
	verdict := t.record.Input(r.now, &r.seg, &f.seg)
	iss = t.record.MinISS()
	reuse = verdict == tcp.TimeWaitReuse && listening
	if reuse || verdict == tcp.TimeWaitDead {
		t.leave()
	}
	t.mu.Unlock()
	if verdict == tcp.TimeWaitReply {
		local, remote := t.key.ends()
		r.h.sendSegment(f, local, remote, r.queue)
	} else {
		r.h.putTx(f)
	}
	return iss, reuse
}

// flowKey returns what the record is found by.
func (t *timeWait) flowKey() *flowKey { return &t.key }
