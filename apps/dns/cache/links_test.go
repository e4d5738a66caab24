package cache_test

import (
	"testing"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/msg"
)

// A CNAME with a proof beside it, of a name that did not exist a while ago, is no answer of half of each.
func TestAliasWithProofAfterNXDomain(t *testing.T) {
	c := cache.New(cache.Config{})
	n := msg.MustName("a.example")
	set := func(typ msg.Type, section cache.Section, data string) cache.Set {
		return cache.Set{RRset: msg.RRset{Name: n, Type: typ, Class: msg.ClassINET, TTL: 60, Data: []string{data}, Sigs: []string{"sig"}}, Section: section}
	}
	c.Put(cache.Entry{Name: n, Kind: cache.NXDomain, Rank: cache.RankAuthority, Security: cache.Secure, TTL: 60})
	c.Put(cache.Entry{Name: n, Type: msg.TypeCNAME, Rank: cache.RankAuthoritative, Security: cache.Secure, TTL: 60, Sets: []cache.Set{
		set(msg.TypeCNAME, cache.InAnswer, string(msg.MustName("b.example"))), set(msg.TypeNSEC, cache.InProof, string(n)+"\x00\x01\x40"),
	}})
	q := msg.NewQuery(n, msg.TypeA, true)
	q.EDNS = &msg.EDNS{Size: 1232, DO: true}
	p, err := q.Append(nil, 512)
	if err != nil {
		t.Fatal(err)
	}
	var v msg.Query
	if !v.Parse(p) {
		t.Fatal("not a plain query")
	}
	if out, _, ok := c.Answer(nil, &v, cache.Answering{UDPSize: 1232}); ok {
		var m msg.Message
		t.Errorf("answered, and the answer reads: %v\n%v", m.Unpack(out), &m)
	}
}
