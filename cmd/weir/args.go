package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// noArgs refuses what follows a command that has flags only.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%s takes flags only, and %q is none (see %s --help)", cmd.CommandPath(), args[0], cmd.CommandPath())
}

// subcommand refuses the name of a command that a group of them does not have.
func subcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("there is no %s %s (see %s --help)", cmd.CommandPath(), args[0], cmd.CommandPath())
}

// jargon is what package strconv and package time say about values of flags, in words for people.
var jargon = []struct {
	find *regexp.Regexp
	say  string
}{
	{regexp.MustCompile(`strconv\.Parse(Int|Uint): parsing ".*": invalid syntax`), "not a whole number"},
	{regexp.MustCompile(`strconv\.Parse(Int|Uint): parsing ".*": value out of range`), "too large or too small"},
	{regexp.MustCompile(`strconv\.ParseBool: parsing ".*": invalid syntax`), "must be true or false"},
	{regexp.MustCompile(`time: missing unit in duration "(.*)"`), "a unit is missing, as in ${1}s or ${1}ms"},
	{regexp.MustCompile(`time: (invalid|unknown).*`), "not a duration, as in 10s or 500ms"},
}

// flagError says what is wrong with a flag, and where the flags are explained.
func flagError(cmd *cobra.Command, err error) error {
	text := err.Error()
	for _, j := range jargon {
		text = j.find.ReplaceAllString(text, j.say)
	}
	return fmt.Errorf("%s (see %s --help)", text, cmd.CommandPath())
}

// lookupWait is how long the host's resolver is waited for.
const lookupWait = 10 * time.Second

// parseTarget reads an address of the family that was asked for, or has the host's resolver look a name up.
func parseTarget(ctx context.Context, s string, want4, want6 bool) (a netip.Addr, err error) {
	if a, err = netip.ParseAddr(s); err != nil {
		if a, err = lookupTarget(ctx, s, want4, want6); err != nil {
			return a, err
		}
	}
	a = a.Unmap()
	switch {
	case want4 && !a.Is4():
		return a, fmt.Errorf("%s is not an IPv4 address, as -4 asks", a)
	case want6 && !a.Is6():
		return a, fmt.Errorf("%s is not an IPv6 address, as -6 asks", a)
	case a.IsUnspecified(), a.IsMulticast():
		return a, fmt.Errorf("%s is no single host's address", a)
	}
	return a, nil
}

// lookupTarget returns the address of a name that the host's resolver puts first.
func lookupTarget(ctx context.Context, name string, want4, want6 bool) (netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupWait)
	defer cancel()
	network := "ip"
	if want4 {
		network = "ip4"
	} else if want6 {
		network = "ip6"
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, network, name)
	if wrong := new(net.DNSError); errors.As(err, &wrong) {
		return netip.Addr{}, fmt.Errorf("%q is no IP address, and looked up as a name by the host's resolver: %s; give an address", name, strings.TrimSpace(wrong.Err))
	}
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%q is no IP address, and looked up as a name: %w", name, err)
	}
	return addrs[0], nil
}
