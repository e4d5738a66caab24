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

// alone is the rows that want the kernel's ports for themselves, and why: a port that an earlier row's
// connection was given by the kernel is taken for as long as its TIME-WAIT lasts.
var alone = map[string]string{
	"IP_LOCAL_PORT_RANGE: what is chosen": "two ports of those that the kernel gives out have to be free",
	"IP_LOCAL_PORT_RANGE: connect":        "two ports of those that the kernel gives out have to be free",
}

// firstPort is the first of the ports that rows bind by number, and lastPort the last: the next one is the
// first that the kernel gives out itself.
const firstPort, lastPort = 2000, 32767

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
	n, port := 0, firstPort
	for _, r := range table() {
		for _, f := range r.families {
			n++
			w := newStepped(t, shard.Config{}, config())
			x := &box{calls: w.System, on: "weir", family: f, port: port, rest: w.settle}
			want := r.want
			if d, ok := differs[r.name]; ok {
				want = d.weir
			}
			if got := x.run(r.do); got != want {
				t.Errorf("%s (%d): %s, want %s", r.name, f, got, want)
			}
			port = x.port
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
	n, port := 0, firstPort
	do := func(r row, f int) {
		n++
		k := new(kernel)
		defer k.closeAll()
		settle, err := barrier(k)
		if err != nil {
			t.Errorf("%s (%d): make a barrier: %v", r.name, f, err)
			return
		}
		x := &box{calls: k, on: "linux", family: f, port: port, rest: settle}
		if got := x.run(r.do); got != r.want {
			t.Errorf("%s (%d): %s, want %s", r.name, f, got, r.want)
		}
		port = x.port
	}
	inNamespace(t, func() {
		for _, r := range table() {
			for _, f := range r.families {
				if alone[r.name] == "" {
					do(r, f)
				}
			}
		}
	})
	for _, r := range table() {
		for _, f := range r.families {
			if alone[r.name] != "" {
				inNamespace(t, func() { do(r, f) })
			}
		}
	}
	if port > lastPort {
		t.Errorf("the rows bind ports up to %d by number, which the kernel also gives out", port)
	}
	t.Logf("%d rows", n)
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
	for name := range alone {
		if !seen[name] {
			t.Errorf("%q is alone, but there is no such row", name)
		}
	}
}
