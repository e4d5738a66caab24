package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const scriptHandshake = `    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 bind(3, ..., ...) = 0
   +0 listen(3, 1) = 0
   +0 < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop,nop,wscale 7>
   +0 > S. 0:0(0) ack 1 <...>
  +.1 < . 1:1(0) ack 1 win 257
   +0 accept(3, ..., ...) = 4
`

// scripts writes scripts into a directory of their own: one that passes, fails, is skipped and is invalid.
func scripts(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, src := range map[string]string{
		"pass":    scriptHandshake,
		"fail":    scriptHandshake + "+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 7\n",
		"skip":    "0 `iptables -L`\n",
		"invalid": "nonsense\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name+".pkt"), []byte(src), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestScriptThatCannotRunSaysSoInOneLine(t *testing.T) {
	dir := scripts(t)
	for _, tt := range []struct{ line, want string }{
		{"script", "needs a FILE or a DIR"},
		{"script --colour x", "unknown flag: --colour (see weir script --help)"},
		{"script --tolerance soon x", "invalid argument \"soon\" for \"--tolerance\""},
		{"script --tolerance -1s " + dir, "--tolerance -1s: must not be negative"},
		{"script --path straight " + dir, "--path straight: must be merged, plain or both"},
		{"script --against freebsd " + dir, "--against freebsd: must be weir or kernel"},
		{"script --profile solaris " + dir, "--profile solaris: must be weir, linux"},
		{"script --family ipx " + dir, "--family ipx: must be ipv4, ipv6 or ipv4-mapped-ipv6"},
		{"script -j -1 " + dir, "-j -1: must be 0 or more"},
		{"script " + dir + "/none", "find scripts: stat " + dir + "/none: no such file or directory"},
		{"script " + t.TempDir(), "no *.pkt below"},
	} {
		stdout, stderr, status := weir(t, strings.Fields(tt.line)...)
		if status != 126 || stdout != "" || !strings.Contains(stderr, tt.want) || !strings.HasPrefix(stderr, "weir: ") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("weir %s: status %d, stdout %q, stderr %q; want 126 and one line with %q", tt.line, status, stdout, stderr, tt.want)
		}
	}
}

func TestScriptCountsInItsExitStatus(t *testing.T) {
	dir := scripts(t)
	for _, tt := range []struct {
		files  string
		status int
		last   string // of what is printed
	}{
		{"pass", 0, "1 pass, 0 fail, 0 skip, 0 invalid"},
		{"skip", 0, "     1 skip: needs the command iptables"},
		{"fail", 1, "0 pass, 1 fail, 0 skip, 0 invalid"},
		{"pass fail fail invalid skip", 3, "     1 invalid: "},
	} {
		var args []string
		for _, f := range strings.Fields(tt.files) {
			args = append(args, filepath.Join(dir, f+".pkt"))
		}
		stdout, stderr, status := weir(t, append([]string{"script"}, args...)...)
		lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
		if status != tt.status || stderr != "" || !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, tt.last) }) {
			t.Errorf("%s: status %d, want %d and a line %q\n%s%s", tt.files, status, tt.status, tt.last, stdout, stderr)
		}
	}
	many := slices.Repeat([]string{filepath.Join(dir, "fail.pkt")}, 130)
	if _, _, status := weir(t, append([]string{"script", "--path", "plain"}, many...)...); status != 125 {
		t.Errorf("130 failures: status %d, want 125", status)
	}
}

func TestScriptPrintsAFailureWhole(t *testing.T) {
	stdout, _, _ := weir(t, "script", "--path", "merged", filepath.Join(scripts(t), "fail.pkt"))
	for _, want := range []string{
		"fail.pkt:9: acknowledgment 1, not 7", "  script    +0 > P. 1:101(100) ack 7\n", "  expected  > P. 1:101(100) ack 7\n",
		"  got       > P. 1:101(100) ack 1 win ", "  packets   0.000000 < S 0:0(0) win 32792 <mss 1000,", "  state     tcp ESTABLISHED 192.168.0.1:8080 > ",
		"  ran as    weir, over a device that takes super-segments\n",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
}

// Programs read this: names stay, and nothing has two meanings.
func TestScriptJSON(t *testing.T) {
	stdout, stderr, status := weir(t, "script", "--json", "--path", "plain", scripts(t))
	var doc map[string]any
	if err := json.Unmarshal([]byte(stdout), &doc); err != nil || status != 2 || stderr != "" {
		t.Fatalf("%v, status %d: %s%s", err, status, stdout, stderr)
	}
	keys := func(v any) string {
		var list []string
		for k := range v.(map[string]any) {
			list = append(list, k)
		}
		slices.Sort(list)
		return strings.Join(list, " ")
	}
	summary := doc["summary"].(map[string]any)
	if got, want := keys(doc)+"; "+keys(summary), "results summary; fail invalid pass reasons skip"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if fmt.Sprint(summary["pass"], summary["fail"], summary["skip"], summary["invalid"]) != "1 1 1 1" {
		t.Errorf("%v", summary)
	}
	want := map[string]string{
		"pass": "family file outcome profile real_ns virtual_ns", "skip": "family file outcome profile real_ns reason virtual_ns",
		"fail": "failure family file outcome profile real_ns reason virtual_ns", "invalid": "file outcome real_ns reason virtual_ns",
	}
	for _, r := range doc["results"].([]any) {
		r := r.(map[string]any)
		outcome := r["outcome"].(string)
		if keys(r) != want[outcome] || filepath.Base(r["file"].(string)) != outcome+".pkt" {
			t.Errorf("%s: %s, want %s", outcome, keys(r), want[outcome])
		}
		if outcome == "fail" && keys(r["failure"]) != "around expected got line message source state" {
			t.Errorf("failure: %s", keys(r["failure"]))
		}
	}
}

func TestScriptIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs strings.Builder
	if status := run(ctx, []string{"script", scripts(t)}, &out, &errs); status != 126 || errs.String() != "weir: interrupted\n" || out.String() != "" {
		t.Errorf("status %d: %s%s", status, out.String(), errs.String())
	}
}
