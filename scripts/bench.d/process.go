package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/weirnet/weir/tun"
)

// process is a contender that runs, with its namespaces.
type process struct {
	cmd        *exec.Cmd
	stdin      io.WriteCloser
	answers    *bufio.Reader
	clientSide *tun.Namespace
	stackSide  *tun.Namespace // the same, but for one that is a kernel
	stopped    bool
}

// patience bounds the start and the end of a contender.
const patience = 20 * time.Second

// startProcess makes the namespaces and starts the contender there. It returns once it listens.
func startProcess(ctx context.Context, o *options, c *contender, round int) (p *process, err error) {
	p = &process{}
	defer func() {
		if err != nil {
			p.stop()
		}
	}()
	if p.clientSide, err = tun.NewNamespace(); err != nil {
		return nil, err
	}
	p.stackSide = p.clientSide
	if c.veth {
		if p.stackSide, err = tun.NewNamespace(); err != nil {
			return nil, err
		}
		if err = joinByVeth(p.clientSide, p.stackSide, o.mtu, c.plain); err != nil {
			return nil, err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := []string{childArg, c.name, strconv.Itoa(o.mtu), o.congestion}
	if o.cpuProfile != "" {
		args = append(args, fmt.Sprintf("%s.%s.%d", o.cpuProfile, c.name, round+1))
	}
	p.cmd = exec.CommandContext(ctx, self, args...)
	p.cmd.Env = append(os.Environ(), c.env...)
	return p, p.start()
}

// start starts the command in its namespace and waits until it says that it is ready.
func (p *process) start() error {
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	p.stdin, p.cmd.Stderr = stdin, os.Stderr
	if err := p.stackSide.Do(p.cmd.Start); err != nil {
		return fmt.Errorf("start the contender: %w", err)
	}
	late := time.AfterFunc(patience, func() { p.cmd.Process.Kill() })
	defer late.Stop()
	p.answers = bufio.NewReader(stdout)
	line, err := p.answers.ReadString('\n')
	if err != nil || line != readyLine {
		return errors.New("it did not start; its own error is above")
	}
	return nil
}

// ask asks the contender and returns its answer.
func (p *process) ask(what string) (uint64, error) {
	if _, err := fmt.Fprintln(p.stdin, what); err != nil {
		return 0, err
	}
	line, err := p.answers.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("ask the contender for %s: %w", what, err)
	}
	return strconv.ParseUint(strings.TrimSpace(line), 10, 64)
}

// stop ends the contender and lets go of the namespaces. It may be called again.
func (p *process) stop() (err error) {
	if p.stopped {
		return nil
	}
	p.stopped = true
	if p.cmd != nil && p.cmd.Process != nil {
		p.stdin.Close()
		late := time.AfterFunc(patience, func() { p.cmd.Process.Kill() })
		err = p.cmd.Wait()
		late.Stop()
	}
	if p.stackSide != nil && p.stackSide != p.clientSide {
		p.stackSide.Close()
	}
	if p.clientSide != nil {
		p.clientSide.Close()
	}
	return err
}
