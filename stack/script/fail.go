package script

import (
	"fmt"

	"github.com/weirnet/weir/stack/script/ast"
)

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
