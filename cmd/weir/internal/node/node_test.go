package node

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/weirnet/weir/cmd/weir/internal/netflag"
	"github.com/weirnet/weir/tun"
)

// inNamespace runs a test in a network namespace of its own. Where there is no
// permission it skips, but in CI it fails.
func inNamespace(t *testing.T, fn func(netns string)) {
	t.Helper()
	ns, err := tun.NewNamespace()
	if err != nil && os.Getenv("CI") != "true" && errors.Is(err, syscall.EPERM) {
		t.Skip("no network namespace without root:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	if err := ns.Do(func() error { fn(ns.Path()); return nil }); err != nil {
		t.Fatal(err)
	}
}

func device(name string, addrs, hosts string) netflag.Device {
	return netflag.Device{Name: name, Addrs: prefixes(addrs), HostAddrs: prefixes(hosts), Offload: netflag.OffloadAuto, Queues: 1}
}

func prefixes(s string) (ps []netip.Prefix) {
	for f := range strings.FieldsSeq(s) {
		ps = append(ps, netip.MustParsePrefix(f))
	}
	return ps
}

func mustOpen(t *testing.T, cfg Config) *Node {
	t.Helper()
	n, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// answers listens on the stack, connects from the host's side and says whether a word comes through.
func answers(t *testing.T, n *Node, a netip.Addr) {
	t.Helper()
	ln, err := n.Stack.Listen("tcp", netip.AddrPortFrom(a, 80).String())
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		if c, err := ln.Accept(); err == nil {
			fmt.Fprint(c, "hello")
			c.Close()
		}
	}()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	if got, err := io.ReadAll(c); string(got) != "hello" || err != nil {
		t.Errorf("%v: read %q, %v", a, got, err)
	}
}

func TestNodeAnswersAtEveryAddressAndLeavesNothing(t *testing.T) {
	tests := []struct{ name, addrs, hosts string }{
		{"both families", "192.0.2.2/24 2001:db8:77::2/64", "192.0.2.1/24 2001:db8:77::1/64"},
		{"an address outside the host's prefixes", "192.0.2.2/24 203.0.113.9/32 fd00::9/128", "192.0.2.1/24 2001:db8:77::1/64"},
		{"point to point", "192.0.2.4/31 2001:db8:77::5/127", "192.0.2.5/31 2001:db8:77::4/127"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inNamespace(t, func(string) {
				d := device("weir0", tt.addrs, tt.hosts)
				n := mustOpen(t, Config{Devices: []netflag.Device{d}, Routes: defaultRoutes("weir0")})
				for _, a := range n.Addrs() {
					answers(t, n, a)
				}
				if err := n.Close(); err != nil {
					t.Error(err)
				}
				if _, err := netlink.LinkByName("weir0"); !errors.As(err, &netlink.LinkNotFoundError{}) {
					t.Errorf("the device is still there after Close: %v", err)
				}
			})
		})
	}
}

func defaultRoutes(dev string) []netflag.Route {
	return []netflag.Route{{Dst: netip.MustParsePrefix("0.0.0.0/0"), Dev: dev}, {Dst: netip.MustParsePrefix("::/0"), Dev: dev}}
}

func TestHostsSideIsLeftAloneWhereNoneIsAskedFor(t *testing.T) {
	inNamespace(t, func(string) {
		d := device("weir0", "192.0.2.2/24", "")
		d.HostNone = true
		mustOpen(t, Config{Devices: []netflag.Device{d}})
		link, err := netlink.LinkByName("weir0")
		if err != nil {
			t.Fatal(err)
		}
		addrs, err := netlink.AddrList(link, netlink.FAMILY_V4)
		if err != nil || len(addrs) != 0 {
			t.Errorf("the host has %v (%v), want no address", addrs, err)
		}
		if link.Attrs().Flags&net.FlagUp == 0 {
			t.Error("a device that weir made is down: nobody else can have set it up")
		}
	})
}

func TestRoutesGoByTheNameThatTheKernelGave(t *testing.T) {
	inNamespace(t, func(string) {
		d := device("weir%d", "192.0.2.2/24", "192.0.2.1/24")
		n := mustOpen(t, Config{Devices: []netflag.Device{d}, Routes: defaultRoutes("weir%d")})
		found := false
		for _, r := range n.Stack.Routes() {
			found = found || r.Dst.Bits() == 0 && r.Interface == "weir0"
		}
		if !found {
			t.Errorf("no default route by weir0 in %v", n.Stack.Routes())
		}
	})
}

func TestNextHopThatIsNoNeighbourIsRefused(t *testing.T) {
	inNamespace(t, func(string) {
		route := netflag.Route{Dst: netip.MustParsePrefix("0.0.0.0/0"), Via: netip.MustParseAddr("203.0.113.1"), Dev: "weir0"}
		cfg := Config{Devices: []netflag.Device{device("weir0", "192.0.2.2/24", "192.0.2.1/24")}, Routes: []netflag.Route{route}}
		n, err := Open(cfg)
		const want = "add route 0.0.0.0/0: the next hop 203.0.113.1 is not a neighbour on weir0: give that an address of the next hop's subnet, or the route onlink"
		if err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		if err == nil {
			n.Close()
		}
		cfg.Routes[0].OnLink = true
		mustOpen(t, cfg)
	})
}

func TestFailureLeavesNothing(t *testing.T) {
	inNamespace(t, func(string) {
		good := device("weir0", "192.0.2.2/24", "192.0.2.1/24")
		bad := device("lo", "198.51.100.2/24", "198.51.100.1/24")
		if n, err := Open(Config{Devices: []netflag.Device{good, bad}}); err == nil {
			n.Close()
			t.Fatal("a node on lo")
		}
		if _, err := netlink.LinkByName("weir0"); !errors.As(err, &netlink.LinkNotFoundError{}) {
			t.Errorf("the first device is still there: %v", err)
		}
	})
}

func TestDeletedDeviceIsTold(t *testing.T) {
	inNamespace(t, func(string) {
		n := mustOpen(t, Config{Devices: []netflag.Device{device("weir0", "192.0.2.2/24", "192.0.2.1/24")}})
		link, err := netlink.LinkByName("weir0")
		if err != nil {
			t.Fatal(err)
		}
		if err := netlink.LinkDel(link); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-n.Gone():
			if !strings.Contains(err.Error(), "weir0 was deleted") {
				t.Errorf("told %q", err)
			}
		case <-time.After(time.Minute):
			t.Error("nothing was told")
		}
	})
}

func TestCaptureHoldsWhatPassed(t *testing.T) {
	inNamespace(t, func(netns string) {
		file := filepath.Join(t.TempDir(), "weir.pcapng")
		n := mustOpen(t, Config{
			Devices: []netflag.Device{device("weir0", "192.0.2.2/24", "192.0.2.1/24")},
			Netns:   netns, Pcap: file,
		})
		answers(t, n, n.Addrs()[0])
		if err := n.Close(); err != nil {
			t.Error(err)
		}
		data, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(data), "hello") || !strings.Contains(string(data), "weir0") {
			t.Errorf("the capture of %d octets lacks the word or the device (%v)", len(data), err)
		}
		if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("the capture has mode %v: packets are private", info.Mode())
		}
	})
}
