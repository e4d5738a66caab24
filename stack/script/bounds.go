package script

import (
	"fmt"
	"time"
)

// The bounds of a script: what goes beyond is said in one line, and neither time nor memory is
// taken without end.
const (
	// maxTime is where a script's time ends; the clock has more, but not without end.
	maxTime = 100 * 365 * 24 * time.Hour
	// maxPending is how many calls may be blocked at once.
	maxPending = 1000
	// maxEvents is how many events one epoll_wait() may ask for.
	maxEvents = 1 << 12
	// maxUnread and maxUnreadOctets bound the packets that were sent and that the script has not looked at.
	maxUnread       = 1 << 16
	maxUnreadOctets = 1 << 26
	// maxBuffer is how many octets a script may make us allocate by one number, and maxBuffers by all of them: a
	// blocked call keeps its buffer, and to clear so many octets takes longer than what the call does with them.
	maxBuffer, maxBuffers = 1 << 25, 1 << 27
	// maxTimers is how often something may be due by itself in all: three days of a connection that looks four times a
	// second whether it is at rest.
	maxTimers = 1 << 20
)

// limit is the panic of a backend that a script has driven beyond its bounds. It is no bug of
// the stack, but the script's failure.
type limit string

// timeIn checks an instant of the script, made of a sum that may have run over.
func (r *runner) timeIn(base, add time.Duration) error {
	if add > maxTime || base+add > maxTime {
		return invalidf("line %d: time goes beyond %d years", r.ev.Pos.Line, maxTime/(365*24*time.Hour))
	}
	return nil
}

// bounded panics where the packets that nobody has looked at are too many.
func (d *wireTap) bounded() {
	if d != nil && (len(d.sent) > maxUnread || d.octets > maxUnreadOctets) {
		panic(limit(fmt.Sprintf("%d packets of %d octets were sent that the script has not looked at", len(d.sent), d.octets)))
	}
}
