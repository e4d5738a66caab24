package socket

import "encoding/binary"

// TCPInfo is struct tcp_info. Sizes are octets where nothing else is said. What has no meaning
// here is zero.
type TCPInfo struct {
	State                  uint8 // the state, TCP_ESTABLISHED and so on
	CAState                uint8 // of congestion control, TCP_CA_Open and so on
	Retransmits            uint8 // timeouts in a row
	Probes                 uint8 // window probes and keep-alives without an answer
	Backoff                uint8 // how often the timeout was doubled
	Options                uint8 // TCPI_OPT_TIMESTAMPS and so on
	SndWscale              uint8
	RcvWscale              uint8
	DeliveryRateAppLimited uint8
	FastopenClientFail     uint8
	RTO                    uint32 // microseconds
	ATO                    uint32 // microseconds
	SndMSS                 uint32
	RcvMSS                 uint32
	Unacked                uint32 // segments; of a listener, connections to accept
	Sacked                 uint32 // segments; of a listener, the backlog
	Lost                   uint32 // segments
	Retrans                uint32 // segments
	Fackets                uint32 // segments
	LastDataSent           uint32 // milliseconds ago
	LastAckSent            uint32
	LastDataRecv           uint32 // milliseconds ago
	LastAckRecv            uint32 // milliseconds ago
	PMTU                   uint32
	RcvSsthresh            uint32
	RTT                    uint32 // microseconds
	RTTVar                 uint32 // microseconds
	SndSsthresh            uint32 // segments
	SndCwnd                uint32 // segments
	Advmss                 uint32
	Reordering             uint32
	RcvRTT                 uint32 // microseconds
	RcvSpace               uint32
	TotalRetrans           uint32 // segments
	PacingRate             uint64 // octets a second
	MaxPacingRate          uint64 // octets a second
	BytesAcked             uint64
	BytesReceived          uint64
	SegsOut                uint32
	SegsIn                 uint32
	NotsentBytes           uint32
	MinRTT                 uint32 // microseconds
	DataSegsIn             uint32
	DataSegsOut            uint32
	DeliveryRate           uint64 // octets a second
	BusyTime               uint64 // microseconds
	RwndLimited            uint64 // microseconds
	SndbufLimited          uint64 // microseconds
	Delivered              uint32 // segments
	DeliveredCE            uint32 // segments
	BytesSent              uint64
	BytesRetrans           uint64
	DsackDups              uint32
	ReordSeen              uint32
	RcvOoopack             uint32
	SndWnd                 uint32
	RcvWnd                 uint32
	Rehash                 uint32
	TotalRTO               uint16
	TotalRTORecoveries     uint16
	TotalRTOTime           uint32 // milliseconds
	ReceivedCE             uint32
	DeliveredE1Bytes       uint32
	DeliveredE0Bytes       uint32
	DeliveredCEBytes       uint32
	ReceivedE1Bytes        uint32
	ReceivedE0Bytes        uint32
	ReceivedCEBytes        uint32
	AccecnFailMode         uint16
	AccecnOptSeen          uint16
}

// tcpInfoField is a member of the structure, in the order of its layout.
type tcpInfoField struct {
	name string
	bits int
	get  func(*TCPInfo) uint64
}

var tcpInfoFields = []tcpInfoField{
	{"tcpi_state", 8, func(t *TCPInfo) uint64 { return uint64(t.State) }},
	{"tcpi_ca_state", 8, func(t *TCPInfo) uint64 { return uint64(t.CAState) }},
	{"tcpi_retransmits", 8, func(t *TCPInfo) uint64 { return uint64(t.Retransmits) }},
	{"tcpi_probes", 8, func(t *TCPInfo) uint64 { return uint64(t.Probes) }},
	{"tcpi_backoff", 8, func(t *TCPInfo) uint64 { return uint64(t.Backoff) }},
	{"tcpi_options", 8, func(t *TCPInfo) uint64 { return uint64(t.Options) }},
	{"tcpi_snd_wscale", 4, func(t *TCPInfo) uint64 { return uint64(t.SndWscale) }},
	{"tcpi_rcv_wscale", 4, func(t *TCPInfo) uint64 { return uint64(t.RcvWscale) }},
	{"tcpi_delivery_rate_app_limited", 1, func(t *TCPInfo) uint64 { return uint64(t.DeliveryRateAppLimited) }},
	{"tcpi_fastopen_client_fail", 2, func(t *TCPInfo) uint64 { return uint64(t.FastopenClientFail) }},
	{"tcpi_rto", 32, func(t *TCPInfo) uint64 { return uint64(t.RTO) }},
	{"tcpi_ato", 32, func(t *TCPInfo) uint64 { return uint64(t.ATO) }},
	{"tcpi_snd_mss", 32, func(t *TCPInfo) uint64 { return uint64(t.SndMSS) }},
	{"tcpi_rcv_mss", 32, func(t *TCPInfo) uint64 { return uint64(t.RcvMSS) }},
	{"tcpi_unacked", 32, func(t *TCPInfo) uint64 { return uint64(t.Unacked) }},
	{"tcpi_sacked", 32, func(t *TCPInfo) uint64 { return uint64(t.Sacked) }},
	{"tcpi_lost", 32, func(t *TCPInfo) uint64 { return uint64(t.Lost) }},
	{"tcpi_retrans", 32, func(t *TCPInfo) uint64 { return uint64(t.Retrans) }},
	{"tcpi_fackets", 32, func(t *TCPInfo) uint64 { return uint64(t.Fackets) }},
	{"tcpi_last_data_sent", 32, func(t *TCPInfo) uint64 { return uint64(t.LastDataSent) }},
	{"tcpi_last_ack_sent", 32, func(t *TCPInfo) uint64 { return uint64(t.LastAckSent) }},
	{"tcpi_last_data_recv", 32, func(t *TCPInfo) uint64 { return uint64(t.LastDataRecv) }},
	{"tcpi_last_ack_recv", 32, func(t *TCPInfo) uint64 { return uint64(t.LastAckRecv) }},
	{"tcpi_pmtu", 32, func(t *TCPInfo) uint64 { return uint64(t.PMTU) }},
	{"tcpi_rcv_ssthresh", 32, func(t *TCPInfo) uint64 { return uint64(t.RcvSsthresh) }},
	{"tcpi_rtt", 32, func(t *TCPInfo) uint64 { return uint64(t.RTT) }},
	{"tcpi_rttvar", 32, func(t *TCPInfo) uint64 { return uint64(t.RTTVar) }},
	{"tcpi_snd_ssthresh", 32, func(t *TCPInfo) uint64 { return uint64(t.SndSsthresh) }},
	{"tcpi_snd_cwnd", 32, func(t *TCPInfo) uint64 { return uint64(t.SndCwnd) }},
	{"tcpi_advmss", 32, func(t *TCPInfo) uint64 { return uint64(t.Advmss) }},
	{"tcpi_reordering", 32, func(t *TCPInfo) uint64 { return uint64(t.Reordering) }},
	{"tcpi_rcv_rtt", 32, func(t *TCPInfo) uint64 { return uint64(t.RcvRTT) }},
	{"tcpi_rcv_space", 32, func(t *TCPInfo) uint64 { return uint64(t.RcvSpace) }},
	{"tcpi_total_retrans", 32, func(t *TCPInfo) uint64 { return uint64(t.TotalRetrans) }},
	{"tcpi_pacing_rate", 64, func(t *TCPInfo) uint64 { return uint64(t.PacingRate) }},
	{"tcpi_max_pacing_rate", 64, func(t *TCPInfo) uint64 { return uint64(t.MaxPacingRate) }},
	{"tcpi_bytes_acked", 64, func(t *TCPInfo) uint64 { return uint64(t.BytesAcked) }},
	{"tcpi_bytes_received", 64, func(t *TCPInfo) uint64 { return uint64(t.BytesReceived) }},
	{"tcpi_segs_out", 32, func(t *TCPInfo) uint64 { return uint64(t.SegsOut) }},
	{"tcpi_segs_in", 32, func(t *TCPInfo) uint64 { return uint64(t.SegsIn) }},
	{"tcpi_notsent_bytes", 32, func(t *TCPInfo) uint64 { return uint64(t.NotsentBytes) }},
	{"tcpi_min_rtt", 32, func(t *TCPInfo) uint64 { return uint64(t.MinRTT) }},
	{"tcpi_data_segs_in", 32, func(t *TCPInfo) uint64 { return uint64(t.DataSegsIn) }},
	{"tcpi_data_segs_out", 32, func(t *TCPInfo) uint64 { return uint64(t.DataSegsOut) }},
	{"tcpi_delivery_rate", 64, func(t *TCPInfo) uint64 { return uint64(t.DeliveryRate) }},
	{"tcpi_busy_time", 64, func(t *TCPInfo) uint64 { return uint64(t.BusyTime) }},
	{"tcpi_rwnd_limited", 64, func(t *TCPInfo) uint64 { return uint64(t.RwndLimited) }},
	{"tcpi_sndbuf_limited", 64, func(t *TCPInfo) uint64 { return uint64(t.SndbufLimited) }},
	{"tcpi_delivered", 32, func(t *TCPInfo) uint64 { return uint64(t.Delivered) }},
	{"tcpi_delivered_ce", 32, func(t *TCPInfo) uint64 { return uint64(t.DeliveredCE) }},
	{"tcpi_bytes_sent", 64, func(t *TCPInfo) uint64 { return uint64(t.BytesSent) }},
	{"tcpi_bytes_retrans", 64, func(t *TCPInfo) uint64 { return uint64(t.BytesRetrans) }},
	{"tcpi_dsack_dups", 32, func(t *TCPInfo) uint64 { return uint64(t.DsackDups) }},
	{"tcpi_reord_seen", 32, func(t *TCPInfo) uint64 { return uint64(t.ReordSeen) }},
	{"tcpi_rcv_ooopack", 32, func(t *TCPInfo) uint64 { return uint64(t.RcvOoopack) }},
	{"tcpi_snd_wnd", 32, func(t *TCPInfo) uint64 { return uint64(t.SndWnd) }},
	{"tcpi_rcv_wnd", 32, func(t *TCPInfo) uint64 { return uint64(t.RcvWnd) }},
	{"tcpi_rehash", 32, func(t *TCPInfo) uint64 { return uint64(t.Rehash) }},
	{"tcpi_total_rto", 16, func(t *TCPInfo) uint64 { return uint64(t.TotalRTO) }},
	{"tcpi_total_rto_recoveries", 16, func(t *TCPInfo) uint64 { return uint64(t.TotalRTORecoveries) }},
	{"tcpi_total_rto_time", 32, func(t *TCPInfo) uint64 { return uint64(t.TotalRTOTime) }},
	{"tcpi_received_ce", 32, func(t *TCPInfo) uint64 { return uint64(t.ReceivedCE) }},
	{"tcpi_delivered_e1_bytes", 32, func(t *TCPInfo) uint64 { return uint64(t.DeliveredE1Bytes) }},
	{"tcpi_delivered_e0_bytes", 32, func(t *TCPInfo) uint64 { return uint64(t.DeliveredE0Bytes) }},
	{"tcpi_delivered_ce_bytes", 32, func(t *TCPInfo) uint64 { return uint64(t.DeliveredCEBytes) }},
	{"tcpi_received_e1_bytes", 32, func(t *TCPInfo) uint64 { return uint64(t.ReceivedE1Bytes) }},
	{"tcpi_received_e0_bytes", 32, func(t *TCPInfo) uint64 { return uint64(t.ReceivedE0Bytes) }},
	{"tcpi_received_ce_bytes", 32, func(t *TCPInfo) uint64 { return uint64(t.ReceivedCEBytes) }},
	{"tcpi_accecn_fail_mode", 16, func(t *TCPInfo) uint64 { return uint64(t.AccecnFailMode) }},
	{"tcpi_accecn_opt_seen", 16, func(t *TCPInfo) uint64 { return uint64(t.AccecnOptSeen) }},
}

// SizeofTCPInfo is the length of struct tcp_info.
const SizeofTCPInfo = 280

// Each calls f with the name, as C has it, and the value of each member.
func (t *TCPInfo) Each(f func(name string, v uint64)) {
	for _, m := range tcpInfoFields {
		f(m.name, m.get(t))
	}
}

// Append writes the structure's octets in C's layout behind b. Members of less than eight bits
// share octets, the first in the lowest bits, as on every machine of native order
// little-endian.
func (t *TCPInfo) Append(b []byte) []byte {
	var octet, used uint64
	for _, m := range tcpInfoFields {
		v := m.get(t)
		if m.bits < 8 {
			octet |= v & (1<<m.bits - 1) << used
			if used += uint64(m.bits); used == 8 || m.name == "tcpi_fastopen_client_fail" {
				b = append(b, byte(octet))
				octet, used = 0, 0
			}
			continue
		}
		switch m.bits {
		case 8:
			b = append(b, byte(v))
		case 16:
			b = binary.NativeEndian.AppendUint16(b, uint16(v))
		case 32:
			b = binary.NativeEndian.AppendUint32(b, uint32(v))
		default:
			b = binary.NativeEndian.AppendUint64(b, v)
		}
	}
	return b
}
