package dnssec

import "github.com/weirnet/weir/apps/dns/msg"

// nsecRecord is a validated NSEC record.
type nsecRecord struct {
	owner msg.Name
	msg.NSEC
}

// covers reports whether the record says that name does not exist, or has no records: it is
// between the owner and the next name (RFC 4034 section 4.1.1), and its own zone says so.
func (n *nsecRecord) covers(name msg.Name) bool {
	if name.Compare(n.owner) <= 0 {
		return false
	}
	// The last record points to the apex, which is before its owner.
	if n.Next.Compare(n.owner) > 0 && name.Compare(n.Next) >= 0 {
		return false
	}
	return !(name.Under(n.owner) && endsThere(n.Types))
}

func matching(all []nsecRecord, name msg.Name) *nsecRecord {
	for i := range all {
		if all[i].owner.Equal(name) {
			return &all[i]
		}
	}
	return nil
}

func covering(all []nsecRecord, name msg.Name) *nsecRecord {
	for i := range all {
		if all[i].covers(name) {
			return &all[i]
		}
	}
	return nil
}

// encloser returns the closest encloser of a name that n covers: what it shares with the owner
// or with the next name, whichever is more (RFC 4035 section 5.4).
func (n *nsecRecord) encloser(name msg.Name) msg.Name {
	for e := name.Parent(); ; e = e.Parent() {
		if n.owner.Under(e) || n.Next.Under(e) || e == msg.Root {
			return e
		}
	}
}

// nsecNoName reports whether neither the name nor a wildcard that would make it exists
// (RFC 4035 section 5.4). A name with others below it does.
func nsecNoName(all []nsecRecord, name msg.Name) bool {
	n := covering(all, name)
	if n == nil || n.Next.Under(name) {
		return false
	}
	wild, err := n.encloser(name).Wildcard()
	return err == nil && covering(all, wild) != nil
}

// nsecNoData reports whether the name exists, by itself or by a wildcard, without such a type.
func nsecNoData(all []nsecRecord, name msg.Name, typ msg.Type) bool {
	if n := matching(all, name); n != nil {
		return lacks(n.Types, typ, name)
	}
	n := covering(all, name)
	if n == nil {
		return false
	}
	if n.Next.Under(name) {
		return true // the name has no records, and others below it
	}
	wild, err := n.encloser(name).Wildcard()
	if err != nil {
		return false
	}
	w := matching(all, wild)
	return w != nil && lacks(w.Types, typ, wild)
}

func nsecDelegation(all []nsecRecord, name msg.Name) cut {
	if n := matching(all, name); n != nil {
		return ofTypes(n.Types)
	}
	switch n := covering(all, name); {
	case n == nil:
		return cutUnproven
	case n.Next.Under(name):
		return cutNone
	}
	return cutAbsent
}
