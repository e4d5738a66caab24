// Command weir runs weir's stack: on a TUN device of the host (weir up), as a
// demonstration (weir demo), and as a client (weir ping, weir nc); it asks a
// running one how it is (weir ss, weir stats), measures paths (weir bench), and runs packet
// scripts (weir script).
//
// It is where devices, the stack and its applications meet. What a command line says
// is read by package netflag, what it asks for is put together by package node, both below
// internal; this package holds the commands themselves.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := interruptible()
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs a command line and returns the exit status: 0, or 1 after one line on
// stderr that says what is wrong, or what an exitStatus or a notRun says.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var status exitStatus
	if errors.As(err, &status) {
		return int(status)
	}
	if !errors.Is(err, errSaid) {
		fmt.Fprintln(stderr, "weir: "+oneLine(err))
	}
	if errors.As(err, new(notRun)) {
		return statusNotRun
	}
	return 1
}

// notRun is the error of a command whose exit status is a count, where nothing was counted.
type notRun struct{ error }

func (e notRun) Unwrap() error { return e.error }

// statusNotRun is above every count.
const statusNotRun = 126

// exitStatus is the error of a command that has said what there is to say and ends with a
// status that means something.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// errSaid is the error of a command that has said itself what is wrong.
var errSaid = errors.New("already said")

// oneLine returns err's text as one line.
func oneLine(err error) string {
	fields := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' })
	lines := fields[:0]
	for _, f := range fields {
		if f = strings.TrimSpace(f); f != "" {
			lines = append(lines, f)
		}
	}
	return strings.Join(lines, "; ")
}

// interruptible returns a context that ends with the first interrupt. A second one
// ends the process at once.
func interruptible() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	if !signal.Ignored(syscall.SIGHUP) { // nohup
		hangups := make(chan os.Signal, 1)
		signal.Notify(hangups, syscall.SIGHUP)
		go func() {
			for range hangups {
				if f := hangup.Load(); f != nil {
					(*f)()
					continue
				}
				signal.Stop(hangups) // as an interrupt: a second one ends the process
				stop()
				return
			}
		}()
	}
	return ctx, stop
}

// hangup is what SIGHUP asks for while a command runs that has something to read again; nil: to end.
var hangup atomic.Pointer[func()]

// onHangup has f called for each SIGHUP, until the function that it returns is called.
func onHangup(f func()) (undo func()) {
	hangup.Store(&f)
	return func() { hangup.Store(nil) }
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "weir",
		Short: "A userspace TCP/IP stack on a TUN device",
		Long: `weir is a TCP/IP stack of its own: IPv4, IPv6, ICMP, UDP and TCP in one Go program.

  weir demo   shows it at work, with no root and no set-up
  weir up     puts it on a TUN device of this host, for ping, nc and curl to talk to`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          subcommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newUp(), newDemo(), newSS(), newStats(), newPing(), newNC(), newDNS(), newBench(), newScript(), newVersion())
	return root
}
