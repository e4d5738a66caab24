package dnssec

import "time"

// Limits bounds the work of one call of Validate. A zero is the default.
type Limits struct {
	KeysPerTag  int // keys of one tag and algorithm that are tried: 4
	SigsPerSet  int // signatures of one set that are tried: 8
	Checks      int // signatures that are checked for one answer: 128
	FailedCheck int // of these, that fail: 16
	Keys        int // of a zone: 64
	DS          int // that are compared: 32
	Fetches     int // questions to the Source: 64
	Hashes      int // NSEC3 hashes: 128
	Iterations  int // of NSEC3, beyond which a zone counts as insecure (RFC 9276 section 3.2): 100
	Zones       int // zones that are remembered: 10,000
	// MaxTTL bounds how long a zone's state is remembered: a day. BogusTTL is how long it is that
	// a zone's keys are bogus: 30 s.
	MaxTTL, BogusTTL time.Duration
}

func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		v   *int
		def int
	}{
		{&l.KeysPerTag, 4}, {&l.SigsPerSet, 8}, {&l.Checks, 128}, {&l.FailedCheck, 16}, {&l.Keys, 64}, {&l.DS, 32},
		{&l.Fetches, 64}, {&l.Hashes, 128}, {&l.Iterations, 100}, {&l.Zones, 10000},
	} {
		if *d.v <= 0 {
			*d.v = d.def
		}
	}
	if l.MaxTTL <= 0 {
		l.MaxTTL = 24 * time.Hour
	}
	if l.BogusTTL <= 0 {
		l.BogusTTL = 30 * time.Second
	}
	return l
}
