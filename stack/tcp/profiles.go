package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/tcp/rtt"
)

// ProfileSettings returns the settings that make TCP behave as a known stack does: "weir" (or "",
// DefaultSettings), "linux" or "freebsd". It reports false for any other name.
func ProfileSettings(name string) (Settings, bool) {
	switch name {
	case "", "weir":
		return DefaultSettings(), true
	case "linux":
		return LinuxSettings(), true
	case "freebsd":
		return FreeBSDSettings(), true
	}
	return Settings{}, false
}

// ProfileNames returns the names that ProfileSettings knows.
func ProfileNames() []string { return []string{"weir", "linux", "freebsd"} }

// LinuxSettings returns settings with which TCP behaves as that of a present-day Linux kernel with
// its defaults.
func LinuxSettings() Settings {
	s := DefaultSettings()
	s.SynRetries = 6
	s.ProbeBehindWindow = true
	s.PersistMax = 120 * time.Second
	s.UrgentInline = false
	return s
}

// FreeBSDSettings returns settings with which TCP behaves as that of a present-day FreeBSD kernel
// with its defaults.
func FreeBSDSettings() Settings {
	s := DefaultSettings()
	s.RTO = rtt.Limits{
		Initial:     time.Second,
		Min:         30 * time.Millisecond,
		Max:         64 * time.Second,
		Granularity: time.Millisecond,
	}
	s.QuickAcks = 0
	s.SynRetries, s.SynAckRetries = 12, 3
	s.Retries, s.OrphanRetries = 12, 12
	s.KeepCount = 8
	s.PersistMax = 60 * time.Second
	s.UrgentInline = false
	s.ChallengeAckPerSecond = 5
	s.InvalidAckInterval = 0
	return s
}
