package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// sources is how many further addresses the client has.
const sources = 64

// sourceAddress is one of them, within the link's prefix.
func sourceAddress(i int) netip.Addr {
	a := clientPrefix.Addr().As4()
	a[3] = byte(100 + i)
	return netip.AddrFrom4(a)
}

// addSources gives the client's namespace its further addresses, on the loopback, where they do not need
// the name of the device, and all ports.
func (c *client) addSources() error {
	if c.hasSources {
		return nil
	}
	c.hasSources = true
	return c.ns.Do(func() error {
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			return err
		}
		if err := netlink.LinkSetUp(lo); err != nil {
			return err
		}
		for i := range sources {
			ip := &net.IPNet{IP: sourceAddress(i).AsSlice(), Mask: net.CIDRMask(32, 32)}
			if err := netlink.AddrAdd(lo, &netlink.Addr{IPNet: ip}); err != nil && !errors.Is(err, unix.EEXIST) { // an earlier test of the same start
				return fmt.Errorf("give the client %v: %w", ip, err)
			}
		}
		return os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte("1024 65535"), 0)
	})
}
