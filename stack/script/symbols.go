package script

import (
	"fmt"
	"strings"

	"github.com/weirnet/weir/stack/socket"
)

// skipError is the reason why a script cannot be judged.
type skipError struct{ reason string }

func (e *skipError) Error() string { return e.reason }

func skipf(format string, args ...any) error { return &skipError{fmt.Sprintf(format, args...)} }

// invalidError is what is wrong with a script itself.
type invalidError struct{ reason string }

func (e *invalidError) Error() string { return e.reason }

func invalidf(format string, args ...any) error { return &invalidError{fmt.Sprintf(format, args...)} }

// lacks is the names whose mere use means that the script is about something that weir does not
// have, by their beginnings; the longest that fits counts.
var lacks = map[string]string{
	"MSG_ZEROCOPY":               "zero-copy sending",
	"SO_ZEROCOPY":                "zero-copy sending",
	"SO_EE_ORIGIN_ZEROCOPY":      "zero-copy sending",
	"SO_EE_CODE_ZEROCOPY":        "zero-copy sending",
	"TCP_ZEROCOPY_RECEIVE":       "zero-copy receiving",
	"MSG_FASTOPEN":               "TCP Fast Open",
	"TCP_FASTOPEN":               "TCP Fast Open",
	"TCP_MD5SIG":                 "TCP MD5 signatures (RFC 2385)",
	"TCP_AO_":                    "the TCP authentication option (RFC 5925)",
	"SO_TIMESTAMPING":            "time stamps in the error queue",
	"SCM_TIMESTAMPING":           "time stamps in the error queue",
	"SOF_TIMESTAMPING":           "time stamps in the error queue",
	"SCM_TSTAMP":                 "time stamps in the error queue",
	"SO_EE_ORIGIN_TIMESTAMPING":  "time stamps in the error queue",
	"TCP_NLA_":                   "time stamps in the error queue",
	"SO_TIMESTAMP":               "time stamps of packets received",
	"SO_MEMINFO":                 "a kernel's own buffer accounting (SO_MEMINFO)",
	"SK_MEMINFO":                 "a kernel's own buffer accounting (SO_MEMINFO)",
	"SO_MAX_PACING_RATE":         "pacing",
	"SO_TXTIME":                  "pacing",
	"TCP_TX_DELAY":               "delayed sending (TCP_TX_DELAY)",
	"SO_ATTACH_":                 "packet filters (BPF)",
	"TCP_REPAIR":                 "connection repair",
	"TCP_QUEUE_SEQ":              "connection repair",
	"TCP_ULP":                    "upper-layer protocols in the kernel (TLS, MPTCP)",
	"TCP_PSP":                    "PSP encryption",
	"SOL_PSP":                    "PSP encryption",
	"IPPROTO_MPTCP":              "Multipath TCP",
	"IPPROTO_SCTP":               "SCTP",
	"SCTP_":                      "SCTP",
	"IPPROTO_UDPLITE":            "UDP-Lite",
	"UDPLITE_":                   "UDP-Lite",
	"UDP_ENCAP":                  "encapsulation in UDP",
	"TCP_REMOTE_UDP_ENCAPS_PORT": "encapsulation in UDP",
	"AF_UNIX":                    "sockets of other families",
	"AF_NETLINK":                 "sockets of other families",
	"TCP_RACK_":                  "FreeBSD's RACK implementation",
	"TCP_BBR_":                   "FreeBSD's BBR implementation",
	"TCP_LOG":                    "FreeBSD's black-box log",
	"TCP_CC_INFO":                "the figures of a congestion control (TCP_CC_INFO)",
	"TCP_CCALGOOPT":              "options of FreeBSD's congestion control modules",
	"SO_INCOMING_CPU":            "the processor that a packet came in by",
	"SO_INCOMING_NAPI_ID":        "the processor that a packet came in by",
	"CAP_":                       "capabilities",
	"SPLICE_F_":                  "splice",
	"TCP_THIN_LINEAR_TIMEOUTS":   "thin streams",
	"TCP_SAVE":                   "the saved SYN (TCP_SAVE_SYN)",
	"TCP_DELACK":                 "FreeBSD's delayed-ACK time per socket",
	"TCP_MAXUNACKTIME":           "FreeBSD's limit of unacknowledged time",
	"SO_SETFIB":                  "several routing tables",
	"SO_USER_COOKIE":             "FreeBSD's cookies of sockets",
	"SO_TS_CLOCK":                "time stamps of packets received",
	"MSG_TRACE":                  "FreeBSD's tracing",
	"TCP_USE_DDP":                "direct data placement",
	"TCP_TXTLS":                  "TLS in the kernel",
	"TCP_RXTLS":                  "TLS in the kernel",
}

// lackOf returns what a name needs that weir does not have.
func lackOf(name string) (string, bool) {
	best := ""
	for prefix := range lacks {
		if strings.HasPrefix(name, prefix) && len(prefix) > len(best) {
			best = prefix
		}
	}
	return lacks[best], best != ""
}

// others is constants that scripts use and package socket has no need of: FreeBSD's, the
// states of its connections by its own numbers, and names of headers.
var others = map[string]int64{
	"NULL":            0,
	"INADDR_ANY":      0,
	"INADDR_LOOPBACK": 0x7f000001,
	"IPTOS_LOWDELAY":  0x10, "IPTOS_THROUGHPUT": 0x08, "IPTOS_RELIABILITY": 0x04, "IPTOS_LOWCOST": 0x02, "IPTOS_MINCOST": 0x02,
	"IPTOS_ECN_NOT_ECT": 0, "IPTOS_ECN_ECT1": 1, "IPTOS_ECN_ECT0": 2, "IPTOS_ECN_CE": 3,
	"O_CREAT":  0x40,
	"O_TRUNC":  0x200,
	"O_DIRECT": 0x4000,

	// sys/tcp_fsm.h; what FreeBSD's tcpi_state holds.
	"TCPS_CLOSED":       0,
	"TCPS_LISTEN":       1,
	"TCPS_SYN_SENT":     2,
	"TCPS_SYN_RECEIVED": 3,
	"TCPS_ESTABLISHED":  4,
	"TCPS_CLOSE_WAIT":   5,
	"TCPS_FIN_WAIT_1":   6,
	"TCPS_CLOSING":      7,
	"TCPS_LAST_ACK":     8,
	"TCPS_FIN_WAIT_2":   9,
	"TCPS_TIME_WAIT":    10,

	// FreeBSD's names for what Linux has under another, and its choice of a TCP
	// implementation, which the runner answers itself.
	"TCP_NOPUSH": socket.TCP_CORK, "FIONWRITE": socket.SIOCOUTQ, "SO_REUSEPORT_LB": socket.SO_REUSEPORT,
	"TCP_FUNCTION_BLK": tcpFunctionBlk,
}

// dscp returns the TOS octet of a class selector or of assured or expedited forwarding
// (RFC 2474, RFC 2597, RFC 3246), as IPTOS_DSCP_AF11 names it.
func dscp(name string) (int64, bool) {
	class, ok := strings.CutPrefix(name, "IPTOS_DSCP_")
	switch {
	case !ok:
	case class == "EF":
		return 46 << 2, true
	case class == "VA":
		return 44 << 2, true
	case len(class) == 3 && class[:2] == "CS" && class[2] >= '0' && class[2] <= '7':
		return int64(class[2]-'0') << 5, true
	case len(class) == 4 && class[:2] == "AF" && class[2] >= '1' && class[2] <= '4' && class[3] >= '1' && class[3] <= '3':
		return int64(class[2]-'0')<<5 | int64(class[3]-'0')<<3, true
	}
	return 0, false
}

// tcpFunctionBlk is FreeBSD's number; no option of Linux's has it.
const tcpFunctionBlk = 8192

// constant returns the number of a name.
func constant(name string) (int64, error) {
	if what, lack := lackOf(name); lack {
		return 0, skipf("needs %s", what)
	}
	if v, ok := socket.Constant(name); ok {
		return int64(v), nil
	}
	if v, ok := others[name]; ok {
		return v, nil
	}
	if e, ok := errnos[name]; ok {
		return int64(e), nil
	}
	if v, ok := dscp(name); ok {
		return v, nil
	}
	return 0, skipf("uses the constant %s, which weir does not have", name)
}
