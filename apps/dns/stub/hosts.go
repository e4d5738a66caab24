package stub

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"strings"
)

// Hosts is a hosts(5) file.
type Hosts struct {
	byName map[string]hostEntry
	byAddr map[netip.Addr][]string
}

type hostEntry struct {
	addrs     []netip.Addr
	canonical string
}

// maxHosts bounds the names of a hosts file; what stands beyond is left out.
const maxHosts = 1 << 20

// ParseHosts reads a hosts file: an address and its names in each line, and comments. A
// line that is not one is passed over. The error is that of the reader.
func ParseHosts(r io.Reader) (*Hosts, error) {
	h := &Hosts{byName: map[string]hostEntry{}, byAddr: map[netip.Addr][]string{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	names := 0
	for lines.Scan() && names < maxHosts {
		line, _, _ := strings.Cut(lines.Text(), "#")
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		a, err := netip.ParseAddr(f[0])
		if err != nil {
			continue
		}
		names += len(f) - 1
		h.add(a.Unmap(), f[1:])
	}
	if err := lines.Err(); err != nil {
		return h, fmt.Errorf("read the hosts file: %w", err)
	}
	return h, nil
}

func (h *Hosts) add(a netip.Addr, names []string) {
	for _, name := range names {
		key := hostKey(name)
		h.byAddr[a] = append(h.byAddr[a], dotted(name))
		e, there := h.byName[key]
		if !there {
			e.canonical = hostKey(names[0])
		}
		e.addrs = append(e.addrs, a)
		h.byName[key] = e
	}
}

// Names returns the names of an address, in the order of the file.
func (h *Hosts) Names(a netip.Addr) []string { return append([]string(nil), h.byAddr[a.Unmap()]...) }

// Addrs returns the addresses of a name, in the order of the file, and the first name of its line.
func (h *Hosts) Addrs(name string) (addrs []netip.Addr, canonical string) {
	e := h.byName[hostKey(name)]
	return append([]netip.Addr(nil), e.addrs...), e.canonical
}

// hostKey is a name in small letters, with a final dot where it has any.
func hostKey(name string) string { return dotted(lower(name)) }

// dotted gives a name with a dot in it a final one: it is a domain name. One without, such as
// localhost, is a word of this host's.
func dotted(name string) string {
	if strings.Contains(name, ".") {
		return rooted(name)
	}
	return name
}

// lower is strings.ToLower for the letters of ASCII alone (RFC 4343).
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
