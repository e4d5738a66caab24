package server

import (
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// QueryKey is what queries are counted by.
type QueryKey struct {
	Type      string // "other" for the rarer ones
	Transport Transport
	IPv6      bool
}

// Histogram counts answers by how long they took.
type Histogram struct {
	Bounds []time.Duration // upper ends, ascending
	Counts []uint64        // one more than bounds: the last is what took longer
	Sum    time.Duration
}

// Count returns how many there are.
func (h *Histogram) Count() (n uint64) {
	for _, c := range h.Counts {
		n += c
	}
	return n
}

// Quantile returns a time within which the fraction q of all were answered, as exactly as the bounds are: the upper end of
// a bucket; twice the last bound where it is beyond; 0 where there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	want := uint64(q*float64(h.Count()) + 0.999999)
	if want == 0 {
		return 0
	}
	for i, b := range h.Bounds {
		if want <= h.Counts[i] {
			return b
		}
		want -= h.Counts[i]
	}
	return 2 * h.Bounds[len(h.Bounds)-1]
}

// Snapshot is what a server has counted since its start.
type Snapshot struct {
	Queries     map[QueryKey]uint64 // those of opcode QUERY whose question could be read
	Opcodes     map[string]uint64   // messages that are no responses
	Answers     map[string]uint64   // by rcode
	Dropped     map[string]uint64   // what was not answered, by reason
	Direct      uint64              // of the answers: given in the receive path
	Truncated   uint64              // of the answers
	Slipped     uint64              // of the truncated ones: for the rate limit
	Proven      uint64              // queries with a valid cookie
	BadCookie   uint64              // of the answers: asked to come again with a cookie
	Accepted    uint64              // connections
	Connections int                 // open ones, now
	Busy        int                 // queries that handlers are at, now
	// Latency is from when a query was read until its answer was given to the network. Of answers in the
	// receive path one in 64 is timed and counted 64 times.
	Latency                Histogram
	CacheHits, CacheMisses uint64 // what Config.Cache says
}

// Total returns how many queries there were.
func (s *Snapshot) Total() (n uint64) {
	for _, v := range s.Queries {
		n += v
	}
	return n
}

// Answered returns how many answers there were.
func (s *Snapshot) Answered() (n uint64) {
	for _, v := range s.Answers {
		n += v
	}
	return n
}

// HitRatio returns which part of the cache's questions it could answer; 0 where there were none.
func (s *Snapshot) HitRatio() float64 {
	if s.CacheHits+s.CacheMisses == 0 {
		return 0
	}
	return float64(s.CacheHits) / float64(s.CacheHits+s.CacheMisses)
}

// Snapshot returns what has been counted. What is zero has no entry in the maps.
func (s *Server) Snapshot() Snapshot {
	out := Snapshot{
		Queries: map[QueryKey]uint64{}, Opcodes: map[string]uint64{}, Answers: map[string]uint64{}, Dropped: map[string]uint64{},
		Latency: Histogram{Bounds: bounds[:], Counts: make([]uint64, buckets+1)},
	}
	for i := range s.meters {
		s.meters[i].addTo(&out)
	}
	out.Connections = s.conns.count()
	out.Busy = s.pool.count()
	if s.cfg.Cache != nil {
		out.CacheHits, out.CacheMisses = s.cfg.Cache()
	}
	return out
}

func (m *meter) addTo(s *Snapshot) {
	var plain uint64
	for f := range m.queries {
		for t := range m.queries[f] {
			for slot := range m.queries[f][t] {
				if n := m.queries[f][t][slot].Load(); n > 0 {
					s.Queries[QueryKey{slotName(slot), Transport(t), f == 1}] += n
					plain += n
				}
			}
		}
	}
	add(s.Opcodes, msg.OpcodeQuery.String(), plain)
	for i := range m.opcodes {
		add(s.Opcodes, msg.Opcode(i).String(), m.opcodes[i].Load())
	}
	for i := range m.rcodes {
		name := "other"
		if i < rcodes-1 {
			name = msg.Rcode(i).String()
		}
		add(s.Answers, name, m.rcodes[i].Load())
	}
	for i := range m.drops {
		add(s.Dropped, dropNames[i], m.drops[i].Load())
	}
	for i := range m.latency {
		s.Latency.Counts[i] += m.latency[i].Load()
	}
	s.Latency.Sum += time.Duration(m.latencyNs.Load())
	s.Direct += m.direct.Load()
	s.Truncated += m.truncated.Load()
	s.Slipped += m.slipped.Load()
	s.BadCookie += m.badCookie.Load()
	s.Proven += m.proven.Load()
	s.Accepted += m.accepted.Load()
}

func slotName(slot int) string {
	if slot < otherType {
		return countedTypes[slot].String()
	}
	return "other"
}

func add(m map[string]uint64, name string, n uint64) {
	if n > 0 {
		m[name] += n
	}
}
