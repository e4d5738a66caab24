package dns

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/weirnet/weir/apps/dns/authority"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/zone"
)

// reverse makes the reverse zones of a configuration from what its zones have. Where none has a name server to take, as when none
// is fetched yet, it is localhost.
func (s *Service) reverse(c *Config, zones []*zone.Zone) (made []authority.Content, err error) {
	if len(c.Reverse) == 0 {
		return nil, nil
	}
	o := zone.ReverseOptions{Serial: uint32(time.Now().Unix()), Before: s.zones.Zone}
	if len(zones) == 0 {
		o.MName = msg.MustName("localhost.")
		o.NS = []msg.Name{o.MName}
	}
	list, err := zone.Reverse(zones, c.Reverse, o)
	if err != nil {
		return nil, fmt.Errorf("dns: the reverse zones: %w", err)
	}
	for _, z := range list {
		own := func(have authority.ZoneConfig) bool { return have.Origin.Equal(z.Origin()) }
		if !slices.ContainsFunc(c.Zones, own) {
			made = append(made, authority.Content{ZoneConfig: authority.ZoneConfig{Origin: z.Origin()}, Zone: z})
		}
	}
	return made, nil
}

// contents are what is served of the zones of a configuration.
func (s *Service) contents(c *Config) (zones []*zone.Zone) {
	for _, z := range c.Zones {
		if have := s.zones.Zone(z.Origin); have != nil { // else it is not fetched yet
			zones = append(zones, have)
		}
	}
	return zones
}

// remakeReverse makes the reverse zones again of what is served now.
func (s *Service) remakeReverse(c *Config) error {
	list, err := s.reverse(c, s.contents(c))
	for _, r := range list {
		switch have := s.zones.Zone(r.Origin); {
		case err != nil || have == r.Zone:
		case have == nil:
			err = s.zones.Add(r.ZoneConfig, r.Zone)
		default:
			err = s.zones.Replace(r.Zone)
		}
	}
	return err
}

// reverseFollows makes the reverse zones again whenever a zone that is fetched from a master has changed, until ctx ends: once for
// all that change while it is at it.
func (s *Service) reverseFollows(ctx context.Context) {
	for {
		select {
		case <-s.followed:
		case <-ctx.Done():
			return
		}
		s.reload.Lock()
		cfg := &s.state.Load().cfg
		if err := s.remakeReverse(cfg); err != nil {
			cfg.Logger.Warn("dns: the reverse zones stay as they were", "error", err)
		}
		s.reload.Unlock()
	}
}
