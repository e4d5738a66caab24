package cache

// Stats counts what a cache has done and holds.
type Stats struct {
	Entries   int   // live records, expired ones among them until they leave
	Octets    int64 // index and segments
	Spans     int   // NSEC and NSEC3 records kept in order
	Hits      uint64
	Misses    uint64 // lookups that found nothing: an answer may take several
	Answers   uint64 // whole answers written by Answer
	Inserted  uint64
	Outranked uint64 // not kept: what was there is to be believed more
	Unfit     uint64 // not kept: TTL zero, or larger than half a segment
	Evicted   uint64 // left for lack of room
	Flushed   uint64
	Denied    uint64 // denials from spans (RFC 8198)
}

// Stats returns the counts of all shards together.
func (c *Cache) Stats() (t Stats) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		t.Entries += s.live
		t.Octets += s.octets()
		t.Hits += s.stats.Hits
		t.Misses += s.stats.Misses
		t.Answers += s.stats.Answers
		t.Inserted += s.stats.Inserted
		t.Outranked += s.stats.Outranked
		t.Unfit += s.stats.Unfit
		t.Evicted += s.stats.Evicted
		t.Flushed += s.stats.Flushed
		s.mu.Unlock()
	}
	t.Spans, t.Denied = c.spans.stats()
	return t
}
