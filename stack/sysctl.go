package stack

import (
	"errors"
	"fmt"
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
	for _, name := range sortedNames(cfg.Sysctls) {
		if err := setSysctl(&set, c, name, cfg.Sysctls[name]); err != nil {
			return fmt.Errorf("new stack: %w", err)
		}
	}
	c.TCP = &set
	return nil
}

// sortedNames returns the keys in order, so that of several mistakes the same one is told each time. They are
// few, and what sorts many is no small part of a small program.
func sortedNames(m map[string]string) (names []string) {
	for name := range m {
		names = append(names, name)
		for i := len(names) - 1; i > 0 && names[i-1] > name; i-- {
			names[i-1], names[i] = names[i], names[i-1]
		}
	}
	return names
}

// setSysctl gives a setting to whom it belongs.
func setSysctl(set *tcp.Settings, c *shard.Config, name, value string) error {
	err := set.SetSysctl(name, value)
	if !errors.Is(err, tcp.ErrUnknownSysctl) {
		return err
	}
	return c.SetSysctl(name, value)
}
