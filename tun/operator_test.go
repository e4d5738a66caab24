package tun

import (
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// makeOperators makes a persistent device as an operator would (ip tuntap add).
func makeOperators(t testing.TB, cfg Config) netlink.Link {
	t.Helper()
	flags := uint16(unix.IFF_TUN | unix.IFF_TUN_EXCL)
	if cfg.Queues > 1 {
		flags |= unix.IFF_MULTI_QUEUE
	} else {
		flags |= unix.IFF_NO_PI
	}
	fd, _, err := attach(cfg.Name, flags)
	must(t, err)
	defer unix.Close(fd)
	must(t, unix.IoctlSetInt(fd, unix.TUNSETPERSIST, 1))
	l, err := netlink.LinkByName(cfg.Name)
	must(t, err)
	return l
}

func TestOperatorsDeviceIsLeftAsFound(t *testing.T) {
	for _, up := range []bool{true, false} {
		name := map[bool]string{true: "up", false: "down"}[up]
		t.Run(name, func(t *testing.T) {
			eachBackend(t, func(t *testing.T, cfg Config) { leftAsFound(t, cfg, up) })
		})
	}
}

func leftAsFound(t *testing.T, cfg Config, up bool) {
	cfg.Name = "oper0"
	l := makeOperators(t, cfg)
	must(t, netlink.LinkSetMTU(l, 1400))
	must(t, netlink.LinkSetTxQLen(l, 321))
	if up {
		must(t, netlink.LinkSetUp(l))
	}
	for _, a := range []string{"10.9.0.1/24", "2001:db8:9::1/64", "192.0.2.1/24"} {
		must(t, netlink.AddrAdd(l, &netlink.Addr{IPNet: ipNet(prefix(a)), Flags: unix.IFA_F_NODAD}))
	}
	if up {
		must(t, netlink.RouteAdd(&netlink.Route{LinkIndex: l.Attrs().Index, Dst: ipNet(prefix("10.8.0.0/16")), Scope: netlink.SCOPE_LINK}))
		must(t, netlink.RouteAdd(&netlink.Route{LinkIndex: l.Attrs().Index, Dst: ipNet(prefix("2001:db8:8::/48")), Table: 77}))
	}
	before := portrait(t, cfg.Name)
	for round := range 2 {
		d := mustOpen(t, cfg)
		if d.Created() || d.MTU() != 1400 {
			t.Errorf("created %v, MTU %d", d.Created(), d.MTU())
		}
		must(t, d.SetMTU(1380))
		must(t, d.AddHostAddress(host4)) // there already
		must(t, d.AddHostAddress(host6))
		must(t, d.Up())
		must(t, d.AddRoute(prefix("198.51.100.0/24"), netip.Addr{}))
		must(t, d.AddRoute(prefix("2001:db8:99::/48"), weir6))
		startEcho(d)
		must(t, ping(weir4, 100))
		must(t, ping(weir6, 100))
		must(t, ping(netip.MustParseAddr("2001:db8:99::7"), 100))
		if round == 1 { // a pulled cable takes addresses and routes with it
			must(t, d.Down())
			must(t, d.Up())
			must(t, ping(weir6, 100))
		}
		must(t, d.Close())
		if after := portrait(t, cfg.Name); after != before {
			t.Fatalf("round %d\nbefore:\n%s\nafter:\n%s", round, before, after)
		}
	}
}

// An operator may give a device to a user, who then needs no capability.
func TestOwnerNeedsNoCapability(t *testing.T) {
	eachBackend(t, func(t *testing.T, cfg Config) {
		cfg.Name = "oper0"
		l := makeOperators(t, cfg)
		flags := uint16(unix.IFF_TUN | l.(*netlink.Tuntap).Flags)
		fd, _, err := attach(cfg.Name, flags)
		must(t, err)
		must(t, unix.IoctlSetInt(fd, unix.TUNSETOWNER, unix.Geteuid()))
		must(t, unix.Close(fd))
		must(t, netlink.LinkSetIP6AddrGenMode(l, addrGenNone))
		must(t, netlink.LinkSetUp(l))
		for _, p := range []netip.Prefix{host4, host6} {
			must(t, netlink.AddrAdd(l, &netlink.Addr{IPNet: ipNet(p), Flags: unix.IFA_F_NODAD}))
		}
		before := portrait(t, cfg.Name)
		withoutNetAdmin(t, func() {
			d := mustOpen(t, cfg)
			must(t, d.AddHostAddress(host4))
			must(t, d.AddHostAddress(host6))
			startEcho(d)
			must(t, ping(weir4, 8))
			must(t, ping(weir6, 8))
			must(t, d.Close())
		})
		if after := portrait(t, cfg.Name); after != before {
			t.Fatalf("before:\n%s\nafter:\n%s", before, after)
		}
	})
}

func TestOperatorsChangesWhileOpenStay(t *testing.T) {
	inNamespace(t, func(*Namespace) {
		l := makeOperators(t, Config{Name: "oper0"})
		d := mustOpen(t, Config{Name: "oper0"})
		must(t, d.SetMTU(1380))
		must(t, netlink.LinkSetMTU(l, 1444))
		must(t, d.Close())
		l, err := netlink.LinkByName("oper0")
		must(t, err)
		if l.Attrs().MTU != 1444 {
			t.Errorf("MTU %d, want the operator's 1444", l.Attrs().MTU)
		}
	})
}

// Offloads outlive the descriptor on a persistent device. Who reads it plainly would get
// super-segments with no header.
func TestPlainOpenClearsOffloadsThatWereLeft(t *testing.T) {
	for _, queues := range []int{1, 2} {
		inNamespace(t, func(*Namespace) {
			cfg := Config{Name: "oper0", Offload: OffloadOff, Queues: queues}
			makeOperators(t, cfg)
			flags := uint16(unix.IFF_TUN | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
			if queues > 1 {
				flags |= unix.IFF_MULTI_QUEUE
			}
			fd, _, err := attach("oper0", flags)
			must(t, err)
			must(t, unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, offloadTCP))
			must(t, unix.Close(fd))
			if !hasTSO(t, "oper0") {
				t.Error("the kernel clears the offloads itself: the fact in the documentation is no longer one")
			}
			d := mustOpen(t, cfg)
			if hasTSO(t, "oper0") {
				t.Error("a plain device has TSO on")
			}
			must(t, d.Close())
			d = mustOpen(t, Config{Name: "oper0", Offload: OffloadOn, Queues: queues})
			if !hasTSO(t, "oper0") {
				t.Error("a device with offloads has TSO off")
			}
			must(t, d.Close())
			if hasTSO(t, "oper0") {
				t.Error("Close left TSO on")
			}
		})
	}
}

// hasTSO asks by ethtool.
func hasTSO(t *testing.T, name string) bool {
	t.Helper()
	const ethtoolGTSO = 0x1e
	return ethtoolGet(t, name, ethtoolGTSO) != 0
}

func TestVnetHeaderLengthIsPutBack(t *testing.T) {
	inNamespace(t, func(*Namespace) {
		makeOperators(t, Config{Name: "oper0"})
		const flags = unix.IFF_TUN | unix.IFF_NO_PI | unix.IFF_VNET_HDR
		fd, _, err := attach("oper0", flags)
		must(t, err)
		must(t, unix.IoctlSetPointerInt(fd, unix.TUNSETVNETHDRSZ, 12))
		must(t, unix.Close(fd))
		d := mustOpenUp(t, Config{Name: "oper0"})
		startEcho(d)
		must(t, ping(weir4, 100))
		must(t, d.Close())
		fd, _, err = attach("oper0", flags)
		must(t, err)
		defer unix.Close(fd)
		if n, err := unix.IoctlGetUint32(fd, unix.TUNGETVNETHDRSZ); err != nil || n != 12 {
			t.Errorf("header of %d octets, %v; want 12", n, err)
		}
	})
}
