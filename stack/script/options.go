package script

import (
	"net/netip"
	"time"

	"github.com/weirnet/weir/stack/script/ast"
	"github.com/weirnet/weir/stack/socket"
	"github.com/weirnet/weir/stack/tcp"
)

// Options says how scripts are run. The zero value runs a script as it asks itself.
type Options struct {
	// Profile is "weir", "linux" or "freebsd": what the stack behaves like where the RFCs leave
	// room. Empty: what the script asks for by --profile, else the kernel that it was written
	// for, where its commands show that, else weir. A script that fails as such a kernel is run as
	// its older releases too, "freebsd-13" and "freebsd-12", and passes where it holds for one of them.
	Profile string
	// Family is "ipv4", "ipv6" or "ipv4-mapped-ipv6". A script that chooses another itself is
	// skipped. Empty: as the script says, else ipv4.
	Family string
	// Offload runs over a device that takes super-segments. They are compared as the
	// segments that the device would make of them, unless the script has --strict_segments.
	Offload bool
	// StrictSegments and Tolerance stand in place of --strict_segments and
	// --tolerance_usecs where they are not zero.
	StrictSegments bool
	Tolerance      time.Duration
	// RelaxedPSH lets a packet pass whose PSH bit alone is not as expected, and counts it.
	RelaxedPSH bool
	// Defines gives values to symbols, as --define does.
	Defines map[string]ast.Expr
	// Backend makes what the script is run against; nil is weir in virtual time.
	Backend func(Network) (Backend, error)
	// Patience is how long is waited for what has no time: for a packet at *, and for a call that
	// should not have blocked. 0 is hours, which is right where time is virtual.
	Patience time.Duration
	// Interrupted ends the run, and that of a suite, once it reports true: the script is skipped.
	// It is asked between events and while they are waited for.
	Interrupted func() bool
}

// The address families that a script may run as.
const (
	FamilyIPv4   = "ipv4"
	FamilyIPv6   = "ipv6"
	FamilyMapped = "ipv4-mapped-ipv6"
)

// config is a script's configuration, its own options and those given to Run taken together.
type config struct {
	profile                       string
	family                        string
	familySet                     bool // by the script
	local, remote                 netip.Addr
	bits                          int
	bindPort, connectPort         uint16
	mtu                           int
	mss                           int // the segments that larger packets in were put together from; 0: of one piece
	tolerance                     time.Duration
	percent                       float64
	tick                          time.Duration
	stampsScaled                  bool
	strict                        bool
	lenientPacket, lenientSyscall bool
	defines                       map[string]ast.Expr
}

// What packetdrill uses where nothing else is said.
const (
	defaultPort      = 8080
	defaultMTU       = 1500
	defaultTolerance = 4 * time.Millisecond
	// defaultPercent is how much of the time since the last event a packet may be early or late:
	// the worst error of Linux's timer wheel.
	defaultPercent = 12.5
)

// includes reports whether what stands in an #ifdef is for the profile. nplab's scripts know a
// system STANDARD: one that does what the RFCs say.
func (c *config) includes(system string) bool {
	return system == "" || system == kernel(c.profile) || c.profile == "weir" && (system == "standard" || system == "linux")
}

// mapped reports whether sockets are IPv6 and packets IPv4.
func (c *config) mapped() bool { return c.family == FamilyMapped }

// configure reads the script's options.
func configure(s *ast.Script, o Options) (*config, error) {
	c := &config{
		profile: o.Profile, bindPort: defaultPort, connectPort: defaultPort, mtu: defaultMTU,
		tolerance: defaultTolerance, percent: -1, defines: map[string]ast.Expr{},
	}
	if c.profile == "" {
		c.profile = detectProfile(s)
	}
	if _, known := tcp.ProfileSettings(c.profile); !known {
		return nil, invalidf("there is no profile %q; take weir, linux or freebsd (or freebsd-13, freebsd-12)", c.profile)
	}
	mtuSet := false
	for _, opt := range s.Options {
		if !c.includes(opt.Only) {
			continue
		}
		mtuSet = mtuSet || opt.Name == "mtu"
		if err := c.set(opt); err != nil {
			return nil, err
		}
	}
	for name, v := range o.Defines {
		c.defines[name] = v
	}
	if o.StrictSegments {
		c.strict = true
	}
	if o.Tolerance > 0 {
		c.tolerance = o.Tolerance
	}
	if c.percent < 0 {
		c.percent = defaultPercent
		if kernel(c.profile) == "freebsd" { // the dialect of FreeBSD's scripts has no such allowance
			c.percent = 0
		}
	}
	if err := c.setFamily(o.Family); err != nil {
		return nil, err
	}
	if c.family == FamilyIPv6 && !mtuSet && (!c.familySet || c.profile == "linux") {
		c.mtu += 20 // as suites do it, so that segments are as large as over IPv4
	}
	return c, nil
}

// setFamily settles the family, and the addresses that the script leaves open.
func (c *config) setFamily(asked string) error {
	if asked != "" {
		if c.familySet && c.family != asked {
			return skipf("is written for %s", c.family)
		}
		c.family = asked
	}
	if c.family == "" {
		c.family = FamilyIPv4
	}
	local, remote, bits := netip.AddrFrom4([4]byte{192, 168, 0, 1}), netip.AddrFrom4([4]byte{192, 0, 2, 1}), 16
	switch c.family {
	case FamilyIPv6:
		local, remote, bits = netip.MustParseAddr("fd3d:fa7b:d17d::1"), netip.MustParseAddr("2001:db8::1"), 48
	case FamilyIPv4, FamilyMapped:
	default:
		return invalidf("there is no --ip_version=%s; take ipv4, ipv6 or ipv4-mapped-ipv6", c.family)
	}
	for _, a := range []netip.Addr{c.local, c.remote} {
		if a.IsValid() && a.Is4() != local.Is4() {
			if asked != "" {
				return skipf("is written for addresses of the other family")
			}
			return invalidf("the address %v is not of the family %s", a, c.family)
		}
	}
	if !c.local.IsValid() {
		c.local = local
	}
	if !c.remote.IsValid() {
		c.remote = remote
	}
	if c.bits == 0 || c.family == FamilyIPv6 {
		c.bits = bits
	}
	return nil
}

// symbol returns what a symbol stands for that neither the script nor its kernel's headers
// define: what the suites that scripts come from pass on the command line.
func (c *config) symbol(name string) (int64, bool) {
	v6 := c.family == FamilyIPv6
	switch name {
	case "CMSG_LEVEL_IP":
		return int64(socket.SOL_IPV6*b2i(v6) + socket.SOL_IP*b2i(!v6)), true
	case "CMSG_TYPE_RECVERR":
		return int64(socket.IPV6_RECVERR*b2i(v6) + socket.IP_RECVERR*b2i(!v6)), true
	}
	return 0, false
}
