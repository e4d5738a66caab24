package stack_test

import (
	"slices"
	"strings"
	"testing"
)

// These tables are the architecture. A path is that of a package from the module's root;
// "x/*" is every package below x, however deep, and "*" every package.

// floors is the house from the ground up. A package imports what stands on lower floors, and
// the packages below its own path; never what is beside or above it.
var floors = [][]string{
	{"stack/clock", "stack/seq", "stack/siphash"},
	{"stack/mem", "stack/wheel", "stack/wire"},
	{"stack/link"},
	{"stack/route", "stack/neigh"},
	{"stack/ip"},
	{"stack/icmp", "stack/udp", "stack/tcp"},
	{"stack/shard"}, // the driver: time and goroutines begin here
	{"stack/netconn"},
	{"stack/event"},
	{"stack/socket"},
	{"stack"},
}

// driver is the lowest package that may start goroutines, block, and read the clock.
const driver = "stack/shard"

// imports says it for the packages that the floors do not, or not narrowly enough: they import
// these and nothing else of the module. The longest path that fits counts.
var imports = map[string][]string{
	"stack/link/*":   {"stack/clock", "stack/mem", "stack/wire", "stack/link", "stack/link/*"},
	"stack/tcp/*":    {"stack/clock", "stack/seq", "stack/siphash", "stack/mem", "stack/wire", "stack/tcp/*"},
	"stack/sim":      upToDriver,
	"stack/sim/*":    upToDriver,
	"stack/script":   append([]string{"stack/socket"}, upToDriver...), // scripts make system calls
	"stack/script/*": upToDriver,
	// A script is read without a stack, so that nothing of it can be asked for while reading.
	"stack/script/ast":    {},
	"stack/script/parse":  {"stack/script/ast"},
	"stack/script/code":   {"stack/script/ast"},
	"stack/socket/kernel": {"stack/socket"},
	// What is told of the results of scripts runs none itself.
	"stack/script/report": {"stack/script"},
	"tun":                 {"tun/*"},
	"tun/*":               {"tun", "tun/*"},
	"apps/*":              {"stack", "stack/event", "apps/*"},
	"cmd/*":               {"*"},
	"scripts/*":           {"*"},
}

// upToDriver is what the packages import that exist to test the machine below the public face.
var upToDriver = []string{
	"stack/clock", "stack/seq", "stack/mem", "stack/wheel", "stack/wire", "stack/link", "stack/link/*",
	"stack/route", "stack/route/*", "stack/neigh", "stack/ip", "stack/icmp", "stack/udp", "stack/tcp", "stack/tcp/*",
	"stack/shard", "stack/sim", "stack/sim/*", "stack/script", "stack/script/*",
}

// testImports is what the test files of one side may not import of the other, for tests
// of both together are the command's.
var testImports = map[string][]string{
	"stack": {"tun", "tun/*", "cmd/*"}, "stack/*": {"tun", "tun/*", "cmd/*"},
	"tun": {"stack", "stack/*", "apps/*", "cmd/*"}, "tun/*": {"stack", "stack/*", "apps/*", "cmd/*"},
}

// modules is which modules of others a package is built with. The command may use any.
var modules = map[string][]string{
	"stack/route": {"github.com/gaissmai/bart"},
	// The kernel's random octets, without crypto/rand's 200 kB.
	"stack/shard": {"golang.org/x/sys"},
	// The kernel's own calls in socket's dress, to hold one against the other.
	"stack/socket/kernel": {"golang.org/x/sys"},
	"tun":                 {"github.com/songgao/water", "github.com/vishvananda/netlink", "github.com/vishvananda/netns", "golang.org/x/sys"},
	"tun/*":               {"github.com/vishvananda/netlink", "github.com/vishvananda/netns", "golang.org/x/sys"},
	// DNS formats stand behind apps/dns/msg; these three read what only the module's own types say.
	"apps/dns/msg":    {"github.com/miekg/dns"},
	"apps/dns/tsig":   {"github.com/miekg/dns"},
	"apps/dns/dnssec": {"github.com/miekg/dns"},
	"apps/dns/zone":   {"github.com/miekg/dns"},
	"cmd/*":           {"*"},
	"scripts/*":       {"*"},
}

// neverLinked is modules that tests and the programs of opponents may use, and no other
// package is built with.
var (
	neverLinked = []string{"gvisor.dev/gvisor"}
	opponents   = []string{"scripts/*"}
)

// Below the driver a package is a function of state, time and input. So these are forbidden
// there, and so are go statements, channels and select.
var (
	forbiddenImports = []string{"net", "net/*", "os", "os/*", "context"}
	allowedImports   = []string{"net/netip"}
	forbiddenNames   = map[string][]string{
		"sync": {"*"},
		"time": {"Now", "Since", "Until", "After", "Sleep", "NewTimer", "NewTicker", "AfterFunc", "Tick"},
	}
)

// allowedNames is the exceptions to forbiddenNames.
var allowedNames = map[string][]string{"stack/mem": {"sync.Pool"}}

// devices is what stands below the driver and may block all the same, because it is the
// other side of a link: whole packages, or files of one whose core may not.
var devices = []string{
	"stack/link/pipe", "stack/link/loopback", "stack/link/pcapng",
	"stack/link/impair/device.go", "stack/link/impair/sender.go",
}

func TestArrowsPointDown(t *testing.T) {
	for _, f := range moduleFiles(t) {
		report(t, checkArrows(f))
	}
}

func TestNothingBelowTheDriverBlocksOrReadsTheClock(t *testing.T) {
	for _, f := range moduleFiles(t) {
		report(t, checkSansIO(f))
	}
}

func TestNoPackageIsBuiltWithWhatOnlyTestsMayUse(t *testing.T) {
	report(t, checkLinked(buildDependencies(t)))
}

func report(t *testing.T, complaints []string) {
	t.Helper()
	for _, c := range complaints {
		t.Error(c)
	}
}

// Each rule is shown to fail: a source that breaks it, and what is said of it.
func TestEveryArrowRuleCanFail(t *testing.T) {
	for _, c := range []struct{ path, imported, want string }{
		// The floors.
		{"stack/clock/x.go", "weir/stack/seq", "not below"},
		{"stack/wire/x.go", "weir/stack/link", "not below"},
		{"stack/mem/x.go", "weir/stack/wheel", "not below"},
		{"stack/link/x.go", "weir/stack/route", "not below"},
		{"stack/route/x.go", "weir/stack/neigh", "not below"},
		{"stack/route/x.go", "weir/stack/ip", "not below"},
		{"stack/route/cidr/x.go", "weir/stack/route", "not below"},
		{"stack/ip/x.go", "weir/stack/icmp", "not below"},
		{"stack/icmp/x.go", "weir/stack/tcp", "not below"},
		{"stack/tcp/x.go", "weir/stack/udp", "not below"},
		{"stack/tcp/x.go", "weir/stack/shard", "not below"},
		{"stack/shard/x.go", "weir/stack/netconn", "not below"},
		{"stack/netconn/x.go", "weir/stack/socket", "not below"},
		{"stack/socket/x.go", "weir/stack", "not below"},
		{"stack/x.go", "weir/stack/sim", "not below"},
		{"stack/x.go", "weir/apps/echo", "not below"},
		{"stack/ip/x.go", "weir/stack/link/pipe", "may block"},
		{"stack/tcp/x.go", "weir/stack/link/impair", "may block"},
		// The packages that have a row of their own.
		{"stack/link/pipe/x.go", "weir/stack/ip", "may not import"},
		{"stack/link/gso/x.go", "weir/stack/wheel", "may not import"},
		{"stack/tcp/reasm/x.go", "weir/stack/tcp", "may not import"},
		{"stack/tcp/cc/x.go", "weir/stack/ip", "may not import"},
		{"stack/sim/x.go", "weir/stack", "may not import"},
		{"stack/script/ast/x.go", "weir/stack/wire", "may not import"},
		{"stack/script/parse/x.go", "weir/stack/script", "may not import"},
		{"stack/script/code/x.go", "weir/stack/tcp", "may not import"},
		{"stack/x.go", "weir/tun", "not below"},
		{"tun/x.go", "weir/stack", "may not import"},
		{"tun/x.go", "weir/stack/link", "may not import"},
		{"apps/echo/x.go", "weir/stack/netconn", "may not import"},
		{"apps/echo/x.go", "weir/tun", "may not import"},
		{"apps/echo/x.go", "weir/cmd/weir/internal/node", "may not import"},
		{"stack/new/x.go", "fmt", "no floor"},
		// Test files.
		{"stack/x_test.go", "weir/tun", "tests of"},
		{"stack/tcp/x_test.go", "weir/tun", "tests of"},
		{"tun/x_test.go", "weir/stack/link", "tests of"},
		// Modules of others.
		{"stack/wire/x.go", "github.com/gaissmai/bart", "is not built with"},
		{"stack/x.go", "gvisor.dev/gvisor/pkg/tcpip", "is not built with"},
		{"cmd/weir/x.go", "gvisor.dev/gvisor/pkg/tcpip", "is not built with"},
		{"apps/echo/x.go", "golang.org/x/sys/unix", "is not built with"},
	} {
		imported := strings.Replace(c.imported, "weir/", module+"/", 1)
		got := checkArrows(parseSource(t, c.path, "package x\nimport _ \""+imported+"\"\n"))
		if len(got) != 1 || !strings.Contains(got[0], c.want) || !strings.Contains(got[0], c.path) {
			t.Errorf("%s importing %s: %q, want one complaint with %q", c.path, imported, got, c.want)
		}
	}
}

func TestArrowRulesAllowWhatTheHouseNeeds(t *testing.T) {
	for _, c := range []struct{ path, imported string }{
		{"stack/wheel/x.go", "weir/stack/clock"}, {"stack/ip/x.go", "weir/stack/route/cidr"},
		{"stack/route/x.go", "weir/stack/route/cidr"}, {"stack/route/x.go", "github.com/gaissmai/bart"},
		{"stack/tcp/x.go", "weir/stack/tcp/cc"}, {"stack/tcp/reasm/x.go", "weir/stack/tcp/stream"},
		{"stack/ip/x.go", "weir/stack/link/gso"}, {"stack/shard/x.go", "weir/stack/link/pipe"},
		{"stack/sim/x.go", "weir/stack/shard"}, {"stack/sim/x.go", "weir/stack/link/impair"},
		{"apps/echo/x.go", "weir/stack"}, {"apps/echo/x.go", "net"}, {"cmd/weir/x.go", "weir/tun"},
		{"cmd/weir/x.go", "github.com/spf13/cobra"}, {"tun/x.go", "golang.org/x/sys/unix"},
		{"stack/tcp/x_test.go", "weir/stack/sim"}, {"stack/x_test.go", "gvisor.dev/gvisor/pkg/tcpip"},
		{"cmd/weir/x_test.go", "weir/tun"},
	} {
		imported := strings.Replace(c.imported, "weir/", module+"/", 1)
		for _, complaint := range checkArrows(parseSource(t, c.path, "package x\nimport _ \""+imported+"\"\n")) {
			t.Error(complaint)
		}
	}
}

func TestEverySansIORuleCanFail(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{`func f() { go f() }`, "go statement"},
		{`var c = make(chan int)`, "channel type"},
		{`type t struct{ c <-chan int }`, "channel type"},
		{`func f(c T) { c <- 1 }`, "send"},
		{`func f(c T) { <-c }`, "receive"},
		{`func f() { select {} }`, "select"},
		{`import "sync"; var m sync.Mutex`, "sync.Mutex"},
		{`import "sync"; var m struct{ sync.RWMutex }`, "sync.RWMutex"},
		{`import "sync"; var c = sync.NewCond(nil)`, "sync.NewCond"},
		{`import "sync"; var w sync.WaitGroup`, "sync.WaitGroup"},
		{`import "sync"; var o sync.Once`, "sync.Once"},
		{`import s "sync"; var p s.Pool`, "sync.Pool"},
		{`import "time"; var t = time.Now()`, "time.Now"},
		{`import "time"; var now = time.Now`, "time.Now"},
		{`import "time"; var t = time.Since(x)`, "time.Since"},
		{`import "time"; var t = time.Until(x)`, "time.Until"},
		{`import "time"; var t = time.After(1)`, "time.After"},
		{`import "time"; func f() { time.Sleep(1) }`, "time.Sleep"},
		{`import "time"; var t = time.NewTimer(1)`, "time.NewTimer"},
		{`import "time"; var t = time.NewTicker(1)`, "time.NewTicker"},
		{`import "time"; var t = time.AfterFunc(1, nil)`, "time.AfterFunc"},
		{`import wall "time"; var t = wall.Tick(1)`, "time.Tick"},
		{`import . "time"; var t = Now()`, "dot import"},
		{`import "net"`, `"net"`},
		{`import "net/http"`, `"net/http"`},
		{`import "os"`, `"os"`},
		{`import "os/signal"`, `"os/signal"`},
		{`import "context"`, `"context"`},
	} {
		for _, path := range []string{"stack/tcp/x.go", "stack/tcp/cc/x.go", "stack/clock/x.go", "stack/link/x.go", "stack/link/impair/x.go"} {
			got := checkSansIO(parseSource(t, path, "package x; "+c.source))
			if len(got) != 1 || !strings.Contains(got[0], c.want) || !strings.Contains(got[0], path+":1:") {
				t.Errorf("%s: %s: %q, want one complaint with %q", path, c.source, got, c.want)
			}
		}
		for _, path := range []string{"stack/shard/x.go", "stack/link/pipe/x.go", "stack/link/impair/device.go", "stack/tcp/x_test.go", "tun/x.go"} {
			for _, complaint := range checkSansIO(parseSource(t, path, "package x; "+c.source)) {
				t.Errorf("not below the driver: %s", complaint)
			}
		}
	}
}

func TestSansIORulesAllowWhatAStateMachineNeeds(t *testing.T) {
	for _, c := range []struct{ path, source string }{
		{"stack/mem/x.go", `import "sync"; var p sync.Pool`},
		{"stack/tcp/x.go", `import "sync/atomic"; var n atomic.Uint64`},
		{"stack/tcp/x.go", `import "time"; const d = 40 * time.Millisecond; type t time.Duration`},
		{"stack/tcp/x.go", `import "net/netip"; import "syscall"; var a netip.Addr; var e syscall.Errno`},
		{"stack/tcp/x.go", `type time struct{ Now int }; func f(t time) int { return t.Now }`},
	} {
		for _, complaint := range checkSansIO(parseSource(t, c.path, "package x; "+c.source)) {
			t.Error(complaint)
		}
	}
}

func TestLinkingWhatOnlyTestsMayUseIsNoticed(t *testing.T) {
	if got := checkLinked([]string{"fmt", module + "/stack", "gvisor.dev/gvisor/pkg/tcpip"}); len(got) != 1 {
		t.Errorf("complaints: %q, want one", got)
	}
	if got := checkLinked([]string{"fmt", module + "/stack"}); len(got) != 0 {
		t.Errorf("complaints: %q, want none", got)
	}
}

// The tests above would all pass over an empty list of files.
func TestTheWholeModuleIsLookedAt(t *testing.T) {
	files := moduleFiles(t)
	for _, want := range []string{"stack/clock/clock.go", "stack/seq/seq.go", "stack/arrows_test.go"} {
		if !slices.ContainsFunc(files, func(f *source) bool { return f.path == want }) {
			t.Errorf("%s was not found among %d files", want, len(files))
		}
	}
	if !slices.Contains(buildDependencies(t), module+"/stack/clock") {
		t.Error("go list does not name stack/clock")
	}
}
