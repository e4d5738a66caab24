package socket

import (
	"net/netip"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The kernel's header is the judge of the layout: golang.org/x/sys/unix is made from it.
func TestTCPInfoHasLinuxLayout(t *testing.T) {
	in := TCPInfo{
		State: 1, CAState: 2, Options: 3, SndWscale: 4, RcvWscale: 5, DeliveryRateAppLimited: 1, FastopenClientFail: 2,
		RTO: 6, LastDataSent: 7, LastAckRecv: 8, PMTU: 9, RTT: 10, SndCwnd: 11, TotalRetrans: 12, PacingRate: 13,
		SegsOut: 14, MinRTT: 15, DeliveryRate: 16, SndbufLimited: 17, Delivered: 18, BytesRetrans: 19, SndWnd: 20, RcvWnd: 21, TotalRTOTime: 22,
	}
	b := in.Append(nil)
	if len(b) != SizeofTCPInfo || len(b) < int(unsafe.Sizeof(unix.TCPInfo{})) {
		t.Fatalf("%d octets, Linux has %d", len(b), unsafe.Sizeof(unix.TCPInfo{}))
	}
	k := (*unix.TCPInfo)(unsafe.Pointer(&b[0]))
	got := TCPInfo{
		State: k.State, CAState: k.Ca_state, Options: k.Options, SndWscale: b[6] & 15, RcvWscale: b[6] >> 4, DeliveryRateAppLimited: b[7] & 1, FastopenClientFail: b[7] >> 1,
		RTO: k.Rto, LastDataSent: k.Last_data_sent, LastAckRecv: k.Last_ack_recv, PMTU: k.Pmtu, RTT: k.Rtt, SndCwnd: k.Snd_cwnd, TotalRetrans: k.Total_retrans, PacingRate: k.Pacing_rate,
		SegsOut: k.Segs_out, MinRTT: k.Min_rtt, DeliveryRate: k.Delivery_rate, SndbufLimited: k.Sndbuf_limited, Delivered: k.Delivered, BytesRetrans: k.Bytes_retrans, SndWnd: k.Snd_wnd, RcvWnd: k.Rcv_wnd, TotalRTOTime: k.Total_rto_time,
	}
	if got != in {
		t.Errorf("%+v, want %+v", got, in)
	}
}

func TestSockaddrRoundTrip(t *testing.T) {
	for _, s := range []string{"192.0.2.1:80", "[2001:db8::1]:443", "[::ffff:192.0.2.1]:7"} {
		sa := NewSockaddr(netip.MustParseAddrPort(s))
		got, err := ParseSockaddr(sa.Append(nil))
		if err != nil || *got != *sa || got.AddrPort().String() != s {
			t.Errorf("%+v, %v, want %+v", got, err, sa)
		}
	}
}

func TestControlMessagesRoundTrip(t *testing.T) {
	b := AppendCmsg(AppendCmsg(nil, Cmsg{SOL_IP, IP_TTL, []byte{1, 2, 3, 4}}), Cmsg{SOL_IPV6, -1, make([]byte, 9)})
	list, err := ParseCmsgs(b)
	if err != nil || len(list) != 2 || list[0].Data[3] != 4 || list[1].Type != -1 || len(list[1].Data) != 9 {
		t.Errorf("%+v, %v", list, err)
	}
	for n := range b {
		ParseCmsgs(b[:n]) // never panics
	}
	if _, err := ParseCmsgs(b[:20-1]); err == nil {
		t.Error("a message that reaches beyond the end was read")
	}
}
