package script

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/weirnet/weir/stack/script/ast"
	"github.com/weirnet/weir/stack/tcp"
)

// Run runs a script and says what became of it. A panic of the stack is a failure of the script.
func Run(s *ast.Script, o Options) *Result {
	res := runOnce(s, o)
	if o.Profile != "" || res.Outcome != Fail || o.Backend != nil {
		return res
	}
	for _, release := range tcp.ProfileReleases(res.Profile) {
		o.Profile = release
		if old := runOnce(s, o); old.Outcome == Pass {
			return old
		}
	}
	return res
}

func runOnce(s *ast.Script, o Options) *Result {
	began := time.Now()
	res := &Result{File: s.Name, Offload: o.Offload}
	defer func() { res.Real = time.Since(began) }()
	cfg, err := configure(s, o)
	if err != nil {
		return res.end(err)
	}
	res.Profile, res.Family = cfg.profile, cfg.family
	r := &runner{cfg: cfg, opt: o, res: res, name: s.Name, relaxedPSH: o.RelaxedPSH, nextPort: firstRemotePort}
	r.events = initCommands(s, cfg)
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
		if l, ok := p.(limit); ok {
			f.Message, f.State = "the script goes beyond its bounds: "+string(l), nil
		}
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
	buffers  int64 // octets that calls had for buffers

	// The event that runs, with its times worked out.
	ev        *ast.Event
	at, until time.Duration // its time; the end of its range
	base      time.Duration // what a relative time counts from
	lastAt    time.Duration // the time of the event before
	last      *ast.Event    // that event
	lastIn    bool          // it was a packet in
	haveLast  bool

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
		if err := r.interrupted(); err != nil {
			return err
		}
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
	r.last, r.lastAt, r.haveLast = e, r.at, true
	r.lastIn = e.Packet != nil && e.Packet.Direction == ast.In
	return err
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
			if err := r.timeIn(r.b.Now(), a.sleep); err != nil {
				return err
			}
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
