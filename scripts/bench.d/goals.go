package main

import "fmt"

// bound is a factor of what another contender reaches, or, of nobody, a figure.
type bound struct {
	factor float64
	of     string
}

// goal is what is to be reached in a test: at least, and as an aim.
type goal struct {
	test, metric string
	least, aim   []bound
	who          []string
}

var (
	bothFaces = []string{"weir", "weir-events"}
	events    = []string{"weir-events"}
)

// goals are those of the project. Where a figure is better when it is lower, "at least" reads "at most".
var goals = []goal{
	{"to1", "value", []bound{{1, "kernel"}}, []bound{{0.9, "ceiling"}}, bothFaces},
	{"to8", "value", []bound{{1.4, "gvisor-best"}, {0.9, "ceiling"}}, []bound{{1, "kernel"}}, bothFaces},
	{"from1", "value", []bound{{1, "kernel"}}, []bound{{0.9, "ceiling"}}, bothFaces},
	{"from8", "value", []bound{{1.4, "gvisor-best"}, {0.9, "ceiling"}}, []bound{{1, "kernel"}}, bothFaces},
	{"to1", "cpu", []bound{{0.6, "gvisor-best"}}, []bound{{1.2, "ceiling"}}, bothFaces},
	{"to8", "cpu", []bound{{0.6, "gvisor-best"}}, []bound{{1.2, "ceiling"}}, bothFaces},
	{"from1", "cpu", []bound{{0.6, "gvisor-best"}}, []bound{{1.2, "ceiling"}}, bothFaces},
	{"from8", "cpu", []bound{{0.6, "gvisor-best"}}, []bound{{1.2, "ceiling"}}, bothFaces},
	{"rr1", "value", []bound{{2, "gvisor-best"}, {1, "kernel"}}, []bound{{0.9, "ceiling"}}, bothFaces},
	{"rr64", "value", []bound{{2, "gvisor-best"}, {1.5, "kernel"}}, []bound{{0.9, "ceiling"}}, bothFaces},
	{"crr16", "value", []bound{{1.2, "kernel"}}, []bound{{0.9, "ceiling"}}, bothFaces},
	{"udpflood", "value", []bound{{2, "kernel"}}, []bound{{0.9, "ceiling"}}, events},
	{"udp128", "value", []bound{{2, "kernel"}}, []bound{{0.9, "ceiling"}}, events},
	{"rr64", "allocs", []bound{{noAllocation, ""}}, nil, events},
	{"udp128", "allocs", []bound{{noAllocation, ""}}, nil, events},
	{"mem100000", "value", []bound{{1024, ""}}, []bound{{600, ""}}, events},
	{"size", "value", []bound{{3.5, ""}}, nil, bothFaces},
	{"start", "value", []bound{{50, ""}}, nil, []string{"weir"}},
}

// noAllocation leaves room for what the runtime itself does now and then.
const noAllocation = 0.01

// verdict is how a goal came out for one contender.
type verdict struct {
	Contender string  `json:"contender"`
	Test      string  `json:"test"`
	Metric    string  `json:"metric"`
	AtLeast   string  `json:"atLeast"` // of a metric that is better when lower: at most
	Reached   string  `json:"reached"`
	Met       bool    `json:"met"`
	Aim       string  `json:"aim,omitempty"`
	AimMet    bool    `json:"aimMet"`
	Value     float64 `json:"value"`
}

// verdicts judges all goals whose tests were run against those they are compared with.
func (r *report) verdicts() (list []verdict) {
	for _, g := range goals {
		x := r.find(g.who[0], g.test)
		m, ok := x.metric(g.metric)
		if !ok {
			continue
		}
		for _, who := range g.who {
			v := verdict{Contender: who, Test: g.test, Metric: g.metric, Met: true, AimMet: len(g.aim) > 0}
			if v.Value, ok = r.median(who, g.test, g.metric); !ok || !r.canJudge(g) {
				continue
			}
			for _, b := range g.least {
				r.judge(&v, m, b, &v.AtLeast, &v.Met, true)
			}
			for _, b := range g.aim {
				r.judge(&v, m, b, &v.Aim, &v.AimMet, r.measured(b.of, g.test))
			}
			list = append(list, v)
		}
	}
	return list
}

// judge holds a figure against one bound, and writes down what was asked and what was reached.
func (r *report) judge(v *verdict, m metric, b bound, asked *string, met *bool, known bool) {
	other, _ := r.median(b.of, v.Test, v.Metric)
	want, reached, ask := b.factor*other, v.Value/other, fmt.Sprintf("%g × %s", b.factor, b.of)
	say := fmt.Sprintf("%.2f × %s", reached, b.of)
	if b.of == "" {
		want, known = b.factor, true
		ask, say = fmt.Sprintf("%s %s", number(b.factor), m.unit), fmt.Sprintf("%s %s", number(v.Value), m.unit)
	}
	*asked = join(*asked, ask)
	if known {
		v.Reached = join(v.Reached, say)
	}
	*met = *met && known && (v.Value >= want) != m.lower || *met && known && v.Value == want
}

func join(a, b string) string {
	if a == "" || a == b {
		return b
	}
	return a + ", " + b
}

// canJudge reports whether all that a goal is measured by was measured.
func (r *report) canJudge(g goal) bool {
	for _, b := range g.least {
		if b.of != "" && !r.measured(b.of, g.test) {
			return false
		}
	}
	return true
}

func (r *report) measured(contender, test string) bool {
	return len(r.find(contender, test).Samples) > 0
}
