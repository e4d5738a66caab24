package authority

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/apps/dns/tsig"
	"github.com/weirnet/weir/apps/dns/zone"
)

// Content is a zone as Assign takes it: how it is served, and what it has. Zone is nil for one that is fetched from masters.
type Content struct {
	ZoneConfig
	Zone *zone.Zone
}

// check says why the zone cannot be served.
func (c Content) check() error {
	switch {
	case !c.Origin.Valid():
		return fmt.Errorf("a zone has no name")
	case c.Zone == nil && len(c.Masters) == 0:
		return fmt.Errorf("zone %v has neither content nor masters to have it from", c.Origin)
	case c.Zone != nil && !c.Zone.Origin().Equal(c.Origin):
		return fmt.Errorf("zone %v is given the content of %v", c.Origin, c.Zone.Origin())
	}
	return nil
}

// Assign has the set serve those zones and no others from now on, with those keys and next in the place of Config's: each query is
// answered by what was there before or by what is there now. A zone that was there before keeps its content until another one is
// there, and its journal, so that secondaries have the changes; one whose configuration is the same goes on undisturbed. Contents whose
// serial numbers keep secondaries from them are served, and Config.Logger is told. On an error nothing has changed.
func (s *Set) Assign(list []Content, keys tsig.Ring, next server.Handler) error {
	seen := map[msg.Name]bool{}
	for _, c := range list {
		if err := c.check(); err != nil {
			return err
		}
		if folded := c.Origin.Fold(); seen[folded] {
			return fmt.Errorf("zone %v is there twice", c.Origin)
		} else {
			seen[folded] = true
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ix := s.index.Load(), newIndex(keys, next)
	var begin []*served
	for _, c := range list {
		folded := c.Origin.Fold()
		v := old.zones[folded]
		if v == nil || !reflect.DeepEqual(v.cfg, c.ZoneConfig) {
			v = s.succeed(v, c)
			begin = append(begin, v)
		}
		ix.zones[folded] = v
	}
	s.put(ix)
	for folded, v := range old.zones {
		if ix.zones[folded] != v {
			v.stop()
		}
	}
	s.renewAll(list, ix)
	if s.running != nil {
		for _, v := range begin {
			s.start(v)
		}
	}
	return nil
}

// succeed returns a zone of another configuration that begins with what the one before it has; with what it is given where there is none.
func (s *Set) succeed(old *served, c Content) *served {
	v := s.newServed(c.ZoneConfig)
	if old == nil {
		v.current.Store(&version{zone: c.Zone})
		return v
	}
	old.mu.Lock() // its work may be at its end only
	defer old.mu.Unlock()
	v.journal.list, v.journal.size = slices.Clone(old.journal.list), old.journal.size
	v.current.Store(old.current.Load())
	v.good = old.good // or a secondary that is configured again and again would never give its zone up
	return v
}

// renewAll gives the zones their contents.
func (s *Set) renewAll(list []Content, ix *index) {
	for _, c := range list {
		if c.Zone == nil {
			continue
		}
		if v := ix.zones[c.Origin.Fold()]; v.current.Load().zone != c.Zone {
			if err := s.renew(v, c.Zone); err != nil {
				s.cfg.Logger.Warn("dns: a zone was read again", "error", err)
			}
		}
	}
}
