package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"github.com/weirnet/weir/cmd/weir/internal/term"
)

// Options say how to show it.
type Options struct {
	Size    int64         // octets of the large transfer
	Timeout time.Duration // after which it has failed, whatever it is at
	Memory  bool          // do not try for a TUN device
	Why     string        // why it is in memory, for people; may be empty
	Out     io.Writer
	Style   term.Style
}

// Run brings the stack up, checks it, prints the account and takes it down. It
// returns an error, one line, unless every check held.
func Run(ctx context.Context, opt Options) error {
	ctx, cancel := context.WithTimeoutCause(ctx, opt.Timeout, fmt.Errorf("not done after %v", opt.Timeout))
	defer cancel()
	scene, err := open(opt)
	if err != nil {
		return err
	}
	err = play(ctx, scene, opt)
	return errors.Join(err, scene.close())
}

// open makes the scene: on a TUN device where that can be, otherwise in memory.
func open(opt Options) (*scene, error) {
	if opt.Memory {
		return openMemory(opt.Why)
	}
	s, err := openTUN()
	if err == nil || !unavailable(err) {
		return s, err
	}
	return openMemory(err.Error())
}

// unavailable reports whether err says that this machine gives us no TUN device,
// rather than that something is wrong with weir.
func unavailable(err error) bool {
	return errors.Is(err, os.ErrPermission) || errors.Is(err, os.ErrNotExist) || isNoDevice(err)
}

// play runs the checks in order. One that fails does not keep the others from
// being run, so that the account says what works.
func play(ctx context.Context, s *scene, opt Options) error {
	out := &screen{out: opt.Out, style: opt.Style}
	start := time.Now()
	if s.note != "" {
		fmt.Fprintf(opt.Out, "%s\n\n", s.note)
	}
	out.title("weir demo: "+s.about, [2]string{"the stack", s.near}, [2]string{"the far end", s.far})
	for _, c := range checks(s, out, opt.Size) {
		out.begin(c.name)
		r, err := runCheck(ctx, c)
		if d, ok := ctx.Deadline(); err != nil && ok && !time.Now().Before(d) {
			<-ctx.Done() // a socket's deadline, which is the same, may pass a moment earlier
		}
		if err != nil && ctx.Err() != nil {
			err = ending(ctx)
		}
		out.end(c.name, r, err)
		if ctx.Err() != nil {
			break
		}
	}
	return out.sum(time.Since(start))
}

// ending says in words why ctx is done.
func ending(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return errors.New("interrupted")
	}
	return context.Cause(ctx)
}

// patience is what a check may take that is over in milliseconds.
const patience = 15 * time.Second

func runCheck(ctx context.Context, c check) (result, error) {
	if !c.long {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, patience, fmt.Errorf("nothing for %v", patience))
		defer cancel()
	}
	r, err := c.run(ctx)
	if err != nil && context.Cause(ctx) != nil {
		err = fmt.Errorf("%w (%w)", context.Cause(ctx), err)
	}
	return r, err
}

// check is one line of the account.
type check struct {
	name string
	long bool
	run  func(context.Context) (result, error)
}

// result is what a check that held says.
type result struct {
	text    string   // what was sent and what came back
	figures string   // how fast
	more    []string // lines below
}

// checks lists what is shown, in order.
func checks(s *scene, out *screen, size int64) []check {
	var list []check
	both := func(name string, run func(context.Context, netip.Addr) (result, error)) {
		for _, a := range s.addrs {
			c := check{name: name + " " + family(a)}
			c.run = func(ctx context.Context) (result, error) { return run(ctx, a) }
			list = append(list, c)
		}
	}
	both("ping", s.ping)
	both("large ping", s.largePing)
	both("UDP echo", s.udpEcho)
	both("TCP echo", s.tcpEcho)
	both("closed ports", s.refused)
	if s.names != nil {
		for _, n := range nameChecks {
			list = append(list, check{name: n.name, run: func(ctx context.Context) (result, error) { return n.run(s, ctx) }})
		}
	}
	for i, a := range s.addrs {
		t := transfer{scene: s, addr: a, size: max(size>>(2*i), 1), out: out, name: "transfer " + family(a)}
		list = append(list, check{name: t.name, long: true, run: t.run})
	}
	return list
}

func family(a netip.Addr) string {
	if a.Is4() {
		return "IPv4"
	}
	return "IPv6"
}
