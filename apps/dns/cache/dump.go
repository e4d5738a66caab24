package cache

import (
	"bufio"
	"fmt"
	"io"

	"github.com/weirnet/weir/apps/dns/msg"
)

// each calls f with the live records of one shard after the other, with the shard's lock held.
func (c *Cache) each(f func(s *shard, rec record)) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		for _, q := range [2]*queue{&s.small, &s.main} {
			for _, slot := range q.slots {
				for off := 0; off < s.ends[slot]; {
					rec := record(s.segs[slot][off:])
					rec = rec[:rec.size()]
					if !rec.dead() {
						f(s, rec)
					}
					off += len(rec)
				}
			}
		}
		s.mu.Unlock()
	}
}

// Flush drops what is known of a name and type, and that the name does not exist. It returns how many
// entries went.
func (c *Cache) Flush(name msg.Name, typ msg.Type) int {
	return c.flush(func(n msg.Name, rec record) bool {
		return n.Equal(name) && (rec.typ() == typ || rec.kind() == NXDomain)
	}, name)
}

// FlushName drops what is known of a name.
func (c *Cache) FlushName(name msg.Name) int {
	return c.flush(func(n msg.Name, _ record) bool { return n.Equal(name) }, name)
}

// FlushTree drops what is known of a name and of all below it; of Root everything.
func (c *Cache) FlushTree(name msg.Name) int {
	return c.flush(func(n msg.Name, _ record) bool { return n.Under(name) }, name)
}

func (c *Cache) flush(want func(msg.Name, record) bool, name msg.Name) (n int) {
	c.spans.flush(name)
	c.each(func(s *shard, rec record) {
		if !want(msg.Name(rec.name()), rec) {
			return
		}
		_, i := s.find(rec.tag(), rec.name(), rec.typ(), rec.space())
		s.drop(rec, i)
		s.stats.Flushed++
		n++
	})
	return n
}

// Dump writes the entries as text, in no order: for each a comment that says what it is, how far it is believed and
// whether it was validated, then its records as a master file has them, with the TTL that is left. Entries
// under zone only.
func (c *Cache) Dump(w io.Writer, zone msg.Name) error {
	out := bufio.NewWriter(w)
	now := c.now()
	for i := range c.shards { // a shard's entries are copied out, so that no lock is held while w is written to
		var list []Entry
		one := &Cache{shards: c.shards[i : i+1]}
		one.each(func(_ *shard, rec record) {
			if rec.expires()+c.stale > now && msg.Name(rec.name()).Under(zone) {
				list = append(list, rec.entry(now))
			}
		})
		for j := range list {
			list[j].write(out)
		}
	}
	return out.Flush()
}

var rankNames = [...]string{"additional", "answer", "authority", "authoritative"}

func (e *Entry) write(w *bufio.Writer) {
	fmt.Fprintf(w, "; %s %s: %s, %s, %s, ", e.Name, e.Type, e.Kind, rankNames[e.Rank&3], e.Security)
	if e.Stale {
		fmt.Fprint(w, "stale")
	} else {
		fmt.Fprintf(w, "%d of %d s left", e.TTL, e.Original)
	}
	if e.EDE != 0 {
		fmt.Fprintf(w, ", extended error %d", e.EDE)
	}
	fmt.Fprintln(w)
	for _, s := range e.Sets {
		for _, d := range s.Data {
			fmt.Fprintln(w, msg.RR{Name: s.Name, Type: s.Type, Class: s.Class, TTL: s.TTL, Data: d}.String())
		}
		for _, d := range s.Sigs {
			fmt.Fprintln(w, msg.RR{Name: s.Name, Type: msg.TypeRRSIG, Class: s.Class, TTL: s.TTL, Data: d}.String())
		}
	}
}
