package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

// options are what the command line says.
type options struct {
	command    string // as it was typed
	seconds    float64
	rounds     int
	mtu        int
	contenders []*contender
	tests      []test
	congestion string
	jsonFile   string
	cpuProfile string
	profile    bool
	markdown   bool
	source     string // the module's directory
}

// What is measured unless the command line says otherwise: all, or with the word "quick" before
// the flags, in under two minutes, what shows whether a change helped.
const (
	allContenders   = "weir,weir-events,weir-plain,gvisor,gvisor-best,kernel,kernel-plain,ceiling"
	quickContenders = "weir,weir-events,gvisor-best,kernel,ceiling"
	quickTests      = "to1,to8,from1,from8,rr1,rr64,crr16,udpflood,udp128"
	allTests        = quickTests + ",start,size,mem100000"
)

const helpText = `Measures weir beside gVisor and the Linux kernel, in network namespaces of its own.

  scripts/bench          everything, five rounds: some twenty minutes
  scripts/bench quick    what shows whether a change helped: under two minutes
  scripts/bench dns      weir's DNS beside NSD and unbound; it has flags of its own

Tests, the first ones with the number of connections or datagrams after the name:
  to, from     bulk to the stack and from it
  rr           requests and replies of one octet
  crr          connect, one octet's echo, close
  udp          datagrams there and back, so many on their way; udpflood: as fast as they are sent
  mem          memory of so many idle connections
  size, start  an echo program's size, and its time until it is ready

Flags, each after the word quick where that is given:
`

func parseOptions(args []string) (*options, error) {
	o := &options{command: strings.Join(append([]string{"scripts/bench"}, args...), " "), source: os.Getenv("BENCH_SOURCE")}
	rounds, seconds, contenders, tests := 5, 1.25, allContenders, allTests
	if len(args) > 0 && args[0] == "quick" {
		args, rounds, seconds, contenders, tests = args[1:], 2, 0.9, quickContenders, quickTests
	}
	f := flag.NewFlagSet("bench", flag.ExitOnError)
	f.Usage = func() {
		fmt.Fprint(f.Output(), helpText)
		f.PrintDefaults()
	}
	f.Float64Var(&o.seconds, "seconds", seconds, "how long each measurement lasts")
	f.IntVar(&o.rounds, "rounds", rounds, "how often all is repeated, the contenders started afresh; the table has the median")
	f.IntVar(&o.mtu, "mtu", 1500, "MTU of the link")
	who := f.String("contenders", contenders, "who is measured, in the order of the columns")
	what := f.String("tests", tests, "what is measured: a kind, and maybe the number of connections or datagrams")
	f.StringVar(&o.congestion, "congestion", "cubic", "congestion control of the client and of the kernel as a contender")
	f.StringVar(&o.jsonFile, "json", "", "`file` for every sample as JSON")
	f.StringVar(&o.cpuProfile, "cpuprofile", "", "`prefix` of files for the contenders' CPU profiles: PREFIX.NAME.ROUND")
	f.BoolVar(&o.profile, "profile", false, "show what a CPU profile of each contender is made of, by a run of its own for each test")
	f.BoolVar(&o.markdown, "markdown", false, "print Markdown, as the README has it")
	f.Parse(args) // ExitOnError
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unknown argument %q", f.Arg(0))
	}
	if o.rounds < 1 || o.seconds <= 0 || o.seconds > 600 {
		return nil, fmt.Errorf("at least one round, and more than 0 and at most 600 seconds, are needed")
	}
	if o.profile && o.cpuProfile != "" {
		return nil, fmt.Errorf("--profile and --cpuprofile exclude each other")
	}
	return o, o.choose(*who, *what)
}

// choose reads the lists of contenders and tests.
func (o *options) choose(who, what string) error {
	for _, name := range strings.Split(who, ",") {
		c := contenderByName(name)
		if c == nil {
			return fmt.Errorf("--contenders: there is no %q: say some of %s", name, allContenders)
		}
		o.contenders = append(o.contenders, c)
	}
	for _, name := range strings.Split(what, ",") {
		t, err := parseTest(name)
		if err != nil {
			return err
		}
		o.tests = append(o.tests, t)
	}
	return nil
}

func (o *options) duration() time.Duration { return time.Duration(o.seconds * float64(time.Second)) }
