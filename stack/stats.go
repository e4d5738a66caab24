package stack

import (
	"sort"

	"github.com/weirnet/weir/stack/shard"
)

// Counter is one figure of the stack. The name says protocol, event and reason:
// "tcp.drop.checksum". What is held at the moment has names that begin with "held.".
type Counter struct {
	Name  string `json:"name"`
	Value uint64 `json:"value"`
}

// Stats are the stack's counters, sorted by name.
type Stats []Counter

// Stats returns the counters as they are at the moment.
func (s *Stack) Stats() Stats {
	var st Stats
	s.h.EachCounter(func(name string, v uint64) { st = append(st, Counter{name, v}) })
	sort.Slice(st, func(i, j int) bool { return st[i].Name < st[j].Name })
	return st
}

// Get returns a counter's value, or 0 where there is none of that name.
func (s Stats) Get(name string) uint64 {
	i := sort.Search(len(s), func(i int) bool { return s[i].Name >= name })
	if i < len(s) && s[i].Name == name {
		return s[i].Value
	}
	return 0
}

// Map returns the counters by name.
func (s Stats) Map() map[string]uint64 {
	m := make(map[string]uint64, len(s))
	for _, c := range s {
		m[c.Name] = c.Value
	}
	return m
}

// ConnInfo is a line of the list of connections.
type ConnInfo = shard.ConnInfo

// Connections lists listeners, connections, TIME-WAIT records and UDP sockets.
func (s *Stack) Connections() []ConnInfo { return s.h.Connections() }
