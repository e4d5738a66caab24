package script

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirnet/weir/stack/script/ast"
)

// ignoredOptions is those that say nothing to a run in process: how packetdrill reaches a kernel,
// what it prints, which interpreter runs its code blocks, and encapsulation in UDP where that is
// none (lacking).
var ignoredOptions = []string{
	"speed", "gateway_ip", "wire_client", "wire_server", "wire_server_ip", "wire_server_at", "wire_server_port",
	"wire_client_dev", "wire_server_dev", "code_command", "code_format", "code_sockopt", "verbose", "debug", "dry_run",
	"send_omit_free", "so_filename", "so_flags", "persistent_tun_dev", "tun_dev", "no_cleanup", "v",
	"udp_encaps", "udp_encapsulation",
}

// readElsewhere is those that have been read when a script is configured: detectProfile has, the parser has put a symbol's
// value where it stands, and scripts to begin with are commands before the first event (initCommands).
var readElsewhere = []string{"profile", "define", "D", "init_scripts"}

// set applies one option.
func (c *config) set(o *ast.Option) error {
	if why := lacking(o); why != "" {
		return skipf("%s", why)
	}
	known, err := c.setNetwork(o)
	if !known {
		known, err = c.setJudgement(o)
	}
	switch {
	case err != nil:
		return invalidf("line %d: bad --%s=%s", o.Pos.Line, o.Name, o.Value)
	case !known && !slices.Contains(ignoredOptions, o.Name) && !slices.Contains(readElsewhere, o.Name):
		return invalidf("line %d: there is no option --%s", o.Pos.Line, o.Name)
	}
	return nil
}

// lacking says what an option asks for that there is not.
func lacking(o *ast.Option) string {
	switch o.Name {
	case "is_anyip":
		return "needs every address to be the stack's own"
	case "udp_encaps", "udp_encapsulation":
		if o.Value != "" && o.Value != "none" {
			return "needs encapsulation in UDP"
		}
	case "tcp_md5_secret":
		return "needs TCP MD5 signatures (RFC 2385)"
	}
	return ""
}

// setNetwork applies an option about addresses, ports or sizes of packets. known is false where it is no such.
func (c *config) setNetwork(o *ast.Option) (known bool, err error) {
	switch o.Name {
	case "ip_version":
		c.family, c.familySet = o.Value, true
	case "local_ip":
		c.local, err = c.address(o.Value)
	case "remote_ip":
		c.remote, err = c.address(o.Value)
	case "netmask_ip":
		// Over IPv6 the length of the prefix is fixed.
		if a, err := netip.ParseAddr(o.Value); err == nil && a.Is4() {
			c.bits = maskBits(a.As4())
		}
	case "bind_port":
		c.bindPort, err = port(o.Value)
	case "connect_port":
		c.connectPort, err = port(o.Value)
	case "mtu":
		c.mtu, err = size(o.Value, 68)
	case "mss":
		c.mss, err = size(o.Value, 1)
	default:
		return false, nil
	}
	return true, err
}

// setJudgement applies an option about how what is sent is compared with what was expected.
func (c *config) setJudgement(o *ast.Option) (known bool, err error) {
	switch o.Name {
	case "tolerance_usecs":
		c.tolerance, err = micros(o.Value)
	case "tolerance_percent":
		c.percent, err = strconv.ParseFloat(strings.TrimSuffix(o.Value, "%"), 64)
		if !(c.percent >= 0 && c.percent <= 1000) {
			err = strconv.ErrRange
		}
	case "tcp_ts_tick_usecs":
		c.tick, err = micros(o.Value)
	case "tcp_ts_ecr_scaled":
		c.stampsScaled = true
	case "strict_segments":
		c.strict = true
	case "non_fatal":
		c.lenientPacket = strings.Contains(o.Value, "packet")
		c.lenientSyscall = strings.Contains(o.Value, "syscall")
	default:
		return false, nil
	}
	return true, err
}

// address reads one with or without the length of a prefix. Where nothing has set the family, it is that of
// an IPv6 address.
func (c *config) address(s string) (netip.Addr, error) {
	s, _, _ = strings.Cut(s, "/")
	a, err := netip.ParseAddr(s)
	if err == nil && !c.familySet && a.Is6() {
		c.family, c.familySet = FamilyIPv6, true
	}
	return a, err
}

// size is one of packets or segments.
func size(s string, least int) (int, error) {
	n, err := strconv.Atoi(s)
	if err == nil && (n < least || n > 65535) {
		err = strconv.ErrRange
	}
	return n, err
}

func port(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err == nil && n == 0 {
		err = strconv.ErrRange
	}
	return uint16(n), err
}

func micros(s string) (time.Duration, error) {
	n, err := strconv.ParseUint(s, 10, 40)
	return time.Duration(n) * time.Microsecond, err
}

func maskBits(mask [4]byte) (n int) {
	for _, b := range mask {
		for ; b&0x80 != 0; b <<= 1 {
			n++
		}
	}
	return n
}
