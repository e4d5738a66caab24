package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"
)

const callTimeout = 10 * time.Second

// Call sends the request op, with arg where that is not nil, to the weir that listens at path and
// returns its answer. Its errors say in one line what is wrong with the path or the request.
func Call(ctx context.Context, path, op string, arg any) (json.RawMessage, error) {
	req := request{Op: op}
	if arg != nil {
		raw, err := json.Marshal(arg)
		if err != nil {
			return nil, fmt.Errorf("request %s: %w", op, err)
		}
		req.Arg = raw
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("control socket %s: %w", path, reason(err))
	}
	defer c.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(deadline)
	}
	var resp response
	if err := json.NewEncoder(c).Encode(req); err != nil {
		return nil, fmt.Errorf("control socket %s: %w", path, reason(err))
	}
	if err := json.NewDecoder(c).Decode(&resp); err != nil {
		return nil, fmt.Errorf("control socket %s: no answer to %q: %w", path, op, reason(err))
	}
	if resp.Error != "" {
		return nil, fmt.Errorf("control socket %s: %s", path, resp.Error)
	}
	return resp.OK, nil
}

// reason returns what about err tells a person what to do.
func reason(err error) error {
	var errno syscall.Errno
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("no such socket; is weir up running there?")
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("nobody answers; the weir that made it is gone")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("permission denied; ask as the user who started weir up")
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer in %v", callTimeout)
	case errors.As(err, &errno):
		return errno
	}
	return err
}

// dead reports whether nobody answers on the socket at path: the kernel refuses a
// connection to a socket whose process is gone.
func dead(path string) bool {
	c, err := net.DialTimeout("unix", path, time.Second)
	if err != nil {
		return errors.Is(err, syscall.ECONNREFUSED)
	}
	c.Close()
	return false
}
