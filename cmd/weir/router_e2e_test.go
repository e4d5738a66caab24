package main_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// farFamily is a family's flag for ping and its addresses: of the near host, of weir on both sides, and of the far host.
type farFamily struct{ name, flag, near, router, weir, host, other string }

// The network behind the router: TEST-NET-2 (RFC 5737) and another documentation subnet.
// The host there, in a namespace of its own, has two addresses of each family.
var far = []farFamily{
	{"IPv4", "-4", host4, weir4, "198.51.100.2", "198.51.100.1", "198.51.100.9"},
	{"IPv6", "-6", host6, weir6, "2001:db8:88::2", "2001:db8:88::1", "2001:db8:88::9"},
}

// routed is a router between two kernel hosts, each in its namespace.
type routed struct {
	*up         // in the namespace of the near host
	beyond *lab // the namespace of the far host
	mtu    int  // of the device there
}

// newRouted runs weir up --forward on the devices left and right, and moves right to a namespace of its
// own. Both hosts say in their SYNs that they take segments for an MTU of 1500, so that what is
// larger than right's MTU meets the router.
func newRouted(t testing.TB, left, right string, mtu int, more ...string) *routed {
	t.Helper()
	l := newLab(t)
	r := &routed{beyond: newLab(t), mtu: mtu}
	args := []string{"--forward",
		"--tun", "left", "--addr", weir4 + "/24", "--addr", weir6 + "/64", "--offload", left,
		"--tun", "right", "--addr", "198.51.100.2/24", "--addr", "2001:db8:88::2/64", "--host-addr", "none",
		"--offload", right, "--mtu", fmt.Sprint(mtu)}
	r.up = l.up(append(args, more...)...)
	home, err := os.Open(r.beyond.ns.Path())
	must(t, err)
	defer home.Close()
	l.do(func() error {
		link, err := netlink.LinkByName("right")
		if err == nil {
			err = netlink.LinkSetNsFd(link, int(home.Fd()))
		}
		return err
	})
	l.route("left", 0, "198.51.100.0/24", weir4)
	l.route("left", 0, "2001:db8:88::/64", weir6)
	r.beyond.address("right", "198.51.100.1/24", "198.51.100.9/24", "2001:db8:88::1/64", "2001:db8:88::9/64")
	r.beyond.route("right", 1460, "192.0.2.0/24", "198.51.100.2")
	r.beyond.route("right", 1440, "2001:db8:77::/64", "2001:db8:88::2")
	r.beyond.sysctl("net.ipv4.icmp_ratelimit", "0") // it answers every probe of a traceroute
	r.beyond.sysctl("net.ipv6.icmp.ratelimit", "0")
	// Nor is it held back for what others made the machine say: kernels before 6.13 have one bucket for all namespaces.
	r.beyond.sysctl("net.ipv4.icmp_ratemask", "0")
	r.beyond.sysctl("net.ipv6.icmp.ratemask", "255")
	for _, f := range far { // a new IPv6 address takes the kernel a moment
		eventually(t, "the host beyond answers", func() bool {
			return l.run("", "ping", f.flag, "-n", "-c", "1", "-W", "1", f.host).status == 0
		})
	}
	return r
}

// address sets a device up with addresses.
func (l *lab) address(device string, addrs ...string) {
	l.t.Helper()
	l.do(func() error {
		link, err := netlink.LinkByName(device)
		for _, p := range prefixes(addrs...) {
			a := &netlink.Addr{IPNet: &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}}
			if p.Addr().Is6() {
				a.Flags = unix.IFA_F_NODAD
			}
			if err == nil {
				err = netlink.AddrAdd(link, a)
			}
		}
		if err == nil {
			err = netlink.LinkSetUp(link)
		}
		return err
	})
}

// route routes dst by a next hop; mss, where not 0, is what the kernel says in its SYNs.
func (l *lab) route(device string, mss int, dst, via string) {
	l.t.Helper()
	p := netip.MustParsePrefix(dst)
	l.do(func() error {
		link, err := netlink.LinkByName(device)
		if err != nil {
			return err
		}
		return netlink.RouteAdd(&netlink.Route{
			LinkIndex: link.Attrs().Index, Gw: net.ParseIP(via), AdvMSS: mss,
			Dst: &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())},
		})
	})
}

// stopRouter ends the router; its second device is gone from the other namespace too.
func (r *routed) stopRouter() {
	r.t.Helper()
	r.stop(syscall.SIGTERM)
	if r.beyond.hasLink("right") {
		r.t.Error("right is still there")
	}
}

// links are the kinds of devices that a router may join.
var links = []struct {
	left, right string
	mtu         int
}{
	{"on", "on", 1500}, {"on", "off", 1500}, {"off", "on", 1500},
	{"on", "on", 1400}, {"on", "off", 1280}, {"off", "off", 1400},
}

func eachRouted(t *testing.T, more []string, fn func(t *testing.T, r *routed)) {
	for _, k := range links {
		t.Run(fmt.Sprintf("offload %s to offload %s MTU %d", k.left, k.right, k.mtu), func(t *testing.T) {
			r := newRouted(t, k.left, k.right, k.mtu, more...)
			fn(t, r)
			if !t.Failed() {
				r.idle(t)
				r.stopRouter()
			}
		})
	}
}

// TestTracerouteShowsTheRouterAndTheHostBeyond traces the way from one kernel to another through weir.
func TestTracerouteShowsTheRouterAndTheHostBeyond(t *testing.T) {
	for _, k := range links[:2] {
		t.Run(fmt.Sprintf("offload %s to offload %s", k.left, k.right), func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "weir.pcapng")
			r := newRouted(t, k.left, k.right, 1500, "--pcap", file)
			for _, f := range far {
				for _, how := range [][]string{{}, {"-I"}, {"-T", "-p", "7"}} {
					traceRouterAndHost(r, how, f)
				}
				// The router itself, also by its address beyond, is one hop away. It answers
				// a volley or two and then some each second (RFC 1812 §4.3.2.8).
				for _, addr := range []string{f.router, f.weir} {
					var hops []string
					if !happens(func() bool {
						hops = traceroute(r.lab, 1, []string{f.flag}, addr)
						return len(hops) == 1 && onlyFrom(hops[0], addr)
					}) {
						t.Errorf("traceroute %s to the router %s: %q", f.flag, addr, hops)
					}
				}
				// Nobody knows the way on: the router says so (RFC 1812 §4.3.3.1, RFC 4443 §3.1).
				nowhere := map[string]string{"-4": "203.0.113.1", "-6": "2001:db8:99::1"}[f.flag]
				r.lab.route("left", 0, map[string]string{"-4": "203.0.113.0/24", "-6": "2001:db8:99::/64"}[f.flag], f.router)
				var hops []string
				if !happens(func() bool {
					hops = traceroute(r.lab, 1, []string{f.flag}, nowhere)
					return len(hops) == 1 && strings.Contains(hops[0], f.router) && strings.Contains(hops[0], "!N")
				}) {
					t.Errorf("traceroute %s to a network without a route: %q, want %s !N", f.flag, hops, f.router)
				}
			}
			r.stopRouter()
			checkCapture(t, file, faultyOfRouter, "icmp.type == 11 && "+outbound, "icmpv6.type == 3 && "+outbound,
				"icmp.type == 3 && icmp.code == 0", "icmpv6.type == 1 && icmpv6.code == 0")
		})
	}
}

var hopLine = regexp.MustCompile(`(?m)^ *\d+  (.*)$`)

// traceroute returns what is said of each hop. It waits so many seconds for each answer, and not, as it would by
// itself, a few times as long as another answer took.
func traceroute(l *lab, wait int, how []string, addr string) (hops []string) {
	l.t.Helper()
	out := l.ok("", "traceroute", append(append([]string{"-n", "-m", "5", "-w", fmt.Sprintf("%d,0,0", wait)}, how...), addr)...)
	for _, m := range hopLine.FindAllStringSubmatch(out, -1) {
		hops = append(hops, m[1])
	}
	return hops
}

// traceRouterAndHost holds that a traceroute shows the router and the host beyond, and no more. About once in a hundred runs
// traceroute (2.1.2, with -I and -T) misses all replies that are no errors: the kernel's counters say that they were delivered to it. It does
// not do so time after time.
func traceRouterAndHost(r *routed, how []string, f farFamily) {
	r.t.Helper()
	var hops []string
	for range 5 {
		hops = traceroute(r.lab, 20, append([]string{f.flag}, how...), f.host)
		if len(hops) == 2 && onlyFrom(hops[0], f.router) && onlyFrom(hops[1], f.host) {
			return
		}
		r.t.Logf("traceroute %s %v to %s: %q, again; weir has counted %v", f.flag, how, f.host, hops, only(r.counters(r.t), ""))
	}
	r.t.Errorf("traceroute %s %v to %s: %q, want %s and %s", f.flag, how, f.host, hops, f.router, f.host)
}

// onlyFrom reports whether all three probes of a hop were answered by addr.
func onlyFrom(hop, addr string) bool {
	return strings.HasPrefix(hop, addr+" ") && strings.Count(hop, " ms") == 3 && !strings.ContainsAny(hop, "*!")
}

// TestRouterPassesTrafficOn sends through the router in both directions: pings of one packet and of
// fragments, datagrams, and TCP in segments as large as the kernel makes them, onto links that take
// them whole, that take only packets of the MTU, and whose MTU is smaller.
func TestRouterPassesTrafficOn(t *testing.T) {
	eachRouted(t, nil, func(t *testing.T, r *routed) {
		for _, f := range far {
			t.Run(f.name, func(t *testing.T) {
				near, beyond := r.lab.in(t), r.beyond.in(t)
				for _, way := range []struct {
					from, to *lab
					addr     string
				}{{near, beyond, f.host}, {beyond, near, f.near}} {
					pass(way.from, way.to, f.flag, way.addr)
				}
			})
		}
		m := r.counters(t)
		if m["ip.forwarded"] == 0 {
			t.Error("nothing was forwarded")
		}
		if out, n := m["link.right.octets_out"], m["link.right.frames_out"]; strings.Contains(t.Name(), "on to offload on MTU 1500") && out/n < 2000 {
			t.Errorf("%d octets in %d frames: super-segments were cut though the link takes them", out, n)
		}
	})
}

// pass sends every kind of traffic from one host to the other.
func pass(from, to *lab, flag, addr string) {
	from.t.Helper()
	tcp, udp := to.listen(net.JoinHostPort(addr, "0")), to.listenPacket(net.JoinHostPort(addr, "0"))
	defer tcp.Close()
	defer udp.Close()
	go serveEcho(tcp)
	go serveUDPEcho(udp)
	n := int64(16 << 20)
	if raceEnabled {
		n = 2 << 20
	}
	transfers(from.t, from.dial, tcp.Addr().String(), 1, n)
	transfers(from.t, from.dial, tcp.Addr().String(), 10, n/16)
	// The path MTU is known by now, so that nothing is lost for it.
	from.ping(flag, addr, "-c", "20", "-i", "0.01")
	from.ping(flag, addr, "-c", "3", "-i", "0.2", "-s", "20000")
	from.pingAll(addr, 200, 100)
	c := from.mustDial("udp", udp.LocalAddr().String())
	for _, n := range []int{1, 1000, 1200, 20000} {
		echoDatagram(from.t, c, n)
	}
}

// echoDatagram sends a datagram until it has come back: one may be lost on the way.
func echoDatagram(t testing.TB, c net.Conn, n int) {
	t.Helper()
	text := []byte(strings.Repeat("0123456789", n/10+1)[:n])
	buf := make([]byte, 1<<16)
	for range 15 {
		c.Write(text)
		c.SetReadDeadline(time.Now().Add(2 * time.Second))
		for {
			k, err := c.Read(buf)
			if err != nil {
				break
			}
			if string(buf[:k]) == string(text) {
				return
			}
		}
	}
	t.Errorf("a datagram of %d octets to %v does not come back", n, c.RemoteAddr())
}

// listenPacket listens on the kernel of the namespace.
func (l *lab) listenPacket(address string) (pc net.PacketConn) {
	l.t.Helper()
	l.do(func() (err error) {
		pc, err = net.ListenPacket("udp", address)
		return err
	})
	l.open.keep(pc)
	return pc
}

// TestRouterTellsThePathMTU sends packets that are larger than the next link: the sender learns the
// link's MTU (RFC 1191, RFC 8201), and where it allows so the router fragments (RFC 1812 §5.2.6).
func TestRouterTellsThePathMTU(t *testing.T) {
	for _, k := range links[3:] {
		t.Run(fmt.Sprintf("offload %s to offload %s MTU %d", k.left, k.right, k.mtu), func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "weir.pcapng")
			r := newRouted(t, k.left, k.right, k.mtu, "--pcap", file)
			for _, f := range far {
				// By TCP: the first large segments are refused, and sent again smaller.
				ln := r.beyond.listen(net.JoinHostPort(f.host, "0"))
				go serveEcho(ln)
				c := r.mustDial("tcp", ln.Addr().String())
				if before := pathMTU(t, c, f.flag); before != 1500 {
					t.Errorf("%s: the path's MTU is %d before anything was sent, want 1500", f.name, before)
				}
				if err := echoed(c, 4<<20, 3); err != nil {
					t.Errorf("%s: %v", f.name, err)
				}
				if after := pathMTU(t, c, f.flag); after != k.mtu {
					t.Errorf("%s: the kernel learned a path MTU of %d, want %d", f.name, after, k.mtu)
				}
				// By ping, to an address that the kernel knows nothing of yet.
				size := map[string]int{"-4": 1500 - 28, "-6": 1500 - 48}[f.flag]
				res := r.run("", "ping", f.flag, "-n", "-M", "do", "-c", "1", "-W", "10", "-s", fmt.Sprint(size), f.other)
				if said := regexp.MustCompile(`(?i)(frag needed|too big|too long).*mtu ?= ?` + fmt.Sprint(k.mtu)); !said.MatchString(res.stdout + res.stderr) {
					t.Errorf("ping -M do -s %d %s: want word of an MTU of %d: %v", size, f.other, k.mtu, res)
				}
				if f.flag == "-4" { // the router fragments
					r.lab.ping(f.flag, f.other, "-c", "3", "-i", "0.2", "-M", "dont", "-s", fmt.Sprint(size))
				}
			}
			r.idle(t)
			r.stopRouter()
			checkCapture(t, file, faultyOfRouter, "icmp.type == 3 && icmp.code == 4 && "+outbound, "icmpv6.type == 2 && "+outbound)
		})
	}
}

// pathMTU asks the kernel what it knows of the path of a connection.
func pathMTU(t testing.TB, c net.Conn, flag string) (mtu int) {
	t.Helper()
	raw, err := c.(syscall.Conn).SyscallConn()
	must(t, err)
	err = errors.Join(raw.Control(func(fd uintptr) {
		if flag == "-4" {
			mtu, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU)
		} else {
			mtu, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_MTU)
		}
	}), err)
	must(t, err)
	return mtu
}
