package main

import (
	"slices"
	"strings"
	"testing"
)

// someReport has one sample for each contender, by test.
func someReport(t *testing.T, figures map[string]map[string]sample) *report {
	t.Helper()
	o := &options{rounds: 1, seconds: 1}
	if err := o.choose(allContenders, allTests); err != nil {
		t.Fatal(err)
	}
	r := newReport(o)
	for name, samples := range figures {
		test, err := parseTest(name)
		if err != nil {
			t.Fatal(err)
		}
		for who, s := range samples {
			r.add(contenderByName(who), test, s)
		}
	}
	return r
}

func TestEveryGoalIsAboutATestAndAContenderThatExist(t *testing.T) {
	tests := strings.Split(allTests, ",")
	for _, g := range goals {
		if !slices.Contains(tests, g.test) {
			t.Errorf("the goal for %s is about no test", g.test)
		}
		x := someReport(t, nil).find(g.who[0], g.test)
		if _, ok := x.metric(g.metric); !ok {
			t.Errorf("the goal for %s is about no metric %q", g.test, g.metric)
		}
		for _, b := range slices.Concat(g.least, g.aim) {
			if b.of != "" && contenderByName(b.of) == nil {
				t.Errorf("the goal for %s is held against nobody: %q", g.test, b.of)
			}
		}
	}
}

func TestAGoalIsMetWhereEachBoundIsReached(t *testing.T) {
	for _, c := range []struct {
		name         string
		weir, cpu    float64
		met, cpuMet  bool
		aim, reached string
	}{
		{"short of one bound", 89, 0.5, false, true, "1 × kernel", "1.78 × gvisor-best, 0.89 × ceiling, 0.74 × kernel"},
		{"exactly", 90, 0.6, true, true, "1 × kernel", "1.80 × gvisor-best, 0.90 × ceiling, 0.75 × kernel"},
		{"costs too much", 200, 0.61, true, false, "1 × kernel", "4.00 × gvisor-best, 2.00 × ceiling, 1.67 × kernel"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := someReport(t, map[string]map[string]sample{"to8": {
				"weir": {"value": c.weir, "cpu": c.cpu}, "gvisor-best": {"value": 50, "cpu": 1},
				"ceiling": {"value": 100, "cpu": 0.5}, "kernel": {"value": 120},
			}})
			list := r.verdicts()
			if len(list) != 2 {
				t.Fatalf("%d goals were judged, not weir's two: %+v", len(list), list)
			}
			if v := list[0]; v.Met != c.met || v.Aim != c.aim || v.Reached != c.reached {
				t.Errorf("throughput: %+v", v)
			}
			if v := list[1]; v.Met != c.cpuMet {
				t.Errorf("processor time: %+v", v)
			}
		})
	}
}

func TestMedianLeastAndMost(t *testing.T) {
	r := someReport(t, nil)
	rr, _ := parseTest("rr1")
	for _, v := range []float64{7, 1, 4, 2} {
		r.add(contenderByName("weir"), rr, sample{"value": v})
	}
	median, least, most, ok := r.find("weir", "rr1").spread("value")
	if median != 3 || least != 1 || most != 7 || !ok {
		t.Errorf("median %v, least %v, most %v, %v", median, least, most, ok)
	}
	if _, _, _, ok := r.find("kernel", "rr1").spread("cpu"); ok {
		t.Error("a kernel has processor time")
	}
}

func TestSamplesThatLackAMetricDoNotCount(t *testing.T) {
	r := someReport(t, map[string]map[string]sample{"to8": {"weir": {"value": 4}}})
	to8, _ := parseTest("to8")
	r.add(contenderByName("weir"), to8, sample{callsKey: 7})
	if median, least, _, ok := r.find("weir", "to8").spread("value"); median != 4 || least != 4 || !ok {
		t.Errorf("median %v, least %v, %v", median, least, ok)
	}
	if _, _, _, ok := r.find("weir", "to8").spread("cpu"); ok {
		t.Error("there is a figure that nobody measured")
	}
}

func TestSharesOfAProfile(t *testing.T) {
	s, err := shares(`File: bench
Type: cpu
Duration: 1.26s, Total samples = 1.22s (97.02%)
Showing nodes accounting for 1220000us, 100% of 1220000us total
      flat  flat%   sum%        cum   cum%
  600000us 60.00% 60.00%   600000us 60.00%  internal/runtime/syscall/linux.Syscall6
  100000us 10.00% 70.00%   100000us 10.00%  runtime.futex
  200000us 20.00% 90.00%   200000us 20.00%  runtime.memmove
   50000us  5.00% 95.00%    50000us  5.00%  runtime.nanotime (inline)
   50000us  5.00%   100%    50000us  5.00%  example.org/a/b.(*T[go.shape.int]).Get (inline)
         0     0%   100%    50000us  5.00%  main.main
`)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]float64{"inKernel": 70, "copying": 20, "scheduling": 5, "itself": 5} {
		if s[key] != want {
			t.Errorf("%s is %v %%, want %v", key, s[key], want)
		}
	}
	if _, err := shares("Showing nodes"); err == nil {
		t.Error("an empty profile has shares")
	}
}
