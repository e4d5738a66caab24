package script

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/route"
	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/socket"
)

// weir is the Backend that is weir itself, in virtual time: a host that is stepped, and a device
// that keeps what it is given.
//
// The host is made when it is first needed, so that the commands before it set up what
// cannot be changed later.
type weir struct {
	net      Network
	clock    clock.Manual
	settings settings
	dev      *wireTap
	host     *shard.Host
	ifc      *shard.Interface
	sys      *socket.System
	calls    Calls

	tasks   []*task // blocked calls
	running *task
	closing bool
	timers  int // how often something was due by itself
}

// epoch is where the virtual clock begins: not at zero, for a stack that has only begun to run
// would be a special case (timestamps, for one, begin somewhere).
const epoch = clock.Time(time.Hour)

// NewWeir returns a Backend that is weir in virtual time.
func NewWeir(n Network) (Backend, error) {
	s, err := newSettings(n.Profile)
	if err != nil {
		return nil, err
	}
	w := &weir{net: n, settings: s}
	w.clock.Set(epoch)
	return w, nil
}

// open makes the host.
func (w *weir) open() error {
	if w.host != nil {
		return nil
	}
	cfg := w.settings.shard
	cfg.Clock, cfg.TCP = &w.clock, &w.settings.tcp
	copy(cfg.Secret[:], "weir runs packet scripts; replay!")
	w.dev = newWireTap(w.net.MTU, w.net.Offload, w.Now)
	w.host = shard.New(cfg)
	ifc, err := w.host.AddInterface("tun0", w.dev, []netip.Prefix{w.net.Local})
	if err != nil {
		return err
	}
	w.ifc = ifc
	for _, dst := range []string{"0.0.0.0/0", "::/0"} {
		if err := w.host.AddRoute(route.Route{Dst: netip.MustParsePrefix(dst), Interface: ifc.Index()}); err != nil {
			return err
		}
	}
	sc := w.settings.socket
	sc.Block = w.block
	w.sys = socket.New(w.host, sc)
	w.calls = w.sys
	if kernel(w.net.Profile) == "freebsd" {
		w.calls = newFreebsdCalls(w)
	}
	return nil
}

// must is open for those that cannot return an error; what could be wrong with the
// configuration was found by Start or Inject before.
func (w *weir) must() {
	if err := w.open(); err != nil {
		panic(fmt.Sprintf("script: make weir: %v", err))
	}
}

func (w *weir) Calls() Calls { w.must(); return w.calls }

func (w *weir) Now() time.Duration { return time.Duration(w.clock.Now() - epoch) }

// Bounds of one Wait: a stack whose timer is due for ever, or so many times in so little time, has a bug, and must
// not hold up a suite. One whose timers go off now and then for years has none, and meets maxTimers.
const (
	maxStuck = 10_000
	maxSteps = 100_000
	maxRush  = 100 * time.Millisecond
)

// Wait lets virtual time pass: from one deadline to the next.
func (w *weir) Wait(until time.Duration, stop func() bool) bool {
	begin, end := w.clock.Now(), epoch.Add(until)
	w.settle()
	for steps, stuck := 0, 0; ; steps++ {
		if stop != nil && stop() {
			return true
		}
		next := w.deadline()
		if next > end {
			w.clock.Set(end)
			return stop != nil && stop()
		}
		if stuck++; next > w.clock.Now() {
			stuck = 0
		}
		if stuck > maxStuck || steps > maxSteps && w.clock.Now().Sub(begin) < maxRush {
			panic(fmt.Sprintf("a timer is due for ever at %v", w.Now()))
		}
		if w.timers++; w.timers > maxTimers {
			panic(limit(fmt.Sprintf("timers have gone off %d times", maxTimers)))
		}
		w.clock.Set(next)
		w.expire()
		w.settle()
		w.dev.bounded()
	}
}

// deadline is when something happens next by itself.
func (w *weir) deadline() clock.Time {
	at := clock.Never
	if w.host != nil {
		at = w.host.Deadline()
	}
	for _, t := range w.tasks {
		at = min(at, t.deadline)
	}
	return at
}

func (w *weir) expire() {
	if w.host != nil && w.host.Deadline() <= w.clock.Now() {
		w.host.Expire()
	}
}

func (w *weir) Inject(b []byte, segment int) error {
	if err := w.open(); err != nil {
		return err
	}
	f := &link.Frame{Buf: make([]byte, link.Headroom+len(b)), Off: link.Headroom, End: link.Headroom + len(b)}
	copy(f.Buf[f.Off:], b)
	w.dev.merged(f, segment)
	w.host.Deliver(w.ifc, f)
	w.expire()
	w.settle()
	w.dev.bounded()
	return nil
}

func (w *weir) Sent() (Captured, bool) {
	if w.dev == nil {
		return Captured{}, false
	}
	return w.dev.pop()
}

func (w *weir) Sysctl(name, value string, try bool) error {
	if try {
		s := w.settings
		return s.set(name, value, false)
	}
	return w.settings.set(name, value, w.host != nil)
}

func (w *weir) Abort(local, remote netip.AddrPort) bool {
	if w.host == nil {
		return false
	}
	n := w.host.Abort(func(c shard.ConnInfo) bool { return c.Local == local && c.Remote == remote })
	w.settle()
	return n > 0
}

func (w *weir) Connections() (list []Connection) {
	if w.host == nil {
		return nil
	}
	for _, c := range w.host.Connections() {
		list = append(list, Connection{Protocol: c.Protocol, State: c.State, Local: c.Local, Remote: c.Remote, Details: details(c)})
	}
	return list
}

// details is the figures of a connection in one line.
func details(c shard.ConnInfo) string {
	s := fmt.Sprintf("recv-q %d send-q %d", c.RecvQ, c.SendQ)
	if c.Protocol != "tcp" || !c.Remote.IsValid() {
		return s
	}
	return fmt.Sprintf("%s cwnd %d ssthresh %d in-flight %d mss %d snd.wnd %d rcv.wnd %d srtt %v rto %v",
		s, c.Cwnd, c.SSThresh, c.InFlight, c.MSS, c.SndWnd, c.RcvWnd, c.SRTT, c.RTO)
}

func (w *weir) Counter(name string) (v uint64, ok bool) {
	own, ok := linuxCounters[name]
	if !ok || w.host == nil {
		return 0, ok
	}
	w.host.EachCounter(func(n string, x uint64) {
		for _, o := range own {
			if n == o {
				v += x
			}
		}
	})
	return v, true
}

// linuxCounters is the counters of Linux's nstat that weir has, by weir's names: those whose sum
// is the same.
var linuxCounters = map[string][]string{
	"TcpActiveOpens":          {"tcp.open.active"},
	"TcpPassiveOpens":         {"tcp.open.passive"},
	"TcpRetransSegs":          {"tcp.retransmit.segments"},
	"TcpExtBeyondWindow":      {"tcp.drop.out_of_window"},
	"TcpExtListenOverflows":   {"tcp.drop.accept_overflow"},
	"TcpExtPAWSEstab":         {"tcp.drop.paws"},
	"TcpExtTCPAbortOnData":    {"tcp.abort.unread", "tcp.abort.data_after_close"},
	"TcpExtTCPAbortOnTimeout": {"tcp.abort.retransmit", "tcp.abort.user_timeout", "tcp.abort.keep_alive", "tcp.abort.zero_window"},
	"TcpExtTCPChallengeACK":   {"tcp.ack.challenge"},
	"TcpExtTCPSACKReneging":   {"tcp.sack.reneged"},
	"TcpExtTCPTimeouts":       {"tcp.retransmit.timeout"},
}

// Close ends the calls that are still blocked, and the host.
func (w *weir) Close() error {
	w.closing = true
	if w.sys != nil {
		w.sys.Close()
		w.settle()
	}
	for _, t := range w.tasks {
		t.stop()
	}
	w.tasks = nil
	if w.host == nil {
		return nil
	}
	return w.host.Close()
}
