package server

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// WritePrometheus writes the snapshot in Prometheus' text format, version 0.0.4. The same snapshot gives the same
// octets. All names begin with weir_dns_.
func (s *Snapshot) WritePrometheus(w io.Writer) error {
	b := bufio.NewWriter(w)
	p := promWriter{b}
	p.queries(s.Queries)
	p.labelled("weir_dns_messages_total", "Messages that are no responses, by opcode.", "opcode", s.Opcodes)
	p.labelled("weir_dns_answers_total", "Answers, by rcode.", "rcode", s.Answers)
	p.labelled("weir_dns_drop_total", "Not answered, by reason.", "reason", s.Dropped)
	p.single("weir_dns_answers_direct_total", "Answers given in the receive path.", "counter", s.Direct)
	p.single("weir_dns_answers_truncated_total", "Answers that were truncated.", "counter", s.Truncated)
	p.single("weir_dns_answers_slipped_total", "Answers that were truncated for the rate limit.", "counter", s.Slipped)
	p.single("weir_dns_answers_badcookie_total", "Answers that asked for a cookie.", "counter", s.BadCookie)
	p.single("weir_dns_queries_proven_total", "Queries with a valid cookie.", "counter", s.Proven)
	p.single("weir_dns_connections_accepted_total", "Connections accepted.", "counter", s.Accepted)
	p.single("weir_dns_connections", "Connections that are open.", "gauge", uint64(s.Connections))
	p.single("weir_dns_busy", "Queries that handlers are at.", "gauge", uint64(s.Busy))
	p.single("weir_dns_cache_hits_total", "Looks into the cache that found what was wanted; a question takes several.", "counter", s.CacheHits)
	p.single("weir_dns_cache_misses_total", "Looks into the cache that did not.", "counter", s.CacheMisses)
	p.header("weir_dns_cache_hit_ratio", "Which part of the looks into the cache found what was wanted.", "gauge")
	fmt.Fprintf(b, "weir_dns_cache_hit_ratio %.6f\n", s.HitRatio())
	p.histogram(&s.Latency)
	return b.Flush()
}

// WriteCounters writes counters that each calls f with, no name twice, in the same format: one of the name a.b is
// weir_dns_a_b_total; one whose name ends in octets is what is held at the moment, and a gauge.
func WriteCounters(w io.Writer, each func(f func(name string, value uint64))) error {
	b := bufio.NewWriter(w)
	p := promWriter{b}
	each(func(name string, v uint64) {
		metric := "weir_dns_" + strings.NewReplacer(".", "_", "-", "_").Replace(name)
		if strings.HasSuffix(name, "octets") {
			p.single(metric, name+", at the moment.", "gauge", v)
		} else {
			p.single(metric+"_total", name+", since the start.", "counter", v)
		}
	})
	return b.Flush()
}

type promWriter struct{ *bufio.Writer }

func (p promWriter) header(name, help, kind string) {
	fmt.Fprintf(p, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (p promWriter) single(name, help, kind string, v uint64) {
	p.header(name, help, kind)
	fmt.Fprintf(p, "%s %d\n", name, v)
}

func (p promWriter) labelled(name, help, label string, values map[string]uint64) {
	p.header(name, help, "counter")
	for _, key := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(p, "%s{%s=%q} %d\n", name, label, strings.ToLower(key), values[key])
	}
}

func (p promWriter) queries(m map[QueryKey]uint64) {
	var lines []string
	for k, v := range m {
		family := "ipv4"
		if k.IPv6 {
			family = "ipv6"
		}
		lines = append(lines, fmt.Sprintf("weir_dns_queries_total{type=%q,transport=%q,family=%q} %d\n", k.Type, k.Transport, family, v))
	}
	slices.Sort(lines)
	p.header("weir_dns_queries_total", "Queries, by type, transport and family.", "counter")
	for _, l := range lines {
		p.WriteString(l)
	}
}

func (p promWriter) histogram(h *Histogram) {
	const name = "weir_dns_latency_seconds"
	p.header(name, "From when a query was read until its answer was sent.", "histogram")
	var sum uint64
	for i, b := range h.Bounds {
		sum += h.Counts[i]
		fmt.Fprintf(p, "%s_bucket{le=%q} %d\n", name, strconv.FormatFloat(b.Seconds(), 'g', -1, 64), sum)
	}
	fmt.Fprintf(p, "%s_bucket{le=\"+Inf\"} %d\n%s_sum %g\n%s_count %d\n", name, h.Count(), name, h.Sum.Seconds(), name, h.Count())
}

// Each calls f with the name and value of each counter, in the order of the names, as serve.Counters does.
func (s *Snapshot) Each(f func(name string, value uint64)) {
	all := map[string]uint64{
		"answers": s.Answered(), "answers_direct": s.Direct, "answers_truncated": s.Truncated, "answers_slipped": s.Slipped,
		"queries": s.Total(), "queries_proven": s.Proven, "tcp.accepted": s.Accepted,
		"cache_hits": s.CacheHits, "cache_misses": s.CacheMisses,
	}
	for k, v := range s.Queries {
		all["queries_"+strings.ToLower(k.Type)] += v
	}
	for k, v := range s.Answers {
		all["answers_"+strings.ToLower(k)] += v
	}
	for k, v := range s.Dropped {
		all["drop."+k] = v
	}
	for _, k := range slices.Sorted(maps.Keys(all)) {
		f(k, all[k])
	}
}
