package script

import (
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirnet/weir/stack/script/ast"
)

// action is what a backquoted command comes to here: exactly one of its fields is set, or none
// where the command has no effect that a script could see.
type action struct {
	name, value string // a setting
	sleep       time.Duration
	drop        [2]netip.AddrPort // a connection to abort
	dropState   string            // connections to abort by their state, as Connection has it; "*": all
	check       *figureCheck
}

// setting is a name and its value.
type setting struct{ name, value string }

// defaultsSh is what the defaults.sh of Google's and of Linux's suites sets: a production machine's
// values, so that a script holds whatever its kernel was set to before.
var defaultsSh = []setting{
	{"net.ipv4.tcp_rmem", "4096 540000 15728640"},
	{"net.ipv4.tcp_wmem", "4096 262144 4194304"},
	{"net.ipv4.tcp_timestamps", "1"},
	{"net.ipv4.tcp_syn_retries", "5"},
	{"net.ipv4.tcp_synack_retries", "5"},
	{"net.ipv4.tcp_frto", "2"},
	{"net.ipv4.tcp_sack", "1"},
	{"net.ipv4.tcp_dsack", "1"},
	{"net.ipv4.tcp_fack", "0"},
	{"net.ipv4.tcp_reordering", "3"},
	{"net.ipv4.tcp_congestion_control", "cubic"},
	{"net.ipv4.tcp_slow_start_after_idle", "0"},
	{"net.ipv4.tcp_early_retrans", "4"},
	{"net.ipv4.tcp_recovery", "1"},
	{"net.ipv4.tcp_tso_win_divisor", "3"},
	{"net.ipv4.tcp_ecn", "0"},
	{"net.ipv4.tcp_pacing_ss_ratio", "200"},
	{"net.ipv4.tcp_pacing_ca_ratio", "120"},
	{"net.ipv4.tcp_notsent_lowat", "4294967295"},
	{"net.ipv4.tcp_fastopen", "0x70403"},
	{"net.ipv4.tcp_syncookies", "1"},
}

// noEffect is commands that change nothing which a script could see.
var noEffect = []string{
	"true", ":", "echo", "rm", "sync", "cat", "ls", "pwd", "set", "export", "modprobe", "kldload", "kldunload", "ethtool", "mkdir", "touch",
	"date", "uname", "chmod", "printf",
}

// commandActions returns what a command comes to. The error is a skipError.
func commandActions(text string) ([]action, error) {
	if check, ok := pipeline(text); ok {
		return []action{{check: check}}, nil
	}
	commands, ok := simpleCommands(text)
	if !ok {
		return nil, skipf("needs the shell: %s", firstWords(text))
	}
	var list []action
	for _, words := range commands {
		more, err := commandAction(words)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	return list, nil
}

// firstWords names a command in a few words, the same for all that do the same.
func firstWords(text string) string {
	f := strings.Fields(text)
	if len(f) == 0 {
		return "nothing"
	}
	return path.Base(f[0])
}

func commandAction(words []string) ([]action, error) {
	for len(words) > 1 && (words[0] == "sudo" || strings.Contains(words[0], "=") && !strings.HasPrefix(words[0], "net.")) {
		words = words[1:] // variables before a command
	}
	name, args := path.Base(words[0]), words[1:]
	switch {
	case name == "defaults.sh":
		return settingActions(defaultsSh), nil
	case name == "source" || name == "." || name == "bash" || name == "sh":
		if len(args) > 0 {
			return commandAction(args)
		}
		return nil, nil
	case name == "sysctl":
		return sysctlActions(args)
	case name == "set_sysctls.py" || name == "python3" || name == "python":
		return scriptActions(name, args)
	case strings.HasPrefix(name, "sysctl_restore"):
		return nil, nil // the stack ends with the script
	case name == "echo" && slices.Contains(args, ">"):
		at := slices.Index(args, ">")
		if file := args[len(args)-1]; !strings.HasPrefix(file, procSys) && !strings.HasPrefix(file, moduleCubic) {
			return nil, skipf("needs what is written to %s", path.Base(file))
		}
		return []action{{name: procName(args[at+1]), value: strings.Join(args[:at], " ")}}, nil
	case slices.Contains(args, ">"):
		return nil, skipf("needs what is written to %s", path.Base(args[len(args)-1]))
	case slices.Contains(noEffect, name):
		return nil, nil
	case name == "sleep":
		return sleepAction(args)
	case name == "ip":
		return ipActions(args)
	case name == "tc":
		return tcActions(args)
	case name == "tcpdrop":
		return dropAction(args)
	case name == "nstat": // shown to nobody, or only to begin anew
		return []action{{check: &figureCheck{reset: true}}}, nil
	case strings.Contains(words[0], "="):
		return nil, nil // a variable
	}
	return nil, skipf("needs the command %s", name)
}

// initCommands makes commands of the files that --init_scripts names.
func initCommands(s *ast.Script, c *config) (list []*ast.Event) {
	for _, o := range s.Options {
		if o.Name != "init_scripts" || !c.includes(o.Only) {
			continue
		}
		for file := range strings.SplitSeq(o.Value, ",") {
			if file = strings.TrimSpace(file); file != "" {
				list = append(list, &ast.Event{Pos: o.Pos, Command: &ast.Command{Pos: o.Pos, Text: file}})
			}
		}
	}
	return list
}

func settingActions(list []setting) (a []action) {
	for _, s := range list {
		a = append(a, action{name: s.name, value: s.value})
	}
	return a
}

// procName makes /proc/sys/net/ipv4/tcp_sack net.ipv4.tcp_sack, and a parameter of CUBIC tcp_cubic.hystart_detect.
func procName(file string) string {
	if name, ok := strings.CutPrefix(file, moduleCubic); ok {
		return "tcp_cubic." + name
	}
	return strings.ReplaceAll(strings.TrimPrefix(file, procSys), "/", ".")
}

// moduleCubic is where Linux has the parameters of CUBIC; as settings they begin with "tcp_cubic.".
const moduleCubic = "/sys/module/tcp_cubic/parameters/"

// sysctlActions reads the arguments of sysctl. What only shows a setting has no effect.
func sysctlActions(args []string) (list []action, err error) {
	for _, a := range args {
		name, value, ok := strings.Cut(a, "=")
		if a == "-p" || a == "-f" || a == "--system" || strings.HasPrefix(a, "--load") {
			return nil, skipf("needs the settings in a file")
		}
		if strings.HasPrefix(a, "-") || !ok {
			continue
		}
		list = append(list, action{name: strings.ReplaceAll(strings.TrimSpace(name), "/", "."), value: strings.TrimSpace(value)})
	}
	return list, nil
}

func scriptActions(name string, args []string) (list []action, err error) {
	for _, a := range args {
		file, value, ok := strings.Cut(a, "=")
		switch {
		case strings.HasPrefix(a, procSys) && ok:
			list = append(list, action{name: procName(file), value: value})
		case strings.HasSuffix(a, "set_sysctls.py"):
		default:
			return nil, skipf("needs the command %s", name)
		}
	}
	return list, nil
}

func sleepAction(args []string) ([]action, error) {
	if len(args) == 1 {
		if s, err := strconv.ParseFloat(strings.TrimSuffix(args[0], "s"), 64); err == nil && s >= 0 && s < 1e6 {
			return []action{{sleep: time.Duration(s * float64(time.Second))}}, nil
		}
	}
	return nil, skipf("needs the command sleep %s", strings.Join(args, " "))
}

// ipActions reads the arguments of ip: metrics of the route to the remote side are settings.
func ipActions(args []string) (list []action, err error) {
	args = slices.DeleteFunc(slices.Clone(args), func(s string) bool { return strings.HasPrefix(s, "-") })
	if len(args) < 2 {
		return nil, nil
	}
	switch args[0] {
	case "tcp_metrics", "tcpmetrics":
		if strings.HasPrefix(args[1], "f") || strings.HasPrefix(args[1], "d") {
			return nil, nil // nothing is remembered from one connection to the next
		}
	case "route", "ro", "r":
		return routeActions(args[1:])
	}
	return nil, skipf("needs the command ip %s", args[0])
}

// routeMetrics is the metrics of a route that have an argument.
var routeMetrics = []string{"initcwnd", "initrwnd", "rto_min", "advmss", "quickack", "mtu", "window", "cwnd", "ssthresh", "rtt", "rttvar",
	"reordering", "features", "congctl", "hoplimit", "fastopen_no_cookie"}

func routeActions(args []string) (list []action, err error) {
	switch args[0] {
	case "change", "replace", "add", "append", "chg", "repl":
	case "show", "list", "get", "flush":
		return nil, nil
	default:
		return nil, skipf("needs the command ip route %s", args[0])
	}
	for i := 1; i < len(args); i++ {
		if !slices.Contains(routeMetrics, args[i]) || i+1 >= len(args) {
			switch args[i] {
			case "dev", "via", "proto", "scope", "metric", "table", "pref": // as the route to the remote side is
				i++
			case "onlink", "unicast", "default":
			default:
				if _, err := netip.ParsePrefix(args[i]); err == nil {
					break
				}
				if _, err := netip.ParseAddr(args[i]); err == nil {
					break
				}
				return nil, skipf("needs the command ip route with %s", args[i])
			}
			continue
		}
		name := args[i]
		if i++; args[i] == "lock" && i+1 < len(args) {
			name += ".lock"
			i++
		}
		list = append(list, action{name: "route." + name, value: args[i]})
	}
	return list, nil
}

// tcActions lets the queueing disciplines pass that neither delay nor drop.
func tcActions(args []string) ([]action, error) {
	if at := slices.Index(args, "limit"); at >= 0 && at+1 < len(args) && args[at+1] == "0" {
		return nil, skipf("needs a queueing discipline that drops all")
	}
	for _, a := range args {
		switch a {
		case "pfifo", "pfifo_fast", "noqueue", "del", "delete", "mq", "bfifo":
			return nil, nil
		case "fq", "fq_codel", "netem", "tbf", "htb", "sfq", "clsact":
			return nil, skipf("needs the queueing discipline %s", a)
		}
	}
	return nil, skipf("needs the command tc")
}

// dropAction reads tcpdrop's two ends: address and port, apart or joined by a colon.
func dropAction(args []string) ([]action, error) {
	if len(args) == 1 && args[0] == "-a" {
		return []action{{dropState: "*"}}, nil
	}
	if len(args) == 2 && args[0] == "-s" && sockstatStates[args[1]] != "" {
		return []action{{dropState: sockstatStates[args[1]]}}, nil
	}
	var ends []netip.AddrPort
	for i := 0; i < len(args); i++ {
		if ap, err := netip.ParseAddrPort(args[i]); err == nil {
			ends = append(ends, ap)
			continue
		}
		a, err := netip.ParseAddr(args[i])
		if err != nil || i+1 >= len(args) {
			return nil, skipf("needs the command tcpdrop %s", strings.Join(args, " "))
		}
		n, err := strconv.ParseUint(args[i+1], 10, 16)
		if err != nil {
			return nil, skipf("needs the command tcpdrop %s", strings.Join(args, " "))
		}
		ends = append(ends, netip.AddrPortFrom(a, uint16(n)))
		i++
	}
	if len(ends) != 2 {
		return nil, skipf("needs the command tcpdrop with a connection")
	}
	return []action{{drop: [2]netip.AddrPort{ends[0], ends[1]}}}, nil
}
