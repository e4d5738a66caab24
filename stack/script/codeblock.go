package script

import (
	"errors"
	"strings"

	"github.com/weirnet/weir/stack/script/ast"
	"github.com/weirnet/weir/stack/script/code"
	"github.com/weirnet/weir/stack/socket"
)

// codeState is what the blocks of assertions of one script share.
type codeState struct {
	programs map[*ast.Event]*code.Program
	env      map[string]code.Value
}

// codeConstants is the names that packetdrill gives to code blocks beside tcp_info's.
var codeConstants = []string{
	"TCP_ESTABLISHED", "TCP_SYN_SENT", "TCP_SYN_RECV", "TCP_FIN_WAIT1", "TCP_FIN_WAIT2", "TCP_TIME_WAIT", "TCP_CLOSE",
	"TCP_CLOSE_WAIT", "TCP_LAST_ACK", "TCP_LISTEN", "TCP_CLOSING",
	"TCP_CA_Open", "TCP_CA_Disorder", "TCP_CA_CWR", "TCP_CA_Recovery", "TCP_CA_Loss",
	"TCPI_OPT_TIMESTAMPS", "TCPI_OPT_SACK", "TCPI_OPT_WSCALE", "TCPI_OPT_ECN", "TCPI_OPT_ECN_SEEN", "TCPI_OPT_SYN_DATA", "TCPI_OPT_USEC_TS",
}

// readCode reads a block, and says what it asks for that there is not.
func (r *runner) readCode(e *ast.Event) error {
	p, err := code.Parse(r.name, e.Code.At, e.Code.Text)
	var bad *code.Error
	if errors.As(err, &bad) {
		return skipf("has a code block that is beyond the evaluator: %s", bad.Message)
	}
	if err != nil {
		return err
	}
	if r.code.programs == nil {
		r.code = codeState{map[*ast.Event]*code.Program{}, map[string]code.Value{}}
		for _, name := range codeConstants {
			if v, err := constant(name); err == nil {
				r.code.env[name] = code.Int(v)
			}
		}
		for name, v := range others {
			r.code.env[name] = code.Int(v)
			if state, ok := strings.CutPrefix(name, "TCPS_"); ok { // nplab's packetdrill has it so
				r.code.env["TCPI_"+state] = code.Int(v)
			}
		}
	}
	for _, name := range p.Names() {
		if what, lack := lackOf(name); lack {
			return skipf("needs %s", what)
		}
		if what, lack := lackOfCode[name]; lack {
			return skipf("needs %s", what)
		}
	}
	r.code.programs[e] = p
	return nil
}

// lackOfCode is the figures of congestion controls that weir does not have, and of tcp_info that FreeBSD alone has.
var lackOfCode = map[string]string{
	"bbr_bw": "BBR", "bbr_bw_lo": "BBR", "bbr_bw_hi": "BBR", "bbr_min_rtt": "BBR", "bbr_pacing_gain": "BBR", "bbr_cwnd_gain": "BBR",
	"dctcp_enabled": "DCTCP", "dctcp_ce_state": "DCTCP", "dctcp_alpha": "DCTCP", "dctcp_ab_ecn": "DCTCP", "dctcp_ab_tot": "DCTCP",
	"tcpv_enabled": "TCP Vegas", "tcpv_rttcnt": "TCP Vegas", "tcp_rtt": "TCP Vegas", "tcp_minrtt": "TCP Vegas",
}

// runCode runs a block with the figures of the socket under test as they are at its time.
// packetdrill runs all blocks when the script is over; the figures that they see are the same.
func (r *runner) runCode() error {
	if err := r.waitForEvent("the figures are taken"); err != nil {
		return err
	}
	if fd := r.codeFD(); fd >= 0 {
		info, err := r.b.Calls().GetTCPInfo(fd)
		if err != nil {
			return r.fail("tcp_info cannot be had: "+resultText(-1, err), "", "")
		}
		r.enterInfo(&info)
	} else if name := r.readsInfo(); name != "" {
		return r.fail("there is no connection whose "+name+" could be asked for", "", "")
	}
	err := r.code.programs[r.ev].Eval(r.code.env)
	var failed *code.Failure
	var bad *code.Error
	switch {
	case errors.As(err, &failed):
		got := strings.Join(failed.Values, ", ")
		message := "assert " + failed.Cond + " does not hold"
		if failed.Message != "" {
			message += ": " + failed.Message
		} else if got != "" {
			message += ": " + got
		}
		f := r.fail(message, failed.Cond, got)
		if f, ok := f.(*Failure); ok {
			f.Line = failed.Pos.Line
		}
		return f
	case errors.As(err, &bad) && bad.Kind == code.Type: // Python would end the script there, too
		return r.fail("the block cannot be worked out: "+bad.Message, "", "")
	case errors.As(err, &bad) && bad.Kind == code.Name:
		return skipf("has a code block that asks for something unknown: %s", bad.Message)
	case errors.As(err, &bad):
		return skipf("has a code block that is beyond the evaluator: %s", bad.Message)
	}
	return err
}

// codeFD is the socket whose figures a block sees: the one under test; before it is accepted,
// there is none.
func (r *runner) codeFD() int {
	if e := r.test; e != nil && !e.closed && e.protocol == socket.IPPROTO_TCP {
		return e.liveFD
	}
	return -1
}

// readsInfo returns a member of tcp_info that the block at hand reads, or "".
func (r *runner) readsInfo() string {
	for _, name := range r.code.programs[r.ev].Names() {
		if strings.HasPrefix(name, "tcpi_") {
			return name
		}
	}
	return ""
}

func (r *runner) enterInfo(info *socket.TCPInfo) {
	for name, v := range r.figures(info) {
		r.code.env[name] = code.Uint(v)
	}
}

// figures is struct tcp_info by the names of its members, as the profile's kernel would fill it.
func (r *runner) figures(info *socket.TCPInfo) map[string]uint64 {
	have := map[string]uint64{}
	info.Each(func(name string, v uint64) { have[name] = v })
	if kernel(r.cfg.profile) == "freebsd" {
		have["tcpi_state"] = freebsdState(have["tcpi_state"])
		for _, name := range []string{"tcpi_snd_cwnd", "tcpi_snd_ssthresh"} { // in octets there
			have[name] *= have["tcpi_snd_mss"]
		}
	}
	return have
}
