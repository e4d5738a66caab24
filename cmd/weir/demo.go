package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirnet/weir/cmd/weir/internal/demo"
	"github.com/weirnet/weir/cmd/weir/internal/term"
)

// demoFlags are the flags of weir demo.
type demoFlags struct {
	size    string
	timeout time.Duration
	memory  bool
	inside  bool // this is the process inside the namespace
}

func newDemo() *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the stack at work; needs no root and no set-up",
		Long: `Runs weir in a user and a network namespace of its own, has the Linux kernel speak to
it from the other side of a TUN device, and prints what was sent, what came back and
how fast. Where there is no TUN device to be had, a second weir stack is the far end,
over a link in memory. The exit status is 0 only if every check held.`,
		Example: "  weir demo\n  weir demo --size 64MiB\n  weir demo --memory\n  NO_COLOR=1 weir demo",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	cmd.Flags().StringVar(&f.size, "size", "1GiB", "how much the large transfer sends over IPv4; a quarter of it over IPv6: `N[KiB|MiB|GiB]`")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 3*time.Minute, "when it has failed at the latest")
	cmd.Flags().BoolVar(&f.memory, "memory", false, "use a link in memory, also where there is TUN")
	cmd.Flags().BoolVar(&f.inside, "inside", false, "")
	_ = cmd.Flags().MarkHidden("inside") // fails only for a flag that is not there
	return cmd
}

func (f *demoFlags) run(cmd *cobra.Command) error {
	size, err := parseSize(f.size)
	if err != nil {
		return fmt.Errorf("--size %s: %w", f.size, err)
	}
	if f.timeout <= 0 {
		return fmt.Errorf("--timeout %v: must be more than nothing", f.timeout)
	}
	opt := demo.Options{Size: size, Timeout: f.timeout, Memory: f.memory, Out: cmd.OutOrStdout(), Style: term.StyleOf(os.Stdout)}
	if f.inside || f.memory {
		return demo.Run(cmd.Context(), opt)
	}
	err = demo.Isolate(cmd.Context(), f.timeout, "demo", "--inside", "--size", f.size, "--timeout", f.timeout.String())
	if errors.Is(err, demo.ErrNoNamespace) {
		opt.Memory, opt.Why = true, err.Error()
		return demo.Run(cmd.Context(), opt)
	}
	return insideError(cmd.Context(), err)
}

// insideError turns the end of the process inside the namespace into this one's: it
// has said what is wrong, unless it was killed.
func insideError(ctx context.Context, err error) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit) && exit.Exited():
		return errSaid
	case ctx.Err() != nil:
		return errors.New("interrupted")
	}
	return fmt.Errorf("the demo was ended: %w", err)
}

// parseSize reads a number of octets.
func parseSize(s string) (int64, error) {
	num := strings.TrimRight(s, "KMGTiB")
	var shift uint
	switch unit := s[len(num):]; unit {
	case "", "B":
	case "K", "KiB":
		shift = 10
	case "M", "MiB":
		shift = 20
	case "G", "GiB":
		shift = 30
	default:
		return 0, fmt.Errorf("%q is not KiB, MiB or GiB", unit)
	}
	n, err := strconv.ParseInt(num, 10, 64)
	if err != nil || n < 1 || n > 1<<40>>shift {
		return 0, errors.New("want a number of octets up to 1024GiB, as in 64MiB")
	}
	return n << shift, nil
}
