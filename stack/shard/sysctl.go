package shard

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// sysctl sets what a name of Linux's means here, from the numbers that its value holds.
type sysctl struct {
	numbers int // how many the value has
	set     func(c *Config, v []int) bool
}

// within makes a sysctl of one number in a range.
func within(low, high int, set func(c *Config, n int)) sysctl {
	return sysctl{1, func(c *Config, v []int) bool {
		if v[0] < low || v[0] > high {
			return false
		}
		set(c, v[0])
		return true
	}}
}

// octets makes a sysctl of one number of octets.
func octets(field func(c *Config) *int) sysctl {
	return within(1, maxBuffer, func(c *Config, n int) { *field(c) = n })
}

const maxInt = 1<<31 - 1

// sysctls are the names that SetSysctl knows.
var sysctls = map[string]sysctl{
	"net.ipv4.ip_default_ttl": within(1, 255, func(c *Config, n int) { c.HopLimit4 = uint8(n) }),
	"net.ipv4.ip_local_port_range": {2, func(c *Config, v []int) bool {
		if v[0] < 1 || v[0] > v[1] || v[1] > 65535 {
			return false
		}
		c.FirstPort, c.LastPort = uint16(v[0]), uint16(v[1])
		return true
	}},
	"net.ipv4.ip_forward":           within(0, 1, func(c *Config, n int) { c.Forward = n != 0 }),
	"net.ipv4.ip_no_pmtu_disc":      within(0, 3, func(c *Config, n int) { c.NoPMTUDisc = n != 0 }),
	"net.ipv4.icmp_echo_ignore_all": within(0, 1, func(c *Config, n int) { c.EchoIgnoreAll = n != 0 }),
	"net.ipv6.icmp.echo_ignore_all": within(0, 1, func(c *Config, n int) { c.EchoIgnoreAll6 = n != 0 }),
	"net.ipv4.icmp_ratelimit":       within(0, maxInt, setICMPInterval),
	"net.ipv6.icmp.ratelimit":       within(0, maxInt, setICMPInterval),
	"net.ipv4.icmp_msgs_per_sec":    within(0, maxInt, func(c *Config, n int) { c.ICMPPerSecond = orNone(n) }),
	"net.ipv4.icmp_msgs_burst":      within(1, maxInt, func(c *Config, n int) { c.ICMPBurst = n }),
	"net.ipv6.bindv6only":           within(0, 1, func(c *Config, n int) { c.BindV6Only = n != 0 }),
	"net.ipv6.conf.all.hop_limit":   within(1, 255, func(c *Config, n int) { c.HopLimit6 = uint8(n) }),
	"net.ipv6.conf.all.forwarding":  within(0, 1, func(c *Config, n int) { c.Forward = n != 0 }),

	"net.core.somaxconn":           within(1, 65535, func(c *Config, n int) { c.MaxBacklog = n }),
	"net.ipv4.tcp_max_syn_backlog": within(1, maxInt, func(c *Config, n int) { c.MaxSynBacklog = n }),
	"net.core.rmem_default":        octets(func(c *Config) *int { return &c.ReceiveDefault }),
	"net.core.rmem_max":            octets(func(c *Config) *int { return &c.ReceiveMax }),
	"net.core.wmem_default":        octets(func(c *Config) *int { return &c.SendDefault }),
	"net.core.wmem_max":            octets(func(c *Config) *int { return &c.SendMax }),
}

func init() {
	sysctls["net.ipv6.conf.default.hop_limit"] = sysctls["net.ipv6.conf.all.hop_limit"]
}

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
	s, ok := sysctls[name]
	if !ok {
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
	if len(v) != s.numbers {
		return fmt.Errorf("sysctl %s: %d numbers in %q, want %d", name, len(v), value, s.numbers)
	}
	if !s.set(c, v) {
		return fmt.Errorf("sysctl %s: %q is out of range", name, value)
	}
	return nil
}
