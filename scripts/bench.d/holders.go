package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// holderArg makes this program one that opens connections and holds them.
const holderArg = "holder"

// ownDescriptors is how many descriptors a process keeps for other things than connections.
const ownDescriptors = 100

// idleMemory opens n connections and returns the contender's resident memory for each: what
// it has more than before, when all are open, nothing is on its way and its garbage is collected. One
// process may not have so many descriptors, so several hold them.
func (b *bench) idleMemory(p *process, c *contender, n int) (sample, error) {
	cl := &client{ctx: b.ctx, ns: p.clientSide}
	if err := cl.addSources(); err != nil {
		return nil, err
	}
	before, err := p.settled()
	if err != nil {
		return nil, err
	}
	holders, err := b.hold(p, c.idle, n)
	defer func() {
		p.stop() // or it would see the end of each connection
		for _, h := range holders {
			h.Process.Kill()
			h.Wait()
		}
	}()
	if err != nil {
		return nil, err
	}
	peak, err := p.resident()
	if err != nil {
		return nil, err
	}
	after, err := p.settled()
	if err != nil {
		return nil, err
	}
	each := func(now uint64) float64 { return (float64(now) - float64(before)) / float64(n) }
	return sample{"value": each(after), "peak": each(peak)}, nil
}

// settled returns the contender's resident memory without garbage.
func (p *process) settled() (uint64, error) {
	time.Sleep(time.Second) // timers of what was just opened
	if _, err := p.ask(askCollect); err != nil {
		return 0, err
	}
	return p.resident()
}

// hold starts holders of n connections in all and waits until they are open.
func (b *bench) hold(p *process, port, n int) (holders []*exec.Cmd, err error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return nil, err
	}
	most := min(int(limit.Max), 60000) - ownDescriptors
	var outs []io.Reader
	for i := 0; n > 0; i++ {
		count := min(n, most)
		n -= count
		h := exec.CommandContext(b.ctx, os.Args[0], holderArg, strconv.Itoa(port), strconv.Itoa(count), strconv.Itoa(i%sources))
		h.Stderr = os.Stderr
		out, err := h.StdoutPipe()
		if err != nil {
			return holders, err
		}
		if err := p.clientSide.Do(h.Start); err != nil {
			return holders, err
		}
		holders, outs = append(holders, h), append(outs, out)
	}
	var wg sync.WaitGroup
	errs := make([]error, len(outs))
	for i, out := range outs {
		wg.Go(func() {
			if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
				errs[i] = errors.New("not all connections could be opened; the reason is above")
			}
		})
	}
	wg.Wait()
	return holders, cmp.Or(errs...)
}

// runHolder opens connections and waits to be killed. args are the port, how many, and the source's number.
func runHolder(args []string) error {
	port, err1 := strconv.Atoi(args[0])
	count, err2 := strconv.Atoi(args[1])
	source, err3 := strconv.Atoi(args[2])
	if err := errors.Join(err1, err2, err3, raiseDescriptors()); err != nil {
		return err
	}
	for i := range count {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return os.NewSyscallError("socket", err)
		}
		late := unix.NsecToTimeval(int64(spare))
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &late); err != nil {
			return err
		}
		if err := connectFrom(fd, source, port); err != nil {
			return fmt.Errorf("connection %d: %w", i+1, err)
		}
	}
	fmt.Print(readyLine)
	select {}
}

// raiseDescriptors sets the limit of descriptors to the hard one.
func raiseDescriptors() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}
