package authority

import (
	"errors"
	"fmt"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/zone"
)

// incoming is a transfer that comes in, record by record. Whether it is of a whole zone or of changes shows at the second
// record (RFC 1995 §4): changes go on with the SOA record of the version that they begin with.
type incoming struct {
	origin msg.Name
	have   *zone.Zone // what changes can begin with
	done   bool

	n        int
	messages int
	soa      msg.RR // the one that the transfer begins and ends with
	serial   uint32
	all      *zone.Builder
	diffs    []*zone.Diff
	adding   bool
}

// maxDiffs is how many differences are taken in one transfer: each makes a version of the zone, which takes a look at every
// page of it. Where there are more the zone is fetched whole.
const maxDiffs = 2000

var errAfter = errors.New("records follow the end of the transfer")

// record takes the next record.
func (in *incoming) record(rr msg.RR) error {
	if in.done {
		return errAfter
	}
	in.n++
	soa, isSOA := rr.SOA()
	isSOA = isSOA && rr.Name.Equal(in.origin)
	switch {
	case in.n == 1 && !isSOA:
		return errors.New("the transfer does not begin with the zone's SOA record")
	case in.n == 1:
		in.soa, in.serial = rr, soa.Serial
		return nil
	case in.n == 2 && isSOA && in.have != nil && soa.Serial != in.serial:
		in.diffs = []*zone.Diff{{Deleted: []msg.RR{rr}}}
		return nil
	case in.n == 2:
		in.all = zone.NewBuilder(in.origin)
		if err := in.all.Add(in.soa); err != nil {
			return err
		}
	}
	if in.all != nil {
		return in.whole(rr, isSOA)
	}
	return in.change(rr, isSOA, soa.Serial)
}

// whole takes a record of a whole zone.
func (in *incoming) whole(rr msg.RR, isSOA bool) error {
	if isSOA {
		if rr.Data != in.soa.Data {
			return errors.New("the transfer ends with another SOA record than it began with")
		}
		in.done = true
		return nil
	}
	if err := in.all.Add(rr); err != nil && !errors.Is(err, zone.ErrOutOfZone) {
		return err
	}
	return nil
}

// change takes a record of changes.
func (in *incoming) change(rr msg.RR, isSOA bool, serial uint32) error {
	d := in.diffs[len(in.diffs)-1]
	switch {
	case !isSOA && in.adding:
		d.Added = append(d.Added, rr)
	case !isSOA:
		d.Deleted = append(d.Deleted, rr)
	case !in.adding:
		in.adding = true
		d.Added = append(d.Added, rr)
	case serial == in.serial && d.To() == in.serial:
		in.done = true
	case serial != d.To():
		return fmt.Errorf("changes from serial number %d follow those to %d", serial, d.To())
	case len(in.diffs) >= maxDiffs:
		return fmt.Errorf("more than %d differences one after the other", maxDiffs)
	default:
		in.adding = false
		in.diffs = append(in.diffs, &zone.Diff{Deleted: []msg.RR{rr}})
	}
	return nil
}

// only ends a transfer whose first message has the SOA record and nothing else: there is nothing newer.
func (in *incoming) only() {
	if in.have != nil && in.n == 1 && in.messages == 1 && !Newer(in.serial, in.have.Serial()) {
		in.done = true
	}
}

// zone returns what the transfer makes.
func (in *incoming) zone() (*zone.Zone, error) {
	if in.all != nil {
		return in.all.Zone()
	}
	z := in.have
	for _, d := range in.diffs {
		if d.From() != z.Serial() {
			return nil, fmt.Errorf("changes from serial number %d, the zone here has %d", d.From(), z.Serial())
		}
		var err error
		if z, err = z.Apply(d); err != nil {
			return nil, err
		}
	}
	return z, nil
}
