package script

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/weirnet/weir/stack/script/ast"
	"github.com/weirnet/weir/stack/wire"
)

// prepare looks through a script before it runs: what it needs and weir lacks makes it
// skipped, so that it neither passes nor fails by accident.
func (r *runner) prepare() error {
	r.actions = map[*ast.Event][]action{}
	for _, e := range r.events {
		var err error
		switch {
		case e.Packet != nil:
			err = r.preparePacket(e.Packet)
		case e.Syscall != nil:
			err = r.prepareCall(e.Syscall)
		case e.Command != nil:
			r.actions[e], err = commandActions(e.Command.Text)
		case e.Code != nil:
			err = r.readCode(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) preparePacket(p *ast.Packet) error {
	switch {
	case p.Unsupported != nil:
		return skipf("needs %s", strings.ToUpper(p.Unsupported.Protocol))
	case len(p.Layers) > 0:
		return skipf("needs encapsulated packets (%s)", layerName(p.Layers[0].Kind))
	case p.Fuzz != "":
		return skipf("needs packets damaged at random")
	case p.TCP != nil:
		return r.prepareSegment(p)
	}
	src, dst := r.ends()
	_, err := fromScript(p, src, dst)
	var bad *invalidError
	if p.ICMP != nil && r.otherFamily() && errors.As(err, &bad) {
		return skipf("is written for the other family")
	}
	return err
}

// otherFamily reports whether a script that does not choose a family may run as one that it was
// not written for.
func (r *runner) otherFamily() bool { return r.opt.Family != "" && !r.cfg.familySet }

// Names that are one family's.
var (
	onlyIPv4 = []string{"AF_INET", "PF_INET", "SOL_IP", "IPPROTO_IP", "IPPROTO_ICMP", "INADDR_ANY", "INADDR_LOOPBACK", "inet_addr"}
	onlyIPv6 = []string{"AF_INET6", "PF_INET6", "SOL_IPV6", "IPPROTO_IPV6", "IPPROTO_ICMPV6", "in6addr_any", "inet_pton"}
)

// prepareName skips a script that names what the family it is to run as does not have.
func (r *runner) prepareName(name string) error {
	wrong := onlyIPv4
	if r.cfg.family == FamilyIPv4 {
		wrong = onlyIPv6
	}
	if r.otherFamily() && r.cfg.family != FamilyMapped && slices.Contains(wrong, name) {
		return skipf("is written for the other family")
	}
	return nil
}

// ends is two ends to build packets between before there are sockets.
func (r *runner) ends() (remote, local netip.AddrPort) {
	return netip.AddrPortFrom(r.cfg.remote, r.cfg.connectPort), netip.AddrPortFrom(r.cfg.local, r.cfg.bindPort)
}

func layerName(k ast.LayerKind) string {
	switch k {
	case ast.LayerGRE:
		return "GRE"
	case ast.LayerMPLS:
		return "MPLS"
	}
	return "IP in IP"
}

func (r *runner) prepareSegment(p *ast.Packet) error {
	t := p.TCP
	if t.Encap != nil {
		return skipf("needs encapsulation in UDP")
	}
	if wire.TCPFlags(t.Bits()).Has(wire.FlagAE) {
		return skipf("needs Accurate ECN (RFC 9768)")
	}
	for _, o := range t.Options {
		switch o.Kind {
		case ast.OptFO, ast.OptFOEXP:
			return skipf("needs TCP Fast Open")
		case ast.OptMD5:
			return skipf("needs TCP MD5 signatures (RFC 2385)")
		case ast.OptAccECN, ast.OptAccECN0, ast.OptAccECN1, ast.OptExpAccECN0, ast.OptExpAccECN1:
			return skipf("needs Accurate ECN (RFC 9768)")
		case ast.OptExpTARR:
			return skipf("needs the TCP option TARR")
		}
	}
	src, dst := r.ends()
	_, err := fromScript(p, src, dst)
	return err
}

func (r *runner) prepareCall(c *ast.Syscall) error {
	if _, ok := callTable[c.Name]; !ok {
		return skipf("needs the system call %s()", c.Name)
	}
	for _, a := range append([]ast.Expr{c.Result}, c.Args...) {
		if err := r.prepareExpr(a); err != nil {
			return err
		}
	}
	if c.Errno != "" {
		if _, ok := errnos[c.Errno]; !ok {
			return skipf("uses the error %s, which weir does not have", c.Errno)
		}
	}
	if len(c.Args) == 5 && (c.Name == "setsockopt" || c.Name == "getsockopt") {
		return r.prepareOption(c)
	}
	return nil
}

// prepareOption looks at options whose value says what is needed.
func (r *runner) prepareOption(c *ast.Syscall) error {
	name, ok := c.Args[2].(*ast.Symbol)
	if !ok {
		return nil
	}
	switch name.Name {
	case "TCP_FUNCTION_BLK":
		_, err := r.functionBlock(c)
		return err
	case "TCP_CONGESTION":
		if s, ok := c.Args[3].(*ast.String); ok && c.Name == "setsockopt" {
			return lacksCongestion(s.Value)
		}
	}
	return nil
}

// lacksCongestion says that a script needs a congestion control that weir does not have.
func lacksCongestion(name string) error {
	switch strings.ToLower(strings.TrimRight(name, "\x00")) {
	case "bbr", "dctcp", "vegas", "westwood", "htcp", "cdg", "yeah", "illinois", "hybla", "bic", "scalable", "lp", "veno", "nv", "highspeed",
		"chd", "dctcp-reno", "prague":
		return skipf("needs the congestion control %s", name)
	}
	return nil
}

// prepareExpr works out every name of an expression.
func (r *runner) prepareExpr(e ast.Expr) error {
	var list []ast.Expr
	switch x := e.(type) {
	case *ast.Symbol:
		if x.Value != nil {
			return r.prepareExpr(x.Value)
		}
		if err := r.prepareName(x.Name); err != nil {
			return err
		}
		if x.Name == "INADDR_ANY" || strings.HasPrefix(strings.ToLower(x.Name), "in6addr_") {
			return nil
		}
		_, err := r.symbol(x)
		return err
	case *ast.List:
		list = x.Elems
	case *ast.Struct:
		for _, f := range x.Fields {
			list = append(list, f.Value)
		}
	case *ast.Call:
		if err := r.prepareName(x.Name); err != nil {
			return err
		}
		if what, lack := lackOf(x.Name); lack {
			return skipf("needs %s", what)
		}
		list = x.Args
	case *ast.Unary:
		list = []ast.Expr{x.X}
	case *ast.Binary:
		if x.Op == "=" {
			return skipf("uses the structure %s", x)
		}
		list = []ast.Expr{x.X, x.Y}
	case *ast.Paren:
		list = []ast.Expr{x.X}
	case *ast.Cast:
		list = []ast.Expr{x.X}
	case *ast.Raw:
		return skipf("uses the structure %s", x)
	}
	for _, x := range list {
		if err := r.prepareExpr(x); err != nil {
			return err
		}
	}
	return nil
}
