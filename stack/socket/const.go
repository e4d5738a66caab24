package socket

// Linux's names and numbers, as its headers for amd64 and arm64 have them. They are written
// out rather than taken from package syscall, so that the stack means the same on every
// system that it is built for.

// Address families, and the types of sockets with the two flags that may be added to them.
const (
	AF_UNSPEC      = 0
	AF_UNIX        = 1
	AF_INET        = 2
	AF_INET6       = 10
	AF_NETLINK     = 16
	AF_PACKET      = 17
	PF_UNSPEC      = 0
	PF_INET        = 2
	PF_INET6       = 10
	SOCK_STREAM    = 1
	SOCK_DGRAM     = 2
	SOCK_RAW       = 3
	SOCK_RDM       = 4
	SOCK_SEQPACKET = 5
	SOCK_PACKET    = 10
	SOCK_NONBLOCK  = 0x800
	SOCK_CLOEXEC   = 0x80000
	SOMAXCONN      = 4096
)

// Protocols.
const (
	IPPROTO_IP      = 0
	IPPROTO_ICMP    = 1
	IPPROTO_IGMP    = 2
	IPPROTO_TCP     = 6
	IPPROTO_UDP     = 17
	IPPROTO_IPV6    = 41
	IPPROTO_GRE     = 47
	IPPROTO_ICMPV6  = 58
	IPPROTO_SCTP    = 132
	IPPROTO_UDPLITE = 136
	IPPROTO_RAW     = 255
	IPPROTO_MPTCP   = 262
)

// Levels of socket options.
const (
	SOL_IP     = 0
	SOL_SOCKET = 1
	SOL_TCP    = 6
	SOL_UDP    = 17
	SOL_IPV6   = 41
	SOL_ICMPV6 = 58
	SOL_RAW    = 255
)

// Options at SOL_SOCKET.
const (
	SO_DEBUG            = 1
	SO_REUSEADDR        = 2
	SO_TYPE             = 3
	SO_ERROR            = 4
	SO_DONTROUTE        = 5
	SO_BROADCAST        = 6
	SO_SNDBUF           = 7
	SO_RCVBUF           = 8
	SO_KEEPALIVE        = 9
	SO_OOBINLINE        = 10
	SO_NO_CHECK         = 11
	SO_PRIORITY         = 12
	SO_LINGER           = 13
	SO_BSDCOMPAT        = 14
	SO_REUSEPORT        = 15
	SO_PASSCRED         = 16
	SO_PEERCRED         = 17
	SO_RCVLOWAT         = 18
	SO_SNDLOWAT         = 19
	SO_RCVTIMEO         = 20
	SO_SNDTIMEO         = 21
	SO_BINDTODEVICE     = 25
	SO_ATTACH_FILTER    = 26
	SO_DETACH_FILTER    = 27
	SO_TIMESTAMP        = 29
	SO_ACCEPTCONN       = 30
	SO_SNDBUFFORCE      = 32
	SO_RCVBUFFORCE      = 33
	SO_TIMESTAMPNS      = 35
	SO_MARK             = 36
	SO_TIMESTAMPING     = 37
	SO_PROTOCOL         = 38
	SO_DOMAIN           = 39
	SO_RXQ_OVFL         = 40
	SO_PEEK_OFF         = 42
	SO_SELECT_ERR_QUEUE = 45
	SO_BUSY_POLL        = 46
	SO_MAX_PACING_RATE  = 47
	SO_INCOMING_CPU     = 49
	SO_COOKIE           = 57
	SO_ZEROCOPY         = 60
	SO_TXTIME           = 61
	SO_BINDTOIFINDEX    = 62
)

// Options at SOL_TCP.
const (
	TCP_NODELAY              = 1
	TCP_MAXSEG               = 2
	TCP_CORK                 = 3
	TCP_KEEPIDLE             = 4
	TCP_KEEPINTVL            = 5
	TCP_KEEPCNT              = 6
	TCP_SYNCNT               = 7
	TCP_LINGER2              = 8
	TCP_DEFER_ACCEPT         = 9
	TCP_WINDOW_CLAMP         = 10
	TCP_INFO                 = 11
	TCP_QUICKACK             = 12
	TCP_CONGESTION           = 13
	TCP_MD5SIG               = 14
	TCP_THIN_LINEAR_TIMEOUTS = 16
	TCP_THIN_DUPACK          = 17
	TCP_USER_TIMEOUT         = 18
	TCP_REPAIR               = 19
	TCP_REPAIR_QUEUE         = 20
	TCP_QUEUE_SEQ            = 21
	TCP_REPAIR_OPTIONS       = 22
	TCP_FASTOPEN             = 23
	TCP_TIMESTAMP            = 24
	TCP_NOTSENT_LOWAT        = 25
	TCP_CC_INFO              = 26
	TCP_SAVE_SYN             = 27
	TCP_SAVED_SYN            = 28
	TCP_REPAIR_WINDOW        = 29
	TCP_FASTOPEN_CONNECT     = 30
	TCP_ULP                  = 31
	TCP_MD5SIG_EXT           = 32
	TCP_FASTOPEN_KEY         = 33
	TCP_FASTOPEN_NO_COOKIE   = 34
	TCP_ZEROCOPY_RECEIVE     = 35
	TCP_INQ                  = 36
	TCP_CM_INQ               = 36
	TCP_TX_DELAY             = 37
)

// Options at SOL_TCP that only BSD's kernels have, by numbers that no kernel gives: BSD's own
// stand for other options in Linux.
const (
	TCP_NOOPT    = 1<<16 + iota // no options in our segments, and none heeded in the peer's
	TCP_KEEPINIT                // seconds that the handshake of an active open may take
)

// Options at SOL_IP.
const (
	IP_TOS                    = 1
	IP_TTL                    = 2
	IP_HDRINCL                = 3
	IP_OPTIONS                = 4
	IP_ROUTER_ALERT           = 5
	IP_RECVOPTS               = 6
	IP_RETOPTS                = 7
	IP_PKTINFO                = 8
	IP_PKTOPTIONS             = 9
	IP_MTU_DISCOVER           = 10
	IP_RECVERR                = 11
	IP_RECVTTL                = 12
	IP_RECVTOS                = 13
	IP_MTU                    = 14
	IP_FREEBIND               = 15
	IP_TRANSPARENT            = 19
	IP_RECVORIGDSTADDR        = 20
	IP_MINTTL                 = 21
	IP_NODEFRAG               = 22
	IP_CHECKSUM               = 23
	IP_BIND_ADDRESS_NO_PORT   = 24
	IP_RECVFRAGSIZE           = 25
	IP_RECVERR_RFC4884        = 26
	IP_MULTICAST_IF           = 32
	IP_MULTICAST_TTL          = 33
	IP_MULTICAST_LOOP         = 34
	IP_ADD_MEMBERSHIP         = 35
	IP_DROP_MEMBERSHIP        = 36
	IP_UNBLOCK_SOURCE         = 37
	IP_BLOCK_SOURCE           = 38
	IP_ADD_SOURCE_MEMBERSHIP  = 39
	IP_DROP_SOURCE_MEMBERSHIP = 40
	IP_MSFILTER               = 41
	MCAST_JOIN_GROUP          = 42
	MCAST_BLOCK_SOURCE        = 43
	MCAST_UNBLOCK_SOURCE      = 44
	MCAST_LEAVE_GROUP         = 45
	MCAST_JOIN_SOURCE_GROUP   = 46
	MCAST_LEAVE_SOURCE_GROUP  = 47
	IP_MULTICAST_ALL          = 49
	IP_UNICAST_IF             = 50
	IP_LOCAL_PORT_RANGE       = 51
	IP_PMTUDISC_DONT          = 0
	IP_PMTUDISC_WANT          = 1
	IP_PMTUDISC_DO            = 2
	IP_PMTUDISC_PROBE         = 3
	IP_PMTUDISC_INTERFACE     = 4
	IP_PMTUDISC_OMIT          = 5
	ICMP_FILTER               = 1
)

// Options at SOL_IPV6.
const (
	IPV6_ADDRFORM           = 1
	IPV6_2292PKTINFO        = 2
	IPV6_CHECKSUM           = 7
	IPV6_2292HOPLIMIT       = 8
	IPV6_NEXTHOP            = 9
	IPV6_UNICAST_HOPS       = 16
	IPV6_MULTICAST_IF       = 17
	IPV6_MULTICAST_HOPS     = 18
	IPV6_MULTICAST_LOOP     = 19
	IPV6_JOIN_GROUP         = 20
	IPV6_ADD_MEMBERSHIP     = 20
	IPV6_LEAVE_GROUP        = 21
	IPV6_DROP_MEMBERSHIP    = 21
	IPV6_ROUTER_ALERT       = 22
	IPV6_MTU_DISCOVER       = 23
	IPV6_MTU                = 24
	IPV6_RECVERR            = 25
	IPV6_V6ONLY             = 26
	IPV6_MULTICAST_ALL      = 29
	IPV6_RECVERR_RFC4884    = 31
	IPV6_HDRINCL            = 36
	IPV6_RECVPKTINFO        = 49
	IPV6_PKTINFO            = 50
	IPV6_RECVHOPLIMIT       = 51
	IPV6_HOPLIMIT           = 52
	IPV6_RECVPATHMTU        = 60
	IPV6_PATHMTU            = 61
	IPV6_DONTFRAG           = 62
	IPV6_RECVTCLASS         = 66
	IPV6_TCLASS             = 67
	IPV6_AUTOFLOWLABEL      = 70
	IPV6_ADDR_PREFERENCES   = 72
	IPV6_MINHOPCOUNT        = 73
	IPV6_UNICAST_IF         = 76
	IPV6_FREEBIND           = 78
	IPV6_PMTUDISC_DONT      = 0
	IPV6_PMTUDISC_WANT      = 1
	IPV6_PMTUDISC_DO        = 2
	IPV6_PMTUDISC_PROBE     = 3
	IPV6_PMTUDISC_INTERFACE = 4
	IPV6_PMTUDISC_OMIT      = 5
	ICMPV6_FILTER           = 1
)

// Options at SOL_UDP.
const (
	UDP_CORK         = 1
	UDP_ENCAP        = 100
	UDP_NO_CHECK6_TX = 101
	UDP_NO_CHECK6_RX = 102
	UDP_SEGMENT      = 103
	UDP_GRO          = 104
)

// Flags of the send and receive calls, and of Msghdr.
const (
	MSG_OOB          = 0x1
	MSG_PEEK         = 0x2
	MSG_DONTROUTE    = 0x4
	MSG_CTRUNC       = 0x8
	MSG_PROBE        = 0x10
	MSG_TRUNC        = 0x20
	MSG_DONTWAIT     = 0x40
	MSG_EOR          = 0x80
	MSG_WAITALL      = 0x100
	MSG_FIN          = 0x200
	MSG_SYN          = 0x400
	MSG_CONFIRM      = 0x800
	MSG_RST          = 0x1000
	MSG_ERRQUEUE     = 0x2000
	MSG_NOSIGNAL     = 0x4000
	MSG_MORE         = 0x8000
	MSG_WAITFORONE   = 0x10000
	MSG_ZEROCOPY     = 0x4000000
	MSG_FASTOPEN     = 0x20000000
	MSG_CMSG_CLOEXEC = 0x40000000
)

// How Shutdown ends a connection.
const (
	SHUT_RD   = 0
	SHUT_WR   = 1
	SHUT_RDWR = 2
)

// Commands of Fcntl and the flags they get and set.
const (
	F_DUPFD         = 0
	F_GETFD         = 1
	F_SETFD         = 2
	F_GETFL         = 3
	F_SETFL         = 4
	F_DUPFD_CLOEXEC = 1030
	FD_CLOEXEC      = 1
	O_RDONLY        = 0
	O_WRONLY        = 1
	O_RDWR          = 2
	O_APPEND        = 0x400
	O_NONBLOCK      = 0x800
	O_ASYNC         = 0x2000
	O_CLOEXEC       = 0x80000
)

// Requests of Ioctl.
const (
	FIONREAD    = 0x541b
	FIONBIO     = 0x5421
	FIOCLEX     = 0x5451
	FIONCLEX    = 0x5450
	SIOCINQ     = 0x541b
	SIOCOUTQ    = 0x5411
	TIOCOUTQ    = 0x5411
	SIOCATMARK  = 0x8905
	SIOCOUTQNSD = 0x894b
)

// Events of Poll.
const (
	POLLIN     = 0x1
	POLLPRI    = 0x2
	POLLOUT    = 0x4
	POLLERR    = 0x8
	POLLHUP    = 0x10
	POLLNVAL   = 0x20
	POLLRDNORM = 0x40
	POLLRDBAND = 0x80
	POLLWRNORM = 0x100
	POLLWRBAND = 0x200
	POLLMSG    = 0x400
	POLLRDHUP  = 0x2000
	FD_SETSIZE = 1024
)

// Events and commands of epoll.
const (
	EPOLLIN        = 0x1
	EPOLLPRI       = 0x2
	EPOLLOUT       = 0x4
	EPOLLERR       = 0x8
	EPOLLHUP       = 0x10
	EPOLLRDNORM    = 0x40
	EPOLLRDBAND    = 0x80
	EPOLLWRNORM    = 0x100
	EPOLLWRBAND    = 0x200
	EPOLLMSG       = 0x400
	EPOLLRDHUP     = 0x2000
	EPOLLEXCLUSIVE = 0x10000000
	EPOLLWAKEUP    = 0x20000000
	EPOLLONESHOT   = 0x40000000
	EPOLLET        = 0x80000000
	EPOLL_CTL_ADD  = 1
	EPOLL_CTL_DEL  = 2
	EPOLL_CTL_MOD  = 3
	EPOLL_CLOEXEC  = 0x80000
)

// The states in TCPInfo.State, and its options and congestion states.
const (
	TCP_ESTABLISHED     = 1
	TCP_SYN_SENT        = 2
	TCP_SYN_RECV        = 3
	TCP_FIN_WAIT1       = 4
	TCP_FIN_WAIT2       = 5
	TCP_TIME_WAIT       = 6
	TCP_CLOSE           = 7
	TCP_CLOSE_WAIT      = 8
	TCP_LAST_ACK        = 9
	TCP_LISTEN          = 10
	TCP_CLOSING         = 11
	TCPI_OPT_TIMESTAMPS = 1
	TCPI_OPT_SACK       = 2
	TCPI_OPT_WSCALE     = 4
	TCPI_OPT_ECN        = 8
	TCPI_OPT_ECN_SEEN   = 16
	TCPI_OPT_SYN_DATA   = 32
	TCPI_OPT_USEC_TS    = 64
	TCP_CA_Open         = 0
	TCP_CA_Disorder     = 1
	TCP_CA_CWR          = 2
	TCP_CA_Recovery     = 3
	TCP_CA_Loss         = 4
)

// Where an extended error came from, and the codes of those that the stack itself makes.
const (
	SO_EE_ORIGIN_NONE          = 0
	SO_EE_ORIGIN_LOCAL         = 1
	SO_EE_ORIGIN_ICMP          = 2
	SO_EE_ORIGIN_ICMP6         = 3
	SO_EE_ORIGIN_TIMESTAMPING  = 4
	SO_EE_ORIGIN_ZEROCOPY      = 5
	SO_EE_CODE_ZEROCOPY_COPIED = 1
	SCM_TIMESTAMP              = 29
	SCM_TIMESTAMPNS            = 35
	SCM_TIMESTAMPING           = 37
)

// Flags and errors of Getaddrinfo.
const (
	AI_PASSIVE     = 0x1
	AI_CANONNAME   = 0x2
	AI_NUMERICHOST = 0x4
	AI_V4MAPPED    = 0x8
	AI_ALL         = 0x10
	AI_ADDRCONFIG  = 0x20
	AI_NUMERICSERV = 0x400
	EAI_BADFLAGS   = -1
	EAI_NONAME     = -2
	EAI_AGAIN      = -3
	EAI_FAIL       = -4
	EAI_FAMILY     = -6
	EAI_SOCKTYPE   = -7
	EAI_SERVICE    = -8
	EAI_MEMORY     = -10
	EAI_SYSTEM     = -11
	EAI_OVERFLOW   = -12
)
