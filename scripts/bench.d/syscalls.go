package main

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// countedFor is how long a contender's system calls are counted for. That is done apart from what is timed,
// for while somebody counts, each system call on the machine takes longer.
const countedFor = 250 * time.Millisecond

// tracepoints is where the kernel numbers its tracepoints, on a machine that has tracefs mounted.
var tracepoints = []string{"/sys/kernel/tracing/events/", "/sys/kernel/debug/tracing/events/"}

// syscallCounter counts the system calls of all threads that a process has or will have.
type syscallCounter []int // a perf event for each of the threads that it was found with

// countSyscalls begins to count.
func countSyscalls(pid int) (c syscallCounter, err error) {
	id, err := tracepoint("raw_syscalls/sys_enter")
	if err != nil {
		return nil, err
	}
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_TRACEPOINT, Config: id, Bits: unix.PerfBitInherit}
	attr.Size = uint32(unsafe.Sizeof(attr))
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil, err
	}
	for _, t := range threads {
		tid, err := strconv.Atoi(t.Name())
		if err != nil {
			return nil, err
		}
		fd, err := unix.PerfEventOpen(&attr, tid, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
		if err == unix.ESRCH { // it has ended
			continue
		}
		if err != nil {
			c.close()
			return nil, os.NewSyscallError("perf_event_open", err)
		}
		c = append(c, fd)
	}
	return c, nil
}

// tracepoint returns the number that the kernel has given one.
func tracepoint(name string) (uint64, error) {
	var first error
	for _, dir := range tracepoints {
		b, err := os.ReadFile(dir + name + "/id")
		if err == nil {
			return strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
		}
		first = cmp.Or(first, err)
	}
	return 0, first
}

// total returns how many there were since it began.
func (c syscallCounter) total() (sum uint64, err error) {
	for _, fd := range c {
		var b [8]byte
		if _, err := unix.Read(fd, b[:]); err != nil {
			return 0, os.NewSyscallError("read a perf event", err)
		}
		sum += binary.NativeEndian.Uint64(b[:])
	}
	return sum, nil
}

func (c syscallCounter) close() {
	for _, fd := range c {
		unix.Close(fd)
	}
}

// callsOf measures how many system calls the contender makes in a test. Where the kernel lets nobody count
// them, it is its reads and writes, which the kernel always counts, and the report says so.
func (b *bench) callsOf(cl *client, p *process, t test) (sample, error) {
	counter, err := countSyscalls(p.cmd.Process.Pid)
	if err != nil {
		b.report.Syscalls = "reads and writes only: " + err.Error()
	}
	defer counter.close()
	before, err1 := p.calls()
	o, err := t.kind.run(cl, t.conns, min(b.duration(), countedFor))
	if err != nil {
		return nil, err
	}
	after, err2 := p.calls()
	n, err3 := counter.total()
	if err := cmp.Or(err1, err2, err3); err != nil || o.count == 0 {
		return nil, cmp.Or(err, fmt.Errorf("nothing got through in %v", o.took))
	}
	if counter == nil {
		n = after - before
	}
	m := t.kind.metric(callsKey)
	return sample{callsKey: m.derive(o, usage{calls: n})}, nil
}
