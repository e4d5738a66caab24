package script

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/weirnet/weir/stack/script/ast"
)

// Run runs a script and says what became of it. A panic of the stack is a failure of the script.
func Run(s *ast.Script, o Options) *Result {
	began := time.Now()
	res := &Result{File: s.Name, Offload: o.Offload}
	defer func() { res.Real = time.Since(began) }()
	cfg, err := configure(s, o)
	if err != nil {
		return res.end(err)
	}
	res.Profile, res.Family = cfg.profile, cfg.family
	r := &runner{cfg: cfg, opt: o, res: res, name: s.Name, relaxedPSH: o.RelaxedPSH, nextPort: firstRemotePort}
	for _, e := range s.Events {
		if cfg.includes(e.Only) {
			r.events = append(r.events, e)
		}
	}
	if err := r.prepare(); err != nil {
		return res.end(err)
	}
	return res.end(r.runGuarded())
}

// panicked begins the message of a failure that is a panic of the stack: the other scripts of a
// suite are to be run all the same.
const panicked = "the stack panicked: "

// runGuarded is run, where a panic is a failure at the event that brought it about.
func (r *runner) runGuarded() (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		f := &Failure{Message: panicked + fmt.Sprint(p), State: strings.Split(strings.TrimSpace(string(debug.Stack())), "\n")}
		if r.ev != nil {
			f.Line, f.Source = r.ev.Pos.Line, r.ev.String()
		}
		err = f
	}()
	return r.run()
}

// end enters what a run ended with.
func (r *Result) end(err error) *Result {
	var skip *skipError
	var invalid *invalidError
	var fail *Failure
	switch {
	case err == nil:
		r.Outcome = Pass
	case errors.As(err, &skip):
		r.Outcome, r.Reason = Skip, skip.reason
	case errors.As(err, &invalid):
		r.Outcome, r.Reason = Invalid, invalid.reason
	case errors.As(err, &fail):
		r.Outcome, r.Reason, r.Failure = Fail, fail.Message, fail
	default:
		r.Outcome, r.Reason, r.Failure = Fail, err.Error(), &Failure{Message: err.Error()}
	}
	return r
}

// Error makes a Failure an error.
func (f *Failure) Error() string { return fmt.Sprintf("line %d: %s", f.Line, f.Message) }

// firstRemotePort is the port of the script's side of the first connection that comes in.
const firstRemotePort = 40001

// runner is one run of a script.
type runner struct {
	cfg        *config
	opt        Options
	res        *Result
	name       string
	relaxedPSH bool

	events  []*ast.Event
	actions map[*ast.Event][]action // of the commands
	code    codeState

	b        Backend
	nextPort uint16

	// The event that runs, with its times worked out.
	ev         *ast.Event
	at, until  time.Duration // its time; the end of its range
	base       time.Duration // what a relative time counts from
	lastAt     time.Duration // the time of the event before
	lastIn     bool          // it was a packet in
	haveLast   bool
	haveScript bool // an event with an absolute time was there

	endpoints []*endpoint
	test      *endpoint // whose packets the next ones are
	queue     []*packet // sent, not looked at yet
	pending   []*pendingCall
	passed    []passage
	counted   map[string]uint64 // the counters when nstat was called last
}

// pendingCall is a system call that has not returned.
type pendingCall struct {
	ev    *ast.Event
	begun time.Duration
	end   time.Duration // when it is to return, for one that is to block
	inv   *invocation
	p     *Pending
}

// passage is a packet that went by, for the report of a failure.
type passage struct {
	at   time.Duration
	text string
}

// network is what a backend is made for.
func (r *runner) network() Network {
	return Network{
		Profile: r.cfg.profile, Local: netip.PrefixFrom(r.cfg.local, r.cfg.bits), Remote: r.cfg.remote,
		MTU: r.cfg.mtu, Offload: r.opt.Offload,
	}
}

// newBackend makes the backend.
func (r *runner) newBackend() (Backend, error) {
	if r.opt.Backend != nil {
		return r.opt.Backend(r.network())
	}
	return NewWeir(r.network())
}

func (r *runner) run() (err error) {
	if r.b, err = r.newBackend(); err != nil {
		return fmt.Errorf("make the stack under test: %w", err)
	}
	defer func() {
		r.res.Virtual = r.b.Now()
		if e := r.b.Close(); e != nil && err == nil {
			err = fmt.Errorf("close the stack under test: %w", e)
		}
	}()
	if err := r.trySettings(); err != nil {
		return err
	}
	for _, e := range r.events {
		if err := r.event(e); err != nil {
			return err
		}
	}
	return r.finish()
}

// event runs one event.
func (r *runner) event(e *ast.Event) error {
	r.ev = e
	if err := r.setTimes(); err != nil {
		return err
	}
	var err error
	switch {
	case e.Packet != nil && e.Packet.Direction == ast.Out:
		err = r.packetOut()
	case e.Packet != nil:
		err = r.packetIn()
	case e.Syscall != nil:
		err = r.call()
	case e.Command != nil:
		err = r.command()
	case e.Code != nil:
		err = r.runCode()
	}
	r.lastAt, r.haveLast = r.at, true
	r.lastIn = e.Packet != nil && e.Packet.Direction == ast.In
	return err
}

// setTimes works out when the event is to happen. What is relative counts from the present, that
// is from the end of the event before; but packets in count from the time of a packet in
// before them.
func (r *runner) setTimes() error {
	t := r.ev.Time
	r.base = 0
	switch t.Kind {
	case ast.TimeRelative, ast.TimeRelativeRange, ast.TimeAny, ast.TimeNone:
		r.base = r.b.Now()
		if r.lastIn && r.ev.Packet != nil && r.ev.Packet.Direction == ast.In {
			r.base = r.lastAt
		}
	default:
		if !r.haveScript && !r.haveLast && t.Start != 0 {
			return invalidf("line %d: the first event is to be at time 0", r.ev.Pos.Line)
		}
		if r.haveScript && r.haveLast && t.Start < r.lastAt && r.prevAbsolute() {
			return invalidf("line %d: time goes back from %s to %s", r.ev.Pos.Line, seconds(r.lastAt), seconds(t.Start))
		}
		r.haveScript = true
	}
	r.at, r.until = r.base+t.Start, r.base+max(t.End, t.Start)
	return nil
}

// prevAbsolute reports whether the time of the event before this one was absolute.
func (r *runner) prevAbsolute() bool {
	i := slices.Index(r.events, r.ev)
	return i > 0 && (r.events[i-1].Time.Kind == ast.TimeAbsolute || r.events[i-1].Time.Kind == ast.TimeAbsoluteRange)
}

// allowance is how much earlier or later than the script says something may happen.
func (r *runner) allowance(at, since time.Duration, have bool) time.Duration {
	d := r.cfg.tolerance
	if have {
		d = max(d, time.Duration(r.cfg.percent/100*float64(at-since)))
	}
	return d
}

// waitForEvent lets time pass to the event's.
func (r *runner) waitForEvent(what string) error {
	if err := r.passTo(r.at); err != nil {
		return err
	}
	return r.checkTime(what, r.b.Now())
}

// passTo lets time pass to an instant, and looks at the calls that return meanwhile.
func (r *runner) passTo(at time.Duration) error {
	for {
		if err := r.reap(); err != nil {
			return err
		}
		if r.b.Now() >= at {
			return nil
		}
		r.b.Wait(at, r.someReturned)
	}
}

func (r *runner) someReturned() bool {
	return slices.ContainsFunc(r.pending, func(p *pendingCall) bool { return p.p.Done })
}

// checkTime compares when the event's thing happened with when it was to.
func (r *runner) checkTime(what string, got time.Duration) error {
	if r.ev.Time.Kind == ast.TimeAny || r.ev.Time.Kind == ast.TimeNone {
		return nil
	}
	d := r.allowance(r.at, r.lastAt, r.haveLast)
	if got >= r.at-d && got <= r.until+d {
		return nil
	}
	return r.fail(fmt.Sprintf("%s at %s, not %s", what, seconds(got), r.timeText(d)), "", "")
}

// timeText is when the event was to happen.
func (r *runner) timeText(d time.Duration) string {
	if r.until > r.at {
		return fmt.Sprintf("between %s and %s (±%s)", seconds(r.at), seconds(r.until), seconds(d))
	}
	return fmt.Sprintf("at %s (±%s)", seconds(r.at), seconds(d))
}

// finish ends the script: calls that are to return later have the time for it. Packets that
// were sent and not expected are no failure then, as with packetdrill: only the next expected
// packet of a connection makes one that came before it wrong.
func (r *runner) finish() error {
	for len(r.pending) > 0 {
		p := r.pending[0]
		if err := r.passTo(p.end + r.allowance(p.end, p.begun, true)); err != nil {
			return err
		}
		if len(r.pending) > 0 && r.pending[0] == p {
			r.ev = p.ev
			return r.fail(fmt.Sprintf("%s() has not returned; it was to at %s", p.ev.Syscall.Name, seconds(p.end)), "", "")
		}
	}
	return nil
}

// command does what a command comes to.
func (r *runner) command() error {
	if r.ev.Time.Kind != ast.TimeNone {
		if err := r.waitForEvent("the command runs"); err != nil {
			return err
		}
	}
	for _, a := range r.actions[r.ev] {
		switch {
		case a.name != "":
			if err := r.b.Sysctl(a.name, a.value, false); err != nil {
				return skipf("needs %v", err)
			}
		case a.sleep > 0:
			if err := r.passTo(r.b.Now() + a.sleep); err != nil {
				return err
			}
		case a.check != nil:
			if err := r.checkFigure(a.check); err != nil {
				return err
			}
		case a.dropState != "":
			for _, c := range r.b.Connections() {
				if c.Protocol == "tcp" && c.Remote.IsValid() && (a.dropState == "*" || a.dropState == c.State) {
					r.b.Abort(c.Local, c.Remote)
				}
			}
		case a.drop[0].IsValid():
			if err := r.tcpdrop(a.drop); err != nil {
				return err
			}
		}
	}
	return nil
}

// tcpdrop aborts a connection. The script's side of it has a port that the script cannot know when the
// connection came in, so a connection under test between the two hosts will do.
func (r *runner) tcpdrop(ends [2]netip.AddrPort) error {
	if r.b.Abort(ends[0], ends[1]) {
		return nil
	}
	for _, e := range r.endpoints {
		if e.local.Addr() == ends[0].Addr() && e.remote.Addr() == ends[1].Addr() && r.b.Abort(e.local, e.remote) {
			return nil
		}
	}
	return r.fail("tcpdrop found no such connection", "", "")
}

// around is how many packets before a failure its report shows.
const around = 12

// fail makes the error of a failure at the present event.
func (r *runner) fail(message, want, got string) error {
	if r.ev.Packet != nil && r.cfg.lenientPacket || r.ev.Syscall != nil && r.cfg.lenientSyscall {
		r.res.Warnings = append(r.res.Warnings, fmt.Sprintf("line %d: %s", r.ev.Pos.Line, message))
		return nil
	}
	r.collect()
	f := &Failure{Line: r.ev.Pos.Line, Source: r.ev.String(), Message: message, Expected: want, Got: got, State: r.state()}
	for _, p := range r.passed[max(0, len(r.passed)-around):] {
		f.Around = append(f.Around, seconds(p.at)+" "+p.text)
	}
	for _, p := range r.queue[:min(len(r.queue), around)] {
		f.Around = append(f.Around, seconds(p.at)+" "+r.show(p)+" (sent, not looked at yet)")
	}
	return f
}

// state is the stack's connections.
func (r *runner) state() (lines []string) {
	for _, c := range r.b.Connections() {
		lines = append(lines, c.String())
	}
	return lines
}

// show is a packet that the stack sent, in the numbers of the connection under test where
// it is that one's.
func (r *runner) show(p *packet) string {
	e := r.test
	if e == nil || p.dst != e.remote && p.protocol != 1 {
		return p.text(ast.Out) + fmt.Sprintf(" (%v > %v)", p.src, p.dst)
	}
	return e.shown(p).text(ast.Out)
}

// noteWarning lets warnings of the same kind stand once.
func (r *runner) noteWarning(s string) {
	if !slices.Contains(r.res.Warnings, s) {
		r.res.Warnings = append(r.res.Warnings, strings.TrimSpace(s))
	}
}
