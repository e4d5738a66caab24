package main

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

func newDNS() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dns",
		Short: "Serve names, look them up, and show how one is found",
		Long: `DNS on weir's own UDP and TCP: an authoritative server, a recursive resolver, a
forwarder, and the tools around them.

  weir dns trace NAME    shows how a name is found, from the root down; needs no root
  weir dns serve         serves zones, or resolves for others, on a TUN device`,
		Example: "  weir dns trace www.weir.example                  # in a name tree of its own, in memory\n" +
			"  weir dns serve --tree                            # the same tree on a device: dig @203.0.113.53 www.weir.example\n" +
			"  weir dns serve --zone example.org=example.org.zone\n" +
			"  weir dns lookup --kernel www.example.org AAAA\n" +
			"  weir dns check example.org.zone",
		Args: subcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDNSServe(), newDNSLookup(), newDNSTrace(), newDNSCheck(), newDNSCache(), newDNSReload(), newDNSTree())
	return cmd
}

// dnsPort is where name servers listen.
const dnsPort = 53

// parseServer reads the address of a server, with a port or without.
func parseServer(s string, port uint16) (netip.AddrPort, error) {
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return netip.AddrPortFrom(a.Unmap(), port), nil
	}
	host, service, err := net.SplitHostPort(s)
	if err == nil {
		a, aerr := netip.ParseAddr(host)
		n, nerr := strconv.ParseUint(service, 10, 16)
		if aerr == nil && nerr == nil && n > 0 {
			return netip.AddrPortFrom(a.Unmap(), uint16(n)), nil
		}
	}
	return netip.AddrPort{}, fmt.Errorf("%q is no server: give its address, as in 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53", s)
}
