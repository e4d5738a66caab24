package script

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/socket"
	"github.com/weirnet/weir/stack/tcp"
)

// settings is everything of weir that a script's commands may change.
type settings struct {
	profile string
	tcp     tcp.Settings
	shard   shard.Config
	socket  socket.Config
}

func newSettings(profile string) (settings, error) {
	t, ok := tcp.ProfileSettings(profile)
	if !ok {
		return settings{}, fmt.Errorf("there is no profile %q", profile)
	}
	return settings{profile: profile, tcp: t, shard: shard.Config{UnreachableEndsOpen: profile == "linux"}}, nil
}

// harmless is settings of kernels that change nothing which a script could see of weir: what
// they bound or tune is not there, or scripts that see it are skipped for another reason. One that ends with
// a dot is all below it.
var harmless = []string{
	"net.ipv4.tcp_fack", "net.ipv4.tcp_tso_win_divisor", "net.ipv4.tcp_tso_rtt_log", "net.ipv4.tcp_min_tso_segs",
	"net.ipv4.tcp_pacing_ss_ratio", "net.ipv4.tcp_pacing_ca_ratio", "net.ipv4.tcp_limit_output_bytes",
	"net.ipv4.tcp_fastopen", "net.ipv4.tcp_fastopen_key", "net.ipv4.tcp_fastopen_blackhole_timeout_sec",
	"net.ipv4.tcp_no_metrics_save", "net.ipv4.tcp_no_ssthresh_metrics_save", "net.ipv4.tcp_autocorking", "net.ipv4.tcp_min_rtt_wlen",
	"net.ipv4.tcp_low_latency", "net.ipv4.tcp_mem", "net.ipv4.tcp_early_demux", "net.ipv4.ip_early_demux", "net.ipv4.tcp_max_orphans",
	"net.ipv4.tcp_max_tw_buckets", "net.ipv4.tcp_rx_skb_cache", "net.ipv4.tcp_tx_skb_cache", "net.ipv4.tcp_reflect_tos",
	"net.ipv4.tcp_migrate_req", "net.ipv4.tcp_plb_", "net.ipv4.tcp_ehash_entries", "net.ipv4.tcp_comp_sack_", "net.ipv4.tcp_backlog_ack_defer",
	"net.ipv4.tcp_allowed_congestion_control", "net.ipv4.conf.", "net.ipv4.route.", "net.ipv4.neigh.", "net.ipv6.conf.", "net.ipv6.neigh.",
	"net.ipv6.auto_flowlabels", "net.ipv6.flowlabel_", "net.ipv6.route.", "net.core.default_qdisc", "net.core.netdev_", "net.core.optmem_max", "net.core.busy_",
	"tcp_cubic.hystart", "tcp_cubic.hystart_detect", "net.core.bpf_", "net.netfilter.", "kernel.", "fs.", "vm.",

	"kern.timecounter.", "kern.ipc.tls.", "kern.eventtimer.", "kern.hz", "kern.random.", "security.", "hw.", "debug.", "machdep.", "vfs.", "dev.",
	"net.inet.tcp.hostcache.", "net.inet.tcp.log_", "net.inet.tcp.bb.", "net.inet.tcp.bblog", "net.inet.tcp.reass.", "net.inet.tcp.pcbcount",
	"net.inet.tcp.isn_reseed_interval", "net.inet.tcp.soreceive_stream", "net.inet.tcp.tso", "net.inet.tcp.tolerate_missing_ts_log",
	"net.inet.ip.", "net.inet6.ip6.", "net.inet.icmp.", "net.inet6.icmp6.", "net.link.", "net.isr.",
	"net.inet.tcp.rack.", "net.inet.tcp.bbr.", "net.inet.tcp.fastopen.", "net.inet.tcp.udp_tunneling_overhead",
}

// set changes a setting. Once weir runs, only those that are looked up when they are used can be
// changed: TCP's.
func (s *settings) set(name, value string, running bool) error {
	if rest, ok := strings.CutPrefix(name, "route."); ok {
		return s.setRoute(rest, value)
	}
	if err := lacksSetting(name, value); err != nil {
		return err
	}
	// Some names mean something to TCP and to the host.
	tcpErr := s.tcp.SetSysctl(name, value)
	host := s.shard
	hostErr := host.SetSysctl(name, value)
	var unknown *shard.UnknownSysctlError
	if _, known := s.tcp.Sysctl(name); !known && hostErr != nil {
		if err := seen(name, value); err != nil {
			return err
		}
	}
	switch {
	case tcpErr != nil && !errors.Is(tcpErr, tcp.ErrUnknownSysctl), hostErr != nil && !errors.As(hostErr, &unknown):
		return fmt.Errorf("the setting %s=%s", name, value)
	case hostErr == nil && running && tcpErr != nil:
		return fmt.Errorf("the setting %s to change while sockets are open", name)
	case hostErr == nil && !running:
		s.shard = host
		s.follow()
		return nil
	case tcpErr == nil:
		return nil
	}
	for _, h := range harmless {
		if name == h || strings.HasPrefix(name, h) && (strings.HasSuffix(h, ".") || strings.HasSuffix(h, "_")) {
			return nil
		}
	}
	return fmt.Errorf("the setting %s=%s", name, value)
}

// follow carries to the sockets what they keep of the host's settings.
func (s *settings) follow() {
	s.socket.Somaxconn = s.shard.MaxBacklog
	s.socket.RmemMax, s.socket.WmemMax = s.shard.ReceiveMax, s.shard.SendMax
	s.socket.V6Only = s.shard.BindV6Only
}

// lacksSetting says what a setting turns on that weir does not have.
func lacksSetting(name, value string) error {
	switch name {
	case "net.ipv4.tcp_congestion_control", "net.inet.tcp.cc.algorithm":
		if err := lacksCongestion(value); err != nil {
			return errors.New(strings.TrimPrefix(err.Error(), "needs "))
		}
	case "net.inet.tcp.functions_default":
		if value != "freebsd" {
			return errors.New("FreeBSD's RACK or BBR implementation of TCP")
		}
	case "net.ipv4.tcp_fastopen":
		const server, withoutCookie = 0x2, 0x200
		if n, err := strconv.ParseInt(value, 0, 64); err == nil && n&server != 0 && n&withoutCookie != 0 {
			return errors.New("TCP Fast Open")
		}
	case "net.ipv4.tcp_mtu_probing":
		if value != "0" {
			return errors.New("path MTU discovery by probing (RFC 4821)")
		}
	case "net.inet.tcp.ecn.plusplus", "net.inet.tcp.ecn.generalized":
		if value != "0" {
			return errors.New("ECN on packets without text (ECN++)")
		}
	case "net.inet.tcp.pmtud_blackhole_detection":
		if value != "0" {
			return errors.New("detection of path MTU black holes")
		}
	case "net.ipv4.tcp_shrink_window":
		if value != "0" {
			return errors.New("windows that shrink (net.ipv4.tcp_shrink_window)")
		}
	case "net.ipv4.tcp_l3mdev_accept", "net.ipv4.tcp_ao_keychain":
		return fmt.Errorf("the setting %s", name)
	}
	if strings.HasPrefix(name, "net.mptcp.") {
		return errors.New("multipath TCP")
	}
	if strings.HasPrefix(name, "net.sctp.") || strings.HasPrefix(name, "net.inet.sctp.") {
		return errors.New("SCTP")
	}
	return nil
}

// setRoute changes a metric of the route to the remote side.
func (s *settings) setRoute(name, value string) error {
	n, err := strconv.Atoi(value)
	if err == nil && n > 0 {
		switch name {
		case "initcwnd":
			s.tcp.InitialWindow = n
			return nil
		}
	}
	return fmt.Errorf("the metric %s of a route", name)
}
