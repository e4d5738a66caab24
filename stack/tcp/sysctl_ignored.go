package tcp

import "strings"

// ignoredSysctls are sysctls of the kernels that are accepted and change nothing here, by the reason:
// what they are about is not there, is bounded in another way, or is always so.
var ignoredSysctls = [...]string{
	// Caches of what was learned from earlier connections: there is none, nor one of routes.
	`net.ipv4.tcp_no_metrics_save net.ipv4.tcp_no_ssthresh_metrics_save net.ipv4.route.flush
	net.inet.tcp.hostcache.purgenow net.inet.tcp.hostcache.purge net.inet.tcp.hostcache.expire
	net.inet.tcp.hostcache.enable net.inet.tcp.hostcache.prune net.inet.tcp.hostcache.cachelimit`,
	// Queues of the kernel below TCP, its memory and its tables.
	`net.ipv4.tcp_limit_output_bytes net.ipv4.tcp_mem net.ipv4.tcp_max_orphans net.ipv4.tcp_max_tw_buckets
	net.ipv4.tcp_max_syn_backlog net.ipv4.tcp_autocorking net.ipv4.tcp_app_win net.ipv4.tcp_moderate_rcvbuf
	net.ipv4.tcp_rcvbuf_low_rtt net.ipv4.tcp_child_ehash_entries net.ipv4.tcp_ehash_entries
	net.ipv4.tcp_backlog_ack_defer net.ipv4.tcp_plb_enabled net.ipv4.tcp_plb_rehash_rounds net.ipv4.tcp_plb_cong_thresh
	net.ipv4.tcp_plb_idle_rehash_rounds net.ipv4.tcp_plb_suspend_rto_sec net.ipv4.tcp_migrate_req
	net.ipv4.tcp_early_demux net.ipv4.tcp_l3mdev_accept net.ipv4.tcp_fwmark_accept net.ipv4.tcp_reflect_tos
	net.core.wmem_max net.core.rmem_default net.core.wmem_default net.core.default_qdisc net.core.optmem_max
	net.core.netdev_max_backlog net.core.somaxconn kern.ipc.somaxconn kern.ipc.soacceptqueue kern.ipc.maxsockets
	net.inet.tcp.tcbhashsize net.inet.tcp.do_tcpdrain net.inet.tcp.maxtcptw net.inet.tcp.pcbcount
	net.inet.tcp.syncache.bucketlimit net.inet.tcp.syncache.cachelimit net.inet.tcp.syncache.count
	net.inet.tcp.syncache.hashsize net.inet.tcp.syncache.rexmtlimit net.inet.tcp.syncache.rst_on_sock_fail
	net.inet.tcp.syncache.see_other net.inet.tcp.reass.maxsegments net.inet.tcp.reass.maxqueuelen
	net.inet.tcp.reass.cursegments net.inet.tcp.reass.queueguard net.inet.tcp.reass.new_limit
	net.inet.tcp.map_limit net.inet.tcp.split_limit net.inet.tcp.per_cpu_timers net.inet.tcp.timer_race
	net.inet.tcp.recvbuf_auto net.inet.tcp.sendbuf_auto net.inet.tcp.recvbuf_inc net.inet.tcp.sendbuf_inc
	net.inet.tcp.sendbuf_auto_lowat`,
	// Offloads, pacing by the queueing discipline, and how large bursts are put off.
	`net.ipv4.tcp_tso_rtt_log net.ipv4.tcp_pacing_ss_ratio net.ipv4.tcp_pacing_ca_ratio
	net.ipv4.tcp_comp_sack_delay_ns net.ipv4.tcp_comp_sack_nr net.ipv4.tcp_comp_sack_slack_ns
	net.ipv4.tcp_comp_sack_rtt_percent net.inet.tcp.tso net.inet.tcp.lro.entries net.inet.tcp.lro.lro_cpu_threshold`,
	// Path MTU discovery by probing (RFC 4821), which is not done.
	`net.ipv4.tcp_mtu_probing net.ipv4.tcp_base_mss net.ipv4.tcp_mtu_probe_floor net.ipv4.tcp_probe_interval
	net.ipv4.tcp_probe_threshold net.inet.tcp.pmtud_blackhole_detection net.inet.tcp.pmtud_blackhole_mss
	net.inet.tcp.v6pmtud_blackhole_mss`,
	// Fast Open (RFC 7413), which is not done.
	`net.ipv4.tcp_fastopen net.ipv4.tcp_fastopen_key net.ipv4.tcp_fastopen_blackhole_timeout_sec
	net.ipv4.tcp_fastopen_cookies net.inet.tcp.fastopen.client_enable net.inet.tcp.fastopen.server_enable
	net.inet.tcp.fastopen.psk_enable net.inet.tcp.fastopen.acceptany net.inet.tcp.fastopen.setkey
	net.inet.tcp.fastopen.setpsk net.inet.tcp.fastopen.autokey net.inet.tcp.fastopen.ccache_bucket_limit
	net.inet.tcp.fastopen.path_disable_time net.inet.tcp.fastopen.maxkeys net.inet.tcp.fastopen.keylen`,
	// Choices of loss recovery, congestion control and ECN that have no choice here.
	`net.ipv4.tcp_fack
	net.ipv4.tcp_max_reordering net.ipv4.tcp_ecn_fallback net.ipv4.tcp_ecn_option
	net.ipv4.tcp_ecn_option_beacon net.ipv4.tcp_min_rtt_wlen net.ipv4.tcp_retrans_collapse
	net.ipv4.tcp_thin_linear_timeouts net.ipv4.tcp_thin_dupack net.ipv4.tcp_allowed_congestion_control
	net.ipv4.tcp_available_congestion_control net.ipv4.tcp_available_ulp net.ipv4.tcp_low_latency
	net.ipv4.tcp_shrink_window net.ipv4.tcp_pingpong_thresh net.ipv4.tcp_tw_recycle net.ipv4.tcp_cookie_size
	 net.inet.tcp.ecn.plusplus net.inet.tcp.ecn.option
	net.inet.tcp.ecn.generalized net.inet.tcp.rfc3042 net.inet.tcp.rfc3390 net.inet.tcp.rfc3465 
	net.inet.tcp.abc_l_var net.inet.tcp.do_prr_conservative net.inet.tcp.do_lrd
	net.inet.tcp.newcwd net.inet.tcp.sack.globalholes net.inet.tcp.sack.globalmaxholes net.inet.tcp.sack.maxholes
	net.inet.tcp.sack.lrd net.inet.tcp.sack.revised net.inet.tcp.sack.tso net.inet.tcp.cc.available
	net.inet.tcp.cc.abe net.inet.tcp.cc.abe_frlossreduce net.inet.tcp.cc.newreno.beta net.inet.tcp.cc.newreno.beta_ecn
	net.inet.tcp.functions_default net.inet.tcp.functions_available net.inet.tcp.functions_inherit_listen_socket_stack
	net.inet.tcp.functions_check net.inet.tcp.use_newreno`,
	// The rest: logs, other protocols below TCP, and initial numbers, which follow RFC 6528.
	`net.inet.tcp.log_in_vain net.inet.tcp.log_debug net.inet.tcp.udp_tunneling_port
	net.inet.tcp.udp_tunneling_overhead net.inet.tcp.isn_reseed_interval net.inet.tcp.soreceive_stream
	net.inet.tcp.ack_war_timewindow net.inet.tcp.maxpersistidle net.inet.tcp.tolerate_missing_sack
	net.inet.tcp.delack_enabled net.inet.tcp.maxunacktime net.inet.tcp.require_unique_port net.inet.tcp.msl_local
	net.inet.tcp.progress_stat net.inet.tcp.bb.log_auto_all kern.ipc.tls.enable`,
}

// ignored reports whether a sysctl is one of ignoredSysctls.
func ignored(name string) bool {
	for _, list := range ignoredSysctls {
		for n := range strings.FieldsSeq(list) {
			if n == name {
				return true
			}
		}
	}
	return false
}
