package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// ErrNoNamespace says that this machine gives us no network namespace.
var ErrNoNamespace = errors.New("no network namespace to be had")

// grace is what the inner demo gets to say why it took too long, and to clean up.
const grace = 10 * time.Second

// Isolate runs this program again with the arguments, in a new user and network
// namespace in which it is root. Where user namespaces are refused, root makes
// do with a new network namespace. The error wraps ErrNoNamespace where the
// program could not be started at all, and is an *exec.ExitError where it failed.
func Isolate(ctx context.Context, timeout time.Duration, args ...string) error {
	// The signal that Pdeathsig asks for comes when the thread that started the
	// child ends, so this goroutine keeps its thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ctx, cancel := context.WithTimeout(ctx, timeout+grace)
	defer cancel()

	cmd := child(ctx, args)
	cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET
	cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
	cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	err := cmd.Start()
	if err != nil && os.Geteuid() == 0 {
		cmd = child(ctx, args)
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNET
		err = cmd.Start()
	}
	if err != nil {
		var errno syscall.Errno
		if errors.As(err, &errno) {
			err = errno
		}
		return fmt.Errorf("%w: %w", ErrNoNamespace, err)
	}
	return cmd.Wait()
}

// child returns the command that runs this program again. It is in a process group of its own,
// so that it hears of an interrupt once, from us, also of one from the keyboard;
// and it ends with us.
func child(ctx context.Context, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = grace
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}
