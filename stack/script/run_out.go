package script

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/weirnet/weir/stack/script/ast"
	"github.com/weirnet/weir/stack/wire"
)

// lateness is how long after its time a packet is still waited for, so that the report can say
// when it came.
const lateness = 2 * time.Minute

// next returns the next packet of the endpoint that the stack sends, waiting for it to deadline, and
// passes over others'. It is nil where none came.
func (r *runner) next(e *endpoint, a *ast.Packet, deadline time.Duration) (*packet, error) {
	for {
		r.collect()
		for len(r.queue) > 0 {
			p := r.queue[0]
			r.queue = r.queue[1:]
			if e.owns(p, a) {
				return p, nil
			}
			r.pass(p.at, r.show(p)+" (not the socket's)")
		}
		if err := r.reap(); err != nil {
			return nil, err
		}
		if r.b.Now() >= deadline {
			return nil, nil
		}
		stop := func() bool { r.collect(); return len(r.queue) > 0 || r.someReturned() }
		if err := r.wait(deadline, stop); err != nil {
			return nil, err
		}
	}
}

// packetOut expects a packet of the stack.
func (r *runner) packetOut() error {
	a := r.ev.Packet
	e, err := r.endpointFor(a)
	if err != nil {
		return err
	}
	if !e.remote.IsValid() {
		r.learnLocal(e)
	}
	local := e.local
	if !local.IsValid() { // that of a connecting socket is known by its first packet
		local = netip.AddrPortFrom(r.cfg.local, 0)
	}
	want, err := fromScript(a, local, e.remote)
	if err != nil {
		return err
	}
	if a.TCP != nil && e.phase == phaseReceived && synAck(want.flags) {
		e.scriptLocal = want.seq
	}
	got, err := r.gather(&e, a, want)
	if err != nil || got == nil {
		return err
	}
	return r.judge(e, a, want, got)
}

func synAck(f wire.TCPFlags) bool { return f.Has(wire.FlagSYN | wire.FlagACK) }

// gather takes the next packet, or as many as make up the payload that is expected. It is nil
// without an error where a difference was let pass. The endpoint becomes another one where the packet
// begins another connection.
func (r *runner) gather(ep **endpoint, a *ast.Packet, want *packet) (*packet, error) {
	var list []*packet
	for have := 0; ; {
		e := *ep
		p, err := r.next(e, a, r.latest())
		if err != nil {
			return nil, err
		}
		if p == nil {
			return nil, r.missing(e, a, want, list)
		}
		if a.TCP != nil && e.phase == phaseReceived && synAck(want.flags) && p.protocol == wire.ProtoTCP {
			e.phase, e.liveLocal = phaseSynAckSent, p.seq
		}
		if n := e.reborn(want, p); n != e {
			r.endpoints, r.test = append(r.endpoints, n), n
			*ep, e = n, n
		}
		e.toScript(p)
		have += len(p.payload)
		if len(list) > 0 {
			if why := joins(list[len(list)-1], p, have >= len(want.payload)); why != "" {
				r.passAll(e, append(list, p))
				return nil, r.fail(fmt.Sprintf("the packet came in pieces that do not make one: %s", why), a.String(), r.texts(e, append(list, p)))
			}
		}
		list = append(list, p)
		if have >= len(want.payload) || r.cfg.strict || a.TCP == nil {
			break
		}
	}
	e, got := *ep, join(list)
	if len(list) > 1 && len(got.payload) > len(want.payload) {
		r.passAll(e, list)
		return nil, r.fail(fmt.Sprintf("%d octets were sent, not %d", len(got.payload), len(want.payload)), a.String(), r.texts(e, list))
	}
	return got, nil
}

// latest is when a packet must have come.
func (r *runner) latest() time.Duration {
	if r.ev.Time.Kind == ast.TimeAny {
		return r.b.Now() + r.patience(24*time.Hour)
	}
	return r.until + r.allowance(r.at, r.lastAt, r.haveLast)
}

// missing is the failure that a packet did not come.
func (r *runner) missing(e *endpoint, a *ast.Packet, want *packet, list []*packet) error {
	if r.cfg.lenientPacket {
		return r.fail("nothing was sent", "", "")
	}
	if len(list) > 0 {
		r.passAll(e, list)
		return r.fail(fmt.Sprintf("%d octets of it were not sent", len(want.payload)-len(join(list).payload)), a.String(), r.texts(e, list))
	}
	by := r.b.Now()
	state := r.state()
	r.pending = nil // what returns now is not to hide this
	later := r.patience(lateness)
	p, err := r.next(e, a, by+later)
	if err != nil {
		return err
	}
	if p == nil {
		err := r.fail(fmt.Sprintf("nothing was sent by %s, nor in the %v after", seconds(by), later), a.String(), "")
		return withState(err, state)
	}
	got := e.shown(p)
	err = r.fail(fmt.Sprintf("nothing was sent by %s; the next packet came at %s", seconds(by), seconds(p.at)), a.String(), got.text(ast.Out))
	return withState(err, state)
}

// withState puts the state at an earlier moment into a failure.
func withState(err error, state []string) error {
	if f, ok := err.(*Failure); ok {
		f.State = state
	}
	return err
}

// texts is mapped packets in the script's language.
func (r *runner) texts(e *endpoint, list []*packet) string {
	s := make([]string, len(list))
	for i, p := range list {
		s[i] = p.text(ast.Out)
	}
	return strings.Join(s, "; ")
}

func (r *runner) passAll(e *endpoint, list []*packet) {
	for _, p := range list {
		r.pass(p.at, p.text(ast.Out))
	}
}

// judge compares what was sent with what is expected.
func (r *runner) judge(e *endpoint, a *ast.Packet, want, got *packet) error {
	e.learnStamp(want, got)
	m := &matcher{script: a, want: want, got: got, e: e, rules: matchRules{
		echo: r.cfg.profile != "linux", tick: r.cfg.tick, tolerance: r.cfg.tolerance,
	}}
	diffs, psh := m.compare()
	text := got.text(ast.Out)
	r.pass(got.at, text)
	if psh && (!r.relaxedPSH || len(diffs) > 0) {
		diffs = append(diffs, fmt.Sprintf("flags %s, not %s", flagString(got.flags), flagString(want.flags)))
	} else if psh {
		r.res.RelaxedPSH++
	}
	if len(diffs) > 0 {
		return r.fail(strings.Join(diffs, "; "), a.String(), text)
	}
	return r.checkTime("the packet was sent", got.at)
}
