package shard

import (
	"sync"
	"sync/atomic"
)

const flowBuckets = 64 // enough that receive loops of several queues seldom meet

// flowMap maps keys to flows of one kind, in parts with a lock each, where a flow may change its key
// when it is in none.
type flowMap[T comparable] struct {
	count atomic.Int64
	parts [flowBuckets]struct {
		sync.RWMutex
		m map[flowKey]T
		_ [32]byte // a cache line of its own
	}
}

// get returns the flow, or the zero T.
func (f *flowMap[T]) get(k *flowKey) T {
	p := &f.parts[k.bucket(flowBuckets)]
	p.RLock()
	v := p.m[*k]
	p.RUnlock()
	return v
}

// set enters the flow, in place of one that has the key.
func (f *flowMap[T]) set(k *flowKey, v T) {
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
func (f *flowMap[T]) remove(k *flowKey, v T) bool {
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
func (f *flowMap[T]) len() int { return int(f.count.Load()) }
