package shard

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"sync/atomic"
)

// flowKey names a flow by both its ends, as fixed octets that hash in one go.
// An IPv4 address is its IPv4-mapped form, which no packet can carry for another.
type flowKey struct {
	local, remote [16]byte
	ports         [4]byte // local, remote
}

func makeFlowKey(local, remote netip.AddrPort) (k flowKey) {
	k.local, k.remote = local.Addr().As16(), remote.Addr().As16()
	binary.BigEndian.PutUint16(k.ports[:2], local.Port())
	binary.BigEndian.PutUint16(k.ports[2:], remote.Port())
	return k
}

// ends returns both ends again.
func (k *flowKey) ends() (local, remote netip.AddrPort) {
	local = netip.AddrPortFrom(netip.AddrFrom16(k.local).Unmap(), binary.BigEndian.Uint16(k.ports[:2]))
	remote = netip.AddrPortFrom(netip.AddrFrom16(k.remote).Unmap(), binary.BigEndian.Uint16(k.ports[2:]))
	return local, remote
}

// is4 reports whether the flow is one of IPv4.
func (k *flowKey) is4() bool { return netip.AddrFrom16(k.remote).Is4In6() }

func (k *flowKey) localPort() uint16 { return binary.BigEndian.Uint16(k.ports[:2]) }

// bucket returns which of n parts, a power of two, the flow belongs to.
func (k *flowKey) bucket(n int) int {
	const m = 0x9e3779b97f4a7c15 // 2⁶⁴ divided by the golden ratio: spreads every input bit
	x := binary.LittleEndian.Uint64(k.remote[8:]) ^ binary.LittleEndian.Uint64(k.local[8:])*m
	x = (x ^ uint64(binary.LittleEndian.Uint32(k.ports[:]))) * m
	return int(x>>40) & (n - 1)
}

const flowBuckets = 64 // enough that receive loops of several queues seldom meet

// flows maps keys to flows of one kind, in parts with a lock each.
type flows[T comparable] struct {
	count atomic.Int64
	parts [flowBuckets]struct {
		sync.RWMutex
		m map[flowKey]T
		_ [32]byte // a cache line of its own
	}
}

// get returns the flow, or the zero T.
func (f *flows[T]) get(k *flowKey) T {
	p := &f.parts[k.bucket(flowBuckets)]
	p.RLock()
	v := p.m[*k]
	p.RUnlock()
	return v
}

// add enters the flow and reports false where the key is taken.
func (f *flows[T]) add(k *flowKey, v T) bool {
	p := &f.parts[k.bucket(flowBuckets)]
	p.Lock()
	defer p.Unlock()
	if _, taken := p.m[*k]; taken {
		return false
	}
	if p.m == nil {
		p.m = make(map[flowKey]T)
	}
	p.m[*k] = v
	f.count.Add(1)
	return true
}

// set enters the flow, in place of one that has the key.
func (f *flows[T]) set(k *flowKey, v T) {
	p := &f.parts[k.bucket(flowBuckets)]
	p.Lock()
	defer p.Unlock()
	if _, taken := p.m[*k]; !taken {
		f.count.Add(1)
	}
	if p.m == nil {
		p.m = make(map[flowKey]T)
	}
	p.m[*k] = v
}

// remove takes the flow out, if it is still v that stands there.
func (f *flows[T]) remove(k *flowKey, v T) bool {
	p := &f.parts[k.bucket(flowBuckets)]
	p.Lock()
	defer p.Unlock()
	if p.m[*k] != v {
		return false
	}
	delete(p.m, *k)
	f.count.Add(-1)
	return true
}

// len counts the flows.
func (f *flows[T]) len() int { return int(f.count.Load()) }

// list returns all flows as they are at the moment.
func (f *flows[T]) list() (all []T) {
	for i := range f.parts {
		f.parts[i].RLock()
		for _, v := range f.parts[i].m {
			all = append(all, v)
		}
		f.parts[i].RUnlock()
	}
	return all
}
