// Package metrics writes the state of a stack in Prometheus' text format, version
// 0.0.4, and serves it over HTTP on the host's network.
//
// A counter tcp.segments.in becomes weir_tcp_segments_in_total. One that counts
// what was dropped, with the reason at the end of its name, has the reason as a label:
// ip.drop.checksum is weir_ip_drop_total{reason="checksum"}, so that all reasons
// of a layer can be summed and drawn together. What is held at the moment, as in
// held.timers, is a gauge: weir_held_timers. The interface of a link's counter and the
// service of an application's are labels too.
package metrics

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weirnet/weir/stack"
)

// Snapshot is the state to write.
type Snapshot struct {
	Version     string
	Uptime      time.Duration
	Counters    stack.Stats
	Connections []stack.ConnInfo
	More        func(io.Writer) error // writes what else there is, in the same format; may be nil
}

// Write writes the snapshot. The same state gives the same octets.
func Write(w io.Writer, s Snapshot) error {
	b := bufio.NewWriter(w)
	header(b, "weir_build_info", "The running version; always 1.", "gauge")
	fmt.Fprintf(b, "weir_build_info{version=%s} 1\n", quote(s.Version))
	header(b, "weir_uptime_seconds", "How long the stack has run.", "gauge")
	fmt.Fprintf(b, "weir_uptime_seconds %.3f\n", s.Uptime.Seconds())
	writeConnections(b, s.Connections)
	writeCounters(b, s.Counters)
	if s.More != nil {
		if err := s.More(b); err != nil {
			return err
		}
	}
	return b.Flush()
}

// writeConnections counts the connections by protocol and state.
func writeConnections(b *bufio.Writer, conns []stack.ConnInfo) {
	count := map[string]int{}
	for _, c := range conns {
		count[fmt.Sprintf("{protocol=%s,state=%s}", quote(c.Protocol), quote(c.State))]++
	}
	header(b, "weir_connections", "Sockets, by protocol and state.", "gauge")
	for _, labels := range slices.Sorted(maps.Keys(count)) {
		fmt.Fprintf(b, "weir_connections%s %d\n", labels, count[labels])
	}
}

// family is the metrics of one name.
type family struct {
	kind, help string
	samples    []sample
}

// sample is one line of a family.
type sample struct {
	labels string
	value  uint64
}

// writeCounters writes the counters, family by family: the format wants all lines
// of one together under their header.
func writeCounters(b *bufio.Writer, counters stack.Stats) {
	families := map[string]*family{}
	for _, c := range counters {
		name, labels, f := describe(c.Name)
		if families[name] == nil {
			families[name] = &f
		}
		families[name].samples = append(families[name].samples, sample{labels, c.Value})
	}
	for _, name := range slices.Sorted(maps.Keys(families)) {
		f := families[name]
		slices.SortFunc(f.samples, func(a, b sample) int { return strings.Compare(a.labels, b.labels) })
		header(b, name, f.help, f.kind)
		for _, s := range f.samples {
			fmt.Fprintf(b, "%s%s %d\n", name, s.labels, s.value)
		}
	}
}

// describe returns the name, the labels and the family of a counter.
func describe(counter string) (name, labels string, f family) {
	if held, ok := strings.CutPrefix(counter, "held."); ok {
		return "weir_held_" + clean(held), "", family{kind: "gauge", help: "Held at the moment: " + words(held) + "."}
	}
	var pairs []string
	rest := counter
	for layer, label := range owners {
		if owner, own, ok := cutOwner(counter, layer); ok {
			pairs = append(pairs, label+"="+quote(owner))
			rest = layer + own
		}
	}
	help := "Counted since the start: " + words(rest) + "."
	if base, reason, ok := strings.Cut(rest, ".drop."); ok {
		pairs = append(pairs, "reason="+quote(reason))
		rest, help = base+"_drop", "Dropped by "+words(base)+", by reason."
	}
	if pairs != nil {
		labels = "{" + strings.Join(pairs, ",") + "}"
	}
	return "weir_" + clean(rest) + "_total", labels, family{kind: "counter", help: help}
}

// owners are the layers whose counters name what they belong to, and the label that
// it becomes: link.weir0.frames_in is weir_link_frames_in_total{interface="weir0"}.
var owners = map[string]string{"link": "interface", "app": "service"}

// cutOwner cuts a counter of the layer into its owner and the rest. An
// interface's name may have dots in it; the rest begins at ".drop." or at the
// protocol of an application, or is the last word.
func cutOwner(counter, layer string) (owner, rest string, ok bool) {
	s, ok := strings.CutPrefix(counter, layer+".")
	if !ok {
		return "", "", false
	}
	for _, mark := range []string{".tcp.", ".udp.", ".drop."} {
		if at := strings.LastIndex(s, mark); at > 0 {
			return s[:at], s[at:], true
		}
	}
	at := strings.LastIndexByte(s, '.')
	if at <= 0 {
		return "", "", false
	}
	return s[:at], s[at:], true
}

// words makes a counter's name readable.
func words(counter string) string { return strings.Map(blank, counter) }

func blank(r rune) rune {
	switch r {
	case '.', '_', '-', '\n':
		return ' '
	}
	return r
}

func header(b *bufio.Writer, name, help, kind string) {
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// clean replaces what a metric's name may not hold.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, s)
}

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// quote returns s as the value of a label.
func quote(s string) string { return `"` + escape.Replace(s) + `"` }
