package script

import (
	"regexp"
	"strings"

	"github.com/weirnet/weir/stack/script/ast"
)

// What in a command shows which kernel a script was written for.
var (
	linuxCommand   = regexp.MustCompile(`net\.(ipv4|ipv6|core|mptcp)[./]|/proc/|defaults\.sh|set_sysctls\.py|sysctl_restore|\bip (-6 )?(tcp_metrics|route|link|addr|rule|netns)\b|\btc (qdisc|filter)\b|\bnstat\b|\bethtool\b|\bss -|\bmodprobe\b`)
	freebsdCommand = regexp.MustCompile(`\bkld(load|unload)\b|\bkern\.|net\.(inet|inet6)\.|\bsockstat\b|\btcpdrop\b|\bvm\.|\bsetkey\b`)
	profileOption  = "profile"
)

// detectProfile returns the profile that a script asks for by --profile, or that of the kernel
// whose commands it has, or whose SYN it expects, or else weir.
func detectProfile(s *ast.Script) string {
	for _, o := range s.Options {
		if o.Name == profileOption {
			return o.Value
		}
	}
	for _, o := range s.Options {
		if o.Quote == '`' || o.Name == "init_scripts" {
			if p := commandProfile(o.Value); p != "" {
				return p
			}
		}
	}
	for _, e := range s.Events {
		if e.Command == nil {
			continue
		}
		if p := commandProfile(e.Command.Text); p != "" {
			return p
		}
	}
	for _, e := range s.Events {
		if e.Packet != nil && freebsdSYN(e.Packet) || e.Syscall != nil && freebsdBuffer(e.Syscall) {
			return "freebsd"
		}
	}
	return "weir"
}

// freebsdSYN reports whether a packet is a SYN of the stack with its options where FreeBSD alone puts
// them: the window scale before SACK, and ends of list for padding.
func freebsdSYN(p *ast.Packet) bool {
	if p.Direction != ast.Out || p.TCP == nil || p.TCP.Bits()&ast.SYN == 0 {
		return false
	}
	for i, o := range p.TCP.Options {
		if o.Kind == ast.OptEOL || o.Kind == ast.OptWScale && i+1 < len(p.TCP.Options) && p.TCP.Options[i+1].Kind == ast.OptSACKOK {
			return true
		}
	}
	return false
}

func commandProfile(text string) string {
	switch {
	case freebsdCommand.MatchString(text):
		return "freebsd"
	case linuxCommand.MatchString(text):
		return "linux"
	}
	return ""
}

// freebsdBuffer reports whether a call expects the receive buffer that FreeBSD alone begins with.
func freebsdBuffer(c *ast.Syscall) bool {
	if c.Name != "getsockopt" || len(c.Args) != 5 {
		return false
	}
	name, ok := c.Args[2].(*ast.Symbol)
	if !ok || name.Name != "SO_RCVBUF" {
		return false
	}
	l, ok := c.Args[3].(*ast.List)
	return ok && len(l.Elems) == 1 && l.Elems[0].String() == "65536"
}

// kernel is the profile without its release.
func kernel(profile string) string {
	k, _, _ := strings.Cut(profile, "-")
	return k
}
