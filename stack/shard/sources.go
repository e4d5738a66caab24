package shard

import (
	"net/netip"
	"slices"
	"syscall"
)

// JoinSource has the socket hear a group from one source more, and makes it a member that hears no other
// (IP_ADD_SOURCE_MEMBERSHIP). EADDRNOTAVAIL: it hears that source already. EINVAL: it is a member
// that hears all but some.
func (u *datagramSocket) JoinSource(group, source netip.Addr, ifc int) error {
	return u.withGroup(group, ifc, func(m *membership, ifc int) error {
		if source.Is4() != group.Is4() {
			return syscall.EINVAL
		}
		if m == nil {
			return u.enterGroup(membership{group: group, ifc: ifc, sources: []netip.Addr{source}})
		}
		if m.exclude {
			if len(m.sources) > 0 {
				return syscall.EINVAL
			}
			m.exclude = false // an empty filter may change its mode
		}
		return m.add(source)
	})
}

// LeaveSource undoes JoinSource; with the last source the membership ends. EADDRNOTAVAIL: it does not
// hear that source by its name.
func (u *datagramSocket) LeaveSource(group, source netip.Addr, ifc int) error {
	return u.withGroup(group, ifc, func(m *membership, _ int) error {
		switch {
		case m == nil:
			return syscall.EINVAL
		case m.exclude && len(m.sources) > 0:
			return syscall.EINVAL
		}
		if err := m.remove(source); err != nil {
			return err
		}
		if len(m.sources) == 0 {
			u.leaveGroup(m)
		}
		return nil
	})
}

// BlockSource has a member that hears all sources not hear this one (IP_BLOCK_SOURCE).
func (u *datagramSocket) BlockSource(group, source netip.Addr, ifc int) error {
	return u.withGroup(group, ifc, func(m *membership, _ int) error {
		if m == nil || !m.exclude && len(m.sources) > 0 {
			return syscall.EINVAL
		}
		m.exclude = true
		return m.add(source)
	})
}

// UnblockSource undoes BlockSource.
func (u *datagramSocket) UnblockSource(group, source netip.Addr, ifc int) error {
	return u.withGroup(group, ifc, func(m *membership, _ int) error {
		if m == nil || !m.exclude {
			return syscall.EINVAL
		}
		return m.remove(source)
	})
}

// SetSources replaces a membership's filter (IP_MSFILTER, RFC 3678 §4.2): it hears the sources only,
// or all but them. Without sources and exclude the membership ends.
func (u *datagramSocket) SetSources(group netip.Addr, ifc int, exclude bool, sources []netip.Addr) error {
	return u.withGroup(group, ifc, func(m *membership, _ int) error {
		switch {
		case len(sources) > maxSources:
			return syscall.ENOBUFS
		case m == nil:
			return syscall.EINVAL
		case !exclude && len(sources) == 0:
			u.leaveGroup(m)
			return nil
		}
		m.exclude, m.sources = exclude, slices.Clone(sources)
		return nil
	})
}

// Sources returns a membership's filter. EADDRNOTAVAIL: there is none.
func (u *datagramSocket) Sources(group netip.Addr, ifc int) (exclude bool, sources []netip.Addr, err error) {
	err = u.withGroup(group, ifc, func(m *membership, _ int) error {
		if m == nil {
			return syscall.EADDRNOTAVAIL
		}
		exclude, sources = m.exclude, slices.Clone(m.sources)
		return nil
	})
	return exclude, sources, err
}

func (m *membership) add(source netip.Addr) error {
	switch {
	case slices.Contains(m.sources, source):
		return syscall.EADDRNOTAVAIL
	case len(m.sources) >= maxSources:
		return syscall.ENOBUFS
	}
	m.sources = append(slices.Clip(m.sources), source)
	return nil
}

func (m *membership) remove(source netip.Addr) error {
	i := slices.Index(m.sources, source)
	if i < 0 {
		return syscall.EADDRNOTAVAIL
	}
	m.sources = slices.Delete(slices.Clone(m.sources), i, i+1)
	return nil
}
