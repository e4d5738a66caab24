package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/weirnet/weir/apps/bench"
)

func newBench() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure a path: throughput, requests, connections, datagrams",
		Long: `Measures a path between two hosts. One runs weir bench server, the other one of the tests.
Each side uses a stack of its own on a TUN device, as weir ping and weir nc do, or, with
--kernel, the sockets of its host, in any combination.`,
		Example: "  weir bench server --kernel                      # here, on this host's own sockets\n" +
			"  weir bench bulk --kernel 192.0.2.9              # there: how much goes to it\n" +
			"  weir bench bulk -d both -n 8 198.51.100.1       # weir's stack, 8 streams each way\n" +
			"  weir bench rr -n 64 198.51.100.1                # requests and replies: rate and latency\n" +
			"  weir bench connect 198.51.100.1                 # connections made and closed\n" +
			"  weir bench udp -b 100M -s 1200 198.51.100.1     # loss, reordering and jitter at 100 Mbit/s",
		Args: subcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newBenchServer(),
		newBenchTest(bench.Bulk, "bulk", "Measure the throughput of N streams"),
		newBenchTest(bench.Requests, "rr", "Measure requests and replies: rate and latency"),
		newBenchTest(bench.Connections, "connect", "Measure connections: connect, one octet's echo, close"),
		newBenchTest(bench.Datagrams, "udp", "Measure datagrams at a rate: loss, reordering, jitter"),
	)
	return cmd
}

// benchTest is a test's command.
type benchTest struct {
	side   benchSide
	params bench.Params
	port   uint16
	rate   bitRate
	way    string
	v4, v6 bool
	json   bool
}

func newBenchTest(test bench.Test, name, short string) *cobra.Command {
	f := &benchTest{params: bench.Defaults(test)}
	cmd := &cobra.Command{
		Use:   name + " [flags] HOST",
		Short: short,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("bench %s needs one HOST: the address where weir bench server runs", name)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), args[0])
		},
	}
	f.register(cmd.Flags())
	return cmd
}

func (f *benchTest) register(fs *pflag.FlagSet) {
	p := &f.params
	fs.SortFlags = false
	fs.Uint16VarP(&f.port, "port", "p", bench.DefaultPort, "the server's `PORT`")
	fs.IntVarP(&p.Streams, "streams", "n", p.Streams, "`N` connections or flows at a time")
	fs.DurationVarP(&p.Duration, "time", "t", p.Duration, "measure for `DURATION`")
	fs.DurationVar(&p.Warmup, "warmup", p.Warmup, "run for `DURATION` before that")
	fs.DurationVarP(&p.Interval, "interval", "i", p.Interval, "a line of progress every `DURATION`")
	if p.Direction != "" {
		fs.StringVarP(&f.way, "direction", "d", string(p.Direction), "`to|from|both`: to the server, from it, or both at once")
	}
	switch p.Test {
	case bench.Bulk:
		fs.IntVarP(&p.Size, "size", "s", p.Size, "write `N` octets at a time")
	case bench.Requests:
		fs.IntVarP(&p.Size, "size", "s", p.Size, "requests of `N` octets")
		fs.IntVarP(&p.Reply, "reply", "r", p.Reply, "replies of `N` octets")
		fs.BoolVarP(&p.UDP, "udp", "u", false, fmt.Sprintf("requests as datagrams, of at least %d octets", bench.MinDatagram))
	case bench.Datagrams:
		fs.IntVarP(&p.Size, "size", "s", p.Size, "datagrams of `N` octets")
		f.rate = bitRate(p.Rate)
		fs.VarP(&f.rate, "rate", "b", "so many `BITS` of payload per second and direction, as in 500K, 10M, 2.5G; 0 is as many as go")
	}
	fs.BoolVar(&f.json, "json", false, "print the result as JSON")
	fs.BoolVarP(&f.v4, "ipv4", "4", false, "IPv4 only")
	fs.BoolVarP(&f.v6, "ipv6", "6", false, "IPv6 only")
	f.side.register(fs)
}

// settle fills in what flags say by other flags' means.
func (f *benchTest) settle() error {
	p := &f.params
	p.Direction, p.Rate = bench.Direction(f.way), float64(f.rate)
	if p.UDP { // what was not said is as small as it can be
		p.Size, p.Reply = max(p.Size, bench.MinDatagram), max(p.Reply, bench.MinDatagram)
	}
	if err := p.Check(); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}

func (f *benchTest) run(ctx context.Context, out, progress io.Writer, arg string) (err error) {
	if err := f.settle(); err != nil {
		return err
	}
	if f.v4 && f.v6 {
		return errors.New("-4 and -6 contradict each other")
	}
	host, err := parseTarget(ctx, arg, f.v4, f.v6)
	if err != nil {
		return err
	}
	nw, err := f.side.open(host.Is4(), host.Is6())
	if err != nil {
		return err
	}
	defer func() {
		if cerr := nw.Close(); err == nil {
			err = cerr
		}
	}()
	c := &bench.Client{
		Dialer: nw, Address: netip.AddrPortFrom(host, f.port).String(),
		Progress: func(i bench.Interval) { fmt.Fprintln(progress, progressLine(&f.params, i)) },
	}
	r, err := c.Run(ctx, f.params)
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return fmt.Errorf("bench %s: interrupted before anything was measured: that begins after the connections and a warm-up of %v (--warmup)", c.Address, f.params.Warmup)
	case err != nil:
		return fmt.Errorf("bench %s: %w%s", c.Address, err, f.side.hint(err, host))
	case f.json:
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	return printReport(out, r)
}

// benchServer is the server's command.
type benchServer struct {
	side benchSide
	port uint16
	host string
}

func newBenchServer() *cobra.Command {
	f := &benchServer{}
	cmd := &cobra.Command{
		Use:   "server [flags]",
		Short: "Be the far side of tests, until interrupted",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.Uint16VarP(&f.port, "port", "p", bench.DefaultPort, "listen at `PORT`, TCP and UDP")
	fs.StringVar(&f.host, "host", "", "listen at the address `ADDR` only")
	f.side.register(fs)
	return cmd
}

func (f *benchServer) run(ctx context.Context, out, messages io.Writer) (err error) {
	var host netip.Addr
	if f.host != "" {
		if host, err = parseTarget(ctx, f.host, false, false); err != nil {
			return err
		}
	}
	nw, err := f.side.open(true, true)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := nw.Close(); err == nil {
			err = cerr
		}
	}()
	s, err := bench.Listen(nw, host, f.port)
	if err != nil {
		return err
	}
	s.Notify = func(client net.Addr, p bench.Params) {
		fmt.Fprintf(messages, "%s %v: %s, %d at a time, %v\n", time.Now().Format(time.TimeOnly), client, p.Test, p.Streams, p.Duration)
	}
	where := nw.where()
	if host.IsValid() {
		where = host.String()
	}
	if _, err := fmt.Fprintf(out, "ready: %s, port %d\n", where, s.Port()); err != nil {
		return err
	}
	return s.Serve(ctx)
}

// bitRate is the value of a flag: bits per second, with K, M, G or T.
type bitRate float64

func (r *bitRate) String() string { return rateText(float64(*r)) }
func (r *bitRate) Type() string   { return "rate" }

func (r *bitRate) Set(s string) error {
	number, unit := s, 1.0
	for suffix, by := range map[string]float64{"K": 1e3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12} {
		if n, ok := strings.CutSuffix(s, suffix); ok {
			number, unit = n, by
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || !(v >= 0 && v*unit <= bench.MaxRate) {
		return errors.New("not a rate in bits per second, as in 500K, 10M or 2.5G")
	}
	*r = bitRate(v * unit)
	return nil
}
