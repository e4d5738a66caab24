package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTick is USER_HZ, in which /proc counts: it is the same on every Linux that Go runs on.
const clockTick = time.Second / 100

// file reads the contender's /proc/PID/name.
func (p *process) file(name string) (string, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, name))
	return string(b), err
}

// cpu returns the processor time that the contender has used, in user mode and in the kernel.
func (p *process) cpu() (time.Duration, error) {
	b, err := p.file("stat")
	if err != nil {
		return 0, err
	}
	// The second field, the name in parentheses, may hold anything; the others are numbers.
	_, rest, _ := strings.Cut(b, ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("read the contender's processor time: %q", b)
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * clockTick, errors.Join(err1, err2)
}

// calls returns how many system calls of the contender have read or written.
func (p *process) calls() (uint64, error) {
	b, err := p.file("io")
	if err != nil {
		return 0, err
	}
	reads, err1 := field(b, "syscr:")
	writes, err2 := field(b, "syscw:")
	return reads + writes, errors.Join(err1, err2)
}

// resident returns the contender's resident memory in octets.
func (p *process) resident() (uint64, error) {
	b, err := p.file("smaps_rollup")
	if err != nil {
		return 0, err
	}
	n, err := field(b, "Rss:")
	return n << 10, err
}

// field returns the number after a name at the beginning of a line.
func field(text, name string) (uint64, error) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
		}
	}
	return 0, fmt.Errorf("/proc has no %s", name)
}
