package script

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// figureCheck is a pipeline of commands that asks the kernel for a figure, and fails where it
// is not as expected.
type figureCheck struct {
	reset bool // nstat alone: counters count from now on

	counter string // nstat's
	above   bool   // any number but 0 will do
	total   bool   // since the stack began, not since nstat was called last
	peek    bool   // the call does not count as the last one

	socket bool // count sockets, as sockstat lists them
	state  string
	family int // 4, 6; 0 any
	port   uint16

	want uint64
}

// grepNumber is a pattern that a number alone fits: 3, " 3 ", ^3$.
var grepNumber = regexp.MustCompile(`^\^?\s*(\d+)\s*\$?$`)

// pipeline reads a pipeline that begins with nstat or sockstat and goes on with greps.
func pipeline(text string) (*figureCheck, bool) {
	text = strings.TrimSpace(strings.ReplaceAll(text, ">/dev/null", "> /dev/null"))
	text = strings.TrimSpace(strings.TrimSuffix(text, "> /dev/null"))
	stages := strings.Split(text, "|")
	if len(stages) < 2 {
		return nil, false
	}
	var parsed [][]string
	for _, s := range stages {
		c, ok := simpleCommands(s)
		if !ok || len(c) != 1 {
			return nil, false
		}
		parsed = append(parsed, c[0])
	}
	for _, words := range parsed[1:] {
		if words[0] != "grep" {
			return nil, false
		}
	}
	switch parsed[0][0] {
	case "nstat":
		return nstatCheck(parsed[0][1:], parsed[1:])
	case "sockstat":
		return sockstatCheck(parsed[0][1:], parsed[1:])
	}
	return nil, false
}

// pattern returns what a grep looks for, and its options.
func pattern(words []string) (p string, options string) {
	for _, w := range words[1:] {
		if strings.HasPrefix(w, "-") {
			options += w[1:]
		} else {
			p = w
		}
	}
	return p, options
}

// nstatCheck reads: nstat [-a] [-s] | grep counter | grep N.
func nstatCheck(args []string, greps [][]string) (*figureCheck, bool) {
	f := &figureCheck{}
	for _, a := range args {
		options, ok := strings.CutPrefix(a, "-")
		if !ok || strings.Trim(options, "asz") != "" {
			return nil, false
		}
		f.total = f.total || strings.Contains(options, "a")
		f.peek = f.peek || strings.Contains(options, "s")
	}
	var options string
	if f.counter, options = pattern(greps[0]); strings.ContainsAny(options, "vc") {
		return nil, false
	}
	if len(greps) == 1 {
		f.above = true
		return f, true
	}
	p, options := pattern(greps[1])
	m := grepNumber.FindStringSubmatch(p)
	if len(greps) != 2 || m == nil || strings.Contains(options, "v") {
		return nil, false
	}
	f.want, _ = strconv.ParseUint(m[1], 10, 64)
	return f, true
}

// sockstatStates is the states as sockstat writes them.
var sockstatStates = map[string]string{
	"CLOSED": "CLOSED", "LISTEN": "LISTEN", "SYN_SENT": "SYN-SENT", "SYN_RCVD": "SYN-RECEIVED", "SYN_RECEIVED": "SYN-RECEIVED",
	"ESTABLISHED": "ESTABLISHED", "CLOSE_WAIT": "CLOSE-WAIT", "FIN_WAIT_1": "FIN-WAIT-1", "CLOSING": "CLOSING", "LAST_ACK": "LAST-ACK",
	"FIN_WAIT_2": "FIN-WAIT-2", "TIME_WAIT": "TIME-WAIT",
}

// sockstatCheck reads: sockstat [-4|-6] [-P tcp] -s [-p port] | grep program | grep -c STATE | grep N.
func sockstatCheck(args []string, greps [][]string) (*figureCheck, bool) {
	f := &figureCheck{socket: true}
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-4":
			f.family = 4
		case "-6":
			f.family = 6
		case "-P":
			if i++; i >= len(args) || args[i] != "tcp" {
				return nil, false
			}
		case "-p":
			if i++; i >= len(args) {
				return nil, false
			}
			n, err := strconv.ParseUint(args[i], 10, 16)
			if err != nil {
				return nil, false
			}
			f.port = uint16(n)
		case "-s", "-n", "-q":
		default:
			return nil, false
		}
	}
	last, counted := greps[len(greps)-1], false
	for _, g := range greps[:len(greps)-1] {
		p, options := pattern(g)
		if state, ok := sockstatStates[p]; ok && strings.Contains(options, "c") {
			f.state, counted = state, true
		} else if !strings.HasPrefix("packetdrill", p) {
			return nil, false
		}
	}
	p, _ := pattern(last)
	m := grepNumber.FindStringSubmatch(p)
	if m == nil || !counted {
		return nil, false
	}
	f.want, _ = strconv.ParseUint(m[1], 10, 64)
	return f, true
}

// checkFigure asks for a figure.
func (r *runner) checkFigure(f *figureCheck) error {
	if f.reset {
		r.countFrom()
		return nil
	}
	if f.socket {
		return r.checkSockets(f)
	}
	v, ok := r.b.Counter(f.counter)
	if !ok {
		return skipf("needs the counter %s", f.counter)
	}
	if !f.total {
		v -= r.counted[f.counter]
	}
	if !f.peek {
		r.countFrom()
	}
	if f.above && v == 0 {
		return r.fail(fmt.Sprintf("the counter %s is 0; it was to have moved", f.counter), "", "0")
	}
	if !f.above && v != f.want {
		return r.fail(fmt.Sprintf("the counter %s is %d, not %d", f.counter, v, f.want), fmt.Sprint(f.want), fmt.Sprint(v))
	}
	return nil
}

// countFrom makes counters count from the present, as nstat does each time it is called.
func (r *runner) countFrom() {
	if r.counted == nil {
		r.counted = map[string]uint64{}
	}
	for _, actions := range r.actions {
		for _, a := range actions {
			if a.check != nil && a.check.counter != "" {
				r.counted[a.check.counter], _ = r.b.Counter(a.check.counter)
			}
		}
	}
}

func (r *runner) checkSockets(f *figureCheck) error {
	n := uint64(len(slices.DeleteFunc(r.b.Connections(), func(c Connection) bool {
		return c.Protocol != "tcp" || c.State != f.state || f.port != 0 && c.Local.Port() != f.port ||
			f.family == 4 && !c.Local.Addr().Is4() || f.family == 6 && c.Local.Addr().Is4()
	})))
	if n != f.want {
		return r.fail(fmt.Sprintf("%d connections are in %s, not %d", n, f.state, f.want), fmt.Sprint(f.want), fmt.Sprint(n))
	}
	return nil
}
