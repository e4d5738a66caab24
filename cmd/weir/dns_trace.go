package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
	"github.com/weirnet/weir/cmd/weir/internal/nametree"
)

// traceFlags are the flags of weir dns trace.
type traceFlags struct {
	network dnsNetwork
	hints   string
	anchor  string
	whole   bool
	twice   bool
	wait    seconds
}

func newDNSTrace() *cobra.Command {
	f := &traceFlags{wait: seconds(15 * time.Second)}
	cmd := &cobra.Command{
		Use:   "trace [flags] NAME [TYPE]",
		Short: "Show how a name is found, from the root down",
		Long: `Finds a name as a resolver does that knows nothing yet, and tells each step: which server is
asked for what, and what it says: a referral to others, an answer, an alias, and for how long that may be kept.

Without --hints it walks the demonstration tree (--tree), which is served in this process, over a cable in
memory: no root and no network are needed. With --kernel it walks the public tree over the host's sockets. With --hints,
a file with the names and addresses of a root's servers, it walks that root's: over a TUN device of its own
as weir ping does, or with --kernel.`,
		Example: "  weir dns trace www.weir.example                    # from the root down\n" +
			"  weir dns trace blog.weir.example AAAA              # an alias into another tree\n" +
			"  weir dns trace --twice www.weir.example            # the second time from the cache\n" +
			"  weir dns trace big.weir.example TXT                # too large for UDP\n" +
			"  weir dns trace --kernel example.org MX             # from the public root\n" +
			"  weir dns trace --hints root.hints --kernel www.weir.example",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return errors.New("trace needs NAME and maybe a TYPE, as in weir dns trace www.weir.example")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), args)
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVar(&f.hints, "hints", "", "begin at the root that `FILE` names the servers of; with --kernel, the public one without it")
	fs.StringVar(&f.anchor, "anchor", "", "validate, with the trust anchors (DS or DNSKEY records) in `FILE`")
	fs.BoolVar(&f.whole, "whole", false, "ask every server for the whole name (no QNAME minimisation)")
	fs.BoolVar(&f.twice, "twice", false, "ask a second time, to show the cache at work")
	fs.VarP(&f.wait, "wait", "w", "give up after so many `SECONDS`")
	f.network.register(fs)
	return cmd
}

func (f *traceFlags) run(ctx context.Context, out io.Writer, args []string) (err error) {
	q := msg.Question{Type: msg.TypeA, Class: msg.ClassINET}
	if q.Name, err = msg.ParseName(args[0]); err != nil {
		return err
	}
	if len(args) == 2 {
		if q.Type, err = msg.ParseType(args[1]); err != nil {
			return err
		}
	}
	if f.hints == "" && !f.network.kernel {
		f.network.tree = true
	} else if f.network.tree {
		return errors.New("--tree has hints of its own: leave out --hints and --kernel")
	}
	if f.network.tree && f.anchor != "" {
		return errors.New("--anchor is for --hints or --kernel: the demonstration tree has a trust anchor of its own, where it is signed")
	}
	n, err := f.network.open(true, true)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := n.close(); err == nil {
			err = cerr
		}
	}()
	if f.network.tree {
		fmt.Fprint(out, "In the demonstration tree, in memory; weir dns serve --tree puts it on a device.\n\n")
	}
	t := &tracer{out: out}
	r, err := f.resolver(n, t.event)
	if err != nil {
		return err
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(f.wait))
	defer cancel()
	if err := t.find(ctx, r, q); err != nil || !f.twice {
		return err
	}
	fmt.Fprint(out, "\nThe same question again:\n\n")
	return t.find(ctx, r, q)
}

// resolver makes one that knows nothing yet.
func (f *traceFlags) resolver(n *openNetwork, trace func(recursor.Event)) (*recursor.Resolver, error) {
	if n.tree != nil {
		cfg := nametree.ResolverConfig(n.tree.Near, n.tree.Service.Tree, trace)
		cfg.NoMinimisation = f.whole
		return recursor.New(cfg)
	}
	hints, err := recursor.RootHints(), error(nil)
	if f.hints != "" {
		hints, err = readHints(f.hints)
	}
	if err != nil {
		return nil, err
	}
	cfg := recursor.Config{Network: n, Hints: hints, Trace: trace, NoMinimisation: f.whole, Public: []msg.Name{msg.Root}}
	if f.anchor != "" {
		if cfg.Anchors, err = readAnchors(f.anchor); err != nil {
			return nil, err
		}
	}
	return recursor.New(cfg)
}

// tracer prints the steps of a resolution.
type tracer struct {
	mu    sync.Mutex
	out   io.Writer
	asked int
}

// event prints a step, further to the right where it is on the way to something else. Questions are numbered; what
// is said to one stands below it.
func (t *tracer) event(e recursor.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	number := ""
	if e.Kind == recursor.Ask {
		t.asked++
		number = strconv.Itoa(t.asked)
	}
	fmt.Fprintf(t.out, "%3s  %s%s\n", number, strings.Repeat("    ", e.Depth), shorten(e.String()))
}

// shorten cuts what is too long for a line: a step is told, not listed.
func shorten(s string) string {
	const most = 240
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// find resolves a question and prints what came of it.
func (t *tracer) find(ctx context.Context, r *recursor.Resolver, q msg.Question) error {
	t.asked = 0
	begun := time.Now()
	m, err := r.Resolve(ctx, q, recursor.QueryOptions{})
	took := time.Since(begun).Round(10 * time.Microsecond)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		if errors.Is(err, context.Canceled) {
			return errors.New("interrupted")
		}
		return fmt.Errorf("%v %v: %w", q.Name, q.Type, err)
	}
	fmt.Fprintf(t.out, "\n%s\n", outcomeText(q, m))
	for _, rr := range m.Answer {
		fmt.Fprintf(t.out, "  %v\n", rr)
	}
	for _, e := range m.EDE() {
		fmt.Fprintf(t.out, "  %v\n", e)
	}
	fmt.Fprintf(t.out, "%s in %v\n", plural(t.asked, "question to a server", "questions to servers"), took)
	if m.Rcode == msg.RcodeServerFailure {
		return errSaid
	}
	return nil
}

// outcomeText says what an answer means.
func outcomeText(q msg.Question, m *msg.Message) string {
	switch {
	case m.Rcode == msg.RcodeNameError:
		return "There is no such name: " + q.Name.String()
	case m.Rcode != msg.RcodeSuccess:
		return fmt.Sprintf("%v %v could not be found: %v", q.Name, q.Type, m.Rcode)
	case len(m.Answer) == 0 || m.Answer[len(m.Answer)-1].Type != q.Type && q.Type != msg.TypeANY:
		return fmt.Sprintf("%v is there, and has no %v.", q.Name, q.Type)
	}
	return fmt.Sprintf("%v %v:", q.Name, q.Type)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
