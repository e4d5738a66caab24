package main_test

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/link/pcapng"
	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/tun"
)

// local is a stack of this process on a TUN device in a lab: the far end of the
// kernel there, and of the programs.
type local struct {
	*lab
	*stack.Stack
	dev     *tun.Device
	base    int    // goroutines before anything spoke
	capture string // a file; empty for none
	writer  *pcapng.Writer
	file    *os.File
}

// newLocal puts a stack on a device weir0 with the addresses of a plain weir up.
func newLocal(t testing.TB, m mode, cfg stack.Config) *local {
	return startLocal(t, m, cfg, "")
}

// newCaptured is newLocal with every packet captured; tshark judges them when close is called.
func newCaptured(t testing.TB, m mode, cfg stack.Config) *local {
	return startLocal(t, m, cfg, filepath.Join(t.TempDir(), "weir.pcapng"))
}

func startLocal(t testing.TB, m mode, cfg stack.Config, capture string) *local {
	t.Helper()
	n := &local{lab: newLab(t), capture: capture}
	st, err := stack.New(cfg)
	must(t, err)
	n.Stack = st
	t.Cleanup(func() { st.Close() })
	n.dev, err = tun.Open(tun.Config{Name: "weir0", Offload: m.offload, Queues: m.queues, Namespace: n.ns.Path()})
	must(t, err)
	t.Cleanup(func() { n.dev.Close() })
	var dev stack.Device = n.dev
	if capture != "" {
		n.file, err = os.Create(capture)
		must(t, err)
		n.writer = pcapng.NewWriter(n.file, pcapng.Options{})
		t.Cleanup(func() { st.Close(); n.writer.Close(); n.file.Close() })
		dev = pcapng.Wrap(dev, n.writer)
	}
	_, err = st.AddInterface(dev, stack.InterfaceConfig{Addresses: prefixes(weir4+"/24", weir6+"/64")})
	must(t, err)
	for _, p := range prefixes(host4+"/24", host6+"/64") {
		must(t, n.dev.AddHostAddress(p))
	}
	must(t, n.dev.Up())
	n.base = runtime.NumGoroutine()
	return n
}

// close ends everything that the test has opened, and then the stack. Nothing of it may be left,
// and its capture must be sound.
func (n *local) close() {
	n.t.Helper()
	n.open.closeAll()
	if err := n.Close(); err != nil {
		n.t.Errorf("closing the stack: %v", err)
	}
	n.nothingHeld()
	if n.hasLink("weir0") {
		n.t.Error("the device is still there")
	}
	if n.capture != "" {
		must(n.t, n.writer.Close())
		must(n.t, n.file.Close())
		checkCapture(n.t, n.capture, faulty)
	}
}

// listen listens on the stack until the test ends.
func (n *local) listen(address string) net.Listener {
	n.t.Helper()
	ln, err := n.Stack.Listen("tcp", address)
	must(n.t, err)
	n.open.keep(ln)
	return ln
}

// nothingHeld waits until the stack holds nothing but what allow names and as many
// goroutines run as before anything spoke.
func (n *local) nothingHeld(allow ...string) {
	n.t.Helper()
	var left []stack.Counter
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if left = n.held(allow); len(left) == 0 && runtime.NumGoroutine() <= n.base {
			return
		}
	}
	if len(left) > 0 {
		n.t.Errorf("the stack still holds %v\n%+v", left, n.Connections())
	}
	if now := runtime.NumGoroutine(); now > n.base {
		var text strings.Builder
		pprof.Lookup("goroutine").WriteTo(&text, 1)
		n.t.Errorf("%d goroutines, %d before:\n%s", now, n.base, &text)
	}
}

func (n *local) held(allow []string) (left []stack.Counter) {
	for _, c := range n.Stats() {
		if strings.HasPrefix(c.Name, "held.") && c.Value != 0 && !slices.Contains(allow, c.Name) {
			left = append(left, c)
		}
	}
	return left
}

// info returns what the stack says of the connection whose far end is remote.
func (n *local) info(remote net.Addr) (info stack.ConnInfo, ok bool) {
	at := netip.MustParseAddrPort(remote.String())
	for _, c := range n.Connections() {
		if c.Remote == at {
			return c, true
		}
	}
	return info, false
}

// cable pulls the device's cable or puts it back, as an operator of the kernel's side does.
func (l *lab) cable(name string, in bool) {
	l.t.Helper()
	l.do(func() error {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		if in {
			return netlink.LinkSetUp(link)
		}
		return netlink.LinkSetDown(link)
	})
}

// brisk are the default settings but for the waits after the end of a connection.
func brisk() *tcp.Settings {
	s := tcp.DefaultSettings()
	s.MSL = 50 * time.Millisecond
	s.FinWait2Timeout = time.Second
	return &s
}

// hasty are settings with which also what the peer does not answer ends in a few seconds.
func hasty() *tcp.Settings {
	s := brisk()
	s.RTO.Max = 500 * time.Millisecond
	s.SynRetries, s.SynAckRetries = 4, 4
	s.Retries, s.OrphanRetries = 6, 3
	s.PersistMax = 400 * time.Millisecond
	return s
}

// eventually waits for what is to happen to the stack.
func (n *local) eventually(what string, ok func() bool) {
	n.t.Helper()
	if !happens(ok) {
		n.t.Fatalf("did not happen: %s\n%s", what, n.describe())
	}
}

// describe tells of the stack's connections and counters, for a failure.
func (n *local) describe() string {
	var b strings.Builder
	for _, c := range n.Connections() {
		fmt.Fprintf(&b, "%+v\n", c)
	}
	for _, c := range n.Stats() {
		if c.Value != 0 {
			fmt.Fprintf(&b, "%s %d\n", c.Name, c.Value)
		}
	}
	return b.String()
}
