package socket

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/weirnet/weir/stack/shard"
)

// row is one line of the table: what is done and what comes of it, in each of its families.
type row struct {
	name     string
	families []int
	do       func(x *box) string
	want     string
}

var (
	all   = []int{4, 6, 46}
	both  = []int{4, 6}
	only4 = []int{4}
	only6 = []int{6}
	onlyM = []int{46}
)

// table is every row, each of which holds on weir and on the kernel.
func table() (rows []row) {
	for _, part := range [][]row{socketRows, addressRows, connectRows, listenRows, transferRows, datagramRows, rawRows, optionRows, waitRows, descriptorRows} {
		rows = append(rows, part...)
	}
	return rows
}

// differs is the rows that weir answers otherwise than Linux, and why.
var differs = map[string]struct{ weir, why string }{}

// config gives weir the kernel's sysctls that show.
func config() Config {
	c := Config{}
	read := func(name string, to *int) {
		b, err := os.ReadFile("/proc/sys/net/core/" + name)
		if err == nil {
			fmt.Sscan(strings.TrimSpace(string(b)), to)
		}
	}
	read("rmem_max", &c.RmemMax)
	read("wmem_max", &c.WmemMax)
	return c
}

func TestErrnoTableOnWeir(t *testing.T) {
	n := 0
	for i, r := range table() {
		for _, f := range r.families {
			n++
			w := newStepped(t, shard.Config{}, config())
			x := &box{calls: w.System, on: "weir", family: f, port: 10000 + 50*i + 10*(f%7), rest: w.settle}
			want := r.want
			if d, ok := differs[r.name]; ok {
				want = d.weir
			}
			if got := x.run(r.do); got != want {
				t.Errorf("%s (%d): %s, want %s", r.name, f, got, want)
			}
			w.System.Close()
			w.pass(0)
		}
	}
	if n < 250 {
		t.Errorf("%d rows, want 250", n)
	}
	t.Logf("%d rows", n)
}

func TestErrnoTableOnLinux(t *testing.T) {
	inNamespace(t, func() {
		n := 0
		for i, r := range table() {
			for _, f := range r.families {
				n++
				k := new(kernel)
				x := &box{calls: k, on: "linux", family: f, port: 10000 + 50*i + 10*(f%7)}
				got := x.run(r.do)
				if got != r.want {
					t.Errorf("%s (%d): %s, want %s", r.name, f, got, r.want)
				}
				k.closeAll()
			}
		}
		t.Logf("%d rows", n)
	})
}

func TestEveryRowHasItsOwnName(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range table() {
		if seen[r.name] {
			t.Errorf("two rows are named %q", r.name)
		}
		seen[r.name] = true
	}
	for name, d := range differs {
		if !seen[name] || d.why == "" {
			t.Errorf("%q differs, but there is no such row, or no reason", name)
		}
	}
}
