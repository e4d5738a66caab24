package tcp

import (
	"math"
	"syscall"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/tcp/cc"
	"github.com/weirnet/weir/stack/tcp/rtt"
)

// Config is what a connection is opened with. The Conn keeps no reference to it.
type Config struct {
	// Settings, Counters and Pool are shared by the connections of a stack.
	Settings *Settings
	Counters *Counters
	Pool     *mem.Pool

	// ISS is the initial sequence number (RFC 6528), TSOffset what is added to the
	// timestamp clock on this connection (RFC 7323 §5.4).
	ISS      seq.Value
	TSOffset uint32
	// TSRecent is what TimeWait.MayConnect has returned, where the connection takes the place of
	// one in TIME-WAIT; else 0.
	TSRecent uint32

	// MSS is what our SYN announces: our link's MTU less the IP and TCP headers.
	MSS int
	// PathMSS is the most octets of TCP options and text that the path takes in
	// one packet: its MTU less the IP and TCP base headers (RFC 9293 §3.7.1).
	PathMSS int
	// DefaultMSS is assumed where the peer announces none: 536 over IPv4, 1220 over
	// IPv6 (RFC 9293 §3.7.1, MUST-15). 0 stands for 536.
	DefaultMSS int
	// MaxSegment is the most text that Output may put in one Segment. Where it is more
	// than the segment size, the link cuts. 0 stands for MSS.
	MaxSegment int
	// RecvBuffer and SendBuffer bound the octets queued in each direction.
	RecvBuffer, SendBuffer int

	// RecvBufferFixed and SendBufferFixed say that the user has set RecvBuffer and SendBuffer: they do
	// not grow then, as the second never does in weir's own profile, and the window scale is chosen
	// by the first, and not by what it may grow to.
	RecvBufferFixed, SendBufferFixed bool

	// UserMSS bounds the MSS that is announced and used (TCP_MAXSEG); 0 is no bound.
	UserMSS int
	// NoOptions is SetNoOptions(true), in time for the peer's SYN.
	NoOptions bool
	// CC is the congestion control where it is not that of Settings.
	CC *cc.Kind
	// NotSentLowat and WindowClamp are as SetNotSentLowat and SetWindowClamp have them; 0 is none.
	NotSentLowat, WindowClamp int
	// DeferAccept has a connection opened by Accept stay in SYN-RECEIVED, for about so long, until
	// the peer sends text: the bare ACK that ends the handshake is passed over
	// (TCP_DEFER_ACCEPT). 0 is off.
	DeferAccept time.Duration
}

// Conn is a connection: the state machine of RFC 9293 for one pair of ends. The zero
// value is CLOSED and waits for Connect or Accept; it must not be copied
// afterwards, and is not safe for concurrent use. See the package's theory of operation.
//
// What an idle connection has no use for is in active and rare, and their fields are used as
// the connection's own: see park.go.
type Conn struct {
	_ [0]func() // not comparable, so that no program has code to do so

	set  *Settings
	ctr  *Counters
	pool *mem.Pool

	*active // what is under way; shared and at rest where nothing is
	*rare   // what few connections have; shared where this one has none of it

	snd sendSpace
	rcv recvSpace

	again                  uint32 // segments sent again, for Info and for what DSACK may report
	delivered, deliveredCE uint32 // segments that have arrived; those that met congestion

	ts     timestamps
	rtt    rtt.Estimator
	window cc.Rest // the congestion window of a parked connection

	heardAt  clock.Time // when an acceptable segment last came
	sentAt   clock.Time // when text was last sent
	rate     rateState
	stat     stats
	err      errno // why the connection failed
	state    State
	ecn      ecnState
	quick    uint8 // how many more segments are to be acknowledged at once
	deferMax uint8 // how many timeouts of SYN-RECEIVED text may take

	passive   bool // opened by Accept: SYN-RECEIVED falls back to LISTEN
	userGone  bool // Close was called: nobody reads any more
	deaf      bool // CloseRead was called: text is acknowledged and thrown away
	finQueued bool // the user has no more to send
	peerFin   bool // a FIN has been seen, at rcv.fin, maybe not reached yet
	noDelay   bool
	cork      bool
	more      bool // the last write said that there is more to come
	flush     bool // what is written is to go, cork or not
	pingpong  bool // ACKs wait for text to carry them
	deferring bool // passive, and text is to come before the handshake is done
	deferred  bool // the bare ACK of the handshake has come meanwhile
	synLost   bool // the SYN was sent more than once
	settled   bool // Output has returned false since the last change
	finAcked  bool // our FIN has been acknowledged
	sackOK    bool // SACK was agreed
	scaleOK   bool // window scaling was agreed
}

// sendSpace is the send sequence space (RFC 9293 §3.3.1). What lies in it is active.sendQueue.
type sendSpace struct {
	iss, una, nxt seq.Value
	wl1, wl2      seq.Value
	up            seq.Value // SND.UP, where urgent is set
	sml           seq.Value // end of the last segment sent that was less than full
	wnd           uint32    // SND.WND, scaled
	maxWnd        uint32    // MAX.SND.WND (RFC 5961 §5)
	mss           uint16    // Eff.snd.MSS for text without SACK blocks
	peerMSS       uint16    // what the peer announced, or the default
	pathMSS       uint16
	shift         uint8 // Snd.Wind.Shift (RFC 7323 §2.3)
	urgent        bool
	connecting    bool  // our SYN is not acknowledged: UNA is ISS (as it is again 4 GiB later)
	proofs        uint8 // see provePath
	synTimed      bool  // the ACK of our SYN measures the round trip: it was sent once, at progressAt
	most          int32 // Config.MaxSegment
	buffer        int32 // SendBuffer
}

func (s *sendSpace) maxSegment() int { return int(s.most) }
func (s *sendSpace) limit() int      { return int(s.buffer) }

// recvSpace is the receive sequence space (RFC 9293 §3.3.1). What lies in it is active.recvQueue.
type recvSpace struct {
	irs, nxt seq.Value
	edge     seq.Value // the right edge of the window offered, which never moves left
	lastAck  seq.Value // Last.ACK.sent (RFC 7323 §4.3)
	fin      seq.Value // the peer's FIN, where peerFin is set
	up       seq.Value // RCV.UP, where urgent is set
	mss      uint16    // what we announced
	shift    uint8     // Rcv.Wind.Shift
	urgent   bool
	// urgentRead: ReadUrgent has given the octet that the urgent pointer marks.
	urgentRead bool
	grows      bool   // weir's own profile: no user has set limit
	segment    uint16 // the peer's segment size as far as it shows; 0 is unknown
	rtt        milliseconds
	space      uint32 // what the user reads in a round trip
	buffer     int32  // RecvBuffer
}

func (r *recvSpace) limit() int { return int(r.buffer) }

// size32 is a number of octets in little room.
func size32(n int) int32 { return int32(min(n, math.MaxInt32)) }

// errno is a syscall.Errno in little room.
type errno uint16

// Settings returns what the connection was opened with. They must not be changed.
func (c *Conn) Settings() *Settings { return c.set }

// State returns the connection's state.
func (c *Conn) State() State { return c.state }

// Err returns why the connection failed, as a syscall.Errno, or nil: ECONNREFUSED (reset
// in SYN-SENT), ECONNRESET, EPIPE (reset in CLOSE-WAIT), ETIMEDOUT, ECONNABORTED
// (aborted by the user), or what an ICMP report said.
func (c *Conn) Err() error {
	if c.err == 0 {
		return nil
	}
	return syscall.Errno(c.err)
}
