package serve

import "sync/atomic"

// Counters count what a service took, answered and refused. They may be read at
// any time.
type Counters struct {
	Accepted       atomic.Uint64 // connections accepted
	Datagrams      atomic.Uint64 // datagrams received
	Answered       atomic.Uint64 // answers sent
	AnswersLost    atomic.Uint64 // answers that the network would not take
	RefusedService atomic.Uint64 // datagrams refused as RefusedService
	RefusedSource  atomic.Uint64 // datagrams refused as RefusedSource
}

// Each calls f with the name and value of each counter, in the order of the names.
func (c *Counters) Each(f func(name string, value uint64)) {
	f("tcp.accepted", c.Accepted.Load())
	f("udp.answered", c.Answered.Load())
	f("udp.drop.answer", c.AnswersLost.Load())
	f("udp.drop.service", c.RefusedService.Load())
	f("udp.drop.source", c.RefusedSource.Load())
	f("udp.received", c.Datagrams.Load())
}
