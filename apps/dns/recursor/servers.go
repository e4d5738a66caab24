package recursor

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// table is what is known of servers by their addresses, bounded. Estimates of round trips are made as RFC 6298 §2
// makes them.
type table struct {
	mu   sync.Mutex
	info map[netip.Addr]*serverInfo
	lame map[lameKey]time.Time // until when a server is not asked for a zone
	max  int
}

type serverInfo struct {
	srtt, rttvar time.Duration
	timeouts     int       // in a row, each of a query that was sent after the one before had run out
	silent       time.Time // when the last of them ran out
	dead         time.Time // not asked until then, while others can be
	used         time.Time
}

type lameKey struct {
	zone msg.Name // in lower case
	addr netip.Addr
}

const (
	unknownRTO = 400 * time.Millisecond
	leastRTO   = 100 * time.Millisecond
	deadAfter  = 3 // timeouts in a row
	deadFor    = 60 * time.Second
	lameFor    = 15 * time.Minute // by configuration: REFUSED, not its zone
	sickFor    = time.Minute      // SERVFAIL
	infoFor    = 15 * time.Minute // an estimate is forgotten, so that a server that was slow has another chance
)

func newTable(max int) *table {
	return &table{info: map[netip.Addr]*serverInfo{}, lame: map[lameKey]time.Time{}, max: max}
}

// at returns the entry of a server, made if need be. The lock is held.
func (t *table) at(a netip.Addr, now time.Time) *serverInfo {
	s := t.info[a]
	if s != nil && now.Sub(s.used) > infoFor {
		*s = serverInfo{}
	}
	if s == nil {
		for other := range t.info {
			if len(t.info) < t.max {
				break
			}
			delete(t.info, other)
		}
		s = &serverInfo{}
		t.info[a] = s
	}
	s.used = now
	return s
}

// answered notes the round trip of an answer.
func (t *table) answered(a netip.Addr, rtt time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.at(a, time.Now())
	s.timeouts, s.dead = 0, time.Time{}
	if s.srtt == 0 {
		s.srtt, s.rttvar = max(rtt, 1), rtt/2
		return
	}
	s.rttvar += ((s.srtt - rtt).Abs() - s.rttvar) / 4
	s.srtt += (rtt - s.srtt) / 8
	s.srtt = max(s.srtt, 1)
}

// silent notes that a server has not answered a query of the time begun. Queries that were under way together
// tell of one silence: a moment's, in which a busy server is asked much, does not make it a dead one.
func (t *table) silent(a netip.Addr, begun time.Time) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.at(a, now)
	s.srtt = max(s.srtt, now.Sub(begun)) // others first
	if s.timeouts > 0 && begun.Before(s.silent) {
		return
	}
	s.silent = now
	if s.timeouts++; s.timeouts >= deadAfter {
		s.dead = now.Add(deadFor)
	}
}

// unreachable notes that the network has no way to a server, or that nobody listens there.
func (t *table) unreachable(a netip.Addr) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.at(a, now)
	s.timeouts = deadAfter
	s.dead = now.Add(deadFor)
}

// setLame notes that a server is of no use for a zone.
func (t *table) setLame(zone msg.Name, a netip.Addr, d time.Duration) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	for k, until := range t.lame {
		if len(t.lame) < t.max && now.Before(until) {
			break
		}
		delete(t.lame, k)
	}
	t.lame[lameKey{zone, a}] = now.Add(d)
}

// rate says whether a server is worth asking for a zone, how long to wait for it, and what it is expected to cost. A
// server that is not known yet costs little, so that all are tried; one that was slow costs
// ever less, as time goes by.
func (t *table) rate(zone msg.Name, a netip.Addr) (lame, dead bool, rto, cost time.Duration) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	lame = now.Before(t.lame[lameKey{zone, a}])
	s := t.info[a]
	if s == nil || s.srtt == 0 && s.timeouts == 0 || now.Sub(s.used) > infoFor {
		return lame, false, unknownRTO, time.Duration(rand.Int64N(int64(10 * time.Millisecond)))
	}
	rto = max(leastRTO, s.srtt+4*s.rttvar)
	if s.timeouts > 0 {
		rto = max(rto, unknownRTO)
	}
	cost = s.srtt - s.srtt*min(now.Sub(s.used), infoFor)/infoFor
	return lame, now.Before(s.dead), rto, cost
}
