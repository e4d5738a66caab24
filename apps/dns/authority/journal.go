package authority

import "github.com/weirnet/weir/apps/dns/zone"

// journal is the latest differences of a zone, each of which begins where the one before ends.
type journal struct {
	diffs, octets int // bounds
	list          []*zone.Diff
	size          int
}

// note adds what changed from one version to the next. Where that is more than the journal may have, or the serial
// number does not go up, the journal is empty afterwards: what it had leads nowhere. The same version again, as a
// zone that had expired and is found to be as it was, leaves it as it is; another content under the same serial number does not,
// for the differences lead to the one before.
func (j *journal) note(from, to *zone.Zone) {
	const leastRecord = 64
	if from == to {
		return
	}
	d, ok := zone.Compare(from, to, j.octets/leastRecord)
	if ok && len(d.Deleted) == 1 && len(d.Added) == 1 && d.Deleted[0] == d.Added[0] {
		return
	}
	if !ok || !Newer(to.Serial(), from.Serial()) || d.Octets() > j.octets {
		j.list, j.size = nil, 0
		return
	}
	j.add(d)
}

func (j *journal) add(d *zone.Diff) {
	j.list = append(j.list, d)
	j.size += d.Octets()
	for j.size > j.octets || len(j.list) > j.diffs {
		j.size -= j.list[0].Octets()
		j.list[0] = nil
		j.list = j.list[1:]
	}
}

// since returns the differences from a serial number on to that of the zone's latest version, nil where they are
// not known.
func (j *journal) since(serial, latest uint32) []*zone.Diff {
	for i, d := range j.list {
		if d.From() == serial && j.list[len(j.list)-1].To() == latest {
			return j.list[i:len(j.list):len(j.list)]
		}
	}
	return nil
}
