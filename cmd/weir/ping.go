package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirnet/weir/stack"
)

// pingFlags are the flags of weir ping.
type pingFlags struct {
	client   clientFlags
	count    int
	interval seconds
	wait     seconds
	size     int
	ttl      int
	v4, v6   bool
}

func newPing() *cobra.Command {
	f := &pingFlags{interval: seconds(time.Second), wait: seconds(time.Second)}
	cmd := &cobra.Command{
		Use:   "ping [flags] HOST",
		Short: "Send ICMP echo requests from a stack of its own",
		Long: `Brings a stack up on a TUN device of its own and sends ICMP echo requests from it: to
the host's kernel, at any of its addresses, or to another weir beyond, where the host
forwards. It runs until interrupted or, with -c, until the answers are counted.
A name is looked up by the host's resolver.`,
		Example: "  weir ping -c 3 198.51.100.1     # the host's side of ping's own device\n" +
			"  weir ping 192.0.2.2             # a weir up on this host, which must forward\n" +
			"  weir ping -c 20 -i 0.01 -s 60000 198.51.100.1",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("ping needs one HOST, as in weir ping 198.51.100.1; %d are given", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), args[0])
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.IntVarP(&f.count, "count", "c", 0, "send `N` requests, then stop; 0 is no end")
	fs.VarP(&f.interval, "interval", "i", "send one every `SECONDS`")
	fs.VarP(&f.wait, "wait", "W", "wait so many `SECONDS` for an answer")
	fs.IntVarP(&f.size, "size", "s", 56, "send `N` octets of data")
	fs.IntVarP(&f.ttl, "ttl", "t", 64, "the TTL or hop limit `N`")
	fs.BoolVarP(&f.v4, "ipv4", "4", false, "IPv4 only")
	fs.BoolVarP(&f.v6, "ipv6", "6", false, "IPv6 only")
	f.client.register(fs)
	return cmd
}

const maxPing = 65535 - 8 - 20 // octets of data in the largest IPv4 packet

func (f *pingFlags) check() error {
	switch {
	case f.count < 0:
		return fmt.Errorf("-c %d: must be 0 or more", f.count)
	case f.size < 0 || f.size > maxPing:
		return fmt.Errorf("-s %d: must be from 0 to %d", f.size, maxPing)
	case f.ttl < 1 || f.ttl > 255:
		return fmt.Errorf("-t %d: must be from 1 to 255", f.ttl)
	case f.wait <= 0:
		return errors.New("-W: must be more than 0")
	case f.v4 && f.v6:
		return errors.New("-4 and -6 contradict each other")
	}
	return nil
}

func (f *pingFlags) run(ctx context.Context, out io.Writer, target string) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	dst, err := parseTarget(ctx, target, f.v4, f.v6)
	if err != nil {
		return err
	}
	n, err := f.client.open(dst.Is4(), dst.Is6())
	if err != nil {
		return err
	}
	defer func() {
		if cerr := n.Close(); err == nil {
			err = cerr
		}
	}()
	fmt.Fprintf(out, "PING %s from %s on %s: %d octets of data\n", dst, n.Addrs()[0], n.Links[0].Device.Name(), f.size)
	t := f.loop(ctx, out, n.Stack, dst)
	fmt.Fprintf(out, "\n--- %s ---\n%s\n", dst, t)
	if t.answered == 0 && t.sent > 0 {
		return fmt.Errorf("no answer from %s%s", dst, f.client.hint(dst))
	}
	return nil
}

// pinger is what sends echo requests: *stack.Stack.
type pinger interface {
	Ping(context.Context, netip.Addr, stack.PingOptions) (stack.PingReply, error)
}

// loop sends requests and prints the answers, until ctx is done or all are sent.
func (f *pingFlags) loop(ctx context.Context, out io.Writer, p pinger, dst netip.Addr) *tally {
	var t tally
	tick := time.NewTicker(max(time.Duration(f.interval), time.Microsecond))
	defer tick.Stop()
	for seq := 1; ctx.Err() == nil; seq++ {
		f.once(ctx, out, p, dst, seq, &t)
		if seq == f.count {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	return &t
}

func (f *pingFlags) once(ctx context.Context, out io.Writer, p pinger, dst netip.Addr, seq int, t *tally) {
	each, cancel := context.WithTimeout(ctx, time.Duration(f.wait))
	defer cancel()
	size := f.size
	if size == 0 {
		size = -1 // PingOptions: zero is the default
	}
	r, err := p.Ping(each, dst, stack.PingOptions{Size: size, Seq: uint16(seq), HopLimit: uint8(f.ttl)})
	if ctx.Err() != nil && err != nil {
		return // interrupted while it waited: neither answered nor lost
	}
	t.sent++
	var refused *stack.ICMPError
	switch {
	case err == nil:
		t.add(r.RTT)
		fmt.Fprintf(out, "%d octets from %s: seq=%d ttl=%d time=%.3f ms\n", r.Size, r.From, seq, r.HopLimit, ms(r.RTT))
	case errors.As(err, &refused):
		fmt.Fprintf(out, "from %s: seq=%d %s\n", refused.From, seq, refused.Reason)
	case errors.Is(err, context.DeadlineExceeded):
		fmt.Fprintf(out, "no answer: seq=%d\n", seq)
	default:
		fmt.Fprintf(out, "seq=%d %v\n", seq, err)
	}
}

// tally sums the answers up.
type tally struct {
	sent, answered int
	min, max_      time.Duration
	sum, squares   float64 // of milliseconds
}

func (t *tally) add(d time.Duration) {
	if t.answered == 0 || d < t.min {
		t.min = d
	}
	t.max_ = max(t.max_, d)
	t.sum += ms(d)
	t.squares += ms(d) * ms(d)
	t.answered++
}

// String is the summary, in ping's words.
func (t *tally) String() string {
	lost := 0.0
	if t.sent > 0 {
		lost = 100 * float64(t.sent-t.answered) / float64(t.sent)
	}
	s := fmt.Sprintf("%d sent, %d answered, %s%% lost", t.sent, t.answered, strconv.FormatFloat(lost, 'f', -1, 32))
	if t.answered == 0 {
		return s
	}
	n := float64(t.answered)
	mean := t.sum / n
	dev := math.Sqrt(max(t.squares/n-mean*mean, 0))
	return fmt.Sprintf("%s\nround trip min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms", s, ms(t.min), mean, ms(t.max_), dev)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// seconds is a flag's time: a number of seconds, as ping's, or a Go duration.
type seconds time.Duration

func (s *seconds) String() string {
	return strconv.FormatFloat(time.Duration(*s).Seconds(), 'f', -1, 64)
}

func (s *seconds) Type() string { return "SECONDS" }

func (s *seconds) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		d, err = time.ParseDuration(text + "s")
	}
	if err != nil || d < 0 {
		return errors.New("not a number of seconds, as in 0.2 or 200ms")
	}
	*s = seconds(d)
	return nil
}
