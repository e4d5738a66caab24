package stack

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/tcp"
)

// settings works out the settings of TCP and of the driver that a Config asks for.
func (cfg *Config) settings(c *shard.Config) error {
	set := tcp.DefaultSettings()
	switch {
	case cfg.TCP != nil && cfg.Profile != "":
		return fmt.Errorf("new stack: Config has both TCP and Profile %q: tcp.ProfileSettings gives the settings to start from", cfg.Profile)
	case cfg.TCP != nil:
		set = *cfg.TCP
	default:
		var ok bool
		if set, ok = tcp.ProfileSettings(cfg.Profile); !ok {
			return fmt.Errorf("new stack: there is no profile %q; take %s", cfg.Profile, strings.Join(tcp.ProfileNames(), ", "))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Sysctls)) {
		if err := setSysctl(&set, c, name, cfg.Sysctls[name]); err != nil {
			return fmt.Errorf("new stack: %w", err)
		}
	}
	c.TCP = &set
	return nil
}

// setSysctl gives a setting to whom it belongs.
func setSysctl(set *tcp.Settings, c *shard.Config, name, value string) error {
	err := set.SetSysctl(name, value)
	if !errors.Is(err, tcp.ErrUnknownSysctl) {
		return err
	}
	return c.SetSysctl(name, value)
}
