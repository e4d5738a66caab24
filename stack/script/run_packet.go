package script

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/weirnet/weir/stack/script/ast"
	"github.com/weirnet/weir/stack/socket"
)

// endpointFor finds the socket that a packet of the script belongs to: the one that was made last. A
// packet in for a listener makes a new one; and one for no socket at all, so that
// a script may show what a closed port answers.
func (r *runner) endpointFor(p *ast.Packet) (*endpoint, error) {
	e := r.test
	if p.TCP != nil {
		bits := p.TCP.Bits()
		if named := r.byPorts(p); named != nil {
			return named, nil
		}
		if p.Direction == ast.In && (e == nil || e.phase == phaseListening) {
			return r.passive(p.TCP), nil
		}
		syn := bits&ast.SYN != 0 && bits&ast.ACK == 0
		if p.Direction == ast.Out && syn && e != nil && e.phase == phaseConnecting {
			e.phase, e.scriptLocal = phaseSynSent, p.TCP.Seq.Start
			return e, nil
		}
	}
	if e != nil && (e.speaks(p) || namesPorts(p)) {
		return e, nil
	}
	if e == nil && (p.UDP != nil || p.ICMP != nil) {
		e = newEndpoint()
		e.protocol = socket.IPPROTO_UDP
		e.local, e.remote = netip.AddrPortFrom(r.cfg.local, r.cfg.bindPort), netip.AddrPortFrom(r.cfg.remote, r.cfg.connectPort)
		r.endpoints, r.test = append(r.endpoints, e), e
		return e, nil
	}
	return nil, invalidf("line %d: no socket of the script is one for this packet", r.ev.Pos.Line)
}

// byPorts finds the endpoint between the ports that a segment names, or makes it where the segment
// is the SYN of one more connection that comes in. It is nil where none is meant.
func (r *runner) byPorts(p *ast.Packet) *endpoint {
	ports := p.TCP.Ports
	if ports == nil || ports.Src == 0 || ports.Dst == 0 {
		return nil
	}
	local, remote := ports.Src, ports.Dst
	if p.Direction == ast.In {
		local, remote = remote, local
	}
	for _, e := range slices.Backward(r.endpoints) {
		if e.protocol == socket.IPPROTO_TCP && e.local.Port() == local && e.remote.Port() == remote {
			return e
		}
	}
	bits := p.TCP.Bits()
	if p.Direction != ast.In || bits&ast.SYN == 0 || bits&ast.ACK != 0 {
		return nil
	}
	e := r.passive(p.TCP)
	e.local, e.remote = netip.AddrPortFrom(r.cfg.local, local), netip.AddrPortFrom(r.cfg.remote, remote)
	return e
}

// passive makes the endpoint of a connection that comes in.
func (r *runner) passive(t *ast.TCP) *endpoint {
	e := newEndpoint()
	e.phase, e.protocol, e.typ = phaseReceived, socket.IPPROTO_TCP, socket.SOCK_STREAM
	e.scriptRemote, e.liveRemote = t.Seq.Start, t.Seq.Start
	e.local = netip.AddrPortFrom(r.cfg.local, r.cfg.bindPort)
	e.remote = netip.AddrPortFrom(r.cfg.remote, r.nextPort)
	if r.nextPort++; r.nextPort == 0 {
		r.nextPort = firstRemotePort
	}
	r.endpoints, r.test = append(r.endpoints, e), e
	return e
}

// packetIn gives the stack a packet of the script.
func (r *runner) packetIn() error {
	a := r.ev.Packet
	e, err := r.endpointFor(a)
	if err != nil {
		return err
	}
	if err := r.waitForEvent("the packet goes in"); err != nil {
		return err
	}
	r.learnLocal(e)
	p, err := fromScript(a, e.remote, e.local)
	if err != nil {
		return err
	}
	if a.TCP != nil {
		switch bits := a.TCP.Bits(); {
		case bits&(ast.SYN|ast.ACK) == ast.SYN:
			e.lastSYN, e.haveSYN = a.TCP.Seq.Start, true
		case e.phase == phaseSynAckSent && bits&ast.ACK != 0:
			e.phase = phaseSynAckAcked
		case e.phase == phaseSynSent && bits&ast.SYN != 0 && bits&ast.ACK != 0:
			e.phase = phaseSynAcked
			e.scriptRemote, e.liveRemote = a.TCP.Seq.Start, a.TCP.Seq.Start
		}
	}
	if err := e.toLive(p, a, func(v uint32) (uint32, error) { return r.liveEcho(e, v) }); err != nil {
		return err
	}
	r.pass(r.b.Now(), a.String())
	if err := r.b.Inject(p.encode(), r.cfg.mss); err != nil {
		return fmt.Errorf("give the stack a packet: %w", err)
	}
	return r.reap()
}

// liveEcho maps the echo of a timestamp: it must be one that the stack has sent.
func (r *runner) liveEcho(e *endpoint, script uint32) (uint32, error) {
	if live, ok := e.stamps[script]; ok {
		return live, nil
	}
	if e.haveStamp && (r.cfg.stampsScaled || kernel(r.cfg.profile) == "freebsd") {
		return e.firstStamp + (script - e.firstScript), nil
	}
	return 0, r.fail(fmt.Sprintf("ecr %d echoes no timestamp that was sent before", script), "", "")
}

// learnLocal asks for the stack's end of a socket that is not known from a packet.
func (r *runner) learnLocal(e *endpoint) {
	if e.remote.Port() == 0 && e.protocol != socket.IPPROTO_ICMP && e.protocol != socket.IPPROTO_ICMPV6 {
		e.remote = netip.AddrPortFrom(r.cfg.remote, r.cfg.connectPort)
	}
	if e.local.IsValid() && e.local.Port() != 0 {
		return
	}
	port := r.cfg.bindPort
	if e.liveFD >= 0 {
		if sa, err := r.b.Calls().Getsockname(e.liveFD); err == nil && sa.Port != 0 {
			port = uint16(sa.Port)
		}
	}
	e.local = netip.AddrPortFrom(r.cfg.local, port)
	if !e.remote.IsValid() {
		e.remote = netip.AddrPortFrom(r.cfg.remote, 0)
	}
}

// pass notes a packet for the report of a failure.
func (r *runner) pass(at time.Duration, text string) {
	r.passed = append(r.passed, passage{at, text})
	if len(r.passed) > 4*around {
		r.passed = append(r.passed[:0], r.passed[len(r.passed)-around:]...)
	}
}

// collect takes what the stack has sent into the queue, super-segments as the segments that the
// device would make of them.
func (r *runner) collect() {
	for {
		c, ok := r.b.Sent()
		if !ok {
			return
		}
		p, err := decode(c)
		if err != nil {
			r.pass(c.At, fmt.Sprintf("> (%v: %x)", err, c.Packet[:min(len(c.Packet), 64)]))
			continue
		}
		if r.cfg.strict {
			r.queue = append(r.queue, p)
		} else {
			r.queue = append(r.queue, p.cut()...)
		}
	}
}
