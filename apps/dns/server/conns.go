package server

import (
	"net/netip"
	"sync"
	"time"
)

// connTable is the open connections.
type connTable struct {
	s      *Server
	mu     sync.Mutex
	open   map[*stream]struct{}
	of     map[netip.Prefix]int
	closed bool
	wg     sync.WaitGroup
}

func (t *connTable) init(s *Server) {
	t.s, t.open, t.of = s, make(map[*stream]struct{}), make(map[netip.Prefix]int)
}

// add has a connection served, or says why not. Where there are too many the one that is idle the longest has to go.
func (t *connTable) add(st *stream) (why drop, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	limits := &t.s.cfg.Streams
	switch {
	case t.closed:
		return dropConnLimit, false
	case t.of[st.network] >= limits.MaxPerPrefix:
		return dropConnPrefix, false
	case len(t.open) >= limits.MaxConns && !t.evict():
		return dropConnLimit, false
	}
	t.open[st] = struct{}{}
	t.of[st.network]++
	t.wg.Go(func() {
		defer t.remove(st)
		st.run()
	})
	return 0, true
}

// evict closes the connection that is idle the longest, and reports false where none is.
func (t *connTable) evict() bool {
	var oldest *stream
	var since time.Time
	for st := range t.open {
		if at, idle := st.idleSince(); idle && (oldest == nil || at.Before(since)) {
			oldest, since = st, at
		}
	}
	if oldest == nil {
		return false
	}
	t.forget(oldest)
	oldest.close()
	t.s.meter().drop(dropConnIdle)
	return true
}

// idleSince returns since when the connection has had nothing to do, and whether it has not.
func (st *stream) idleSince() (time.Time, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.idleFrom, st.flying == 0 && !st.writing && !st.closed
}

// forget takes a connection out of the table. It is called with mu held.
func (t *connTable) forget(st *stream) {
	if _, ok := t.open[st]; !ok {
		return
	}
	delete(t.open, st)
	if t.of[st.network]--; t.of[st.network] == 0 {
		delete(t.of, st.network)
	}
}

func (t *connTable) remove(st *stream) {
	st.close()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(st)
}

func (t *connTable) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.open)
}

// close closes every connection, and takes no more.
func (t *connTable) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for st := range t.open {
		st.close()
	}
}

func (t *connTable) wait() { t.wg.Wait() }
