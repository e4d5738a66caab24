package tree

import (
	"net/netip"
	"testing"
	"testing/synctest"

	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/link/pipe"
)

// served serves a tree on one stack and returns another that reaches it. The tests run in bubbles: an answer that comes does so in time,
// however busy the machine is.
func served(t *testing.T, tr *Tree) (near *stack.Stack) {
	t.Helper()
	a, b := pipe.New(pipe.Options{})
	near, far := newStack(t, a, neighbours(tr)), newStack(t, b, tr.Addrs())
	s, err := tr.Serve(far)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return near
}

func neighbours(tr *Tree) (list []netip.Prefix) {
	for i, a := range tr.Neighbour() {
		list = append(list, netip.PrefixFrom(a, tr.Prefixes()[i].Bits()))
	}
	return list
}

func newStack(t *testing.T, dev stack.Device, addrs []netip.Prefix) *stack.Stack {
	t.Helper()
	st, err := stack.New(stack.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	if _, err := st.AddInterface(dev, stack.InterfaceConfig{Addresses: addrs}); err != nil {
		t.Fatal(err)
	}
	return st
}

func ask(t *testing.T, c *client.Client, name, typ string, at netip.Addr) (*msg.Message, client.Result) {
	t.Helper()
	ty, err := msg.ParseType(typ)
	if err != nil {
		t.Fatal(err)
	}
	q := msg.NewQuery(msg.MustName(name), ty, false)
	q.EDNS = new(msg.EDNS)
	m, r, err := c.Exchange(t.Context(), q, netip.AddrPortFrom(at, 53), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m, r
}

// Every server answers with authority for its zones, at both addresses, and refuses what it does not have.
func TestEachServerHasItsZonesAndNoOthers(t *testing.T) {
	synctest.Test(t, eachServerHasItsZonesAndNoOthers)
}

func eachServerHasItsZonesAndNoOthers(t *testing.T) {
	tr := plain(t)
	c := &client.Client{Network: served(t, tr)}
	defer c.Close()
	for _, s := range tr.Servers {
		for _, a := range s.Addrs {
			for _, z := range s.Zones {
				m, _ := ask(t, c, z.String(), "SOA", a)
				if !m.Authoritative || len(m.Answer) != 1 {
					t.Errorf("%v at %v on %v:\n%v", s.Name, a, z, m)
				}
			}
		}
		if m, _ := ask(t, c, "nobody.invalid.", "A", s.Addrs[0]); !has(s.Zones, msg.Root) && m.Rcode != msg.RcodeRefused {
			t.Errorf("%v does not refuse invalid:\n%v", s.Name, m)
		}
	}
}

// What the documentation says there is to ask for.
func TestTreeHasWhatItsDocumentationSays(t *testing.T) {
	synctest.Test(t, treeHasWhatItsDocumentationSays)
}

func treeHasWhatItsDocumentationSays(t *testing.T) {
	tr := plain(t)
	c := &client.Client{Network: served(t, tr)}
	defer c.Close()
	at := tr.Servers[5].Addrs[1] // ns1.weir.example
	for _, q := range []struct {
		name, typ string
		rcode     msg.Rcode
		answers   int
		last      string // the last record's type
	}{
		{"www.weir.example.", "A", 0, 1, "A"},
		{"www.weir.example.", "HTTPS", 0, 1, "HTTPS"},
		{"ftp.weir.example.", "AAAA", 0, 2, "AAAA"},
		{"blog.weir.example.", "A", 0, 1, "CNAME"},
		{"x.wild.weir.example.", "A", 0, 1, "A"},
		{"host.old.weir.example.", "A", 0, 3, "A"},
		{"big.weir.example.", "TXT", 0, 20, "TXT"},
		{"nobody.weir.example.", "A", msg.RcodeNameError, 0, ""},
		{"empty.weir.example.", "A", 0, 0, ""},
		{"www.weir.example.", "MX", 0, 0, ""},
		{"80.113.0.203.in-addr.arpa.", "PTR", 0, 2, "PTR"},
		{"bench.lab.weir.example.", "A", 0, 0, ""},
	} {
		m, r := ask(t, c, q.name, q.typ, at)
		last := ""
		if n := len(m.Answer); n > 0 {
			last = m.Answer[n-1].Type.String()
		}
		if m.Rcode != q.rcode || len(m.Answer) != q.answers || last != q.last {
			t.Errorf("%s %s: want %d answers, the last %s\n%v", q.name, q.typ, q.answers, q.last, m)
		}
		if r.Truncated != (q.name == "big.weir.example.") {
			t.Errorf("%s: truncated over UDP: %v", q.name, r.Truncated)
		}
	}
}

// A resolver finds every name of the signed tree and believes it; what was changed after it was signed it does not.
func TestSignedTreeIsBelieved(t *testing.T) { synctest.Test(t, signedTreeIsBelieved) }

func signedTreeIsBelieved(t *testing.T) {
	island := msg.MustName("host.test.")
	tr, err := New(Options{Signed: true, Unsigned: []msg.Name{island}})
	if err != nil {
		t.Fatal(err)
	}
	forged := 0
	for i := range tr.Zones {
		for j, rr := range tr.Zones[i].Records {
			if rr.Name.Equal(msg.MustName("mail.weir.example.")) && rr.Type == msg.TypeA {
				tr.Zones[i].Records[j] = msg.A(rr.Name, rr.TTL, netip.MustParseAddr("203.0.113.66"))
				forged++
			}
		}
	}
	near := served(t, tr)
	r, err := recursor.New(recursor.Config{Network: near, Hints: tr.Hints, Anchors: tr.Anchors, Public: []msg.Name{msg.Root}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, q := range []struct {
		name, typ string
		rcode     msg.Rcode
		secure    bool
	}{
		{"www.weir.example.", "A", msg.RcodeSuccess, true},
		{"bench.lab.weir.example.", "AAAA", msg.RcodeSuccess, true},
		{"x.wild.weir.example.", "A", msg.RcodeSuccess, true},
		{"host.old.weir.example.", "A", msg.RcodeSuccess, true},
		{"nobody.weir.example.", "A", msg.RcodeNameError, true},
		{"nobody.example.", "A", msg.RcodeNameError, true},
		{"80.113.0.203.in-addr.arpa.", "PTR", msg.RcodeSuccess, true},
		{"web.shop.example.", "A", msg.RcodeSuccess, true},
		{"pages.host.test.", "CNAME", msg.RcodeSuccess, false},
		{"mail.weir.example.", "A", msg.RcodeServerFailure, false},
	} {
		ty, _ := msg.ParseType(q.typ)
		m, err := r.Resolve(t.Context(), msg.Question{Name: msg.MustName(q.name), Type: ty, Class: msg.ClassINET}, recursor.QueryOptions{DO: true})
		if err != nil {
			t.Errorf("%s %s: %v", q.name, q.typ, err)
			continue
		}
		if m.Rcode != q.rcode || m.AuthenticData != q.secure {
			t.Errorf("%s %s: want %v, secure %v\n%v", q.name, q.typ, q.rcode, q.secure, m)
		}
	}
	if forged != 1 {
		t.Errorf("%d records were forged", forged)
	}
}
