package main

import (
	"fmt"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/zone"
)

// readRecords reads the records of a file such as a list of hints or of trust anchors, which is to hold
// those types and no others.
func readRecords(flag, path string, want ...msg.Type) (rrs []msg.RR, err error) {
	rd, err := zone.OpenFile(path, msg.Root, zone.ReadOptions{MaxOctets: 1 << 20, MaxRecords: 10000})
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	defer rd.Close()
	for {
		rr, ok := rd.Next()
		if !ok {
			break
		}
		for _, t := range want {
			if rr.Type == t {
				rrs = append(rrs, rr)
			}
		}
	}
	switch {
	case rd.Err() != nil:
		return nil, fmt.Errorf("--%s: %w", flag, rd.Err())
	case len(rrs) == 0:
		return nil, fmt.Errorf("--%s %s: there is no record in it of type %v", flag, path, want)
	}
	return rrs, nil
}

// readHints reads the names and addresses of the root's servers.
func readHints(path string) ([]msg.RR, error) {
	return readRecords("hints", path, msg.TypeNS, msg.TypeA, msg.TypeAAAA)
}

// readAnchors reads the keys that validation begins with.
func readAnchors(path string) ([]msg.RR, error) {
	return readRecords("anchor", path, msg.TypeDS, msg.TypeDNSKEY)
}
