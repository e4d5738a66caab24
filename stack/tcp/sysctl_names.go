package tcp

import (
	"math"
	"time"
)

// named is a knob with its full name.
type named struct {
	name string
	knob
}

// find returns the knob of a name, nil where the sysctl has no meaning here. The tables are data, not
// maps: nothing is made of them when a program starts, and few programs ever ask.
func find(name string) knob {
	for _, table := range [...][]named{linuxKnobs, freeBSDKnobs, recoveryKnobs} {
		for i := range table {
			if table[i].name == name {
				return table[i].knob
			}
		}
	}
	return nil
}

var linuxKnobs = []named{
	{"net.ipv4.tcp_timestamps", one{0, 2, timestampsOf, setTimestamps}},
	{"net.ipv4.tcp_sack", onOff(func(s *Settings) *bool { return &s.SACK })},
	{"net.ipv4.tcp_dsack", onOff(func(s *Settings) *bool { return &s.DSACK })},
	{"net.ipv4.tcp_window_scaling", onOff(func(s *Settings) *bool { return &s.WindowScale })},
	{"net.ipv4.tcp_syn_retries", count{func(s *Settings) *int { return &s.SynRetries }, 1, 127}},
	{"net.ipv4.tcp_syn_linear_timeouts", count{func(s *Settings) *int { return &s.SynLinear }, 0, 127}},
	{"net.ipv4.tcp_synack_retries", count{func(s *Settings) *int { return &s.SynAckRetries }, 0, 255}},
	{"net.ipv4.tcp_retries1", count{func(s *Settings) *int { return &s.R1 }, 0, 255}},
	{"net.ipv4.tcp_retries2", count{func(s *Settings) *int { return &s.Retries }, 0, 255}},
	{"net.ipv4.tcp_orphan_retries", one{0, 255, func(s *Settings) int64 { return int64(s.OrphanRetries) }, setOrphanRetries}},
	{"net.ipv4.tcp_fin_timeout", span{func(s *Settings) *time.Duration { return &s.FinWait2Timeout }, time.Second, 0}},
	{"net.ipv4.tcp_keepalive_time", span{func(s *Settings) *time.Duration { return &s.KeepIdle }, time.Second, 1}},
	{"net.ipv4.tcp_keepalive_intvl", span{func(s *Settings) *time.Duration { return &s.KeepInterval }, time.Second, 1}},
	{"net.ipv4.tcp_keepalive_probes", count{func(s *Settings) *int { return &s.KeepCount }, 1, 127}},
	{"net.ipv4.tcp_rfc1337", onOff(func(s *Settings) *bool { return &s.IgnoreTimeWaitReset })},
	{"net.ipv4.tcp_challenge_ack_limit", one{0, math.MaxInt32, challengesOf, setChallenges}},
	{"net.ipv4.tcp_invalid_ratelimit", span{func(s *Settings) *time.Duration { return &s.InvalidAckInterval }, time.Millisecond, 0}},
	{"net.ipv4.tcp_slow_start_after_idle", onOff(func(s *Settings) *bool { return &s.SlowStartAfterIdle })},
	{"net.ipv4.tcp_rmem", three(func(s *Settings) *[3]int { return &s.ReceiveSizes })},
	{"net.ipv4.tcp_wmem", three(func(s *Settings) *[3]int { return &s.SendSizes })},
	{"net.core.rmem_max", count{func(s *Settings) *int { return &s.ReceiveCeiling }, 1, math.MaxInt32}},
	{"net.ipv4.tcp_abort_on_overflow", onOff(func(s *Settings) *bool { return &s.AbortOnOverflow })},
	{"net.ipv4.tcp_adv_win_scale", count{func(s *Settings) *int { return &s.WindowShare }, -31, 31}},
	{"net.ipv4.tcp_workaround_signed_windows", onOff(func(s *Settings) *bool { return &s.SignedWindows })},
	{"net.ipv4.tcp_notsent_lowat", one{-1, math.MaxUint32, func(s *Settings) int64 { return int64(s.NotSentLowat) }, setNotSentLowat}},
	{"net.ipv4.tcp_stdurg", onOff(func(s *Settings) *bool { return &s.UrgentBehind })},
	{"net.ipv4.tcp_tw_reuse", count{func(s *Settings) *int { return &s.TimeWaitReuse }, 0, 2}},
	{"net.ipv4.tcp_tw_reuse_delay", span{func(s *Settings) *time.Duration { return &s.TimeWaitReuseDelay }, time.Millisecond, 0}},
	{"net.ipv4.tcp_tso_win_divisor", count{func(s *Settings) *int { return &s.DeferDivisor }, 0, 255}},
	{"net.ipv4.tcp_min_tso_segs", count{func(s *Settings) *int { return &s.MinBurst }, 1, 65535}},
	{"net.ipv4.tcp_min_snd_mss", count{func(s *Settings) *int { return &s.MinMSS }, 48, 65535}},
	{"net.ipv4.tcp_syncookies", count{func(s *Settings) *int { return &s.SynCookies }, 0, 2}},
	{"net.ipv4.tcp_rto_max_ms", span{func(s *Settings) *time.Duration { return &s.RTO.Max }, time.Millisecond, 1000}},
	{"net.ipv4.tcp_rto_min_us", span{func(s *Settings) *time.Duration { return &s.RTO.Min }, time.Microsecond, 1}},
	{"net.ipv4.tcp_congestion_control", algorithm("reno")},
	{"net.ipv4.ip_no_pmtu_disc", offOn(func(s *Settings) *bool { return &s.PathMTUDiscovery })},
}

var freeBSDKnobs = []named{
	{"net.inet.tcp.rfc1323", one{0, 3, rfc1323Of, setRFC1323}},
	{"net.inet.tcp.sack.enable", onOff(func(s *Settings) *bool { return &s.SACK })},
	{"net.inet.tcp.delayed_ack", one{0, 1, delayedAckOf, setDelayedAck}},
	{"net.inet.tcp.delacktime", span{func(s *Settings) *time.Duration { return &s.DelAckTimeout }, time.Millisecond, 0}},
	{"net.inet.tcp.msl", span{func(s *Settings) *time.Duration { return &s.MSL }, time.Millisecond, 1}},
	{"net.inet.tcp.keepidle", span{func(s *Settings) *time.Duration { return &s.KeepIdle }, time.Millisecond, 1}},
	{"net.inet.tcp.keepintvl", span{func(s *Settings) *time.Duration { return &s.KeepInterval }, time.Millisecond, 1}},
	{"net.inet.tcp.keepinit", span{func(s *Settings) *time.Duration { return &s.SynTimeout }, time.Millisecond, 1}},
	{"net.inet.tcp.keepcnt", count{func(s *Settings) *int { return &s.KeepCount }, 1, math.MaxInt32}},
	{"net.inet.tcp.rexmit_min", span{func(s *Settings) *time.Duration { return &s.RTO.Min }, time.Millisecond, 1}},
	{"net.inet.tcp.rexmit_max", span{func(s *Settings) *time.Duration { return &s.RTO.Max }, time.Millisecond, 1}},
	{"net.inet.tcp.rexmit_slop", span{func(s *Settings) *time.Duration { return &s.RTO.Slop }, time.Millisecond, 0}},
	{"net.inet.tcp.rexmit_initial", span{func(s *Settings) *time.Duration { return &s.RTO.Initial }, time.Millisecond, 1}},
	{"net.inet.tcp.rexmit_drop_options", one{0, 1, dropOptionsOf, setDropOptions}},
	{"net.inet.tcp.retries", one{1, 12, func(s *Settings) int64 { return int64(s.Retries) }, setRetries}},
	{"net.inet.tcp.initcwnd_segments", count{func(s *Settings) *int { return &s.InitialWindow }, 0, 1000}},
	{"net.inet.tcp.mssdflt", count{func(s *Settings) *int { return &s.DefaultMSS4 }, 48, 65535}},
	{"net.inet.tcp.v6mssdflt", count{func(s *Settings) *int { return &s.DefaultMSS6 }, 48, 65535}},
	{"net.inet.tcp.minmss", count{func(s *Settings) *int { return &s.MinMSS }, 0, 65535}},
	{"net.inet.tcp.always_keepalive", onOff(func(s *Settings) *bool { return &s.AlwaysKeepAlive })},
	{"net.inet.tcp.blackhole", count{func(s *Settings) *int { return &s.Blackhole }, 0, 3}},
	{"net.inet.tcp.drop_synfin", onOff(func(s *Settings) *bool { return &s.DropSynFin })},
	{"net.inet.tcp.path_mtu_discovery", onOff(func(s *Settings) *bool { return &s.PathMTUDiscovery })},
	{"net.inet.tcp.syncookies", one{0, 1, cookiesOf, setCookies}},
	{"net.inet.tcp.syncookies_only", one{0, 1, cookiesOnlyOf, setCookiesOnly}},
	{"net.inet.tcp.insecure_rst", onOff(func(s *Settings) *bool { return &s.InsecureReset })},
	{"net.inet.tcp.insecure_syn", onOff(func(s *Settings) *bool { return &s.InsecureSyn })},
	{"net.inet.tcp.insecure_ack", onOff(func(s *Settings) *bool { return &s.InsecureAck })},
	{"net.inet.tcp.icmp_may_rst", onOff(func(s *Settings) *bool { return &s.ICMPMayReset })},
	{"net.inet.tcp.finwait2_timeout", span{func(s *Settings) *time.Duration { return &s.FinWait2Timeout }, time.Millisecond, 1}},
	{"net.inet.tcp.fast_finwait2_recycle", onOff(func(s *Settings) *bool { return &s.FastFinWait2 })},
	{"net.inet.tcp.tolerate_missing_ts", onOff(func(s *Settings) *bool { return &s.TolerateNoTimestamp })},
	{"net.inet.tcp.ts_offset_per_conn", onOff(func(s *Settings) *bool { return &s.TimestampOffsets })},
	{"net.inet.tcp.nolocaltimewait", onOff(func(s *Settings) *bool { return &s.NoLocalTimeWait })},
	{"net.inet.tcp.persmin", span{func(s *Settings) *time.Duration { return &s.PersistMin }, time.Millisecond, 1}},
	{"net.inet.tcp.persmax", span{func(s *Settings) *time.Duration { return &s.PersistMax }, time.Millisecond, 1}},
	{"net.inet.tcp.ack_war_cnt", count{func(s *Settings) *int { return &s.ChallengeAcksPerConn }, 0, math.MaxInt32}},
	{"net.inet.tcp.recvspace", count{func(s *Settings) *int { return &s.ReceiveSizes[1] }, 1, math.MaxInt32}},
	{"net.inet.tcp.sendspace", count{func(s *Settings) *int { return &s.SendSizes[1] }, 1, math.MaxInt32}},
	{"net.inet.tcp.recvbuf_max", count{func(s *Settings) *int { return &s.ReceiveSizes[2] }, 1, math.MaxInt32}},
	{"net.inet.tcp.sendbuf_max", count{func(s *Settings) *int { return &s.SendSizes[2] }, 1, math.MaxInt32}},
	{"kern.ipc.maxsockbuf", count{func(s *Settings) *int { return &s.ReceiveCeiling }, 1, math.MaxUint32}},
	{"net.inet.tcp.cc.algorithm", algorithm("newreno")},
}

// tcp_timestamps: 0 off, 1 with an offset for each connection, 2 without.
func timestampsOf(s *Settings) int64 {
	switch {
	case !s.Timestamps:
		return 0
	case s.TimestampOffsets:
		return 1
	}
	return 2
}

func setTimestamps(s *Settings, n int64) {
	s.Timestamps = n != 0
	if n != 0 {
		s.TimestampOffsets = n == 1
	}
}

// tcp_orphan_retries: 0 stands for 8.
func setOrphanRetries(s *Settings, n int64) {
	if n == 0 {
		n = 8
	}
	s.OrphanRetries = int(n)
}

// tcp_challenge_ack_limit: the largest number is no limit.
func challengesOf(s *Settings) int64 {
	if s.ChallengeAckPerSecond < 0 {
		return math.MaxInt32
	}
	return int64(s.ChallengeAckPerSecond)
}

func setChallenges(s *Settings, n int64) {
	if s.ChallengeAckPerSecond = int(n); n == math.MaxInt32 {
		s.ChallengeAckPerSecond = -1
	}
}

// tcp_notsent_lowat: the largest unsigned number, or -1, is no limit.
func setNotSentLowat(s *Settings, n int64) {
	if n < 0 || n >= math.MaxInt32 {
		n = 0
	}
	s.NotSentLowat = int(n)
}

// rfc1323: 0 neither, 1 both, 2 window scaling only, 3 timestamps only.
func rfc1323Of(s *Settings) int64 {
	switch {
	case s.WindowScale && s.Timestamps:
		return 1
	case s.WindowScale:
		return 2
	case s.Timestamps:
		return 3
	}
	return 0
}

func setRFC1323(s *Settings, n int64) {
	s.WindowScale, s.Timestamps = n == 1 || n == 2, n == 1 || n == 3
}

func delayedAckOf(s *Settings) int64 {
	if s.DelAckTimeout > 0 {
		return 1
	}
	return 0
}

func setDelayedAck(s *Settings, n int64) {
	switch {
	case n == 0:
		s.DelAckTimeout = 0
	case s.DelAckTimeout == 0:
		s.DelAckTimeout = DefaultSettings().DelAckTimeout
	}
}

// rexmit_drop_options: the third retransmission of a SYN and those after it are plain.
func dropOptionsOf(s *Settings) int64 {
	if s.SynPlainAfter > 0 {
		return 1
	}
	return 0
}

func setDropOptions(s *Settings, n int64) { s.SynPlainAfter = int(n) * 3 }

func setRetries(s *Settings, n int64) {
	s.Retries, s.OrphanRetries, s.SynRetries = int(n), int(n), int(n)
}

func cookiesOf(s *Settings) int64 { return int64(min(s.SynCookies, 1)) }

func setCookies(s *Settings, n int64) {
	if n == 0 || s.SynCookies == 0 {
		s.SynCookies = int(n)
	}
}

func cookiesOnlyOf(s *Settings) int64 { return int64(s.SynCookies / 2) }

func setCookiesOnly(s *Settings, n int64) {
	switch {
	case n == 1:
		s.SynCookies = 2
	case s.SynCookies == 2:
		s.SynCookies = 1
	}
}
