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
