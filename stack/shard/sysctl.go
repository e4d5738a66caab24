package shard

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sysctl sets what a name of Linux's means here, from the number that its value holds.
type sysctl struct {
	name      string
	low, high int
	set       func(c *Config, n int)
}

const maxInt = 1<<31 - 1

// portRange is the sysctl of two numbers.
const portRange = "net.ipv4.ip_local_port_range"

// sysctls are the names that SetSysctl knows, but for portRange. They are data, not a map: nothing
// is made of them when a program starts.
var sysctls = [...]sysctl{
	{"net.ipv4.ip_default_ttl", 1, 255, func(c *Config, n int) { c.HopLimit4 = uint8(n) }},
	{"net.ipv4.ip_forward", 0, 1, func(c *Config, n int) { c.Forward = n != 0 }},
	{"net.ipv4.ip_no_pmtu_disc", 0, 3, func(c *Config, n int) { c.NoPMTUDisc = n != 0 }},
	{"net.ipv4.icmp_echo_ignore_all", 0, 1, func(c *Config, n int) { c.EchoIgnoreAll = n != 0 }},
	{"net.ipv6.icmp.echo_ignore_all", 0, 1, func(c *Config, n int) { c.EchoIgnoreAll6 = n != 0 }},
	{"net.ipv4.icmp_ratelimit", 0, maxInt, setICMPInterval},
	{"net.ipv6.icmp.ratelimit", 0, maxInt, setICMPInterval},
	{"net.ipv4.icmp_msgs_per_sec", 0, maxInt, func(c *Config, n int) { c.ICMPPerSecond = orNone(n) }},
	{"net.ipv4.icmp_msgs_burst", 1, maxInt, func(c *Config, n int) { c.ICMPBurst = n }},
	{"net.ipv6.bindv6only", 0, 1, func(c *Config, n int) { c.BindV6Only = n != 0 }},
	{"net.ipv6.conf.all.hop_limit", 1, 255, setHopLimit6},
	{"net.ipv6.conf.default.hop_limit", 1, 255, setHopLimit6},
	{"net.ipv6.conf.all.forwarding", 0, 1, func(c *Config, n int) { c.Forward = n != 0 }},

	{"net.core.somaxconn", 1, 65535, func(c *Config, n int) { c.MaxBacklog = n }},
	{"net.ipv4.tcp_max_syn_backlog", 1, maxInt, func(c *Config, n int) { c.MaxSynBacklog = n }},
	{"net.core.rmem_default", 1, maxBuffer, func(c *Config, n int) { c.ReceiveDefault = n }},
	{"net.core.rmem_max", 1, maxBuffer, func(c *Config, n int) { c.ReceiveMax = n }},
	{"net.core.wmem_default", 1, maxBuffer, func(c *Config, n int) { c.SendDefault = n }},
	{"net.core.wmem_max", 1, maxBuffer, func(c *Config, n int) { c.SendMax = n }},
}

func setHopLimit6(c *Config, n int) { c.HopLimit6 = uint8(n) }

// orNone is n, or where that is 0 the number that means no bound.
func orNone(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

// setICMPInterval takes milliseconds between two errors, 0 being no bound.
func setICMPInterval(c *Config, ms int) {
	c.ICMPInterval = time.Duration(orNone(ms)) * time.Millisecond
}

// UnknownSysctlError is a name that SetSysctl has no meaning for.
type UnknownSysctlError struct{ Name string }

func (e *UnknownSysctlError) Error() string {
	return fmt.Sprintf("sysctl %s: the stack has no such setting", e.Name)
}

// SetSysctl sets what a sysctl of Linux's sets, for those that are not TCP's own; name is written
// with dots or slashes, value as in /proc/sys. It is for a Config that New has not been given
// yet. A name that means nothing here is an *UnknownSysctlError; another error says what
// is wrong with the value.
func (c *Config) SetSysctl(name, value string) error {
	name = strings.TrimPrefix(strings.ReplaceAll(strings.TrimSpace(name), "/", "."), ".proc.sys.")
	i := slices.IndexFunc(sysctls[:], func(s sysctl) bool { return s.name == name })
	numbers := 1
	if name == portRange {
		numbers = 2
	} else if i < 0 {
		return &UnknownSysctlError{name}
	}
	var v []int
	for _, f := range strings.Fields(value) {
		n, err := strconv.Atoi(f)
		if err != nil {
			return fmt.Errorf("sysctl %s: %q is not a number", name, f)
		}
		v = append(v, n)
	}
	if len(v) != numbers {
		return fmt.Errorf("sysctl %s: %d numbers in %q, want %d", name, len(v), value, numbers)
	}
	switch {
	case numbers == 2 && 1 <= v[0] && v[0] <= v[1] && v[1] <= 65535:
		c.FirstPort, c.LastPort = uint16(v[0]), uint16(v[1])
	case numbers == 1 && sysctls[i].low <= v[0] && v[0] <= sysctls[i].high:
		sysctls[i].set(c, v[0])
	default:
		return fmt.Errorf("sysctl %s: %q is out of range", name, value)
	}
	return nil
}
