package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/weirnet/weir/cmd/weir/internal/netflag"
	"github.com/weirnet/weir/cmd/weir/internal/node"
	"github.com/weirnet/weir/tun"
)

// clientFlags are the flags of the commands that bring a stack of their own.
type clientFlags struct {
	devices *netflag.Devices
	flags   *pflag.FlagSet
	netns   string
	pcap    string
}

const clientTun = "weirc%d"

// register adds the flags to fs.
func (f *clientFlags) register(fs *pflag.FlagSet) {
	f.flags = fs
	f.devices = netflag.NewDevices(netflag.Defaults{Name: clientTun, MTU: 1500, Offload: netflag.OffloadAuto, Queues: 1})
	f.devices.Register(fs)
	fs.StringVar(&f.netns, "netns", "", "put the device in the network namespace `NAME` (or a path)")
	fs.StringVar(&f.pcap, "pcap", "", "capture every packet to `FILE`, in the pcapng format")
}

// open brings a stack up on a device of its own. Without --addr and --host-addr
// it takes free addresses of the families that are asked for.
func (f *clientFlags) open(v4, v6 bool) (*node.Node, error) {
	if f.flags.Changed("addr") || f.flags.Changed("host-addr") {
		devices, err := f.devices.Resolve()
		if err != nil {
			return nil, err
		}
		return f.openWith(devices)
	}
	taken, err := hostPrefixes(f.netns)
	if err != nil {
		return nil, err
	}
	for k := range clientLinks {
		addrs, hosts := clientAddrs(k, v4, v6)
		if slices.ContainsFunc(addrs, func(p netip.Prefix) bool { return slices.ContainsFunc(taken, p.Overlaps) }) {
			continue
		}
		devices, err := f.devices.ResolveWith(addrs, hosts)
		if err != nil {
			return nil, err
		}
		n, err := f.openWith(devices)
		if !errors.Is(err, syscall.EADDRINUSE) { // somebody was quicker
			return n, err
		}
	}
	return nil, errors.New("no free addresses for a device: give --addr and --host-addr")
}

func (f *clientFlags) openWith(devices []netflag.Device) (*node.Node, error) {
	if len(devices) != 1 {
		return nil, errors.New("a client has one --tun")
	}
	routes, err := new(netflag.Routes).Resolve(devices)
	if err != nil {
		return nil, err
	}
	return node.Open(node.Config{Devices: devices, Routes: routes, Netns: f.netns, Pcap: f.pcap})
}

// clientLinks is how many links for clients there are addresses for.
const clientLinks = 64

// clientAddrs returns the addresses of the link k, weir's and the host's: a /30 of
// TEST-NET-2 (RFC 5737) and a /64 of the documentation prefix (RFC 3849).
func clientAddrs(k int, v4, v6 bool) (weir, host []netip.Prefix) {
	if v4 {
		base := byte(4 * k)
		weir = append(weir, netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, base + 2}), 30))
		host = append(host, netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, base + 1}), 30))
	}
	if v6 {
		base := [16]byte{0x20, 0x01, 0x0d, 0xb8, 0x00, 0x78, 0x00, byte(k)}
		base[15] = 2
		weir = append(weir, netip.PrefixFrom(netip.AddrFrom16(base), 64))
		base[15] = 1
		host = append(host, netip.PrefixFrom(netip.AddrFrom16(base), 64))
	}
	return weir, host
}

// hostPrefixes returns the prefixes of the host's interfaces in the namespace.
func hostPrefixes(netns string) (prefixes []netip.Prefix, err error) {
	list := func() error {
		addrs, err := net.InterfaceAddrs()
		for _, a := range addrs {
			if p, perr := netip.ParsePrefix(a.String()); perr == nil {
				prefixes = append(prefixes, p)
			}
		}
		return err
	}
	if netns == "" {
		return prefixes, list()
	}
	ns, err := tun.OpenNamespace(netns)
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	err = ns.Do(list)
	return prefixes, err
}

// hint says why the host may not have passed packets on to dst, where that can be
// the reason that nothing came back.
func (f *clientFlags) hint(dst netip.Addr) string {
	prefixes, err := hostPrefixes(f.netns)
	if err != nil || slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Addr() == dst }) {
		return ""
	}
	file, setting := "/proc/sys/net/ipv4/ip_forward", "net.ipv4.ip_forward"
	if dst.Is6() {
		file, setting = "/proc/sys/net/ipv6/conf/all/forwarding", "net.ipv6.conf.all.forwarding"
	}
	on, err := os.ReadFile(file)
	if f.netns != "" || err != nil || strings.TrimSpace(string(on)) != "0" {
		return ""
	}
	return fmt.Sprintf("; to reach what is not the host itself, the host must forward (sysctl %s=1)", setting)
}
