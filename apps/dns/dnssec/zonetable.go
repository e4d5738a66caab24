package dnssec

import (
	"sync"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// zoneState is what is known of a name: what it is as a zone.
type zoneState struct {
	status Status
	keys   []publicKey // when status is Secure
	noCut  bool        // the name is no zone cut: it belongs to the zone above, which is secure
	absent bool        // the name does not exist, and with it nothing below
	ede    msg.EDE
	err    error
	until  time.Time
}

// zoneTable remembers states, as many as max.
type zoneTable struct {
	mu  sync.Mutex
	max int
	m   map[msg.Name]*zoneState
}

func (t *zoneTable) get(name msg.Name, now time.Time) (*zoneState, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	z, ok := t.m[name]
	if ok && !now.Before(z.until) {
		delete(t.m, name)
		return nil, false
	}
	return z, ok
}

// put remembers z. When the table is full some others are forgotten: those whose time is over
// among a few, or any of them.
func (t *zoneTable) put(name msg.Name, z *zoneState, now time.Time) {
	if !now.Before(z.until) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m == nil {
		t.m = make(map[msg.Name]*zoneState)
	}
	if _, known := t.m[name]; !known && len(t.m) >= t.max {
		t.evict(now)
	}
	t.m[name] = z
}

func (t *zoneTable) evict(now time.Time) {
	const few = 16
	seen := 0
	var victim msg.Name
	for name, z := range t.m { // in random order
		if !now.Before(z.until) {
			victim = name
			break
		}
		// Names with few labels are on the way to many others.
		if victim == "" || name.Labels() > victim.Labels() {
			victim = name
		}
		if seen++; seen >= few {
			break
		}
	}
	delete(t.m, victim)
}

// Flush forgets what was learnt of zone and of all below it.
func (v *Validator) Flush(zone msg.Name) {
	v.zones.mu.Lock()
	defer v.zones.mu.Unlock()
	for name := range v.zones.m {
		if name.Under(zone) {
			delete(v.zones.m, name)
		}
	}
}
