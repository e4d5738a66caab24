package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirnet/weir/cmd/weir/internal/kernelhost"
	"github.com/weirnet/weir/stack/script"
)

// scriptFlags are the flags of weir script.
type scriptFlags struct {
	profile    string
	family     string
	path       string
	against    string
	tolerance  time.Duration
	strict     bool
	relaxedPSH bool
	jobs       int
	json       bool
	report     string
	goTests    bool
	verbose    bool
}

func newScript() *cobra.Command {
	f := &scriptFlags{}
	cmd := &cobra.Command{
		Use:   "script [flags] FILE|DIR...",
		Short: "Run packet scripts (packetdrill's language) in virtual time",
		Long: `Runs packet scripts, in the language of packetdrill, against weir in this process and in
virtual time: a script that waits for minutes takes milliseconds. Both dialects are read,
Google's and the one that FreeBSD's test suite is written in. Of a directory every *.pkt
below it is run. Commands in backquotes are never executed: what they set is mapped to
settings of the stack, and a script that needs what weir does not have is skipped, with the
reason.

A script that names its kernel by the settings it makes runs with that kernel's profile
(linux, freebsd), others with weir's own. Each runs twice: over a device that takes
super-segments, and over one that does not.

With --json one object is printed: "summary" counts pass, fail, skip, invalid and lists
"reasons"; "results" has for each script its file, outcome, reason, profile, family, the
times virtual_ns and real_ns, and where it failed a "failure" with line, source, message,
expected, got, and around (the packets) and state (the connections) as lists of lines.

The exit status is the number of scripts that failed or could not be read, 125 at most, and
126 where none were run: for a wrong flag or path, or after an interrupt. Skipped scripts do
not count.`,
		Example: "  weir script stack/tcp/testdata\n" +
			"  weir script -v --path plain retransmit.pkt\n" +
			"  weir script --against kernel retransmit.pkt    # is the script right? needs root\n" +
			"  weir script --report - --go-tests stack/tcp/testdata  # what the RFCs ask, and what proves it",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return notRun{fmt.Errorf("script needs a FILE or a DIR, as in weir script stack/tcp/testdata")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), args)
		},
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return notRun{flagError(cmd, err)}
	})
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVar(&f.profile, "profile", "", "behave like `PROFILE`: weir, linux, freebsd, or freebsd-13 or -12 as it was (default: as the script says, else weir)")
	fs.StringVar(&f.family, "family", "", "run as `FAMILY`: ipv4, ipv6 or ipv4-mapped-ipv6 (default: as the script says, else ipv4)")
	fs.StringVar(&f.path, "path", "both", "the data `PATH`: merged (super-segments), plain, or both")
	fs.StringVar(&f.against, "against", "weir", "run against `STACK`: weir, or kernel to judge the script by this Linux (real time, needs root)")
	fs.DurationVar(&f.tolerance, "tolerance", 0, "let times differ by `DURATION` in place of the script's --tolerance_usecs")
	fs.BoolVar(&f.strict, "strict-segments", false, "compare segments one by one, as --strict_segments in every script")
	fs.BoolVar(&f.relaxedPSH, "relaxed-psh", false, "let the PSH bit differ, and count the scripts that need it")
	fs.IntVarP(&f.jobs, "jobs", "j", 0, "run `N` scripts at once (default: one for each processor; against a kernel 1)")
	fs.StringVar(&f.report, "report", "", "write the table of requirements, proofs and results of a DIR with a requirements.txt to `FILE`, or - for standard output")
	fs.BoolVar(&f.goTests, "go-tests", false, "with --report, run the Go tests too that prove requirements (needs the sources and go)")
	fs.BoolVar(&f.json, "json", false, "print results and summary as JSON")
	fs.BoolVarP(&f.verbose, "verbose", "v", false, "print a line for every script, not only for those that fail")
	return cmd
}

// kernelPatience is how long a kernel is waited for where a script gives no time.
const kernelPatience = 10 * time.Second

// paths are the data paths that --path names: whether the device takes super-segments.
var paths = map[string][]bool{"plain": {false}, "merged": {true}, "both": {false, true}}

func (f *scriptFlags) check() error {
	switch {
	case paths[f.path] == nil:
		return fmt.Errorf("--path %s: must be merged, plain or both", f.path)
	case f.against != "weir" && f.against != "kernel":
		return fmt.Errorf("--against %s: must be weir or kernel", f.against)
	case !oneOf(f.profile, "", "weir", "linux", "freebsd", "freebsd-13", "freebsd-12"):
		return fmt.Errorf("--profile %s: must be weir, linux or freebsd (or freebsd-13, freebsd-12)", f.profile)
	case !oneOf(f.family, "", script.FamilyIPv4, script.FamilyIPv6, script.FamilyMapped):
		return fmt.Errorf("--family %s: must be ipv4, ipv6 or ipv4-mapped-ipv6", f.family)
	case f.tolerance < 0:
		return fmt.Errorf("--tolerance %v: must not be negative", f.tolerance)
	case f.goTests && f.report == "":
		return fmt.Errorf("--go-tests goes with --report")
	case f.report == "-" && f.json:
		return fmt.Errorf("--report - and --json both write to standard output")
	case f.jobs < 0:
		return fmt.Errorf("-j %d: must be 0 or more", f.jobs)
	}
	return nil
}

func oneOf(s string, of ...string) bool {
	for _, v := range of {
		if s == v {
			return true
		}
	}
	return false
}

func (f *scriptFlags) run(ctx context.Context, out io.Writer, args []string) error {
	if err := f.check(); err != nil {
		return notRun{err}
	}
	results, err := f.results(ctx, args)
	if err != nil {
		return notRun{err}
	}
	if f.report != "" {
		if len(args) != 1 {
			return notRun{fmt.Errorf("--report is for one DIR, as in weir script --report - stack/tcp/testdata")}
		}
		if err := f.writeReport(ctx, out, args, results); err != nil {
			return notRun{err}
		}
	}
	if f.report == "-" {
		// The table is the output.
	} else if f.json {
		raw, err := script.JSON(results)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s\n", raw); err != nil {
			return err
		}
	} else if err := f.print(out, results); err != nil {
		return err
	}
	if s := script.Summarize(results); s.Fail+s.Invalid > 0 {
		return exitStatus(min(s.Fail+s.Invalid, 125))
	}
	return nil
}

// results runs every script over each data path, and keeps of each the worst result.
func (f *scriptFlags) results(ctx context.Context, args []string) (worst []*script.Result, err error) {
	o := script.SuiteOptions{Parallel: f.jobs, Options: script.Options{
		Profile: f.profile, Family: f.family, StrictSegments: f.strict, Tolerance: f.tolerance, RelaxedPSH: f.relaxedPSH,
	}}
	o.Interrupted = func() bool { return ctx.Err() != nil }
	if f.against == "kernel" {
		if err := kernelhost.Check(); err != nil {
			return nil, fmt.Errorf("run scripts against the kernel: %w", err)
		}
		o.Backend, o.Patience = kernelhost.Until(ctx), kernelPatience
		if o.Parallel == 0 {
			o.Parallel = 1 // time is real: another script's work must not make this one late
		}
	}
	for _, offload := range paths[f.path] {
		o.Offload = offload
		results, err := script.RunPaths(args, o)
		if err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("interrupted")
		}
		worst = worse(worst, results)
	}
	if len(worst) == 0 {
		return nil, fmt.Errorf("no *%s below %s", script.Extension, strings.Join(args, " "))
	}
	return worst, nil
}

// worse takes of two results of each script the one that says more: a failure before a pass.
func worse(a, b []*script.Result) []*script.Result {
	if a == nil {
		return b
	}
	for i, r := range b {
		switch {
		case a[i].Outcome == script.Fail || a[i].Outcome == script.Invalid:
		case r.Outcome == script.Fail || r.Outcome == script.Invalid, a[i].Outcome == script.Pass && r.Outcome == script.Skip,
			a[i].Outcome == r.Outcome && r.RelaxedPSH > a[i].RelaxedPSH:
			a[i] = r
		}
	}
	return a
}

// print writes the failures, with -v a line for each of the others, and the summary.
func (f *scriptFlags) print(out io.Writer, results []*script.Result) error {
	var b strings.Builder
	for _, r := range results {
		switch r.Outcome {
		case script.Fail:
			fmt.Fprintf(&b, "%s\n", r)
			as := r.Profile
			if f.against == "kernel" {
				as = "a script for " + r.Profile + ", against the kernel"
			}
			fmt.Fprintf(&b, "  %-9s %s, %s\n\n", "ran as", as, pathName(r.Offload))
		case script.Invalid:
			fmt.Fprintf(&b, "%s\n", r)
		default:
			if f.verbose {
				fmt.Fprintf(&b, "%s (%s, %v in %v)\n", r, r.Profile, r.Virtual.Round(time.Millisecond), r.Real.Round(10*time.Microsecond))
			}
		}
	}
	fmt.Fprintf(&b, "%s\n", script.Summarize(results))
	_, err := io.WriteString(out, b.String())
	return err
}

func pathName(offload bool) string {
	if offload {
		return "over a device that takes super-segments"
	}
	return "over a plain device"
}
