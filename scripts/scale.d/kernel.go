package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/event"
	"github.com/weirnet/weir/tun"
)

// The link to the kernel: weir has one address, the kernel's side as many as there are processes.
var weirAddr = netip.MustParseAddr("10.78.255.254")

const linkBits = 16

// onTUN is a stack on a device in a namespace of its own.
type onTUN struct {
	ns    *tun.Namespace
	stack *stack.Stack
}

// newOnTUN makes the namespace, the device with the kernel's addresses, and the stack.
func newOnTUN(queues, addrs int) (t *onTUN, err error) {
	t = &onTUN{}
	defer func() {
		if err != nil {
			t.close()
		}
	}()
	if t.ns, err = tun.NewNamespace(); err != nil {
		return t, err
	}
	return t, t.ns.Do(func() error {
		// A client's ports are all those that are not privileged.
		if err := os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte("1024 65535"), 0); err != nil {
			return err
		}
		dev, err := tun.Open(tun.Config{Name: "weir0", Queues: queues})
		if err != nil {
			return err
		}
		if t.stack, err = newStack(dev, netip.PrefixFrom(weirAddr, linkBits)); err != nil {
			dev.Close()
			return err
		}
		for i := range addrs {
			if err := dev.AddHostAddress(netip.PrefixFrom(clientAddr(i), linkBits)); err != nil {
				return err
			}
		}
		return dev.Up()
	})
}

// clientAddr is the kernel's address of a number.
func clientAddr(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 78, byte(i / 250), byte(1 + i%250)})
}

func (t *onTUN) close() {
	if t.stack != nil {
		t.stack.Close()
	}
	if t.ns != nil {
		t.ns.Close()
	}
}

func runKernel(ctx context.Context, o *options, say func(string, ...any)) (*result, error) {
	processes := (o.kernel + o.perProcess - 1) / o.perProcess
	t, err := newOnTUN(o.queues, processes)
	if err != nil {
		return nil, err
	}
	defer t.close()
	var open atomic.Int64
	_, err = t.stack.ListenEvents("tcp4", ":7", &event.Funcs{
		Open:  func(*event.Conn) { open.Add(1) },
		Data:  (*event.Conn).Write,
		Close: func(*event.Conn, error) { open.Add(-1) },
	}, event.Options{})
	if err != nil {
		return nil, err
	}
	before, err := resident()
	if err != nil {
		return nil, err
	}
	began, cpu := time.Now(), cpuTime()
	defer tell(func() { say("%d of %d connections", open.Load(), o.kernel) })()
	clients, err := startClients(ctx, t, o, processes)
	defer clients.stop()
	if err != nil {
		return nil, err
	}
	// A client's connect returns with our SYN,ACK. The last ACKs may still be in the device's queues,
	// or lost, until the SYN,ACK is sent again.
	if err := until(ctx, func() bool { return open.Load() == int64(o.kernel) }, open.Load); err != nil {
		return nil, fmt.Errorf("%d of %d connections are open: %w", open.Load(), o.kernel, err)
	}
	n := float64(o.kernel)
	r := &result{}
	r.add("connections", n, "")
	r.add("opened per second", n/time.Since(began).Seconds(), "/s")
	r.add("processor time of weir to open one", (cpuTime()-cpu).Seconds()/n*1e6, "µs")
	after, err := resident()
	if err != nil {
		return nil, err
	}
	r.add("resident per connection", (float64(after)-float64(before))/n, "octets")
	if got := open.Load(); got != int64(o.kernel) {
		return nil, fmt.Errorf("%d connections are open, want %d", got, o.kernel)
	}
	idle := &idlers{}
	return r, idle.idle(ctx, min(o.idle, 10*time.Second), r, say)
}

// childArg makes this program a client: its arguments are its address and how many connections.
const childArg = "kernel-client"

// clients are the client processes.
type clients struct {
	cmds   []*exec.Cmd
	stdins []io.Closer
}

// startClients starts the processes and waits until each has all its connections.
func startClients(ctx context.Context, t *onTUN, o *options, processes int) (c *clients, err error) {
	c = &clients{}
	self, err := os.Executable()
	if err != nil {
		return c, err
	}
	var all sync.WaitGroup
	errs := make([]error, processes)
	for i := range processes {
		n := min(o.perProcess, o.kernel-i*o.perProcess)
		cmd := exec.CommandContext(ctx, self, childArg, clientAddr(i).String(), strconv.Itoa(n))
		cmd.Stderr = os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		stdin, err := cmd.StdinPipe()
		if err != nil {
			return c, err
		}
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			return c, err
		}
		if err := t.ns.Do(cmd.Start); err != nil {
			return c, err
		}
		c.cmds, c.stdins = append(c.cmds, cmd), append(c.stdins, stdin)
		all.Go(func() {
			if line, _ := bufio.NewReader(stdout).ReadString('\n'); line != "open\n" {
				errs[i] = errors.New("a client process has not opened its connections")
			}
		})
	}
	all.Wait()
	return c, errors.Join(errs...)
}

// stop ends the processes, and with them the connections.
func (c *clients) stop() {
	for i, cmd := range c.cmds {
		c.stdins[i].Close()
		cmd.Wait()
	}
}

// runChild opens connections, says so, and holds them until its input ends.
func runChild(args []string) error {
	if len(args) != 2 {
		return errors.New("it is started by scale, not by hand")
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	local := &net.TCPAddr{IP: net.ParseIP(strings.TrimSpace(args[0]))}
	d := net.Dialer{LocalAddr: local, Timeout: stalled}
	var next atomic.Int64
	var all sync.WaitGroup
	conns, errs := make([]net.Conn, n), make([]error, 32)
	for w := range errs {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				if conns[i], errs[w] = d.Dial("tcp4", netip.AddrPortFrom(weirAddr, 7).String()); errs[w] != nil {
					return
				}
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	fmt.Println("open")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
