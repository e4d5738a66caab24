package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// profileMetrics are the shares of a contender's CPU profile, by what runs: what --profile adds.
var profileMetrics = []metric{
	{key: "inKernel", title: "of the profile: system calls", unit: "%", lower: true},
	{key: "copying", title: "of the profile: copying and clearing", unit: "%", lower: true},
	{key: "scheduling", title: "of the profile: Go's scheduler and collector", unit: "%", lower: true},
	{key: "itself", title: "of the profile: all the rest", unit: "%", lower: true},
}

// isShare reports whether a key is one of profileMetrics'.
func isShare(key string) bool {
	return slices.ContainsFunc(profileMetrics, func(m metric) bool { return m.key == key })
}

// shareOf says to which of profileMetrics a function belongs.
func shareOf(function string) string {
	switch {
	case strings.HasPrefix(function, "internal/runtime/syscall"), slices.Contains(kernelEntries, function):
		return "inKernel"
	case strings.HasPrefix(function, "runtime.mem"):
		return "copying"
	case strings.HasPrefix(function, "runtime."), strings.HasPrefix(function, "internal/runtime/"):
		return "scheduling"
	}
	return "itself"
}

// kernelEntries are the functions that a profile shows for what happens inside of a system call.
var kernelEntries = []string{
	"runtime.futex", "runtime.epollwait", "runtime.usleep", "runtime.osyield", "runtime.madvise", "runtime.tgkill",
	"runtime.write1", "runtime.read", "syscall.Syscall", "syscall.Syscall6", "syscall.RawSyscall", "syscall.RawSyscall6",
}

// profileOf measures once more, under the profiler, and returns the shares.
func (b *bench) profileOf(cl *client, p *process, t test) (sample, error) {
	file := filepath.Join(filepath.Dir(os.Args[0]), "profile")
	if _, err := p.ask(askProfile + file); err != nil {
		return nil, err
	}
	if _, err := t.kind.run(cl, t.conns, b.duration()); err != nil {
		return nil, err
	}
	if _, err := p.ask(askProfileEnd); err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(b.ctx, "go", "tool", "pprof", "-top", "-unit=us", "-nodecount=100000", "-nodefraction=0", "-edgefraction=0", os.Args[0], file).Output()
	if err != nil {
		return nil, fmt.Errorf("go tool pprof: %w", err)
	}
	return shares(string(out))
}

// shares adds up what "go tool pprof -top -unit=us" has printed.
func shares(top string) (sample, error) {
	s, total := sample{}, 0.0
	_, list, _ := strings.Cut(top, "flat%")
	for line := range strings.Lines(list) {
		f := strings.Fields(line)
		if len(f) < 6 {
			continue
		}
		flat, err := strconv.ParseFloat(strings.TrimSuffix(f[0], "us"), 64)
		if err != nil {
			continue
		}
		s[shareOf(f[5])] += flat
		total += flat
	}
	if total == 0 {
		return nil, fmt.Errorf("the profile is empty")
	}
	for _, m := range profileMetrics {
		s[m.key] *= 100 / total
	}
	return s, nil
}
