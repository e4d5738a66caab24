package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/tcp/cc"
	"github.com/weirnet/weir/stack/tcp/rtt"
)

// Profile is a stack that TCP can behave like.
type Profile uint8

// The profiles.
const (
	ProfileWeir Profile = iota
	ProfileLinux
	ProfileFreeBSD

	profiles
)

var profileNames = [profiles]string{"weir", "linux", "freebsd"}

// String returns the profile's name, or "unknown".
func (p Profile) String() string {
	if p < profiles {
		return profileNames[p]
	}
	return "unknown"
}

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
	case "freebsd-13":
		return FreeBSD13Settings(), true
	case "freebsd-12":
		return FreeBSD12Settings(), true
	}
	return Settings{}, false
}

// ProfileReleases returns the names of a profile's older releases, the youngest first: what was once
// written against such a kernel may hold for that alone.
func ProfileReleases(name string) []string {
	if name == "freebsd" {
		return []string{"freebsd-13", "freebsd-12"}
	}
	return nil
}

// ProfileNames returns the names that ProfileSettings knows.
func ProfileNames() []string { return append([]string(nil), profileNames[:]...) }

// LinuxSettings returns settings with which TCP behaves as that of a present-day Linux kernel with
// its defaults.
func LinuxSettings() Settings {
	s := DefaultSettings()
	s.Profile = ProfileLinux
	s.SynRetries, s.SynLinear = 6, 4
	s.ProbeBehindWindow = true
	s.PersistMax = 120 * time.Second
	s.UrgentInline = false
	s.TolerateNoTimestamp = true
	s.ChallengeAckPerSecond = -1
	s.DropSynFin = true
	s.SoftwareGSO = true
	s.ReceiveSizes = [3]int{4096, 131072, 6 << 20}
	s.SendSizes = [3]int{4096, 16384, 4 << 20}
	s.KeepPackets, s.FinEndsSACK, s.DeferDivisor = true, true, 3
	recoverAsLinux(&s)
	return s
}

// FreeBSDSettings returns settings with which TCP behaves as that of a present-day FreeBSD kernel
// with its defaults.
func FreeBSDSettings() Settings {
	s := DefaultSettings()
	s.Profile = ProfileFreeBSD
	s.RTO = rtt.Limits{
		Initial:     time.Second,
		Min:         30 * time.Millisecond,
		Floor:       true,
		Slop:        200 * time.Millisecond,
		Max:         64 * time.Second,
		Granularity: time.Millisecond,
	}
	s.QuickAcks = 0
	s.SynRetries, s.SynAckRetries = 12, 3
	s.SynTimeout = 75 * time.Second
	s.Retries, s.OrphanRetries = 12, 12
	s.KeepCount = 8
	s.AlwaysKeepAlive = true
	s.PersistMin, s.PersistMax = 5*time.Second, 60*time.Second
	s.UrgentInline = false
	s.ChallengeAckPerSecond = -1
	s.ChallengeAcksPerConn = 5
	s.InvalidAckInterval = 0
	s.KeepUnread = true
	s.ReceiveSizes = [3]int{65536, 65536, 2 << 20}
	s.SendSizes = [3]int{32768, 32768, 2 << 20}
	s.PipeBySACK = true
	s.TimeOneSegment, s.SlowStartAtThreshold = true, true
	s.ReceiveCeiling = 2 << 20
	s.BSDErrors, s.AnnouncePathMTU = true, true
	s.MinMSS = 216
	s.DefaultMSS6 = 1220
	s.TimeWaitReuse = 0
	recoverAsFreeBSD(&s)
	return s
}

// FreeBSD13Settings returns settings with which TCP behaves as that of FreeBSD 13 (2021) with its
// defaults: before CUBIC.
func FreeBSD13Settings() Settings {
	s := FreeBSDSettings()
	s.DelAckTimeout = 100 * time.Millisecond
	s.TolerateNoTimestamp, s.TimeWaitAnySYN = true, true
	s.CC, s.HyStart, s.DSACK = cc.Reno, cc.HyStartOff, false
	return s
}

// FreeBSD12Settings returns settings with which TCP behaves as that of FreeBSD 12 (2018) with its
// defaults: before it followed RFC 6298's initial timeout and RFC 6937.
func FreeBSD12Settings() Settings {
	s := FreeBSD13Settings()
	s.RTO.Initial = 3 * time.Second
	s.SynLinear, s.SynRetries = 4, 8
	s.PipeBySACK = false
	s.TruncatedWindow, s.TimeWaitLastWindow, s.CrossedSynOffers = true, true, true
	s.PRR, s.RecoverByHoles, s.CWRAnywhere = false, true, true
	return s
}
