package script

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/script/ast"
	"github.com/weirnet/weir/stack/script/parse"
)

// A script that passes fails as soon as one of its expectations is another: each kind of expectation, in a sample of
// what the scripts of this package and of package tcp expect.
func TestMutatedScriptsFail(t *testing.T) {
	const seed, sample = 3, 4000
	files, err := Paths([]string{"testdata/rules", "../tcp/testdata"})
	if err != nil {
		files, err = Paths([]string{"testdata/rules"})
	}
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	random := rand.New(rand.NewPCG(seed, 0))
	random.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
	kinds := map[string]int{}
	for _, f := range files {
		s, cfg := passing(t, f)
		if s == nil {
			continue
		}
		all := mutations(s, cfg)
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, m := range all[:min(len(all), 1+sample/len(files))] {
			kinds[m.kind]++
			m.apply()
			r := Run(s, Options{})
			m.undo()
			if r.Outcome != Fail && r.Outcome != Invalid {
				t.Errorf("%s: %s: %v %s (seed %d)", f, m.text, r.Outcome, r.Reason, seed)
			}
		}
	}
	for _, k := range []string{"ack", "dropped", "errno", "flag P", "later", "length", "option", "order of options", "result", "revents", "seq"} {
		if kinds[k] == 0 {
			t.Errorf("no expectation of the kind %q was changed: %v", k, kinds)
		}
	}
}

// passing reads a script, if it passes.
func passing(t *testing.T, file string) (*ast.Script, *config) {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := parse.File(file, src)
	if err != nil || Run(s, Options{}).Outcome != Pass {
		return nil, nil
	}
	cfg, err := configure(s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s, cfg
}

// mutation is one expectation of a script that is changed: apply makes the change in the tree and undo
// takes it back.
type mutation struct {
	kind, text  string
	apply, undo func()
}

// change is a mutation of one value.
func change[T any](kind, text string, at *T, to T) mutation {
	old := *at
	return mutation{kind, text, func() { *at = to }, func() { *at = old }}
}

// mutator changes a script's expectations, one at a time. A time is moved by more than what
// the script's tolerance lets pass.
type mutator struct {
	s    *ast.Script
	cfg  *config
	last time.Duration // the absolute time of the event before
}

// mutations lists what there is to change, less what makes no difference by the language's own rules:
// the number of a segment with SYN, which the runner maps; a timestamp without --tcp_ts_tick_usecs;
// the last packets of a script, which need not be looked at.
func mutations(s *ast.Script, cfg *config) (list []mutation) {
	u := &mutator{s: s, cfg: cfg}
	for i, e := range s.Events {
		if !cfg.includes(e.Only) {
			continue
		}
		var more []mutation
		switch {
		case e.Packet != nil && e.Packet.Direction == ast.Out:
			more = append(u.packet(e.Packet), u.time(&e.Time, e.Packet)...)
			more = append(more, u.order(i)...)
		case e.Syscall != nil:
			more = u.call(e.Syscall, e.Time.Start)
		case e.Code != nil:
			more = mutateText("code", &e.Code.Text, codeNumber)
		case e.Command != nil:
			more = mutateText("command", &e.Command.Text, grepped)
		}
		if absolute(e.Time) {
			u.last = e.Time.Start
		}
		for _, m := range more {
			m.text = fmt.Sprintf("line %d: %s: %s", e.Pos.Line, m.kind, m.text)
			list = append(list, m)
		}
	}
	return list
}

func isOut(e *ast.Event) bool { return e.Packet != nil && e.Packet.Direction == ast.Out }

// head is a packet without its options.
func head(p *ast.Packet) string {
	s, _, _ := strings.Cut(p.String()[1:], "<")
	return strings.TrimSpace(s)
}

// order drops the event at i, and swaps it with the one behind it. One that is expected again, or that nothing of
// its connection comes after, need not come.
func (u *mutator) order(i int) (list []mutation) {
	all := u.s.Events
	one := all[i]
	needed := false
	for _, e := range all[i+1:] {
		if one.Time.Kind == ast.TimeRelative && one.Time.Start > 0 {
			break // without it all that follows is sooner
		}
		if isOut(e) {
			needed = head(e.Packet) != head(one.Packet)
			break
		}
		if e.Packet != nil && e.Packet.TCP != nil && e.Packet.TCP.Bits()&ast.SYN != 0 || e.Syscall != nil && e.Syscall.Name == "socket" {
			break
		}
	}
	if needed {
		list = append(list, mutation{"dropped", one.Packet.String(),
			func() { u.s.Events = slices.Concat(all[:i:i], all[i+1:]) }, func() { u.s.Events = all }})
	}
	if i+1 >= len(all) || !isOut(all[i+1]) || head(all[i+1].Packet) == head(one.Packet) {
		return list
	}
	next := all[i+1]
	a, b := one.Packet, next.Packet
	return append(list, mutation{"swapped", a.String() + " with " + b.String(),
		func() { one.Packet, next.Packet = b, a }, func() { one.Packet, next.Packet = a, b }})
}

func (u *mutator) time(t *ast.Time, p *ast.Packet) (list []mutation) {
	since := time.Duration(0)
	if absolute(*t) {
		since = u.last
	}
	later, sooner := u.moved(t.Start - since)
	shift := func(kind string, start time.Duration) {
		c := *t
		c.Start = start
		c.End = start + max(t.End-t.Start, 0)
		list = append(list, change(kind, p.String(), t, c))
	}
	switch t.Kind {
	case ast.TimeRelativeRange, ast.TimeAbsoluteRange:
		later += t.End - t.Start
		sooner -= t.End - t.Start
	case ast.TimeAny, ast.TimeNone:
		return nil
	}
	shift("later", since+later)
	if sooner >= 0 {
		shift("sooner", since+sooner)
	}
	return list
}

// moved is a time since the event before, moved by more than what is let pass.
func (u *mutator) moved(d time.Duration) (later, sooner time.Duration) {
	by := 2 * u.cfg.tolerance
	if u.cfg.percent > 0 { // of the time that the script then says
		by += d / 4
	}
	return d + by, d - by
}

func (u *mutator) packet(p *ast.Packet) (list []mutation) {
	ip := &p.IP
	if ip.TOS.Set {
		list = append(list, change("tos", p.String(), &ip.TOS.Value, ip.TOS.Value^4))
	}
	if ip.DSCP.Set {
		list = append(list, change("dscp", p.String(), &ip.DSCP.Value, ip.DSCP.Value^1))
	}
	if ip.TTL.Set {
		list = append(list, change("ttl", p.String(), &ip.TTL.Value, ip.TTL.Value^1))
	}
	if ip.ECN != ast.ECNAbsent {
		other := map[ast.ECN]ast.ECN{ast.NotECT: ast.ECT0, ast.ECT0: ast.NotECT, ast.ECT1: ast.ECT0, ast.CE: ast.ECT0, ast.ECT01: ast.NotECT}
		list = append(list, change("ecn", p.String(), &ip.ECN, other[ip.ECN]))
	}
	switch {
	case p.TCP != nil:
		list = append(list, u.tcp(p)...)
	case p.UDP != nil:
		list = append(list, change("udp length", p.String(), &p.UDP.Len, p.UDP.Len+1))
		if p.UDP.Len > 0 {
			list = append(list, change("udp length", p.String(), &p.UDP.Len, p.UDP.Len-1))
		}
	case p.ICMP != nil:
		list = append(list, change("icmp type", p.String(), &p.ICMP.Type, "type_77"))
		list = append(list, change("icmp code", p.String(), &p.ICMP.Code, "code_77"))
		if p.ICMP.MTU.Set {
			list = append(list, change("icmp mtu", p.String(), &p.ICMP.MTU.Value, p.ICMP.MTU.Value+1))
		}
		if p.ICMP.ID.Set {
			list = append(list, change("icmp id", p.String(), &p.ICMP.ID.Value, p.ICMP.ID.Value+1))
		}
	}
	return list
}

func (u *mutator) tcp(p *ast.Packet) (list []mutation) {
	t := p.TCP
	for _, f := range "FSRP.UEW" {
		letter := string(f)
		flags := strings.ReplaceAll(t.Flags, letter, "")
		if flags == t.Flags {
			flags = strings.TrimSuffix(t.Flags, "-") + letter
		}
		if flags == "" {
			flags = "-"
		}
		list = append(list, change("flag "+letter, p.String(), &t.Flags, flags))
	}
	seq := func(kind string, start, end int) {
		s := t.Seq
		s.Start += uint32(start)
		s.Len += uint16(end - start)
		s.End = s.Start + uint32(s.Len)
		list = append(list, change(kind, p.String(), &t.Seq, s))
	}
	if !t.Seq.Any && t.Bits()&ast.SYN == 0 {
		seq("seq", 1, 1)
		seq("seq", -1, -1)
	}
	seq("length", 0, 1)
	if t.Seq.Len > 0 {
		seq("length", 0, -1)
	}
	for _, f := range []struct {
		kind string
		at   *ast.Maybe
	}{{"ack", &t.Ack}, {"win", &t.Win}, {"urg", &t.Urg}} {
		if f.at.Set {
			list = append(list, change(f.kind, p.String(), &f.at.Value, f.at.Value+1), change(f.kind, p.String(), &f.at.Value, f.at.Value-1))
		}
	}
	if t.Ack.Set {
		list = append(list, change("ack left out", p.String(), &t.Ack, ast.Maybe{}))
	}
	return append(list, u.options(p)...)
}

func (u *mutator) options(p *ast.Packet) (list []mutation) {
	t := p.TCP
	if t.OptionsAny {
		return nil
	}
	whole := func(kind string, options []ast.TCPOption) {
		list = append(list, change(kind, p.String(), &t.Options, options))
	}
	nop := ast.TCPOption{Kind: ast.OptNOP}
	whole("nops more", append(slices.Clone(t.Options), nop, nop, nop, nop))
	if len(t.Options) > 0 {
		whole("no options", nil)
	}
	for i := range t.Options {
		o := &t.Options[i]
		one := func(kind string, f func(*ast.TCPOption)) {
			c := slices.Clone(t.Options)
			c[i].Blocks = slices.Clone(c[i].Blocks)
			f(&c[i])
			whole(kind, c)
		}
		if o.Value.Set {
			one("value of "+o.Kind.String(), func(o *ast.TCPOption) { o.Value.Value++ })
			one("value of "+o.Kind.String(), func(o *ast.TCPOption) { o.Value.Value-- })
		}
		for b := range o.Blocks {
			one("sack left", func(o *ast.TCPOption) { o.Blocks[b].Left++ })
			one("sack right", func(o *ast.TCPOption) { o.Blocks[b].Right-- })
		}
		if o.Kind == ast.OptTS && !o.EcrAny && u.cfg.profile != "linux" {
			one("ecr", func(o *ast.TCPOption) { o.Ecr++ })
		}
		if o.Kind == ast.OptTS && !o.ValAny && u.cfg.tick > 0 && t.Bits()&ast.SYN == 0 {
			one("ts val", func(o *ast.TCPOption) { o.Val += 100000 })
		}
		if o.Kind == ast.OptNOP {
			one("nop as eol", func(o *ast.TCPOption) { o.Kind = ast.OptEOL })
		}
		if i > 0 && t.Options[i-1].Kind != o.Kind {
			c := slices.Clone(t.Options)
			c[i-1], c[i] = c[i], c[i-1]
			whole("order of options", c)
		}
	}
	return list
}

func (u *mutator) call(c *ast.Syscall, start time.Duration) (list []mutation) {
	text := c.String()
	descriptor := slices.Contains([]string{"socket", "accept", "accept4", "epoll_create", "epoll_create1"}, c.Name)
	if v, ok := c.Result.(*ast.Int); ok {
		switch {
		case descriptor && v.Value >= 0:
			list = append(list, change("result", text, &v.Value, -1))
		default:
			list = append(list, change("result", text, &v.Value, v.Value+1), change("result", text, &v.Value, v.Value-1))
		}
	}
	if c.Errno != "" {
		other := "ENOTSOCK"
		if c.Errno == other {
			other = "EINVAL"
		}
		list = append(list, change("errno", text, &c.Errno, other))
	}
	if c.Blocking {
		later, sooner := u.moved(c.End - start)
		list = append(list, change("return later", text, &c.End, start+later))
		if sooner >= 0 {
			list = append(list, change("return sooner", text, &c.End, start+sooner))
		}
	}
	if v, ok := c.Result.(*ast.Int); ok && v.Value < 0 {
		return list
	}
	switch c.Name {
	case "getsockopt", "ioctl":
		if c.Name == "getsockopt" && len(c.Args) == 5 {
			if l, ok := c.Args[4].(*ast.List); ok && len(l.Elems) == 1 { // with less room less is written
				list = append(list, change("option length", text, &l.Elems[0], ast.Expr(&ast.Binary{Op: "+", X: l.Elems[0], Y: &ast.Int{Value: 1}})))
			}
			list = append(list, mutateExpr("option", text, &c.Args[3])...)
		}
		if c.Name == "ioctl" && len(c.Args) == 3 && !strings.Contains(text, "FIONBIO") {
			list = append(list, mutateExpr("ioctl", text, &c.Args[2])...)
		}
	case "getsockname", "getpeername":
		list = append(list, mutateExpr("address", text, &c.Args[1])...)
		if len(c.Args) > 2 {
			list = append(list, mutateExpr("address length", text, &c.Args[2])...)
		}
	case "accept", "accept4":
		list = append(list, mutateExpr("address", text, &c.Args[1])...)
		list = append(list, mutateExpr("address length", text, &c.Args[2])...)
	case "recvfrom":
		list = append(list, mutateExpr("address", text, &c.Args[4])...)
		list = append(list, mutateString("data", text, &c.Args[1])...)
	case "read", "recv":
		list = append(list, mutateString("data", text, &c.Args[1])...)
	case "readv":
		list = append(list, mutateString("data", text, &c.Args[1])...)
	case "poll":
		if l, ok := c.Args[0].(*ast.List); ok {
			for _, x := range l.Elems {
				if s, ok := x.(*ast.Struct); ok {
					for i := range s.Fields {
						if s.Fields[i].Name == "revents" {
							list = append(list, mutateExpr("revents", text, &s.Fields[i].Value)...)
						}
					}
				}
			}
		}
	case "epoll_wait":
		if n, ok := c.Result.(*ast.Int); ok && n.Value > 0 {
			list = append(list, mutateExpr("epoll events", text, &c.Args[1])...)
		}
	case "recvmsg":
		if s, ok := c.Args[1].(*ast.Struct); ok {
			for i := range s.Fields {
				switch f := &s.Fields[i]; f.Name {
				case "msg_iov":
					list = append(list, mutateString("data", text, &f.Value)...)
				case "msg_name", "msg_flags", "msg_control":
					list = append(list, mutateExpr(f.Name, text, &f.Value)...)
				}
			}
		}
	}
	return list
}

// mutateExpr changes each number and name of an expression that is not within a list of flags.
func mutateExpr(kind, text string, at *ast.Expr) (list []mutation) {
	switch x := (*at).(type) {
	case *ast.Int:
		list = append(list, change(kind, text, &x.Value, x.Value+1), change(kind, text, &x.Value, x.Value-1))
	case *ast.Symbol, *ast.Binary:
		list = append(list, change(kind, text, at, ast.Expr(&ast.Binary{Op: "^", X: x, Y: &ast.Int{Value: 1 << 3}})))
		list = append(list, change(kind, text, at, ast.Expr(&ast.Binary{Op: "^", X: x, Y: &ast.Int{Value: 1}})))
	case *ast.String:
		if x.Value != "" {
			list = append(list, change(kind, text, &x.Value, x.Value[:len(x.Value)-1]+"~"))
		}
		list = append(list, change(kind, text, &x.Value, x.Value+"~"))
	case *ast.List:
		for i := range x.Elems {
			list = append(list, mutateExpr(kind, text, &x.Elems[i])...)
		}
	case *ast.Struct:
		for i := range x.Fields {
			list = append(list, mutateExpr(kind+" "+x.Fields[i].Name, text, &x.Fields[i].Value)...)
		}
	case *ast.Call:
		for i := range x.Args {
			list = append(list, mutateExpr(kind, text, &x.Args[i])...)
		}
	case *ast.Paren:
		return mutateExpr(kind, text, &x.X)
	}
	return list
}

// mutateString changes what strings say.
func mutateString(kind, text string, at *ast.Expr) (list []mutation) {
	switch x := (*at).(type) {
	case *ast.String:
		return mutateExpr(kind, text, at)
	case *ast.List:
		for i := range x.Elems {
			list = append(list, mutateString(kind, text, &x.Elems[i])...)
		}
	case *ast.Struct:
		for i := range x.Fields {
			list = append(list, mutateString(kind, text, &x.Fields[i].Value)...)
		}
	}
	return list
}

// What texts are to be equal to.
var (
	codeNumber = regexp.MustCompile(`== *(\d+)`)
	grepped    = regexp.MustCompile(`\| *grep .*?(\d+)[^|\d]*$`)
)

// mutateText changes each number that a pattern finds in a text.
func mutateText(kind string, at *string, pattern *regexp.Regexp) (list []mutation) {
	old := *at
	for _, m := range pattern.FindAllStringSubmatchIndex(old, -1) {
		n, err := strconv.Atoi(old[m[2]:m[3]])
		if err == nil {
			list = append(list, change(kind, old, at, old[:m[2]]+strconv.Itoa(n+1)+old[m[3]:]))
		}
	}
	if kind == "code" && strings.Contains(old, "==") {
		list = append(list, change("code operator", old, at, strings.Replace(old, "==", "!=", 1)))
	}
	return list
}
