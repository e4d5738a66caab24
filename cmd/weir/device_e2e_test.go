package main_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// TestDevicesAreLeftAsTheyWereFound ends weir up in every way. A device that it made is gone;
// one that an operator made stays, and is as it was where weir could still do that.
func TestDevicesAreLeftAsTheyWereFound(t *testing.T) {
	for _, m := range modes[:2] {
		for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGKILL} {
			t.Run(m.name+" "+sig.String(), func(t *testing.T) {
				l := newLab(t)
				l.operators("oper0", netlink.TUNTAP_MODE_TUN, 0)
				before := l.portrait("oper0")
				own := l.up(m.flags()...)
				operators := l.up(append(m.flags(), "--tun", "oper0", "--addr", "198.51.100.2/24", "--addr", "2001:db8:88::2/64")...)
				for _, addr := range []string{weir4, weir6, "198.51.100.2", "2001:db8:88::2"} {
					l.ok("", "ping", "-n", "-c", "1", "-W", "10", addr)
				}
				if sig == syscall.SIGKILL {
					for _, u := range []*up{own, operators} {
						must(t, u.cmd.Process.Kill())
						<-u.waited
					}
					eventually(t, "the device that weir made is gone", func() bool { return !l.hasLink("weir0") })
					if !l.hasLink("oper0") {
						t.Error("the operator's device is gone")
					}
					// Another weir takes it over.
					again := l.up(append(m.flags(), "--tun", "oper0", "--addr", "198.51.100.2/24")...)
					l.ok("", "ping", "-n", "-c", "1", "-W", "10", "198.51.100.2")
					again.devices = nil
					again.stop(syscall.SIGTERM)
					return
				}
				own.stop(sig)
				operators.devices = nil
				operators.stop(sig)
				if after := l.portrait("oper0"); after != before {
					t.Errorf("the operator's device was\n%s\nand is\n%s", before, after)
				}
			})
		}
	}
}

// TestAnInterruptEndsOpenConnections stops weir up in the middle of transfers: the process ends at once
// all the same, and every peer learns of it, by a reset or, where all was delivered, by a FIN.
func TestAnInterruptEndsOpenConnections(t *testing.T) {
	for _, m := range modes[:2] {
		t.Run(m.name, func(t *testing.T) {
			u := newLab(t).up(m.flags()...)
			const count = 8
			var flowing sync.WaitGroup
			ends := make(chan error, count)
			for i := range count {
				c := u.mustDial("tcp", net.JoinHostPort(families[i%2].weir, "19"))
				flowing.Add(1)
				go func() {
					_, err := io.CopyN(io.Discard, c, int64(1+i*100_000)) // the first have just begun
					flowing.Done()
					for err == nil {
						c.SetReadDeadline(time.Now().Add(patience))
						_, err = io.CopyN(io.Discard, c, 1<<20)
					}
					ends <- err
				}()
			}
			flowing.Wait()
			u.stop(syscall.SIGINT)
			for range count {
				if err := <-ends; !errors.Is(err, syscall.ECONNRESET) && err != io.EOF {
					t.Errorf("a peer's read ends with %v, want ECONNRESET or EOF", err)
				}
			}
		})
	}
}

// TestDeletedDeviceEndsWeir deletes the device underneath: weir says so and ends with status 1.
func TestDeletedDeviceEndsWeir(t *testing.T) {
	u := newLab(t).up()
	u.do(func() error {
		link, err := netlink.LinkByName("weir0")
		if err != nil {
			return err
		}
		return netlink.LinkDel(link)
	})
	<-u.waited
	if status := u.cmd.ProcessState.ExitCode(); status != 1 || strings.Count(u.stderr.String(), "\n") != 1 || !strings.Contains(u.stderr.String(), "weir0") {
		t.Errorf("status %d\n%s", status, u.said())
	}
}

// TestWhatCannotBeIsOneLineAndStatusOne gives weir up what it cannot do. Nothing of it stays.
func TestWhatCannotBeIsOneLineAndStatusOne(t *testing.T) {
	l := newLab(t)
	first := l.up()
	l.operators("tap0", netlink.TUNTAP_MODE_TAP, 0)
	l.operators("small0", netlink.TUNTAP_MODE_TUN, 0)
	l.do(func() error {
		link, err := netlink.LinkByName("small0")
		if err != nil {
			return err
		}
		return netlink.LinkSetMTU(link, 1000)
	})
	metrics := l.listen("127.0.0.1:0")
	file := filepath.Join(shortTempDir(t), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	other := "--tun weir1 --addr 198.51.100.2/24 "
	for _, tt := range []struct{ name, args, say string }{
		{"name in use by another weir", "--tun weir0 --addr 198.51.100.2/24", "in use"},
		{"name in use by a TAP device", "--tun tap0 --addr 198.51.100.2/24", "in use"},
		{"name in use by a device of another kind", "--tun lo --addr 198.51.100.2/24", "in use"},
		{"address of another device", "--tun weir1 --host-addr 192.0.2.1/24 --addr 192.0.2.9/24", "in use"},
		{"IPv6 address of another device", "--tun weir1 --host-addr 2001:db8:77::1/64 --addr 2001:db8:77::9/64", "in use"},
		{"one address for both sides", "--tun weir1 --host-addr 198.51.100.2/24 --addr 198.51.100.2/24", "198.51.100.2"},
		{"MTU below IPv4's minimum", other + "--mtu 67", "68"},
		{"MTU below IPv6's minimum", "--tun weir1 --addr 2001:db8:88::2/64 --mtu 1279", "1280"},
		{"a device's MTU below IPv6's minimum", "--tun small0 --addr 2001:db8:88::2/64", "1280"},
		{"MTU that is no number", other + "--mtu large", "large"},
		{"MTU above the maximum", other + "--mtu 65536", "65535"},
		{"unknown flag", other + "--bogus", "bogus"},
		{"unknown offload", other + "--offload maybe", "maybe"},
		{"no queue", other + "--queues 0", "queues"},
		{"too many queues", other + "--queues 257", "queues"},
		{"no address", "--tun weir1 --addr 300.0.2.1/24", "300.0.2.1"},
		{"no prefix length", "--tun weir1 --addr 198.51.100.2", "198.51.100.2"},
		{"no name for a device", "--tun a-name-that-is-too-long --addr 198.51.100.2/24", "a-name-that-is-too-long"},
		{"unknown service", other + "--serve echo,gopher", "gopher"},
		{"route by no device", other + "--route 203.0.113.0/24,dev=weir9", "weir9"},
		{"route that is none", other + "--route here", "here"},
		{"no such namespace", other + "--netns no-such-namespace", "no-such-namespace"},
		{"a namespace that is none", other + "--netns " + file, file},
		{"capture into no folder", other + "--pcap /nonexistent/weir.pcapng", "/nonexistent/weir.pcapng"},
		{"address of the metrics in use", other + "--metrics " + metrics.Addr().String(), metrics.Addr().String()},
		{"control socket in no folder", other + "--control /nonexistent/control", "/nonexistent/control"},
		{"an argument too many", other + "now", "now"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := l.in(t)
			args := append([]string{"up"}, strings.Fields(tt.args)...)
			if !strings.Contains(tt.args, "--control") {
				args = append(args, "--control", filepath.Join(shortTempDir(t), "control"))
			}
			oneLine(t, l.finish("", command(weirBinary(t), args...), patience), tt.say)
			if l.hasLink("weir1") {
				t.Error("weir1 is still there")
			}
		})
	}
	l.ok("", "ping", "-n", "-c", "1", "-W", "10", weir4) // the first was not disturbed
	first.stop(syscall.SIGTERM)
}

// oneLine holds that a command failed with status 1 and one line on standard error, and that the line
// says a word.
func oneLine(t testing.TB, r result, say string) {
	t.Helper()
	if r.status != 1 || r.stdout != "" || strings.Count(r.stderr, "\n") != 1 || !strings.HasSuffix(r.stderr, "\n") || !strings.Contains(r.stderr, say) {
		t.Errorf("want status 1 and one line on standard error that says %q: %v", say, r)
	}
	t.Log(strings.TrimSpace(r.stderr))
}

// TestWithoutPermissionWeirSaysSo runs weir up as nobody.
func TestWithoutPermissionWeirSaysSo(t *testing.T) {
	l := newLab(t)
	dir := shortTempDir(t)
	must(t, os.Chown(dir, 65534, 65534))
	for _, m := range modes {
		args := append([]string{"--reuid=65534", "--regid=65534", "--clear-groups", "--", weirBinary(t), "up",
			"--control", filepath.Join(dir, "control")}, m.flags()...)
		oneLine(t, l.run("", "setpriv", args...), "permission")
		if l.hasLink("weir0") {
			t.Error("weir0 is there")
		}
	}
	// Root without the capability, where the user may open /dev/net/tun.
	args := []string{"--bounding-set=-net_admin", "--inh-caps=-net_admin", "--", weirBinary(t), "up", "--control", filepath.Join(dir, "control")}
	oneLine(t, l.run("", "setpriv", args...), "CAP_NET_ADMIN")
}

// TestPersistentDeviceOfTwoQueues is served with several queues where the operator made it so.
func TestPersistentDeviceOfTwoQueues(t *testing.T) {
	for _, m := range modes[2:] {
		t.Run(m.name, func(t *testing.T) {
			l := newLab(t)
			l.operators("oper0", netlink.TUNTAP_MODE_TUN, unix.IFF_MULTI_QUEUE)
			before := l.portrait("oper0")
			u := l.up(append(m.flags(), "--tun", "oper0", "--addr", "198.51.100.2/24")...)
			transfers(t, l.dial, "198.51.100.2:7", 8, 1<<20)
			u.devices = nil
			u.stop(syscall.SIGTERM)
			if after := l.portrait("oper0"); after != before {
				t.Errorf("the operator's device was\n%s\nand is\n%s", before, after)
			}
		})
	}
}
