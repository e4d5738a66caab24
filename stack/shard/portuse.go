package shard

import "sync/atomic"

// portUse counts, for each port, the TCP connections and TIME-WAIT records on it, so that
// who binds a port need not look through all connections to learn that there is none. The
// counts come in pages that are made when they are first needed.
type portUse struct {
	pages [256]atomic.Pointer[[256]atomic.Int32]
}

// add counts n more on the port.
func (u *portUse) add(port uint16, n int32) {
	p := &u.pages[port>>8]
	page := p.Load()
	if page == nil {
		p.CompareAndSwap(nil, new([256]atomic.Int32))
		page = p.Load()
	}
	page[port&255].Add(n)
}

// used reports whether anything is on the port.
func (u *portUse) used(port uint16) bool {
	page := u.pages[port>>8].Load()
	return page != nil && page[port&255].Load() > 0
}
