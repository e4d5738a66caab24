package authority

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/apps/dns/tsig"
	"github.com/weirnet/weir/apps/dns/zone"
)

// Set is zones, and the handler that answers from them. It is safe for use by several goroutines.
type Set struct {
	cfg       Config // but for Keys and Next, which the index has
	index     atomic.Pointer[index]
	cache     *answers
	transfers chan struct{}
	scratches sync.Pool
	counters  counters

	mu      sync.Mutex // of what changes the set
	running context.Context
	work    sync.WaitGroup
}

// index is the zones by name, and what else a query is answered by that may be another one day. It is replaced, never changed.
type index struct {
	zones  map[msg.Name]*served // by folded name
	root   *served
	keys   tsig.Ring
	next   server.Handler // Config.Next
	direct server.Direct  // and again, where it is one
}

func newIndex(keys tsig.Ring, next server.Handler) *index {
	ix := &index{zones: map[msg.Name]*served{}, keys: keys, next: next}
	if keys == nil {
		ix.keys = tsig.Keys()
	}
	ix.direct, _ = next.(server.Direct)
	return ix
}

// served is a zone as it is served.
type served struct {
	cfg     ZoneConfig
	folded  msg.Name
	current atomic.Pointer[version]
	changed chan struct{} // a new version is there
	poke    chan struct{} // a master says that it has one
	stop    context.CancelFunc

	mu      sync.Mutex // of changes
	journal journal
	good    time.Time // when a master last told that the zone is as it is here
}

// version is a zone's content at one time. There is a new one for each change, which is how old answers are known.
type version struct {
	zone *zone.Zone // nil while a secondary has nothing, or nothing any more
	last *zone.Zone // what it had when it expired
}

var (
	_ server.Handler = (*Set)(nil)
	_ server.Direct  = (*Set)(nil)
)

// New returns an empty set.
func New(cfg Config) *Set {
	s := &Set{cfg: cfg.withDefaults()}
	s.transfers = make(chan struct{}, s.cfg.MaxTransfers)
	s.index.Store(newIndex(s.cfg.Keys, s.cfg.Next))
	s.cache = newAnswers(s.cfg.CacheSlots, s.cfg.CacheOctets)
	s.scratches.New = func() any { return new(scratch) }
	return s
}

// Add adds a zone with its content, which is nil for one that is to be fetched from masters. One of that name that is
// there is replaced.
func (s *Set) Add(cfg ZoneConfig, z *zone.Zone) error {
	if err := (Content{cfg, z}).check(); err != nil {
		return err
	}
	v := s.newServed(cfg)
	v.current.Store(&version{zone: z})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.change(func(zones map[msg.Name]*served) {
		if old := zones[v.folded]; old != nil {
			old.stop()
		}
		zones[v.folded] = v
	})
	if s.running != nil {
		s.start(v)
	}
	return nil
}

func (s *Set) newServed(cfg ZoneConfig) *served {
	return &served{cfg: cfg, folded: cfg.Origin.Fold(), changed: make(chan struct{}, 1), poke: make(chan struct{}, 1), stop: func() {},
		journal: journal{diffs: s.cfg.JournalDiffs, octets: s.cfg.JournalOctets}}
}

// Load adds a zone from its master file, unless zone.Check finds errors in it.
func (s *Set) Load(cfg ZoneConfig) error {
	z, err := zone.LoadVerified(cfg.File, cfg.Origin, s.cfg.Read)
	if err != nil {
		return err
	}
	return s.Add(cfg, z)
}

// Remove takes a zone away and reports whether it was there.
func (s *Set) Remove(origin msg.Name) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.index.Load().zones[origin.Fold()]
	if v != nil {
		v.stop()
		s.change(func(zones map[msg.Name]*served) { delete(zones, v.folded) })
	}
	return v != nil
}

// change puts a new index in place that differs in what f does to the zones.
func (s *Set) change(f func(map[msg.Name]*served)) {
	old := s.index.Load()
	ix := newIndex(old.keys, old.next)
	maps.Copy(ix.zones, old.zones)
	f(ix.zones)
	s.put(ix)
}

// put puts a new index in place.
func (s *Set) put(ix *index) {
	ix.root = ix.zones[msg.Root]
	s.index.Store(ix)
	s.cache.sweep(ix)
}

// find returns the zone that a question is for: the longest that the name is in, and for DS at a zone's own name the
// one above, if it is here too (RFC 4035 §3.1.4.1). The name is folded.
func (ix *index) find(name []byte, t msg.Type) *served {
	for at := 0; at < len(name) && name[at] != 0; at += 1 + int(name[at]) {
		v, ok := ix.zones[msg.Name(name[at:])]
		if !ok {
			continue
		}
		if at == 0 && t == msg.TypeDS {
			if up := ix.find(name[1+int(name[0]):], 0); up != nil {
				return up
			}
		}
		return v
	}
	return ix.root
}

// Responsible reports whether a zone here answers questions for the name and type.
func (s *Set) Responsible(name msg.Name, t msg.Type) bool {
	return s.index.Load().find([]byte(name.Fold()), t) != nil
}

// Zone returns the content of the zone of exactly that name, nil where there is none.
func (s *Set) Zone(origin msg.Name) *zone.Zone {
	if v := s.index.Load().zones[origin.Fold()]; v != nil {
		return v.current.Load().zone
	}
	return nil
}

// Zones returns the names of the zones.
func (s *Set) Zones() (names []msg.Name) {
	for _, v := range s.index.Load().zones {
		names = append(names, v.cfg.Origin)
	}
	return names
}

// Replace puts a new version of a zone in the place of the one that is served. Queries are answered from the one or
// the other, none is lost. What changed goes into the zone's journal, and its secondaries are told.
func (s *Set) Replace(z *zone.Zone) error {
	s.mu.Lock() // or Assign may have another begin with the version before
	defer s.mu.Unlock()
	v := s.index.Load().zones[z.Origin().Fold()]
	if v == nil {
		return fmt.Errorf("zone %v is not served here", z.Origin())
	}
	s.replace(v, z)
	return nil
}

func (s *Set) replace(v *served, z *zone.Zone) {
	v.mu.Lock()
	defer v.mu.Unlock()
	old := v.current.Load()
	before := old.zone
	if before == nil {
		before = old.last
	}
	if before != nil {
		v.journal.note(before, z)
	}
	v.current.Store(&version{zone: z})
	s.cache.sweep(s.index.Load())
	if before == nil || before.Serial() != z.Serial() {
		wake(v.changed)
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Reload reads a zone's master file again. Where that cannot be read, or zone.Check finds errors in it, the zone stays as it is
// and the error says why. A content that changed under the same serial number is served, and the error says that
// no secondary will notice.
func (s *Set) Reload(origin msg.Name) error {
	v := s.index.Load().zones[origin.Fold()]
	switch {
	case v == nil:
		return fmt.Errorf("zone %v is not served here", origin)
	case v.cfg.File == "":
		return fmt.Errorf("zone %v was not read from a file", origin)
	}
	z, err := zone.LoadVerified(v.cfg.File, v.cfg.Origin, s.cfg.Read)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.index.Load().zones[origin.Fold()]
	if now == nil || now.cfg.File != v.cfg.File {
		return fmt.Errorf("zone %v is gone, or has another file, since %s was read", origin, v.cfg.File)
	}
	return s.renew(now, z)
}

// renew puts what was read again in the place of what is served. The error is a *SerialError.
func (s *Set) renew(v *served, z *zone.Zone) error {
	old := v.current.Load().zone
	if old != nil && old.Serial() == z.Serial() {
		d, same := zone.Compare(old, z, 2)
		if same && len(d.Deleted) == 1 && len(d.Added) == 1 && d.Deleted[0] == d.Added[0] {
			return nil
		}
		s.replace(v, z)
		return &SerialError{fmt.Sprintf("%s: zone %v has changed, but its serial number is still %d: raise it, or its secondaries keep the old content", v.source(), z.Origin(), z.Serial())}
	}
	s.replace(v, z)
	if old != nil && !Newer(z.Serial(), old.Serial()) {
		return &SerialError{fmt.Sprintf("%s: the serial number of zone %v went back from %d to %d: secondaries keep the old content (RFC 1982)", v.source(), z.Origin(), old.Serial(), z.Serial())}
	}
	return nil
}

// source says where the zone's content is from.
func (v *served) source() string { return cmp.Or(v.cfg.File, "its new content") }

// SerialError says that a zone was read again and is served with its new content, and that its serial number will keep
// secondaries from it.
type SerialError struct{ text string }

func (e *SerialError) Error() string { return e.text }

// Newer reports whether a serial number comes after another (RFC 1982 §3.2).
func Newer(a, b uint32) bool { return a != b && int32(a-b) > 0 }

// seed makes where an answer lies in the cache unknown to those who ask.
var seed = maphash.MakeSeed()
