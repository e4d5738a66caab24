package dns

import (
	"io"
	"maps"
	"slices"

	"github.com/weirnet/weir/apps/dns/recursor"
	"github.com/weirnet/weir/apps/dns/server"
)

// Snapshot returns what the service's server has counted.
func (s *Service) Snapshot() server.Snapshot { return s.server.Snapshot() }

// Each calls f with the name and value of each counter, those of the zones and of the resolver among them, in the order of
// the names, as serve.Counters does.
func (s *Service) Each(f func(name string, value uint64)) {
	all := s.parts()
	snap := s.server.Snapshot()
	snap.Each(func(name string, v uint64) { all[name] = v })
	inOrder(all, f)
}

// WritePrometheus writes all of it in Prometheus' text format, version 0.0.4: what Snapshot.WritePrometheus does, and the counters of the zones
// and of the resolver.
func (s *Service) WritePrometheus(w io.Writer) error {
	snap := s.server.Snapshot()
	if err := snap.WritePrometheus(w); err != nil {
		return err
	}
	return server.WriteCounters(w, func(f func(name string, v uint64)) { inOrder(s.parts(), f) })
}

// parts returns the counters of all but the server: authority.… and resolver.…, which is of recursion and
// forwarders together. Those of the resolver begin anew with another configuration.
func (s *Service) parts() map[string]uint64 {
	all := map[string]uint64{}
	add := func(name string, v uint64) { all[name] += v }
	s.zones.Each(add)
	for r := range s.state.Load().resolvers() {
		r.Each(add)
	}
	return all
}

// resolvers returns each resolver that is asked, once.
func (st *state) resolvers() map[*recursor.Resolver]bool {
	set := map[*recursor.Resolver]bool{}
	if st.resolver != nil {
		set[st.resolver] = true
	}
	for _, f := range st.cfg.Forward {
		if r, ok := f.To.(*recursor.Resolver); ok {
			set[r] = true
		}
	}
	return set
}

func inOrder(all map[string]uint64, f func(name string, v uint64)) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f(name, all[name])
	}
}
