package main

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/weirnet/weir/cmd/weir/internal/node"
)

// ready is what weir up prints once it answers: a line that begins with "ready", and lines to try.
func ready(r *running, f *upFlags) string {
	var b strings.Builder
	b.WriteString("ready:")
	for i, l := range r.node.Links {
		if i > 0 {
			b.WriteByte(';')
		}
		fmt.Fprintf(&b, " %s answers as %s (%s, MTU %d)", l.Device.Name(), join(l), l.Device.Backend(), l.Device.MTU())
	}
	b.WriteByte('\n')
	var names []string
	for _, srv := range r.servers {
		names = append(names, srv.Name())
	}
	addrs := r.node.Addrs()
	if f.names.tree {
		addrs = nil // every server of the tree has some
	}
	for _, line := range tries(addrs, names, f.netns) {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	if n := r.names; n != nil {
		fmt.Fprintf(&b, "  %sdig @%s %s\n", within(f.netns), n.at, n.try)
	}
	if r.metrics != nil {
		fmt.Fprintf(&b, "  curl http://%s/metrics\n", r.metrics.Addr())
	}
	asked := ""
	if f.control != "" {
		asked = " --control " + f.control
	}
	fmt.Fprintf(&b, "  weir ss%s\n  weir stats%s\n", asked, asked)
	return b.String()
}

func join(l *node.Link) string {
	if n := len(l.Flags.Addrs); n > 8 {
		return fmt.Sprintf("%d addresses, such as %v and %v", n, l.Flags.Addrs[0].Addr(), l.Flags.Addrs[1].Addr())
	}
	var addrs []string
	for _, p := range l.Flags.Addrs {
		addrs = append(addrs, p.Addr().String())
	}
	return strings.Join(addrs, " and ")
}

// tries returns commands that show that weir answers: pings of the first address of each family,
// and the services.
func tries(addrs []netip.Addr, services []string, netns string) []string {
	in := within(netns)
	var lines []string
	seen := map[bool]bool{}
	for _, a := range addrs {
		if !seen[a.Is4()] {
			seen[a.Is4()] = true
			lines = append(lines, in+"ping "+a.String())
		}
	}
	for _, name := range services {
		a := addrs[0]
		switch name {
		case "echo":
			lines = append(lines,
				fmt.Sprintf("%snc %s 7", in, a),
				fmt.Sprintf("%snc -u %s 7", in, a))
		case "daytime":
			lines = append(lines, fmt.Sprintf("%snc %s 13", in, a))
		case "chargen":
			lines = append(lines, fmt.Sprintf("%snc %s 19 </dev/null | head", in, a))
		}
	}
	return lines
}

// within returns what a command is prefixed with to run in the namespace.
func within(netns string) string {
	switch {
	case netns == "":
		return ""
	case strings.Contains(netns, "/"):
		return "nsenter --net=" + netns + " "
	}
	return "ip netns exec " + netns + " "
}
