package shard

import (
	"sync"
	"sync/atomic"
)

// sharedPath is a path as many connections share it: the route to their peers with what they say of their
// packets, good for one generation of the network. It does not change.
type sharedPath struct {
	path
	generation uint64
}

// noPath is that of a connection that has not looked for one yet: no generation is 0.
var noPath sharedPath

// maxSharedPaths bounds what is remembered to be shared. There are as many as next hops, and kinds of packets
// that users have asked for; what a user makes of these beyond that is not shared with who comes later.
const maxSharedPaths = 1024

// sharedPaths are those in use in the latest generation.
type sharedPaths struct {
	last atomic.Pointer[sharedPath] // the one that was asked for last

	mu         sync.Mutex
	generation uint64
	all        map[sharedPath]*sharedPath
}

// share returns p as all have it.
func (s *sharedPaths) share(p sharedPath) *sharedPath {
	if last := s.last.Load(); last != nil && *last == p {
		return last
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.generation > s.generation || len(s.all) >= maxSharedPaths {
		s.all, s.generation = nil, max(p.generation, s.generation)
	}
	shared := s.all[p]
	if shared == nil {
		if s.all == nil {
			s.all = make(map[sharedPath]*sharedPath)
		}
		shared = &p
		s.all[p] = shared
	}
	s.last.Store(shared)
	return shared
}
