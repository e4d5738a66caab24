package tun

import (
	"errors"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func TestEchoFlowsEveryWayIn(t *testing.T) {
	eachBackend(t, func(t *testing.T, cfg Config) {
		d := mustOpenUp(t, cfg)
		ended := startEcho(d)
		for _, size := range []int{0, 1, 56, 1400} {
			if err := ping(weir4, size); err != nil {
				t.Fatalf("IPv4, %d octets: %v", size, err)
			}
			if err := ping(weir6, size); err != nil {
				t.Fatalf("IPv6, %d octets: %v", size, err)
			}
		}
		must(t, d.Close())
		for range d.Queues() {
			if err := <-ended; !errors.Is(err, os.ErrClosed) {
				t.Errorf("read after Close: %v, want os.ErrClosed", err)
			}
		}
	})
}

func TestDeviceSaysWhatItIs(t *testing.T) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			inNamespace(t, func(*Namespace) {
				cfg := b.cfg
				cfg.Name, cfg.MTU, cfg.RingLen = "one%d", 1300, 1000
				d := mustOpen(t, cfg)
				l, err := netlink.LinkByName("one0")
				must(t, err)
				if d.Name() != "one0" || d.Index() != l.Attrs().Index || d.MTU() != 1300 || l.Attrs().MTU != 1300 || l.Attrs().TxQLen != 1000 {
					t.Errorf("device %s index %d mtu %d, interface %+v", d.Name(), d.Index(), d.MTU(), l.Attrs())
				}
				if !d.Created() || d.Backend() != b.want || d.Queues() != max(1, cfg.Queues) {
					t.Errorf("created %v backend %q queues %d", d.Created(), d.Backend(), d.Queues())
				}
				if want := map[bool]uint64{true: vnetFeatures}[b.want == "vnet_hdr"]; d.Features()&^usoFeatures != want {
					t.Errorf("features %#x, want %#x", d.Features(), want)
				}
				if _, err := d.ReadFrames(d.Queues(), nil, nil); !errors.Is(err, unix.EINVAL) {
					t.Errorf("read of a queue that is not there: %v", err)
				}
			})
		})
	}
}

func TestAutoTakesOffloads(t *testing.T) {
	inNamespace(t, func(*Namespace) {
		d := mustOpen(t, Config{})
		if d.Backend() != "vnet_hdr" || d.Name() != "weir0" || d.MTU() != 1500 || d.Queues() != 1 {
			t.Errorf("%s: backend %s mtu %d queues %d", d.Name(), d.Backend(), d.MTU(), d.Queues())
		}
		if d.Features() != vnetFeatures|usoFeatures {
			t.Logf("this kernel takes no UDP segmentation: features %#x", d.Features())
		}
		if d := mustOpen(t, Config{NoUSO: true}); d.Features() != vnetFeatures {
			t.Errorf("without USO: features %#x", d.Features())
		}
		w, err := OpenWater(Config{Offload: OffloadOn, Queues: 4})
		must(t, err)
		defer w.Close()
		if w.Backend() != "plain" || w.Queues() != 1 {
			t.Errorf("OpenWater: backend %s, %d queues", w.Backend(), w.Queues())
		}
	})
}

// A second queue opened beside one without vnet_hdr silently has none.
func TestEveryQueueIsAskedForItsFlags(t *testing.T) {
	inNamespace(t, func(*Namespace) {
		d := mustOpen(t, Config{Offload: OffloadOn, Queues: 3})
		for i, q := range d.queues {
			must(t, q.control(func(fd int) {
				if flags, err := getIff(fd); err != nil || flags&unix.IFF_VNET_HDR == 0 || flags&unix.IFF_MULTI_QUEUE == 0 {
					t.Errorf("queue %d: flags %#x, %v", i, flags, err)
				}
			}))
		}
		const plain = unix.IFF_TUN | unix.IFF_NO_PI | unix.IFF_MULTI_QUEUE
		first, name, err := attach("odd%d", plain)
		must(t, err)
		defer unix.Close(first)
		second, _, err := attach(name, plain|unix.IFF_VNET_HDR)
		must(t, err)
		defer unix.Close(second)
		err = verify(name, second, plain|unix.IFF_VNET_HDR)
		if !errors.Is(err, errNoVnet) {
			t.Errorf("a queue that lost vnet_hdr passed: %v", err)
		}
	})
}

// The fact behind not asking TUNGETIFF about IFF_NO_PI.
func TestTUNGETIFFDoesNotTellNoPI(t *testing.T) {
	inNamespace(t, func(*Namespace) {
		fd, _, err := attach("pi%d", unix.IFF_TUN)
		must(t, err)
		defer unix.Close(fd)
		if flags, err := getIff(fd); err != nil || flags&unix.IFF_NO_PI == 0 {
			t.Errorf("flags %#x, %v: TUNGETIFF tells IFF_NO_PI after all", flags, err)
		}
	})
}

func TestCreatedDeviceIsGoneAfterClose(t *testing.T) {
	eachBackend(t, func(t *testing.T, cfg Config) {
		d := mustOpenUp(t, cfg)
		startEcho(d)
		must(t, ping(weir4, 8))
		must(t, d.Close())
		if _, err := netlink.LinkByName(d.Name()); !errors.As(err, &netlink.LinkNotFoundError{}) {
			t.Errorf("after Close: %v", err)
		}
		if err := d.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
		if _, err := d.WriteFrames(0, [][]byte{make([]byte, 40)}); !errors.Is(err, os.ErrClosed) {
			t.Errorf("write after Close: %v", err)
		}
		for _, err := range []error{d.Up(), d.Down(), d.SetMTU(1400), d.AddHostAddress(host4), d.RemoveHostAddress(host4), d.AddRoute(host4, weir4), d.RemoveRoute(host4, weir4)} {
			if !errors.Is(err, unix.EBADF) {
				t.Errorf("after Close: %v", err)
			}
		}
	})
}

func TestInterfaceDownAndUpIsSurvived(t *testing.T) {
	eachBackend(t, func(t *testing.T, cfg Config) {
		d := mustOpenUp(t, cfg)
		ended := startEcho(d)
		must(t, ping(weir4, 8))
		must(t, d.AddRoute(prefix("198.51.100.0/24"), weir4))
		for _, by := range []string{"us", "the operator"} {
			if by == "us" {
				must(t, d.Down())
			} else {
				must(t, netlink.LinkSetDown(d.link()))
			}
			frame := append(make([]byte, vnetLen), ip4Packet()...)
			if n, err := d.WriteFrames(0, [][]byte{frame, frame}); n != 0 || !errors.Is(err, unix.ENETDOWN) {
				t.Errorf("write while down: %d, %v", n, err)
			}
			// A reader that spins has no quiet moment; the collector of garbage may have been at work in one.
			eventually(t, "50 ms of waiting while down that take less than half of them of CPU", func() bool {
				before := cpu(t)
				time.Sleep(50 * time.Millisecond)
				return cpu(t)-before <= 25*time.Millisecond
			})
			select {
			case err := <-ended:
				t.Fatalf("down by %s: read returned %v", by, err)
			default:
			}
			if by == "us" {
				must(t, d.Up())
				must(t, ping(prefix("198.51.100.7/32").Addr(), 8))
			} else {
				must(t, netlink.LinkSetUp(d.link()))
				d.host().waitUsable(host6.Addr())
			}
			must(t, ping(weir4, 8))
			must(t, ping(weir6, 8))
		}
	})
}

// cpu returns the processor time that the process has used.
func cpu(t *testing.T) time.Duration {
	var u syscall.Rusage
	must(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestDeletionUnderneathIsTheEnd(t *testing.T) {
	eachBackend(t, func(t *testing.T, cfg Config) {
		d := mustOpenUp(t, cfg)
		ended := startEcho(d)
		must(t, ping(weir4, 8))
		must(t, netlink.LinkDel(d.link()))
		for range d.Queues() {
			if err := <-ended; !errors.Is(err, unix.ENODEV) || !errors.Is(err, os.ErrClosed) {
				t.Errorf("read: %v, want ENODEV and os.ErrClosed", err)
			}
		}
		bufs, sizes := buffers(1)
		if _, err := d.ReadFrames(0, bufs, sizes); !errors.Is(err, unix.ENODEV) {
			t.Errorf("read again: %v, want ENODEV", err)
		}
		frame := append(make([]byte, vnetLen), ip4Packet()...)
		if n, err := d.WriteFrames(0, [][]byte{frame}); n != 0 || !errors.Is(err, unix.ENODEV) {
			t.Errorf("write: %d, %v, want ENODEV", n, err)
		}
		for _, err := range []error{d.SetMTU(1400), d.AddHostAddress(host4), d.Up(), d.AddRoute(host4, weir4)} {
			if !errors.Is(err, unix.ENODEV) {
				t.Errorf("change of a deleted interface: %v", err)
			}
		}
		must(t, d.Close())
	})
}

// The kernel finishes a new IPv6 address in the background, also with no duplicate address
// detection.
func TestIPv6AddressIsUsableAtOnce(t *testing.T) {
	for round := range 30 {
		inNamespace(t, func(*Namespace) {
			d := mustOpen(t, Config{})
			if round%2 == 0 {
				must(t, d.Up())
				must(t, d.AddHostAddress(host6))
			} else {
				must(t, d.AddHostAddress(host6))
				must(t, d.Up())
			}
			startEcho(d)
			must(t, ping(weir6, 8))
			must(t, d.Close())
		})
	}
}

// A fresh device gets no link-local address, and so asks for no router.
func TestFreshDeviceIsQuiet(t *testing.T) {
	inNamespace(t, func(*Namespace) {
		d := mustOpenUp(t, Config{})
		time.Sleep(20 * time.Millisecond)
		addrs, err := netlink.AddrList(d.link(), netlink.FAMILY_V6)
		must(t, err)
		if len(addrs) != 1 {
			t.Errorf("IPv6 addresses: %v", addrs)
		}
	})
}

func TestMTUFollowsTheOperator(t *testing.T) {
	inNamespace(t, func(*Namespace) {
		d := mustOpen(t, Config{})
		must(t, netlink.LinkSetMTU(d.link(), 1432))
		eventually(t, "MTU follows", func() bool { return d.MTU() == 1432 })
		must(t, d.SetMTU(9000))
		eventually(t, "MTU stays", func() bool { return d.MTU() == 9000 })
	})
}

func TestDescriptorsAreCloseOnExecAndGivenBack(t *testing.T) {
	eachBackend(t, func(t *testing.T, cfg Config) {
		cfg.Name = "kept"
		for _, operators := range []bool{false, true} {
			if operators {
				makeOperators(t, cfg)
			}
			before := descriptors(t)
			d := mustOpenUp(t, cfg)
			startEcho(d)
			for fd, what := range descriptors(t) {
				if _, old := before[fd]; old {
					continue
				}
				if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
					t.Errorf("descriptor %d (%s) is not close-on-exec", fd, what)
				}
			}
			must(t, d.Close())
			if after := descriptors(t); len(after) > len(before) {
				t.Errorf("descriptors before %v, after %v", before, after)
			}
		}
	})
}

// Every failure gives back what was opened on the way, water's too.
func TestFailuresLeakNothing(t *testing.T) {
	eachBackend(t, func(t *testing.T, cfg Config) {
		held := mustOpen(t, Config{Name: "held"})
		before := descriptors(t)
		for _, name := range []string{"lo", "held"} {
			c := cfg
			c.Name = name
			if d, err := Open(c); err == nil {
				d.Close()
				t.Fatalf("%s opened", name)
			}
		}
		c := cfg
		c.Name, c.MTU = "fails", 1500
		withoutNetAdmin(t, func() {
			if d, err := Open(c); err == nil {
				d.Close()
				t.Error("opened without CAP_NET_ADMIN")
			}
		})
		if after := descriptors(t); len(after) > len(before) {
			t.Errorf("descriptors before %v, after %v", before, after)
		}
		links, err := netlink.LinkList()
		must(t, err)
		names := make([]string, len(links))
		for i, l := range links {
			names[i] = l.Attrs().Name
		}
		slices.Sort(names)
		if !slices.Equal(names, []string{"held", "lo"}) {
			t.Errorf("interfaces that are there after the failures: %v", names)
		}
		held.Close()
	})
}
