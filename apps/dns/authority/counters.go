package authority

import "sync/atomic"

type counters struct {
	hits, misses, refused, expired, badSig                         atomic.Uint64
	transfers, incremental                                         atomic.Uint64
	transfersRefused, transfersBusy, transfersBroken               atomic.Uint64
	notifySent, notifyAcked, notifyFailed, notifyIn, notifyRefused atomic.Uint64
	refreshed, refreshFailed, fetched, fetchFailed                 atomic.Uint64
	fetchedChanges, changesFailed                                  atomic.Uint64 // by IXFR; those that were fetched whole instead
}

// Each calls f with the name and value of each counter, in the order of the names.
func (s *Set) Each(f func(name string, value uint64)) {
	c := &s.counters
	f("authority.cache.hit", c.hits.Load())
	f("authority.cache.miss", c.misses.Load())
	f("authority.cache.octets", uint64(max(0, s.cache.octets.Load())))
	f("authority.notify.acknowledged", c.notifyAcked.Load())
	f("authority.notify.failed", c.notifyFailed.Load())
	f("authority.notify.received", c.notifyIn.Load())
	f("authority.notify.refused", c.notifyRefused.Load())
	f("authority.notify.sent", c.notifySent.Load())
	f("authority.refused", c.refused.Load())
	f("authority.secondary.fetch.failed", c.fetchFailed.Load())
	f("authority.secondary.fetched", c.fetched.Load())
	f("authority.secondary.fetched.incremental", c.fetchedChanges.Load())
	f("authority.secondary.incremental.failed", c.changesFailed.Load())
	f("authority.secondary.refresh.failed", c.refreshFailed.Load())
	f("authority.secondary.refreshed", c.refreshed.Load())
	f("authority.servfail.expired", c.expired.Load())
	f("authority.transfer", c.transfers.Load())
	f("authority.transfer.broken", c.transfersBroken.Load())
	f("authority.transfer.busy", c.transfersBusy.Load())
	f("authority.transfer.incremental", c.incremental.Load())
	f("authority.transfer.refused", c.transfersRefused.Load())
	f("authority.tsig.refused", c.badSig.Load())
}
