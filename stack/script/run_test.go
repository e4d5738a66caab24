package script

import (
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/script/ast"
)

// handshake is the beginning of most scripts here.
const handshake = `
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 bind(3, ..., ...) = 0
   +0 listen(3, 1) = 0
   +0 < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop,nop,wscale 7>
   +0 > S. 0:0(0) ack 1 <...>
  +.1 < . 1:1(0) ack 1 win 257
   +0 accept(3, ..., ...) = 4
`

func run(t *testing.T, src string, o Options) *Result {
	t.Helper()
	return RunSource("script.pkt", []byte(src), o)
}

func mustPass(t *testing.T, src string, o Options) *Result {
	t.Helper()
	r := run(t, src, o)
	if r.Outcome != Pass {
		t.Errorf("%v", r)
	}
	return r
}

func mustSkip(t *testing.T, src, reason string) {
	t.Helper()
	if r := run(t, src, Options{}); r.Outcome != Skip || r.Reason != reason {
		t.Errorf("want a skip because it %s\n%v", reason, r)
	}
}

func TestHoursOfVirtualTimeTakeNoTime(t *testing.T) {
	r := RunFile("testdata/waiting.pkt", Options{})
	if r.Outcome != Pass || r.Virtual < 6000*time.Second || r.Real > r.Virtual/10 { // minutes are for a machine that is busy
		t.Errorf("%v virtual, %v real: %v", r.Virtual, r.Real, r)
	}
}

func TestRunsAreEqual(t *testing.T) {
	src := handshake + "+0 write(4, ..., 3000) = 3000\n+0 > P. 1:3001(2999) ack 1\n"
	src = strings.Replace(src, "(2999)", "(3000)", 1) + "+.5 > P. 1:2(1) ack 1\n"
	first := run(t, src, Options{})
	if first.Outcome != Fail {
		t.Fatalf("%v", first)
	}
	for range 5 {
		if again := run(t, src, Options{}); again.String() != first.String() {
			t.Fatalf("first:\n%v\nthen:\n%v", first, again)
		}
	}
}

func TestAFailureTellsAllThatWasAskedFor(t *testing.T) {
	r := run(t, handshake+"+0 write(4, ..., 1000) = 1000\n+0 > P. 1:1001(1000) ack 9\n", Options{})
	f := r.Failure
	if f == nil {
		t.Fatalf("%v", r)
	}
	if f.Line != 10 || f.Source != "+0 > P. 1:1001(1000) ack 9" || f.Message != "acknowledgment 1, not 9" ||
		f.Expected != "> P. 1:1001(1000) ack 9" || f.Got != "> P. 1:1001(1000) ack 1 win 16384" {
		t.Errorf("%+v", f)
	}
	want := []string{
		"0.000000 < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop,nop,wscale 7>",
		"0.100000 < . 1:1(0) ack 1 win 257",
		"0.100000 > P. 1:1001(1000) ack 1 win 16384",
	}
	for _, w := range want {
		if !slices.Contains(f.Around, w) {
			t.Errorf("no %q among the packets %q", w, f.Around)
		}
	}
	if len(f.State) != 2 || !strings.HasPrefix(f.State[0], "tcp ESTABLISHED 192.168.0.1:8080 > 192.0.2.1:40001 ") {
		t.Errorf("state %q", f.State)
	}
	var back Result
	b, err := json.Marshal(r)
	if err == nil {
		err = json.Unmarshal(b, &back)
	}
	if err != nil || back.Outcome != Fail || back.Failure.Message != f.Message {
		t.Errorf("%v: %s", err, b)
	}
}

func TestRelaxedPSHIsCountedApart(t *testing.T) {
	src := handshake + "+0 write(4, ..., 1000) = 1000\n+0 > . 1:1001(1000) ack 1\n"
	if r := run(t, src, Options{}); r.Outcome != Fail {
		t.Errorf("%v", r)
	}
	r := mustPass(t, src, Options{RelaxedPSH: true})
	if s := Summarize([]*Result{r}); r.RelaxedPSH != 1 || s.RelaxedPSH != 1 || !strings.Contains(s.String(), "1 pass only with PSH not compared") {
		t.Errorf("%d, %v", r.RelaxedPSH, s)
	}
	bad := strings.Replace(src, ". 1:1001(1000) ack 1", "F. 1:1001(1000) ack 1", 1)
	if r := run(t, bad, Options{RelaxedPSH: true}); r.Outcome != Fail || r.RelaxedPSH != 0 {
		t.Errorf("%v", r)
	}
}

// What the device cuts is judged as the segments that it makes.
func TestOneLargePacketMatchesSeveral(t *testing.T) {
	src := handshake + "+0 write(4, ..., 5000) = 5000\n+0 > . 1:2001(2000) ack 1\n+0 > . 2001:3001(1000) ack 1\n+0 > P. 3001:5001(2000) ack 1\n"
	mustPass(t, src, Options{})
	mustPass(t, src, Options{Offload: true})
	whole := handshake + "+0 write(4, ..., 5000) = 5000\n+0 > P. 1:5001(5000) ack 1\n"
	mustPass(t, whole, Options{Offload: true, StrictSegments: true})
	if r := run(t, whole, Options{StrictSegments: true}); r.Outcome != Fail {
		t.Errorf("without offload: %v", r)
	}
	if r := run(t, src, Options{Offload: true, StrictSegments: true}); r.Outcome != Fail {
		t.Errorf("strict: %v", r)
	}
}

func TestRulesHoldWithOffload(t *testing.T) {
	files, _ := filepath.Glob("testdata/rules/*.pass.pkt")
	for _, f := range files {
		if strings.Contains(f, "strict") {
			continue
		}
		if r := RunFile(f, Options{Offload: true}); r.Outcome != Pass {
			t.Errorf("%v", r)
		}
	}
}

func TestNonFatalDifferencesAreWarnings(t *testing.T) {
	src := handshake + "+0 write(4, ..., 1000) = 999\n+0 > P. 1:1001(1000) ack 7\n+0 listen(99, 1) = 0\n"
	r := mustPass(t, "--non_fatal=\"packet,syscall\"\n"+src, Options{})
	if len(r.Warnings) != 3 || !strings.Contains(r.Warnings[1], "acknowledgment 1, not 7") {
		t.Errorf("%q", r.Warnings)
	}
	if r := run(t, "--non_fatal=packet\n"+src, Options{}); r.Outcome != Fail {
		t.Errorf("%v", r)
	}
}

func TestDefines(t *testing.T) {
	src := handshake + "+0 write(4, ..., SIZE) = SIZE\n+0 > P. 1:1001(1000) ack 1\n"
	mustPass(t, src, Options{Defines: map[string]ast.Expr{"SIZE": &ast.Int{Value: 1000}}})
	mustSkip(t, src, "uses the constant SIZE, which weir does not have")
}

func TestTwoConnections(t *testing.T) {
	one := strings.Replace(handshake, "listen(3, 1)", "listen(3, 5)", 1)
	two := "+0 < 5000 > 8080 S 100:100(0) win 32792 <mss 1000>\n+0 > 8080 > 5000 S. 0:0(0) ack 101 <...>\n" +
		"+.1 < 5000 > 8080 . 1:1(0) ack 1 win 257\n+0 accept(3, ..., ...) = 5\n" +
		"+0 write(5, ..., 10) = 10\n+0 > 8080 > 5000 P. 1:11(10) ack 1\n"
	mustPass(t, one+two, Options{})
	client := "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 6\n+0...0.1 connect(6, ..., ...) = 0\n+0 > S 0:0(0) <...>\n" +
		"+.1 < S. 900:900(0) ack 1 win 1000 <mss 1000>\n+0 > . 1:1(0) ack 1\n"
	mustPass(t, one+client, Options{})
}

func TestTCPDropAborts(t *testing.T) {
	src := handshake + "+0 `tcpdrop 192.168.0.1 8080 192.0.2.1 5555`\n+0 > R. 1:1(0) ack 1\n+0 read(4, ..., 10) = -1 ECONNABORTED (aborted)\n"
	r := run(t, src, Options{Profile: "weir"})
	if r.Outcome == Invalid || r.Outcome == Skip || r.Failure != nil && strings.Contains(r.Failure.Message, "tcpdrop") {
		t.Errorf("%v", r)
	}
}

func TestSuite(t *testing.T) {
	dir := t.TempDir()
	write := func(name, src string) {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(src), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	write("b/1.pkt", handshake)
	write("a.pkt", "0 `iptables -L`\n")
	write("b/c/2.pkt", handshake+"+0 listen(99, 1) = 0\n")
	write("b/c/3.pkt", "nonsense\n")
	write("b/notes.txt", "no script")
	var done []string
	results, err := RunPaths([]string{dir, filepath.Join(dir, "b/1.pkt")}, SuiteOptions{Parallel: 3, Done: func(r *Result) { done = append(done, r.File) }})
	if err != nil || len(done) != 5 {
		t.Fatalf("%v, %q", err, done)
	}
	var got []string
	for _, r := range results {
		got = append(got, strings.TrimPrefix(r.File, dir+"/")+" "+r.Outcome.String())
	}
	if want := []string{"a.pkt skip", "b/1.pkt pass", "b/c/2.pkt fail", "b/c/3.pkt invalid", "b/1.pkt pass"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	s := Summarize(results)
	if s.Pass != 2 || s.Fail != 1 || s.Skip != 1 || s.Invalid != 1 || s.Reasons[0] != (ReasonCount{Skip, "needs the command iptables", 1}) {
		t.Errorf("%+v", s)
	}
	if b, err := JSON(results); err != nil || !json.Valid(b) || !strings.Contains(string(b), `"outcome": "skip"`) {
		t.Errorf("%v: %s", err, b)
	}
	if _, err := RunPaths([]string{dir + "/none"}, SuiteOptions{}); err == nil {
		t.Error("a path that is not there is no error")
	}
}

// A backend of someone else's is used as the interface says.
func TestOtherBackends(t *testing.T) {
	var asked Network
	o := Options{Profile: "freebsd", Offload: true, Backend: func(n Network) (Backend, error) {
		asked = n
		return nil, errors.New("no such thing")
	}}
	r := run(t, "--mtu=1280\n0 `true`\n", o)
	want := Network{Profile: "freebsd", Local: netip.MustParsePrefix("192.168.0.1/16"), Remote: netip.MustParseAddr("192.0.2.1"), MTU: 1280, Offload: true}
	if asked != want || r.Outcome != Fail || !strings.Contains(r.Reason, "no such thing") {
		t.Errorf("%+v: %v", asked, r)
	}
}

// broken is a backend whose stack has a bug.
type broken struct{ Backend }

func (broken) Inject([]byte, int) error { panic("segment arithmetic") }

func TestAPanicOfTheStackIsAFailure(t *testing.T) {
	o := Options{Backend: func(n Network) (Backend, error) {
		b, err := NewWeir(n)
		return broken{b}, err
	}}
	r := run(t, handshake, o)
	if r.Outcome != Fail || r.Reason != "the stack panicked: segment arithmetic" || r.Failure.Line != 5 || len(r.Failure.State) == 0 {
		t.Errorf("%v", r)
	}
}

func TestAConnectionMayBeReborn(t *testing.T) {
	src := strings.Replace(handshake, "listen(3, 1)", "listen(3, 5)", 1) + "+0 close(4) = 0\n+0 > F. 1:1(0) ack 1\n+0 < F. 1:1(0) ack 2 win 257\n+0 > . 2:2(0) ack 2\n" +
		"+.1 < S 100000:100000(0) win 1000 <mss 1000>\n+0 > S. 0:0(0) ack 100001 <mss 1460>\n+0 < . 1:1(0) ack 1 win 1000\n" +
		"+0 accept(3, ..., ...) = 4\n+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n"
	mustPass(t, src, Options{})
	// A SYN in the window of a living connection is answered by that, with its own numbers.
	mustPass(t, handshake+"+0 < S 100:100(0) win 1000\n+0 > . 1:1(0) ack 1\n+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n", Options{})
}

func TestATimerThatIsDueForEverIsAFailure(t *testing.T) {
	b, err := NewWeir(Network{Profile: "weir", Local: netip.MustParsePrefix("192.168.0.1/16"), MTU: 1500})
	if err != nil {
		t.Fatal(err)
	}
	w := b.(*weir)
	defer func() {
		if p, ok := recover().(string); !ok || !strings.Contains(p, "due for ever") {
			t.Errorf("%v", p)
		}
	}()
	w.tasks = append(w.tasks, &task{
		resume: func() (struct{}, bool) { return struct{}{}, true }, ready: func() bool { return false },
		deadline: w.clock.Now() + 1, pending: &Pending{},
	})
	w.tasks[0].resume = func() (struct{}, bool) { w.tasks[0].deadline++; return struct{}{}, true }
	w.Wait(time.Second, func() bool { return false })
	t.Error("a second has passed")
}

// With --mss a large packet in is one that the device put together, of segments which are counted.
func TestPacketsInMayBeSuperSegments(t *testing.T) {
	src := handshake + "+0 < . 1:10001(10000) ack 1 win 257\n* > . 1:1(0) ack 10001\n+0 %{ assert tcpi_data_segs_in == SEGMENTS }%\n"
	mustPass(t, "--mss=1000\n"+strings.Replace(src, "SEGMENTS", "10", 1), Options{})
	mustPass(t, strings.Replace(src, "SEGMENTS", "1", 1), Options{})
	if r := run(t, "--mss=0\n"+src, Options{}); r.Outcome != Invalid {
		t.Errorf("%v", r)
	}
}
