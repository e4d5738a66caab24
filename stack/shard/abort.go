package shard

import "github.com/weirnet/weir/stack/tcp"

// Abort ends every connection for which match says so, as tcpdrop does, and returns how many they
// were, half-open ones included: the peer gets a reset where the state has one, the user ECONNABORTED. TIME-WAIT
// records are forgotten. Listeners and UDP sockets are not asked about.
func (h *Host) Abort(match func(ConnInfo) bool) (n int) {
	var conns []*TCP
	for _, c := range h.conns.list() {
		if match(c.info()) {
			conns = append(conns, c)
		}
	}
	h.sweep(conns, (*TCP).kill)
	n = len(conns)
	for _, half := range h.halfOpens.list() {
		if match(half.info()) {
			half.abort()
			n++
		}
	}
	for _, t := range h.timeWaits.list() {
		if match(t.info()) {
			t.mu.Lock()
			t.leave()
			t.mu.Unlock()
			n++
		}
	}
	return n
}

// kill aborts a connection whose user has it still, or will get it by accept, and does not know.
func (c *TCP) kill(w *watch) {
	if !c.lockOr(pendKill) {
		return
	}
	defer c.unlock(w)
	now := c.host.Now()
	c.conn.Abort(now)
	c.happened(tcp.EventError)
	c.push(now)
}

func (t *timeWait) info() ConnInfo {
	local, remote := t.key.ends()
	return ConnInfo{Protocol: "tcp", State: tcp.StateTimeWait.String(), Local: local, Remote: remote}
}
