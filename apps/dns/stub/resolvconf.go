package stub

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// Conf is what resolv.conf(5) says.
type Conf struct {
	// Servers are asked in this order. Three are taken from a file, as glibc has it.
	Servers []netip.AddrPort
	// Search is appended to names that have fewer dots than NDots, each in turn.
	Search []string
	// NDots is how many dots a name has that is tried as it stands before the search list.
	NDots int
	// Timeout is what one server has to answer; Attempts is how many times all are asked.
	Timeout  time.Duration
	Attempts int
	// Rotate begins with the next server each time.
	Rotate bool
	// SingleRequest asks for IPv4 and IPv6 addresses one after the other.
	SingleRequest bool
	// TCP asks over TCP only (use-vc).
	TCP bool
	// TrustAD asks the server whether it has validated its answer (RFC 6840 §5.7).
	TrustAD bool
	// NoReload keeps what was read first.
	NoReload bool
}

// The defaults and limits of resolv.conf(5).
const (
	defaultNDots    = 1
	defaultTimeout  = 5 * time.Second
	defaultAttempts = 2
	maxServers      = 3
	maxSearch       = 32
	maxNDots        = 15
	maxTimeout      = 30
	maxAttempts     = 5
	maxLine         = 64 << 10
)

// defaultServers are asked where no file names any: a server on this very host.
var defaultServers = []netip.AddrPort{
	netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 53),
	netip.AddrPortFrom(netip.IPv6Loopback(), 53),
}

// DefaultConf is what an empty resolv.conf says.
func DefaultConf() Conf {
	return Conf{Servers: defaultServers, NDots: defaultNDots, Timeout: defaultTimeout, Attempts: defaultAttempts, Search: hostDomain()}
}

// hostDomain is the search list of who has none: what follows the first dot of the host's name.
func hostDomain() []string {
	name, err := os.Hostname()
	if err != nil {
		return nil
	}
	if _, domain, ok := strings.Cut(name, "."); ok && domain != "" {
		return []string{rooted(domain)}
	}
	return nil
}

func rooted(name string) string {
	if strings.HasSuffix(name, ".") {
		return name
	}
	return name + "."
}

// ParseConf reads a resolv.conf. What it does not know it passes over, as every resolver does:
// the file is shared with those of other systems. The error is that of the reader.
func ParseConf(r io.Reader) (Conf, error) {
	c := Conf{NDots: defaultNDots, Timeout: defaultTimeout, Attempts: defaultAttempts}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		line := lines.Text()
		if line == "" || line[0] == ';' || line[0] == '#' {
			continue
		}
		if f := strings.Fields(line); len(f) > 1 || len(f) == 1 && f[0] == "search" {
			c.keyword(f[0], f[1:])
		}
	}
	if err := lines.Err(); err != nil {
		return DefaultConf(), fmt.Errorf("read resolv.conf: %w", err)
	}
	if len(c.Servers) == 0 {
		c.Servers = defaultServers
	}
	if len(c.Search) == 0 {
		c.Search = hostDomain()
	}
	return c, nil
}

// keyword takes a line. The last of domain and search counts.
func (c *Conf) keyword(word string, args []string) {
	switch word {
	case "nameserver":
		if a, err := netip.ParseAddr(args[0]); err == nil && len(c.Servers) < maxServers {
			c.Servers = append(c.Servers, netip.AddrPortFrom(a, 53))
		}
	case "domain":
		c.Search = []string{rooted(args[0])}
	case "search":
		c.Search = nil
		for _, s := range args {
			if s = rooted(s); s != "." && len(c.Search) < maxSearch {
				c.Search = append(c.Search, s)
			}
		}
	case "options":
		for _, o := range args {
			c.option(o)
		}
	}
}

// option takes one of the words behind options.
func (c *Conf) option(o string) {
	name, value, _ := strings.Cut(o, ":")
	switch name {
	case "ndots":
		c.NDots = number(value, 0, maxNDots)
	case "timeout":
		c.Timeout = time.Duration(number(value, 1, maxTimeout)) * time.Second
	case "attempts":
		c.Attempts = number(value, 1, maxAttempts)
	case "rotate":
		c.Rotate = true
	case "single-request", "single-request-reopen":
		c.SingleRequest = true
	case "use-vc", "usevc", "tcp":
		c.TCP = true
	case "trust-ad":
		c.TrustAD = true
	case "no-reload":
		c.NoReload = true
	}
	// "edns0" asks for what is always done.
}

// number reads a number that must lie in a range, and takes the nearer end where it does not.
func number(s string, low, high int) int {
	n, err := strconv.Atoi(s)
	if err != nil && !strings.HasPrefix(s, "-") && len(s) > 9 {
		return high // more than an int holds
	}
	return min(max(n, low), high)
}
