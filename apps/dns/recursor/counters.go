package recursor

import "strings"

// Counter is a count of the resolver under its name.
type Counter struct {
	Name  string
	Value uint64
}

const (
	countQuestions = iota
	countDirect
	countCached
	countMerged
	countPrefetched
	countStale
	countSynthesized
	countFailed
	countExhausted
	countBusy
	countUpstream
	countUpstreamMerged
	countTimeouts
	countLame
	countValidated
	countBogus
	countAnchorFailed
	countAnchorMissing
	counters
)

var counterNames = [counters]string{
	"questions", "direct", "cached", "merged", "prefetched", "stale", "synthesized", "failed", "exhausted", "busy",
	"upstream.sent", "upstream.merged", "upstream.timeouts", "upstream.lame", "validated", "bogus",
	"anchor.failed", "anchor.missing",
}

// Counters returns the counts since the resolver was made: of questions, how many were answered in the receive path, from
// the cache, by work that was under way already, and so on. Of the looks at the keys of zones with trust anchors, anchor.failed
// are those that found none that is trusted, anchor.missing those that found one that there is no anchor for. And those of its client, under "client.".
func (r *Resolver) Counters() []Counter {
	list := make([]Counter, counters)
	for i := range list {
		list[i] = Counter{counterNames[i], r.counters[i].Load()}
	}
	for _, c := range r.client.Counters() {
		list = append(list, Counter{"client." + c.Name, c.Value})
	}
	return list
}

// Each calls f with the name and value of each of Counters, the name behind "resolver.".
func (r *Resolver) Each(f func(name string, value uint64)) {
	for _, c := range r.Counters() {
		f("resolver."+c.Name, c.Value)
	}
}

// Count returns one of Counters by its name, zero where there is none.
func (r *Resolver) Count(name string) uint64 {
	for i, n := range counterNames {
		if n == name {
			return r.counters[i].Load()
		}
	}
	if of, ok := strings.CutPrefix(name, "client."); ok {
		return r.client.Count(of)
	}
	return 0
}
