package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
)

const (
	// childArg makes this program a contender.
	childArg = "contender"
	// readyLine is what a contender says once it listens.
	readyLine = "ready\n"
)

// The two ends of the link (RFC 5737).
var (
	clientPrefix = netip.MustParsePrefix("192.0.2.1/24")
	stackPrefix  = netip.MustParsePrefix("192.0.2.2/24")
)

// contender is somebody who is measured.
type contender struct {
	name, title string
	veth        bool     // it is a kernel: it gets a namespace of its own
	plain       bool     // its veth pair has no offloads
	env         []string // for its process, besides what all have
	idle        int      // the port for idle connections, where their memory is measured
	program     string   // its echo program's directory
	// open makes the stack, in the thread's namespace.
	open func(mtu int, congestion string) (endpoint, error)
}

// endpoint is a TCP stack at stackPrefix's address: a faced or a served.
type endpoint interface{ io.Closer }

// faced has the shapes of package net, which serve.go is written against.
type faced interface {
	endpoint
	listen(port int) (net.Listener, error)
	listenPacket(port int) (datagrams, error)
}

// served has the services of serve.go in another shape of its own.
type served interface {
	endpoint
	serve() error // starts them
}

var contenders = []*contender{
	{name: "weir", title: "weir", idle: echoPort, program: "scripts/smallest.d", open: openWeir},
	{name: "weir-events", title: "weir, events", idle: echoPort, program: programs + "weir-events", open: openWeirEvents},
	{name: "weir-one", title: "weir, GOMAXPROCS=1", env: []string{"GOMAXPROCS=1"}, open: openWeir}, // to tell what a second thread costs
	{name: "weir-plain", title: "weir plain", open: openWeirPlain},
	{name: "weir-dns", title: "weir, DNS", open: openWeirDNS}, // of scripts/bench dns
	{name: "gvisor", title: "gVisor", program: programs + "gvisor", open: openGVisor},
	{name: "gvisor-best", title: "gVisor best", idle: idlePort, env: []string{"GOGC=400"}, open: openGVisorBest},
	{name: "kernel", title: "Linux, veth", veth: true, program: programs + "net", open: openKernel},
	{name: "kernel-plain", title: "Linux, plain veth", veth: true, plain: true, open: openKernel},
	{name: "ceiling", title: "ceiling", open: openCeiling},
}

func contenderByName(name string) *contender {
	for _, c := range contenders {
		if c.name == name {
			return c
		}
	}
	return nil
}

// runChild is the contender's process: it serves until standard input ends. args are its
// name, the MTU, the congestion control, and maybe a file for the CPU profile.
func runChild(args []string) error {
	if len(args) < 3 || contenderByName(args[0]) == nil {
		return errors.New("a contender is started by bench, not by hand")
	}
	mtu, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	ep, err := contenderByName(args[0]).open(mtu, args[2])
	if err != nil {
		return err
	}
	defer ep.Close()
	if err := serveAll(ep); err != nil {
		return err
	}
	if len(args) > 3 {
		if err := beginProfile(args[3]); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Print(readyLine)
	return obey(os.Stdin, os.Stdout)
}

// beginProfile has a CPU profile written to a file, until pprof.StopCPUProfile.
func beginProfile(file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return pprof.StartCPUProfile(f)
}

// What the parent may ask of a contender. It answers with one line.
const (
	askAllocations = "allocations" // how many objects it has allocated
	askCollect     = "collect"     // collect what is garbage and give it back to the kernel
	askProfile     = "profile "    // with a file behind it: begin a CPU profile
	askProfileEnd  = "profile-end" // end it
)

// obey answers until in ends.
func obey(in io.Reader, out io.Writer) error {
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var answer uint64
		switch lines.Text() {
		case askAllocations:
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			answer = m.Mallocs
		case askCollect:
			debug.FreeOSMemory()
		case askProfileEnd:
			pprof.StopCPUProfile()
		}
		if file, ok := strings.CutPrefix(lines.Text(), askProfile); ok {
			if err := beginProfile(file); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintln(out, answer); err != nil {
			return err
		}
	}
	return nil
}
