package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == childArg { // a client process of a scenario
		main()
		return
	}
	os.Exit(m.Run())
}

// small is every scenario at a scale for tests.
func small() *options {
	return &options{
		connections: 2000, hold: 300 * time.Millisecond, idle: 50 * time.Millisecond,
		kernel: 300, perProcess: 120, sizeGB: 0.05, streams: 3, queues: 2,
	}
}

// What stands and what came back is counted by the scenarios themselves, which fail where it is less.
func TestEveryScenarioWorksAtASmallScale(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if s.name != "idle" && os.Getuid() != 0 && os.Getenv("CI") != "true" {
				t.Skip("no network namespace without root")
			}
			r, err := s.run(t.Context(), small(), t.Logf)
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range r.Rows {
				t.Logf("%s: %.6g %s", row.What, row.Value, row.Unit)
			}
			if want := map[string]float64{"idle": 2000, "kernel": 300, "echo": 3 * 63 * piece}[s.name]; r.Rows[0].Value != want {
				t.Errorf("%s: %v, want %v", r.Rows[0].What, r.Rows[0].Value, want)
			}
		})
	}
}

// Every kind of damage is found: a bit, a piece moved within a stream, and one of another stream.
func TestDamageIsFound(t *testing.T) {
	b := make([]byte, 4096)
	fill(b, 3, 1<<30)
	if err := verify(b, 3, 1<<30); err != nil {
		t.Fatal(err)
	}
	if verify(b, 2, 1<<30) == nil || verify(b, 3, 1<<30+4096) == nil || verify(b, 3, 1<<30+8) == nil {
		t.Error("a stream passes for another, or a place for another")
	}
	for _, bit := range []int{0, 77, len(b)*8 - 1} {
		b[bit/8] ^= 1 << (bit % 8)
		if verify(b, 3, 1<<30) == nil {
			t.Errorf("bit %d turned over is not found", bit)
		}
		b[bit/8] ^= 1 << (bit % 8)
	}
}

func TestScenariosAreNamedAndWrittenAsJSON(t *testing.T) {
	if err := run(t.Context(), []string{"dance"}); err == nil || !strings.Contains(err.Error(), `"dance"`) {
		t.Errorf("an unknown scenario: %v", err)
	}
	file := filepath.Join(t.TempDir(), "out.json")
	err := run(t.Context(), strings.Fields(fmt.Sprintf("idle --connections 50 --hold 20ms --idle 1ms --json %s", file)))
	b, rerr := os.ReadFile(file)
	if err != nil || rerr != nil || !strings.Contains(string(b), `"scenario": "idle"`) {
		t.Errorf("%v, %v: %s", err, rerr, b)
	}
}
