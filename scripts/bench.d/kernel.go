package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/weirnet/weir/tun"
)

// kernelEndpoint is the Linux kernel's TCP in the process's namespace.
type kernelEndpoint struct{ congestion string }

func openKernel(_ int, congestion string) (endpoint, error) {
	return kernelEndpoint{congestion}, nil
}

func (k kernelEndpoint) listen(port int) (net.Listener, error) {
	cfg := net.ListenConfig{Control: withCongestion(k.congestion)}
	cfg.SetMultipathTCP(false)
	return cfg.Listen(context.Background(), "tcp4", fmt.Sprintf("%v:%d", stackPrefix.Addr(), port))
}

func (kernelEndpoint) listenPacket(port int) (datagrams, error) {
	return net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(stackPrefix.Addr(), uint16(port))))
}

func (kernelEndpoint) Close() error { return nil }

// withCongestion sets a socket's congestion control, for the default differs between machines.
func withCongestion(name string) func(_, _ string, raw syscall.RawConn) error {
	return func(_, _ string, raw syscall.RawConn) error {
		var err error
		if cerr := raw.Control(func(fd uintptr) {
			err = unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, name)
		}); cerr != nil {
			return cerr
		}
		if err != nil {
			return fmt.Errorf("choose congestion control %q: %w (see net.ipv4.tcp_available_congestion_control)", name, err)
		}
		return nil
	}
}

// joinByVeth puts a veth pair between two namespaces.
func joinByVeth(clientSide, stackSide *tun.Namespace, mtu int, plain bool) error {
	const near, far = "near", "far"
	peer, err := netns.GetFromPath(stackSide.Path())
	if err != nil {
		return err
	}
	defer peer.Close()
	err = clientSide.Do(func() error {
		attrs := netlink.NewLinkAttrs()
		attrs.Name = near
		pair := &netlink.Veth{LinkAttrs: attrs, PeerName: far, PeerNamespace: netlink.NsFd(peer)}
		if err := netlink.LinkAdd(pair); err != nil {
			return fmt.Errorf("make a veth pair: %w", err)
		}
		return setUpVeth(near, clientPrefix, mtu, plain)
	})
	if err != nil {
		return err
	}
	return stackSide.Do(func() error { return setUpVeth(far, stackPrefix, mtu, plain) })
}

// setUpVeth is setUpLink, and turns the offloads of a plain one off.
func setUpVeth(name string, addr netip.Prefix, mtu int, plain bool) error {
	if plain {
		if err := offloadsOff(name); err != nil {
			return err
		}
	}
	return setUpLink(name, addr, mtu)
}

// setUpLink gives an interface of the thread's namespace its MTU and address, and sets it up.
func setUpLink(name string, addr netip.Prefix, mtu int) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("look up %s: %w", name, err)
	}
	if err := netlink.LinkSetMTU(l, mtu); err != nil {
		return fmt.Errorf("set the MTU of %s: %w", name, err)
	}
	ip := &net.IPNet{IP: addr.Addr().AsSlice(), Mask: net.CIDRMask(addr.Bits(), addr.Addr().BitLen())}
	if err := netlink.AddrAdd(l, &netlink.Addr{IPNet: ip}); err != nil {
		return fmt.Errorf("give %s its address: %w", name, err)
	}
	if err := netlink.LinkSetUp(l); err != nil {
		return fmt.Errorf("set %s up: %w", name, err)
	}
	return nil
}
