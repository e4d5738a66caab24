package socket

import (
	"net/netip"
	"time"

	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/tcp/cc"
)

// options are those at SOL_SOCKET and SOL_TCP.
type options struct {
	reuseAddr, reusePort, keepAlive, oobInline, broadcast, dontRoute, debug, noCheck, rxqOvfl bool

	linger                      bool
	lingerTime                  time.Duration
	receiveBuffer, sendBuffer   int // as SO_RCVBUF and SO_SNDBUF report them; 0 is not set
	receiveTimeout, sendTimeout time.Duration
	lowWater                    int // SO_RCVLOWAT
	priority, mark              int
	device                      int // SO_BINDTODEVICE, by index

	nodelay, cork                   bool
	nodelays                        uint8 // how often nodelay was set
	quickack                        int   // 1 on, -1 off, 0 not set
	keepIdle, keepInterval, keepCnt int   // seconds, seconds and probes; 0 is the host's
	maxSegment, synCount, linger2   int
	keepInit                        int // seconds; 0 is the host's
	noOptions                       bool
	deferAccept                     time.Duration
	windowClamp                     int
	congestion                      cc.Kind
	hasCongestion                   bool
	userTimeout                     int    // milliseconds
	notSentLowat                    uint32 // 0 is none, as the largest
	inq                             bool
}

func defaultOptions() options {
	return options{lowWater: 1}
}

// ipOptions are those at SOL_IP, SOL_IPV6, SOL_RAW and SOL_UDP.
type ipOptions struct {
	ttl, tos, pmtudisc                 int // ttl -1: the default
	recvErr, pktInfo, recvTTL, recvTOS bool
	recvOrigDst, hdrincl               bool
	bindNoPort                         bool
	ports                              shard.PortRange
	multicastTTL                       int
	multicastLoop, multicastAll        bool
	multicastIf                        int // index
	multicastAddr                      netip.Addr

	v6only                                      bool
	hops, tclass, pmtudisc6                     int // hops -1: the default
	recvErr6, recvPktInfo, recvHops, recvTclass bool
	dontFrag, hdrincl6                          bool
	multicastHops                               int
	multicastLoop6, multicastAll6               bool
	multicastIf6                                int
	checksum                                    int // IPV6_CHECKSUM; -1 none

	filter4 uint32    // ICMP_FILTER
	filter6 [8]uint32 // ICMPV6_FILTER

	udpCork    bool
	udpSegment int
}

func defaultIPOptions(s *System) ipOptions {
	return ipOptions{
		ttl: -1, hops: -1, pmtudisc: IP_PMTUDISC_WANT, pmtudisc6: IPV6_PMTUDISC_WANT,
		multicastTTL: 1, multicastHops: 1, multicastLoop: true, multicastLoop6: true, multicastAll: true, multicastAll6: true,
		v6only: s.cfg.V6Only, checksum: -1,
	}
}
