package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// build builds a package of the module as a user would who wants it small, and returns the file.
func (b *bench) build(pkg string) (string, error) {
	if b.built == nil {
		b.built = map[string]string{}
	}
	if file := b.built[pkg]; file != "" {
		return file, nil
	}
	if b.source == "" {
		return "", errors.New("the module's sources are needed: run scripts/bench")
	}
	file := filepath.Join(filepath.Dir(os.Args[0]), strings.ReplaceAll(pkg, "/", "_"))
	cmd := exec.CommandContext(b.ctx, "go", "build", "-ldflags", "-s -w", "-trimpath", "-o", file, "./"+pkg)
	cmd.Dir, cmd.Stderr, cmd.Env = b.source, os.Stderr, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build %s: %w", pkg, err)
	}
	b.built[pkg] = file
	return file, nil
}

// programs is where the echo programs are, from the module's directory on.
const programs = "scripts/bench.d/programs/"

// sizes measures the stripped echo program of the contender's stack.
func (b *bench) sizes(_ *process, c *contender, _ int) (sample, error) {
	file, err := b.build(c.program)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	return sample{"value": float64(info.Size()) / 1e6}, nil
}

// starts measures how long "weir up" takes until it says that it is ready.
func (b *bench) starts(p *process, _ *contender, _ int) (sample, error) {
	file, err := b.build("cmd/weir")
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(b.ctx, file, "up", "--tun", "start0", "--addr", "198.51.100.2/24")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := p.clientSide.Do(cmd.Start); err != nil {
		return nil, err
	}
	defer cmd.Wait()
	defer cmd.Process.Signal(os.Interrupt)
	line, err := bufio.NewReader(out).ReadString('\n')
	took := time.Since(begin)
	if err != nil || !strings.HasPrefix(line, "ready") {
		return nil, fmt.Errorf("weir up did not get ready: %q", line)
	}
	return sample{"value": float64(took.Microseconds()) / 1000}, nil
}
