package socket

import (
	"syscall"
	"time"

	"github.com/weirnet/weir/stack/tcp"
)

// GetTCPInfo is getsockopt(2) for TCP_INFO. ENOPROTOOPT: no TCP socket.
func (s *System) GetTCPInfo(fd int) (TCPInfo, error) {
	e, _, err := s.sock(fd)
	if err != nil {
		return TCPInfo{}, err
	}
	st, ok := e.(*stream)
	if !ok {
		return TCPInfo{}, syscall.ENOPROTOOPT
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.info(), nil
}

// info is tcp_get_info. mu is held.
func (s *stream) info() TCPInfo {
	switch {
	case s.listener != nil:
		return TCPInfo{State: TCP_LISTEN, Unacked: uint32(pending(s.listener)), Sacked: uint32(s.backlog)}
	case s.live == nil:
		return TCPInfo{State: TCP_CLOSE, SndMSS: 536, Advmss: 0, SndSsthresh: infiniteSsthresh, SndCwnd: 10, RTO: 1e6, RTTVar: 250000, Reordering: 3}
	}
	s.live.c.Lock()
	defer s.live.c.Unlock()
	i := s.live.c.Conn().InfoAt(s.sys.host.Now())
	t := infoFrom(&i)
	t.PMTU = uint32(s.live.c.PathMTU())
	return t
}

// infiniteSsthresh is what Linux reports before the first loss, or where there was none.
const infiniteSsthresh = 0x7fffffff

// pacing is a rate, with Linux's number for none.
func pacing(v int64) uint64 {
	if v <= 0 || v == 1<<32-1 {
		return 1<<64 - 1
	}
	return uint64(v)
}

func micros(d time.Duration) uint32 { return uint32(max(d, 0) / time.Microsecond) }
func millis(d time.Duration) uint32 { return uint32(max(d, 0) / time.Millisecond) }

// infoFrom translates the state machine's figures.
func infoFrom(i *tcp.Info) TCPInfo {
	mss := max(i.MSS, 1)
	t := TCPInfo{
		State: uint8(stateNumber(i.State)), CAState: uint8(i.CAState), Retransmits: uint8(i.Timeouts), Probes: uint8(i.Probes),
		Backoff: uint8(i.Backoff), SndWscale: i.SndScale, RcvWscale: i.RcvScale,
		RTO: micros(i.RTO), ATO: micros(i.ATO), SndMSS: uint32(i.MSS), RcvMSS: uint32(i.RcvMSS),
		Unacked: uint32(i.UnackedSegments), Sacked: uint32(i.SackedSegments), Lost: uint32(i.LostSegments), Retrans: uint32(i.RetransSegments),
		LastDataSent: millis(i.LastDataSent), LastDataRecv: millis(i.LastDataRecv), LastAckRecv: millis(i.LastAckRecv),
		RcvSsthresh: uint32(i.RcvSSThresh), RTT: micros(i.SRTT), RTTVar: micros(i.RTTVar),
		SndSsthresh: segments(i.SSThresh, mss), SndCwnd: segments(i.Cwnd, mss), Advmss: uint32(i.AdvertisedMSS), Reordering: uint32(i.Reordering),
		RcvRTT: micros(i.RcvRTT), RcvSpace: uint32(i.RcvSpace), TotalRetrans: uint32(i.Retransmits),
		PacingRate: pacing(i.PacingRate), MaxPacingRate: pacing(i.MaxPacingRate),
		BytesAcked: i.OctetsAcked, BytesReceived: i.OctetsReceived, SegsOut: uint32(i.SegmentsOut), SegsIn: uint32(i.SegmentsIn),
		NotsentBytes: uint32(i.Unsent), MinRTT: micros(i.MinRTT), DataSegsIn: uint32(i.DataIn), DataSegsOut: uint32(i.DataOut),
		DeliveryRate: uint64(i.DeliveryRate), BusyTime: uint64(micros(i.Busy)), RwndLimited: uint64(micros(i.WindowLimited)), SndbufLimited: uint64(micros(i.BufferLimited)),
		Delivered: uint32(i.Delivered), DeliveredCE: uint32(i.DeliveredCE), BytesSent: i.OctetsSent, BytesRetrans: i.OctetsAgain,
		DsackDups: uint32(i.DSACKs), ReordSeen: uint32(i.Reorderings), RcvOoopack: uint32(i.OutOfOrderIn), SndWnd: uint32(i.SndWnd), RcvWnd: uint32(i.RcvWnd),
		DeliveryRateAppLimited: uint8(boolInt(i.DeliveryRateAppLimited)),
	}
	for _, o := range []struct {
		on  bool
		bit uint8
	}{
		{i.Timestamps, TCPI_OPT_TIMESTAMPS}, {i.SACK, TCPI_OPT_SACK}, {i.WindowScale, TCPI_OPT_WSCALE}, {i.ECN, TCPI_OPT_ECN}, {i.ECNSeen, TCPI_OPT_ECN_SEEN},
	} {
		if o.on {
			t.Options |= o.bit
		}
	}
	return t
}

// segments converts octets of a window, rounding up. What is as good as infinite stays so.
func segments(octets, mss int) uint32 {
	n := (octets + mss - 1) / mss
	if octets >= 1<<30 || n >= infiniteSsthresh {
		return infiniteSsthresh
	}
	return uint32(n)
}
