package tun

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

var (
	host4 = netip.MustParsePrefix("192.0.2.1/24")
	host6 = netip.MustParsePrefix("2001:db8:77::1/64")
	weir4 = netip.MustParseAddr("192.0.2.2")
	weir6 = netip.MustParseAddr("2001:db8:77::2")
)

// backends are the ways in that must not be told apart.
var backends = []struct {
	name string
	cfg  Config
	want string
}{
	{"vnet_hdr", Config{Offload: OffloadOn}, "vnet_hdr"},
	{"vnet_hdr_3_queues", Config{Offload: OffloadOn, Queues: 3}, "vnet_hdr"},
	{"water", Config{Offload: OffloadOff}, "plain"},
	{"plain_2_queues", Config{Offload: OffloadOff, Queues: 2}, "plain"},
}

// inNamespace runs a test in a network namespace of its own. Where there is no permission
// it skips, but in CI it fails.
func inNamespace(t testing.TB, fn func(ns *Namespace)) {
	t.Helper()
	ns, err := NewNamespace()
	if err != nil && os.Getenv("CI") != "true" && errors.Is(err, unix.EPERM) {
		t.Skip("no network namespace without root:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	if err := ns.Do(func() error { fn(ns); return nil }); err != nil {
		t.Fatal(err)
	}
}

// eachBackend runs a test in a namespace of its own for each way in.
func eachBackend(t *testing.T, fn func(t *testing.T, cfg Config)) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			inNamespace(t, func(*Namespace) { fn(t, b.cfg) })
		})
	}
}

func mustOpen(t testing.TB, cfg Config) *Device {
	t.Helper()
	d, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// mustOpenUp opens a device with the usual addresses, and up.
func mustOpenUp(t testing.TB, cfg Config) *Device {
	t.Helper()
	d := mustOpen(t, cfg)
	must(t, d.AddHostAddress(host4))
	must(t, d.AddHostAddress(host6))
	must(t, d.Up())
	return d
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func buffers(n int) ([][]byte, []int) {
	bufs := make([][]byte, n)
	for i := range bufs {
		bufs[i] = make([]byte, 65600)
	}
	return bufs, make([]int, n)
}

// startEcho answers echo requests on every queue until the device is closed. What
// ReadFrames returned at the end comes from the channel, once for each queue.
func startEcho(d *Device) <-chan error {
	ended := make(chan error, d.Queues())
	for q := range d.Queues() {
		go func() {
			bufs, sizes := buffers(16)
			for {
				n, err := d.ReadFrames(q, bufs, sizes)
				if err != nil {
					ended <- err
					return
				}
				for i := range n {
					if f := bufs[i][:sizes[i]]; echo(f) {
						if _, err := d.WriteFrames(q, [][]byte{f}); err != nil {
							println(err.Error())
						}
					}
				}
			}
		}()
	}
	return ended
}

// echo turns an echo request into its reply.
func echo(frame []byte) bool {
	p := frame[vnetLen:]
	var icmp []byte
	var reply byte
	switch {
	case p[0]>>4 == 4 && p[9] == 1 && p[20] == 8:
		icmp, reply = p[20:], 0
		swap(p[12:16], p[16:20])
	case p[0]>>4 == 6 && p[6] == 58 && p[40] == 128:
		icmp, reply = p[40:], 129
		swap(p[8:24], p[24:40])
	default:
		return false
	}
	if frame[0]&needsCsum == 0 {
		// RFC 1624 eqn 3; the addresses sum up to the same in either order.
		sum := uint32(^binary.BigEndian.Uint16(icmp[2:])) + uint32(^(uint16(icmp[0]) << 8)) + uint32(reply)<<8
		for sum > 0xffff {
			sum = sum&0xffff + sum>>16
		}
		binary.BigEndian.PutUint16(icmp[2:], ^uint16(sum))
	}
	icmp[0] = reply
	return true
}

func swap(a, b []byte) {
	for i := range a {
		a[i], b[i] = b[i], a[i]
	}
}

// ping sends an echo request of size octets from the kernel's raw socket in the thread's
// namespace and waits for the reply.
func ping(dst netip.Addr, size int) error { return pingFor(30*time.Second, dst, size) }

// pingFor is ping that waits so long.
func pingFor(wait time.Duration, dst netip.Addr, size int) error {
	network, req := "ip4:icmp", byte(8)
	reply := byte(0)
	if dst.Is6() {
		network, req, reply = "ip6:ipv6-icmp", 128, 129
	}
	c, err := net.Dial(network, dst.String())
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(wait))
	m := make([]byte, 8+size)
	for i := range m[8:] {
		m[8+i] = byte(i * 7)
	}
	m[0] = req
	binary.BigEndian.PutUint32(m[4:], uint32(os.Getpid())<<16|uint32(size)&0xffff)
	binary.BigEndian.PutUint16(m[2:], ^sum(m)) // for ICMPv6 the kernel does it again
	if _, err := c.Write(m); err != nil {
		return err
	}
	buf := make([]byte, 70000)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return err
		}
		got := buf[:n]
		if dst.Is4() && n >= 20 && got[0] == 0x45 {
			got = got[20:]
		}
		if len(got) == len(m) && got[0] == reply && bytes.Equal(got[4:], m[4:]) {
			return nil
		}
	}
}

// sum is the internet checksum's sum, not inverted (RFC 1071).
func sum(pieces ...[]byte) uint16 {
	var s uint32
	for _, b := range pieces {
		for i := 0; i < len(b); i += 2 {
			s += uint32(b[i]) << 8
			if i+1 < len(b) {
				s += uint32(b[i+1])
			}
		}
	}
	for s > 0xffff {
		s = s&0xffff + s>>16
	}
	return uint16(s)
}

// portrait describes an interface: everything that an operator would miss.
func portrait(t testing.TB, name string) string {
	t.Helper()
	l, err := netlink.LinkByName(name)
	if err != nil {
		return err.Error()
	}
	a := l.Attrs()
	lines := []string{fmt.Sprintf("index %d mtu %d up %v txqlen %d", a.Index, a.MTU, a.RawFlags&unix.IFF_UP != 0, a.TxQLen)}
	if tt, ok := l.(*netlink.Tuntap); ok {
		lines = append(lines, fmt.Sprintf("mode %d flags %#x persist %v queues %d owner %d group %d", tt.Mode, tt.Flags, !tt.NonPersist, tt.Queues, tt.Owner, tt.Group))
	}
	gen, _ := os.ReadFile("/proc/sys/net/ipv6/conf/" + name + "/addr_gen_mode")
	lines = append(lines, "addr_gen_mode "+strings.TrimSpace(string(gen)))
	addrs, err := netlink.AddrList(l, netlink.FAMILY_ALL)
	must(t, err)
	for _, a := range addrs {
		lines = append(lines, "address "+a.IPNet.String())
	}
	h := &host{nl: &netlink.Handle{}}
	routes, err := h.routesOf(a.Index)
	must(t, err)
	for _, r := range routes {
		lines = append(lines, fmt.Sprintf("route %v via %v table %d", r.Dst, r.Gw, r.Table))
	}
	slices.Sort(lines[3:])
	return strings.Join(lines, "\n")
}

// descriptors returns the open descriptors and what they are.
func descriptors(t testing.TB) map[int]string {
	t.Helper()
	dir, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	fds := make(map[int]string)
	for _, e := range dir {
		var fd int
		fmt.Sscan(e.Name(), &fd)
		what, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err == nil && !strings.HasPrefix(what, "/proc/") {
			fds[fd] = what
		}
	}
	return fds
}

// eventually waits for what another goroutine or the kernel is to bring about.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("did not happen: " + what)
		}
	}
}
