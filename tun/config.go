package tun

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// The bounds of a device's MTU, in octets.
const (
	MinMTU     = 68    // RFC 791 §3.2: every internet module forwards 68 octets whole
	MinIPv6MTU = 1280  // RFC 8200 §5
	MaxMTU     = 65535 // the kernel's bound for a TUN device
)

// maxQueues is the kernel's bound (MAX_TAP_QUEUES).
const maxQueues = 256

// Offload says whether the kernel may pass super-segments and unfinished checksums.
type Offload uint8

const (
	OffloadAuto Offload = iota // with offloads where the kernel takes them, otherwise plain
	OffloadOn                  // with offloads, or Open fails
	OffloadOff                 // plain
)

// String returns "auto", "on" or "off".
func (o Offload) String() string {
	switch o {
	case OffloadAuto:
		return "auto"
	case OffloadOn:
		return "on"
	case OffloadOff:
		return "off"
	}
	return fmt.Sprintf("Offload(%d)", uint8(o))
}

// ParseOffload returns the Offload of which s is the String.
func ParseOffload(s string) (Offload, error) {
	for o := OffloadAuto; o <= OffloadOff; o++ {
		if s == o.String() {
			return o, nil
		}
	}
	return 0, &Error{Op: "read the offload setting", On: fmt.Sprintf("%q", s), Why: "unknown word", Hint: "say auto, on or off", Err: unix.EINVAL}
}

// Config says what to open. The zero value makes a device named weir0, or weir1 … where
// that is taken, with MTU 1500, one queue, and offloads where the kernel takes them.
type Config struct {
	// Name of the interface, at most 15 octets; "%d" in it becomes the first free number.
	// Empty is "weir%d". Where a persistent TUN device of the name exists, Open attaches to
	// it; otherwise it makes one that is gone at Close.
	Name string

	// MTU in octets, MinMTU to MaxMTU. 0 is 1500 for a new device and leaves that of an
	// existing one alone.
	MTU int

	// Queues is how many queues to open, 1 to 256; 0 is 1, for reasons that the package's documentation
	// gives. The kernel spreads the flows over them. An existing device takes more than one only
	// where it was made so.
	Queues int

	// Offload chooses between the ways in: see the package's documentation.
	Offload Offload

	// NoUSO does without UDP super-segments. Otherwise they are part of the offloads, in both
	// directions, where the kernel has them (Linux 6.2); Features says whether it does.
	NoUSO bool

	// RingLen is how many packets the kernel keeps for each queue until they are read (the
	// interface's txqueuelen). 0 leaves the kernel's 500. It counts for a new device only.
	RingLen int

	// Namespace is the network namespace to open the device in: a name below /run/netns, or
	// a path. Empty is that of the calling thread.
	Namespace string
}

// check refuses what cannot be and fills in the defaults.
func (c *Config) check() error {
	if c.Name == "" {
		c.Name = "weir%d"
	}
	if c.Queues == 0 {
		c.Queues = 1
	}
	bad := func(why, hint string) error {
		return &Error{Op: "open", On: fmt.Sprintf("%q", c.Name), Why: why, Hint: hint, Err: unix.EINVAL}
	}
	switch {
	case !validName(c.Name):
		return bad("not a name for an interface", "use 1 to 15 octets without blanks, slashes or colons")
	case c.MTU != 0 && c.MTU < MinMTU:
		return bad(fmt.Sprintf("MTU %d is below the minimum", c.MTU), fmt.Sprintf("use %d or more, with IPv6 %d or more", MinMTU, MinIPv6MTU))
	case c.MTU > MaxMTU:
		return bad(fmt.Sprintf("MTU %d is above the maximum", c.MTU), fmt.Sprintf("use %d or less", MaxMTU))
	case c.Queues < 0 || c.Queues > maxQueues:
		return bad(fmt.Sprintf("%d queues", c.Queues), fmt.Sprintf("use 1 to %d", maxQueues))
	case c.Offload > OffloadOff:
		return bad("unknown offload setting "+c.Offload.String(), "use OffloadAuto, OffloadOn or OffloadOff")
	case c.RingLen < 0:
		return bad(fmt.Sprintf("a ring of %d packets", c.RingLen), "use 0 for the kernel's default")
	}
	return nil
}

// validName holds a name against the kernel's rule (dev_valid_name), with "%d" allowed
// once.
func validName(s string) bool {
	if s == "" || s == "." || s == ".." || len(s) >= unix.IFNAMSIZ {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] == 0x7f || s[i] == '/' || s[i] == ':' {
			return false
		}
	}
	before, after, _ := strings.Cut(s, "%d")
	return !strings.Contains(before, "%") && !strings.Contains(after, "%")
}
