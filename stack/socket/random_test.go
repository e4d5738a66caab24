package socket_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/socket"
	"github.com/weirnet/weir/stack/socket/kernel"
	"github.com/weirnet/weir/stack/tcp"
)

var (
	randomSeed     = flag.Uint64("random.seed", 1, "TestRandomCallsAgainstTheKernel: seed of the first program")
	randomPrograms = flag.Int("random.programs", 200, "TestRandomCallsAgainstTheKernel: how many programs")
	randomSteps    = flag.Int("random.steps", 60, "TestRandomCallsAgainstTheKernel: calls in each program")
)

// Programs of random calls on a few sockets, over loopback, are put to weir and to the kernel. After
// each call what it returned is compared, and for each socket what poll reports, its names, what can be
// read and its state. A program that ends differently is shortened as far as it still does; and
// it counts only where it does so again, since the kernel's loopback has a moment of its own.
func TestRandomCallsAgainstTheKernel(t *testing.T) {
	programs := *randomPrograms
	if testing.Short() {
		programs = min(programs, 20)
	}
	aloneInNamespace(t, func() {
		lab := &laboratory{TB: t, patience: 10 * time.Second}
		for i := range programs {
			seed := *randomSeed + uint64(i)
			p := randomProgram(seed, *randomSteps)
			differs := true
			for try := 0; differs && try < 3; try++ { // a difference that does not recur is the kernel's timing
				differs = lab.run(p) != nil
			}
			if !differs {
				continue
			}
			lab.patience = 100 * time.Millisecond // of each of many runs
			t.Errorf("seed %d: %s", seed, lab.shorten(p))
			if t.Failed() && !testing.Verbose() {
				return
			}
		}
	})
}

// aloneInNamespace runs f on a thread that is alone in a network namespace with lo up.
func aloneInNamespace(t *testing.T, f func()) {
	t.Helper()
	if os.Getuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("the kernel's half needs root, for a namespace of its own")
		}
		t.Skip("the kernel's half needs root, for a namespace of its own")
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine, and its namespace
		defer close(done)
		if err := freshNamespace(); err != nil {
			done <- err
			return
		}
		f()
	}()
	if err := <-done; err != nil {
		t.Fatalf("make a network namespace: %v", err)
	}
}

// freshNamespace takes the thread to a new network namespace, with lo up.
func freshNamespace() error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return err
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(lo)
}

// laboratory runs programs on both.
type laboratory struct {
	testing.TB
	ran      int
	patience time.Duration // how long the kernel's loopback may take to deliver what was sent
}

// difference is where a program ends differently.
type difference struct {
	p            program
	step         int
	weir, kernel string
}

func (d *difference) String() string {
	if d == nil {
		return "a difference that does not come again"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "after call %d\n", d.step)
	for i, c := range d.p[:d.step+1] {
		fmt.Fprintf(&b, "  %2d  %s\n", i, c)
	}
	fmt.Fprintf(&b, "weir   %s\nkernel %s", d.weir, d.kernel)
	return b.String()
}

// run runs a program and returns the first difference, or nil. Each run has ports of its own: the kernel
// remembers connections for a while.
func (l *laboratory) run(p program) *difference {
	if l.ran%3800 == 0 && l.ran > 0 {
		if err := freshNamespace(); err != nil {
			l.Fatal(err)
		}
	}
	base := 1024 + l.ran%3800*randomPorts
	l.ran++
	w := newQuietHost(l.TB)
	defer w.close()
	ours, theirs := newWorld(w.System, base), newWorld(new(kernel.Calls), base)
	defer theirs.close()
	for i, c := range p {
		ours.result, theirs.result = ours.do(c), theirs.do(c)
		w.settle()
		a, b := ours.state(), theirs.state()
		for begun := time.Now(); a != b && ours.result == theirs.result && time.Since(begun) < l.patience; b = theirs.state() {
			runtime.Gosched()
		}
		if a != b {
			return &difference{p, i, a, b}
		}
	}
	return nil
}

// shorten leaves out calls as long as there is a difference, and returns the last.
func (l *laboratory) shorten(p program) *difference {
	last := l.run(p)
	for again, budget := last != nil, 1000; again && budget > 0; {
		again = false
		for i := last.step; i >= 0 && budget > 0; i-- {
			budget--
			p := last.p[:last.step+1]
			if i >= len(p) {
				continue
			}
			if d := l.run(slices.Delete(slices.Clone(p), i, i+1)); d != nil {
				last, again = d, true
			}
		}
	}
	return last
}

// quietHost is a host in virtual time that stands still: nothing but its loopback goes on.
type quietHost struct {
	*socket.System
	testing.TB
	h  *shard.Host
	in link.Frame
}

func newQuietHost(t testing.TB) *quietHost {
	now, linux := new(clock.Manual), tcp.LinuxSettings()
	now.Set(clock.Time(time.Hour))
	w := &quietHost{TB: t, h: shard.New(shard.Config{Clock: now, Secret: [32]byte{1}, TCP: &linux})}
	w.in.Buf = make([]byte, link.FrameSize)
	w.System = socket.New(w.h, socket.Config{Block: func(clock.Time, func() bool) bool {
		w.Error("a call waits that must not")
		return false
	}})
	return w
}

// settle delivers what the loopback holds.
func (w *quietHost) settle() {
	lo := w.h.InterfaceByName("lo")
	dev := lo.Device().(interface{ InUse() int })
	for range 100000 {
		if dev.InUse() == 0 {
			if w.h.Deadline() > w.h.Now() {
				return
			}
			w.h.Expire()
			continue
		}
		var size [1]int
		if n, _ := lo.Device().ReadFrames(0, [][]byte{w.in.ReadBuf()}, size[:]); n == 1 && w.in.SetRead(size[0]) == nil {
			w.h.Deliver(lo, &w.in)
		}
	}
	w.Error("the host is never at rest")
}

// close closes everything; nothing may be held afterwards.
func (w *quietHost) close() {
	w.System.Close()
	w.settle()
	if err := w.h.Close(); err != nil {
		w.Error(err)
	}
	w.h.EachCounter(func(name string, v uint64) {
		if strings.HasPrefix(name, "held.") && v != 0 {
			w.Errorf("%s is %d, want nothing held", name, v)
		}
	})
}

// program is what is run.
type program []call

func randomProgram(seed uint64, steps int) program {
	g := &generator{rand.New(rand.NewPCG(seed, 0))}
	p := make(program, steps)
	for i := range p {
		p[i] = g.call(i)
	}
	return p
}
