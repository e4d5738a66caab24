package tcp

// recoveryKnobs are the sysctls of both kernels about loss recovery and ECN.
var recoveryKnobs = []named{
	{"net.ipv4.tcp_recovery", one{0, 7, recoveryOf, setRecovery}},
	{"net.ipv4.tcp_early_retrans", one{0, 4, earlyRetransOf, setEarlyRetrans}},
	{"net.ipv4.tcp_frto", onOff(func(s *Settings) *bool { return &s.FRTO })},
	{"net.ipv4.tcp_reordering", count{func(s *Settings) *int { return &s.Reordering }, 1, 127}},
	{"net.ipv4.tcp_ecn", one{0, 5, ecnOf, func(s *Settings, n int64) { s.ECN = linuxECN[n] }}},
	{"net.inet.tcp.ecn.enable", one{0, 4, ecnOf, func(s *Settings, n int64) { s.ECN = freeBSDECN[n] }}},
	{"net.inet.tcp.ecn.maxretries", count{func(s *Settings) *int { return &s.ECNSynRetries }, 0, 12}},
	{"net.inet.tcp.rfc6675_pipe", onOff(func(s *Settings) *bool { return &s.PipeBySACK })},
	{"net.inet.tcp.do_prr", onOff(func(s *Settings) *bool { return &s.PRR })},
}

// What the numbers from 3 on say of Accurate ECN falls back to RFC 3168 here.
var (
	linuxECN   = [...]ECN{ECNOff, ECNOn, ECNAccept, ECNOn, ECNOn, ECNAccept}
	freeBSDECN = [...]ECN{ECNOff, ECNOn, ECNAccept, ECNOn, ECNAccept}
)

func ecnOf(s *Settings) int64 { return int64(s.ECN) }

// tcp_recovery: the first bit is RACK; the others choose how it behaves, and are not heeded.
func recoveryOf(s *Settings) int64 {
	if s.RACK {
		return 1
	}
	return 0
}

func setRecovery(s *Settings, n int64) { s.RACK = n&1 != 0 }

// tcp_early_retrans: 3 and 4 are tail loss probes; early retransmit itself is gone.
func earlyRetransOf(s *Settings) int64 {
	if s.TLP {
		return 3
	}
	return 0
}

func setEarlyRetrans(s *Settings, n int64) { s.TLP = n >= 3 }
