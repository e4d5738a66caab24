package script

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// visible is settings of kernels that weir does not have and that scripts could tell by what comes out: the
// values that change nothing since they are what weir does anyway. With another value a script is skipped, or it would
// hold, or not, for no reason of its own. least stands for every number from there on.
type visible struct {
	values []string
	least  int64 // where there are no values
}

func only(values ...string) visible { return visible{values: values} }

func atLeast(n int64) visible { return visible{least: n} }

var visibleSettings = map[string]visible{
	"net.ipv4.tcp_app_win": only("31"), "net.ipv4.tcp_moderate_rcvbuf": only("1"), "net.ipv4.tcp_max_reordering": only("300"),
	"net.ipv4.tcp_ecn_fallback": only("1"), "net.ipv4.tcp_min_rtt_wlen": only("300"), "net.ipv4.tcp_retrans_collapse": only("1"),
	"net.ipv4.tcp_thin_linear_timeouts": only("0"), "net.ipv4.tcp_thin_dupack": only("0"), "net.ipv4.tcp_pingpong_thresh": only("1"),
	"net.ipv4.tcp_tw_recycle": only("0"), "net.ipv4.tcp_reflect_tos": only("0"), "net.ipv4.tcp_plb_enabled": only("0"),
	"net.ipv4.tcp_migrate_req": only("0"), "net.ipv4.tcp_fwmark_accept": only("0"), "net.ipv4.tcp_cookie_size": only("0"),
	"net.ipv4.tcp_comp_sack_nr": only("0"), "net.ipv4.tcp_comp_sack_delay_ns": only("0"),
	"net.ipv4.tcp_max_tw_buckets": atLeast(64), "net.ipv4.tcp_max_orphans": atLeast(64), "net.ipv4.tcp_rcvbuf_low_rtt": only("0"),
	"net.ipv4.route.min_pmtu": only("552"), "net.ipv4.route.min_adv_mss": only("256"), "net.ipv4.route.mtu_expires": only("600"),
	"net.ipv6.route.mtu_expires": only("600"), "net.ipv6.route.min_adv_mss": only("1220"),
	"net.ipv6.auto_flowlabels": only("1", "2", "3"), "net.ipv6.flowlabel_reflect": only("0"),
	"tcp_cubic.hystart": only("1"), "tcp_cubic.hystart_detect": only("3"),
	"net.core.default_qdisc": only("pfifo_fast", "pfifo", "bfifo", "noqueue", "fq_codel"),

	"net.inet.tcp.rfc3042": only("1"), "net.inet.tcp.rfc3390": only("1"), "net.inet.tcp.rfc3465": only("1"), "net.inet.tcp.abc_l_var": only("2"),
	"net.inet.tcp.rfc6675_pipe": only("1"), "net.inet.tcp.do_prr_conservative": only("0"), "net.inet.tcp.do_lrd": only("0"),
	"net.inet.tcp.newcwd": only("0"), "net.inet.tcp.sack.revised": only("1"), "net.inet.tcp.sack.lrd": only("1"),
	"net.inet.tcp.sack.maxholes": atLeast(64), "net.inet.tcp.sack.globalmaxholes": atLeast(64),
	"net.inet.tcp.cc.abe": only("0"), "net.inet.tcp.cc.abe_frlossreduce": only("0"), "net.inet.tcp.cc.newreno.beta": only("50"),
	"net.inet.tcp.cc.newreno.beta_ecn": only("80"), "net.inet.tcp.ecn.maxretries": only("1"), "net.inet.tcp.ecn.generalized": only("0"),
	"net.inet.tcp.ecn.option": only("0"), "net.inet.tcp.use_newreno": only("1"), "net.inet.tcp.recvbuf_auto": only("1"),
	"net.inet.tcp.sendbuf_auto": only("1"), "net.inet.tcp.ack_war_timewindow": only("1000"), "net.inet.tcp.maxpersistidle": only("7200000"),
	"net.inet.tcp.persmin": only("5000"), "net.inet.tcp.delack_enabled": only("1"), "net.inet.tcp.maxunacktime": only("0"),
	"net.inet.tcp.tolerate_missing_sack": only("1"), "net.inet.tcp.udp_tunneling_port": only("0"),
	"net.inet.tcp.syncache.rexmtlimit": only("3"), "net.inet.tcp.syncache.rst_on_sock_fail": only("1"),
	"net.inet.tcp.syncache.bucketlimit": atLeast(16), "net.inet.tcp.syncache.cachelimit": atLeast(64),
	"net.inet.tcp.reass.maxqueuelen": atLeast(64), "net.inet.tcp.reass.maxsegments": atLeast(64), "net.inet.tcp.maxtcptw": atLeast(64),
	"kern.ipc.somaxconn": atLeast(128), "kern.ipc.soacceptqueue": atLeast(128), "kern.ipc.maxsockets": atLeast(64),
	"net.inet.ip.ttl": only("64"), "net.inet6.ip6.hlim": only("64"), "net.inet6.ip6.v6only": only("1"), "net.inet.ip.forwarding": only("0"),
	"net.inet6.ip6.forwarding": only("0"), "net.inet.icmp.icmplim": atLeast(100), "net.inet6.icmp6.errppslimit": atLeast(100),
}

// perInterface is what of net.ipv4.conf and net.ipv6.conf a script could see, by the last part of the name.
var perInterface = map[string]visible{
	"forwarding": only("0"), "accept_local": only("0"), "route_localnet": only("0"), "bc_forwarding": only("0"), "disable_ipv6": only("0"),
	"mtu": only(), "hop_limit": only("64"),
}

// seen says that a setting which weir does not have changes what a script sees.
func seen(name, value string) error {
	v, ok := visibleSettings[name]
	if rest, conf := strings.CutPrefix(name, "net.ipv4.conf."); conf {
		v, ok = perInterface[rest[strings.LastIndexByte(rest, '.')+1:]]
	} else if rest, conf := strings.CutPrefix(name, "net.ipv6.conf."); conf {
		v, ok = perInterface[rest[strings.LastIndexByte(rest, '.')+1:]]
	}
	if !ok {
		return nil
	}
	value = strings.Join(strings.Fields(value), " ")
	n, err := strconv.ParseInt(value, 0, 64)
	if slices.Contains(v.values, value) || v.values == nil && v.least > 0 && err == nil && n >= v.least {
		return nil
	}
	return fmt.Errorf("the setting %s=%s", name, value)
}
