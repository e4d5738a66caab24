package shard

import "sync"

// sweep calls f for each of the connections. On a running host it does so in a goroutine that the
// watchdog looks after, so that a handler that does not return keeps neither the others nor the caller waiting.
func (h *Host) sweep(conns []*TCP, f func(c *TCP, w *watch)) {
	s := &sweeper{h: h, conns: conns, f: f, done: make(chan struct{})}
	if h.mode.Load() == modeStepped {
		s.rest()
		return
	}
	s.watch = h.dog.add(&watch{host: h, replace: s.replace})
	go s.run()
	<-s.done
}

// sweeper is how far a sweep is.
type sweeper struct {
	h     *Host
	conns []*TCP
	f     func(c *TCP, w *watch)
	watch *watch
	done  chan struct{}
}

func (s *sweeper) rest() {
	for len(s.conns) > 0 && !s.watch.isLost() {
		c := s.conns[0]
		s.conns = s.conns[1:]
		s.f(c, s.watch)
	}
}

func (s *sweeper) run() {
	if s.rest(); !s.watch.lost {
		s.h.dog.remove(s.watch)
		close(s.done)
	}
}

// replace has a fresh goroutine go on; see watch.replace.
func (s *sweeper) replace() *watch {
	next := &sweeper{h: s.h, conns: s.conns, f: s.f, done: s.done}
	s.conns = nil
	next.watch = &watch{host: s.h, replace: next.replace}
	go next.run()
	return next.watch
}

// parted is the connections of UserHandlers that have left the tables, as they have ended, and are
// still their users', who have not taken all that was received.
type parted struct {
	mu sync.Mutex
	m  map[*TCP]struct{}
}

func (p *parted) add(c *TCP) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.m == nil {
		p.m = make(map[*TCP]struct{})
	}
	p.m[c] = struct{}{}
}

func (p *parted) remove(c *TCP) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.m, c)
}

func (p *parted) list() (list []*TCP) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.m {
		list = append(list, c)
	}
	return list
}
